/** A worker process comes back after its tasks were replaced: it stops what was superseded before it starts anything. */
import { setTimeout as delay } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import {
  allContainerPids,
  containerPids,
  create,
  eventually,
  healthy,
  kill,
  managers,
  node,
  reset,
  runningTasks,
  tasks,
  untilRunning,
  whileFrozen,
} from "./playground.js";

/** 5 × the 8 s that the bench asserts. */
const ELSEWHERE_MS = 40_000;

beforeEach(reset);

test("superseded containers are stopped before anything new starts, and no slot runs twice", async () => {
  const [manager] = managers();
  if (manager === undefined) throw new Error("no manager");
  const name = "w1";
  await create(manager, "move", { replicas: 10 });
  // Bound to the node: the tasks that replace these come to the same node once it is back.
  await create(manager, "bound", {
    replicas: 3,
    task: { Placement: { Constraints: [`node.hostname==${name}`] } },
  });
  await untilRunning(manager, "move", 10);
  await untilRunning(manager, "bound", 3);
  const victim = node(name);
  const old = containerPids(victim);
  expect(old.size).toBeGreaterThanOrEqual(4);

  let samples: Promise<Sample> | undefined;
  await whileFrozen([victim.pids.supervisor], async () => {
    kill(victim.pids.worker);
    await eventually("all that can runs elsewhere", ELSEWHERE_MS, async () => {
      const moved = await runningTasks(manager, "move");
      return moved.length === 10 && moved.every((task) => task.NodeID !== victim.nodeId);
    });
    await eventually("the bound slots have new tasks that wait", ELSEWHERE_MS, async () => {
      const waiting = await tasks(manager, { service: ["bound"], "desired-state": ["running"] });
      return waiting.length === 3 && waiting.every((task) => !old.has(task.ID));
    });
    // Nobody was there to stop them.
    expect(containerPids(victim)).toEqual(old);
    samples = sampleUntilReplaced(() => containerPids(victim), old);
  });
  expect(await samples).toEqual({ overlaps: [], isReplaced: true });
  await healthy();
  const bound = await untilRunning(manager, "bound", 3);
  expect(bound.map((task) => task.Slot).sort()).toEqual([1, 2, 3]);
  expect((await runningTasks(manager, "move")).length).toBe(10);
  await eventually("only what is wanted runs", 10_000, () => allContainerPids().size === 13);
});

type Sample = { readonly overlaps: readonly string[]; readonly isReplaced: boolean };

/** Looks first for new containers, then for old ones: an old one seen after a new one ran beside it. */
async function sampleUntilReplaced(
  look: () => ReadonlyMap<string, number>,
  old: ReadonlyMap<string, number>,
): Promise<Sample> {
  const overlaps = new Set<string>();
  const deadline = performance.now() + ELSEWHERE_MS;
  let isReplaced = false;
  while (!isReplaced && performance.now() < deadline) {
    const fresh = [...look().keys()].filter((id) => !old.has(id));
    if (fresh.length > 0) {
      for (const id of look().keys()) if (old.has(id)) overlaps.add(`${id} beside ${fresh[0]}`);
    }
    isReplaced = fresh.length >= 3;
    await delay(5);
  }
  return { overlaps: [...overlaps], isReplaced };
}
