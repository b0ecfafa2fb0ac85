import { beforeEach, expect, test } from "vitest";
import type { ApiService } from "../../src/cli/api-types.js";
import {
  allContainerPids,
  api,
  create,
  eventually,
  healthy,
  IS_SOAK,
  kill,
  leader,
  managers,
  node,
  reset,
  untilRunning,
  whileFrozen,
} from "./playground.js";
import { expectOnAllManagers, startWriters } from "./writers.js";

/** 5 × the 2 s that the bench asserts. */
const WRITES_AGAIN_MS = 10_000;
const LEADER_KILLS = IS_SOAK ? 10 : 4;

beforeEach(reset);

async function loseLeader(
  lose: (pid: number | null, work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const lost = await leader();
  const others = managers().filter((manager) => manager.name !== lost.name);
  await create(lost, "steady", { replicas: 5 });
  await untilRunning(lost, "steady", 5);
  const pidsBefore = allContainerPids();
  const writers = startWriters(others);
  await eventually("writes flow", 10_000, () => writers.acknowledged.length > 20);
  await lose(lost.pids.front, async () => {
    const lostAt = performance.now();
    await eventually("writes are accepted again", WRITES_AGAIN_MS, () =>
      writers.acknowledged.some((write) => write.at > lostAt + 300),
    );
  });
  await writers.stop();
  await healthy();
  expect(writers.conflicts).toEqual([]);
  await expectOnAllManagers(writers.acknowledged.map((write) => write.name));
  expect(allContainerPids()).toEqual(pidsBefore);
}

test("SIGKILL of the leader under writes: none lost, writes go on, containers untouched", async () => {
  await loseLeader(async (pid, work) => {
    kill(pid);
    await work();
  });
});

test("SIGSTOP of the leader under writes: none lost, writes go on, containers untouched", async () => {
  await loseLeader((pid, work) => whileFrozen([pid], work));
});

test("leader kills while scaling: no task is replaced without cause", async () => {
  const first = node("m1");
  await create(first, "grow", { replicas: 5 });
  await untilRunning(first, "grow", 5);
  for (let round = 1; round <= LEADER_KILLS; round++) {
    const lost = await leader();
    const survivor = managers().find((manager) => manager.name !== lost.name);
    if (survivor === undefined) throw new Error("no second manager");
    const before = allContainerPids();
    kill(lost.pids.front);
    await eventually("scaled", 25_000, async () => {
      const current = await api(survivor).call<ApiService>("GET", "/services/grow");
      await api(survivor).call(
        "POST",
        `/services/${current.ID}/update?version=${current.Version.Index}`,
        {
          body: { ...current.Spec, Mode: { Replicated: { Replicas: 5 + round } } },
        },
      );
      return true;
    });
    await untilRunning(survivor, "grow", 5 + round);
    const after = allContainerPids();
    for (const [id, pid] of before) expect([id, after.get(id)]).toEqual([id, pid]);
    await healthy();
  }
}, 240_000);

test("all managers killed at once: state comes back, tasks are not restarted", async () => {
  const manager = await leader();
  await create(manager, "survivor", { replicas: 5 });
  await untilRunning(manager, "survivor", 5);
  const before = allContainerPids();
  for (const each of managers()) kill(each.pids.front);
  await healthy();
  await untilRunning(node("m1"), "survivor", 5);
  expect(allContainerPids()).toEqual(before);
});
