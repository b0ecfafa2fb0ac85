/** Clients that write named services without pause, and what was answered to them. */
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { ApiService } from "../../src/cli/api-types.js";
import { api, managers, serviceSpec, type TestNode } from "./playground.js";

/** A manager that answers at once with an error must not be asked a thousand times a second. */
const PAUSE_AFTER_ERROR_MS = 20;
/** The managers give up after 20 s by themselves. */
const CALL_LIMIT_MS = 25_000;
const CLIENTS_PER_MANAGER = 2;

let lastName = 0;

export type Writers = {
  readonly acknowledged: readonly { readonly name: string; readonly at: number }[];
  /** Names refused as taken although nobody else uses them. */
  readonly conflicts: readonly string[];
  stop(): Promise<void>;
};

/** Writes named services at the given managers until told to stop; keeps what was acknowledged. */
export function startWriters(targets: readonly TestNode[]): Writers {
  const acknowledged: { name: string; at: number }[] = [];
  const conflicts: string[] = [];
  let isOver = false;
  const write = async (target: TestNode): Promise<void> => {
    while (!isOver) {
      const name = `write-${lastName++}`;
      try {
        await api(target).call("POST", "/services/create", {
          body: serviceSpec(name, { replicas: 0 }),
          signal: AbortSignal.timeout(CALL_LIMIT_MS),
        });
        acknowledged.push({ name, at: performance.now() });
      } catch (error) {
        if (error instanceof Error && error.message.includes("already exists"))
          conflicts.push(name);
        await delay(PAUSE_AFTER_ERROR_MS);
      }
    }
  };
  const done = Promise.all(
    targets.flatMap((target) => Array.from({ length: CLIENTS_PER_MANAGER }, () => write(target))),
  );
  return {
    acknowledged,
    conflicts,
    stop: async (): Promise<void> => {
      isOver = true;
      await done;
    },
  };
}

/** Every manager, asked by itself, knows all these services. */
export async function expectOnAllManagers(names: readonly string[]): Promise<void> {
  for (const manager of managers()) {
    const known = new Set(
      (await api(manager).call<ApiService[]>("GET", "/services")).map((entry) => entry.Spec.Name),
    );
    expect({ manager: manager.name, lost: names.filter((name) => !known.has(name)) }).toEqual({
      manager: manager.name,
      lost: [],
    });
  }
}
