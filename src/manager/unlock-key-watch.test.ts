import { expect, test } from "vitest";
import type { Cluster } from "../api/index.js";
import type { StoreBatch } from "../store/index.js";
import { watchUnlockKey } from "./unlock-key-watch.js";

/** A cluster object and who listens; `set` is what a transaction or a snapshot does. */
function world(unlockKey: string | undefined | "no cluster") {
  let cluster: Pick<Cluster, "unlockKey"> | undefined;
  const assign = (key: typeof unlockKey): void => {
    cluster = key === "no cluster" ? undefined : key === undefined ? {} : { unlockKey: key };
  };
  assign(unlockKey);
  const listeners: ((batch: StoreBatch) => void)[] = [];
  const told: string[] = [];
  watchUnlockKey(
    {
      cluster: () => cluster as Cluster | undefined,
      subscribe: (listener) => {
        listeners.push(listener);
        return () => undefined;
      },
    },
    (key) => told.push(key),
  );
  const set = (key: typeof unlockKey, batch: object): void => {
    assign(key);
    for (const listener of listeners) listener(batch as StoreBatch);
  };
  return { told, set };
}

const CHANGE = { kind: "changes", events: [{ table: "cluster" }] };

test("the key of now is told at once, and each other one, once", () => {
  const { told, set } = world("k1");
  set("k1", CHANGE);
  set("k2", CHANGE);
  set("k3", { kind: "restored" });
  set(undefined, CHANGE);
  set(undefined, CHANGE);
  expect(told).toEqual(["k1", "k2", "k3", ""]);
});

test("without autolock it is told that there is none; without a cluster nothing", () => {
  expect(world(undefined).told).toEqual([""]);
  const { told, set } = world("no cluster");
  expect(told).toEqual([]);
  set("k1", { kind: "restored" });
  expect(told).toEqual(["k1"]);
});

test("changes of other objects are not looked at", () => {
  const { told, set } = world("k1");
  set("k2", { kind: "changes", events: [{ table: "task" }] });
  expect(told).toEqual(["k1"]);
});
