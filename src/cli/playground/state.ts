import { readFile, rename, writeFile } from "node:fs/promises";
import type { Layout, NodePlan } from "./layout.js";
import type { ProcessRef } from "./processes.js";

/** What `down` must know even when every process is dead. */
export type PlaygroundState = {
  readonly nodes: readonly (NodePlan & {
    readonly supervisor: ProcessRef;
    readonly nodeId: string;
  })[];
  readonly containerd: ProcessRef | undefined;
  readonly forwardBefore: string | undefined;
};

export async function readState(layout: Layout): Promise<PlaygroundState | undefined> {
  const text = await readFile(layout.stateFile, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as PlaygroundState);
}

export async function writeState(layout: Layout, state: PlaygroundState): Promise<void> {
  await writeFile(`${layout.stateFile}.new`, JSON.stringify(state, undefined, 2), { mode: 0o600 });
  await rename(`${layout.stateFile}.new`, layout.stateFile);
}
