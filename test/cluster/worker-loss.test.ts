import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import type { ApiNode } from "../../src/cli/api-types.js";
import {
  allContainerPids,
  api,
  containerPids,
  create,
  eventually,
  healthy,
  IS_SIMULATED,
  isAlive,
  kill,
  leader,
  node,
  reset,
  runningTasks,
  startWhatDoesNotRun,
  status,
  tasks,
  untilRunning,
  whileFrozen,
} from "./playground.js";

/** 5 × the 8 s that the bench asserts. */
const ELSEWHERE_MS = 40_000;

beforeEach(reset);

test.each(["worker", "net", "front", "supervisor"] as const)(
  "SIGKILL of a worker's %s process: containers run on and are adopted again",
  async (role) => {
    const manager = await leader();
    await create(manager, "adopt", { replicas: 10 });
    await untilRunning(manager, "adopt", 10);
    const before = allContainerPids();
    const victim = node("w1");
    kill(victim.pids[role]);
    if (role === "supervisor") {
      await eventually("its children end with it", 10_000, () =>
        Object.values(victim.pids).every((pid) => pid === null || !isAlive(pid)),
      );
      expect(containerPids(victim)).toEqual(
        new Map([...before].filter(([id]) => containerPids(victim).has(id))),
      );
      // The playground starts what does not run, as an init system would.
      await startWhatDoesNotRun();
    } else {
      await eventually("the process is back", 20_000, () => {
        const pid = node("w1").pids[role];
        return pid !== null && pid !== victim.pids[role];
      });
    }
    await healthy();
    await untilRunning(manager, "adopt", 10);
    expect(allContainerPids()).toEqual(before);
    expect((await tasks(manager, { service: ["adopt"] })).length).toBe(10);
  },
);

test("a node frozen for good: its tasks run elsewhere, and it stops its own when it returns", async () => {
  const manager = await leader();
  await create(manager, "move", { replicas: 10 });
  await untilRunning(manager, "move", 10);
  const victim = node("w2");
  const stale = containerPids(victim);
  await whileFrozen(Object.values(victim.pids), async () => {
    await eventually("all tasks run on other nodes", ELSEWHERE_MS, async () => {
      const running = await runningTasks(manager, "move");
      return running.filter((task) => task.NodeID !== victim.nodeId).length === 10;
    });
    const nodes = await api(manager).call<ApiNode[]>("GET", "/nodes");
    expect(nodes.find((entry) => entry.ID === victim.nodeId)?.Status.State).toBe("down");
  });
  await healthy();
  await eventually("the superseded containers are stopped", 30_000, () =>
    [...stale.keys()].every((id) => !containerPids(victim).has(id)),
  );
  expect((await runningTasks(manager, "move")).length).toBe(10);
});

test.skipIf(IS_SIMULATED)(
  "containerd killed and started again: nothing that ran is restarted",
  async () => {
    const manager = await leader();
    await create(manager, "keep", { replicas: 5 });
    await untilRunning(manager, "keep", 5);
    const before = allContainerPids();
    const daemon = JSON.parse(readFileSync("/run/swarm-playground/playground.json", "utf8")) as {
      containerd: { pid: number };
    };
    process.kill(daemon.containerd.pid, "SIGKILL");
    await eventually("containerd is gone", 5_000, () => !isAlive(daemon.containerd.pid));
    await startWhatDoesNotRun();
    await healthy();
    expect(allContainerPids()).toEqual(before);
    // The agents see containers again: a new one starts.
    await create(manager, "fresh", { replicas: 5 });
    await untilRunning(manager, "fresh", 5);
    expect((await tasks(manager, { service: ["keep"] })).length).toBe(5);
  },
);

test("no process of any node leaks descriptors over these kills", () => {
  for (const target of status().nodes) {
    const pid = target.pids.supervisor;
    const count = Number(
      execFileSync("sh", ["-c", `ls /proc/${pid}/fd | wc -l`], { encoding: "utf8" }),
    );
    expect(count).toBeLessThan(100);
  }
});
