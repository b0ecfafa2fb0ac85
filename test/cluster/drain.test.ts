/** A node is emptied without its services running short. Runs on the simulated playground too. */
import { beforeEach, expect, test } from "vitest";
import type { ApiService } from "../../src/cli/api-types.js";
import {
  api,
  create,
  docker,
  leader,
  node,
  reset,
  runningTasks,
  swarm,
  untilRunning,
} from "./playground.js";

beforeEach(reset);

const REPLICAS = 6;

test("a drained node gives up its tasks, and nobody sees fewer than are wanted", async () => {
  const manager = await leader();
  await create(manager, "whole", { replicas: REPLICAS });
  const before = await untilRunning(manager, "whole", REPLICAS);
  const drained = node("w1").nodeId;
  expect(before.some((task) => task.NodeID === drained)).toBe(true);
  const counts = new Set<number>();
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      const [service] = await api(manager).call<ApiService[]>("GET", "/services?status=true");
      counts.add(service?.ServiceStatus?.RunningTasks ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  try {
    const drain = ["node", "update", "--availability", "drain", "--wait", "--timeout", "60s"];
    expect(await swarm(manager, ...drain, drained)).toMatchObject({ code: 0, stderr: "" });
    const running = await runningTasks(manager, "whole");
    expect(running).toHaveLength(REPLICAS);
    expect(running.some((task) => task.NodeID === drained)).toBe(false);
  } finally {
    ended.abort();
    await watching;
    await docker(manager, "node", "update", "--availability", "active", drained);
  }
  expect(Math.min(...counts)).toBe(REPLICAS);
});
