/** Tasks move to emptier nodes while the service stays whole; what nodes use; what their containers do. */
import { beforeEach, expect, test } from "vitest";
import type { ApiService } from "../../src/cli/api-types.js";
import type { ApiGauged } from "../../src/cli/placement-table.js";
import {
  api,
  create,
  docker,
  eventually,
  IS_SIMULATED,
  leader,
  managers,
  node,
  reset,
  runningTasks,
  status,
  swarm,
  untilRunning,
} from "./playground.js";

beforeEach(reset);

const REPLICAS = 6;

test("a rebalance spreads what a drain has left crowded, and nobody sees fewer than are wanted", async () => {
  const manager = await leader();
  const emptied = status().nodes.filter(({ name }) => name !== "w1" && name !== "w2");
  for (const { nodeId } of emptied)
    await docker(manager, "node", "update", "--availability", "drain", nodeId);
  try {
    await create(manager, "crowded", { replicas: REPLICAS });
    await untilRunning(manager, "crowded", REPLICAS);
  } finally {
    for (const { nodeId } of emptied)
      await docker(manager, "node", "update", "--availability", "active", nodeId);
  }
  const refused = await swarm(manager, "service", "rebalance", "crowded");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("swarm service update --rebalance manual crowded");
  const allow = ["service", "update", "--rebalance", "manual", "crowded"];
  expect(await swarm(manager, ...allow)).toMatchObject({ code: 0 });
  const planned = await swarm(manager, "service", "rebalance", "--dry-run", "crowded");
  expect(planned).toMatchObject({ code: 2, stderr: "" });
  expect(planned.stdout).toContain("imbalance 3 before, 1 after");

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
    const moved = await swarm(manager, "service", "rebalance", "--timeout", "60s", "crowded");
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    expect(moved.stdout).toContain("imbalance 3 before, 1 now");
  } finally {
    ended.abort();
    await watching;
  }
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(REPLICAS);
  expect(Math.max(...counts)).toBeLessThanOrEqual(REPLICAS + 1);
  const running = await runningTasks(manager, "crowded");
  expect(running).toHaveLength(REPLICAS);
  expect(new Set(running.map((task) => task.NodeID)).size).toBe(5);
  expect(await swarm(manager, "service", "rebalance", "--dry-run", "crowded")).toMatchObject({
    code: 0,
  });
});

// A simulated container uses nothing.
test.skipIf(IS_SIMULATED)("every manager tells what the containers of each node use", async () => {
  const manager = await leader();
  const busy = ["sh", "-c", "while :; do :; done"];
  await create(manager, "busy", {
    replicas: 1,
    command: busy,
    rest: { Mode: { Global: {} } },
  });
  await untilRunning(manager, "busy", 5);
  for (const each of managers()) {
    await eventually("all nodes have told", 40_000, async () => {
      const nodes = await api(each).call<ApiGauged[]>("GET", "/nodes?resources=true");
      const used = nodes.map(({ SwarmResources }) => SwarmResources.Used);
      return used.every((usage) => (usage?.NanoCPUs ?? 0) > 1e7 && (usage?.MemoryBytes ?? 0) > 0)
        ? true
        : undefined;
    });
  }
});

test("docker events tells the life of this node's containers", async () => {
  const manager = await leader();
  const since = String(Date.now() / 1000);
  const host = node("w1");
  await create(manager, "brief", {
    replicas: 1,
    task: { Placement: { Constraints: [`node.id==${host.nodeId}`] } },
  });
  await untilRunning(manager, "brief", 1);
  await docker(manager, "service", "rm", "brief");
  const words = await eventually("the container is gone", 30_000, async () => {
    const until = String(Date.now() / 1000);
    const filters = ["--filter", "type=container", "--filter", "service=brief"];
    const format = ["--format", "{{.Action}}"];
    const told = await docker(
      host,
      "events",
      "--since",
      since,
      "--until",
      until,
      ...filters,
      ...format,
    );
    const actions = told.stdout.split("\n").filter((line) => line !== "");
    return actions.at(-1) === "destroy" ? actions : undefined;
  });
  expect(words).toEqual(["create", "start", "kill", "die", "stop", "destroy"]);
});
