/** Nothing that operators do on purpose, nor a leader lost while they do it, costs a client a request. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiService } from "../../src/cli/api-types.js";
import { removeNetworks } from "./on-networks.js";
import {
  api,
  docker,
  eventually,
  follower,
  healthy,
  IS_SOAK,
  kill,
  leader,
  reset,
  runningTasks,
  status,
  swarm,
  type TestNode,
  tasks,
} from "./playground.js";
import { REPLICAS, SERVICE, underLoad } from "./under-load.js";

const ROUNDS = IS_SOAK ? 20 : 1;
const MODES = [{ mode: "close" }, { mode: "keep-alive" }] as const;

beforeEach(reset);
afterEach(async () => {
  await healthy();
  for (const { name } of status().nodes)
    await docker(await leader(), "node", "update", "--availability", "active", name);
  await reset();
  await removeNetworks(["app"]);
});

function updateFlags(version: string): string[] {
  return [
    ...["service", "update", "--update-order", "start-first", "--env-add", `V=${version}`],
    ...["--update-parallelism", "1", "--update-monitor", "100ms"],
  ];
}

/** A node with tasks of the service, and neither of these. */
async function nodeToDrain(manager: TestNode, spared: readonly string[]): Promise<TestNode> {
  const running = await runningTasks(manager, SERVICE);
  const found = status().nodes.find(
    ({ nodeId }) => !spared.includes(nodeId) && running.some(({ NodeID }) => NodeID === nodeId),
  );
  if (found === undefined) throw new Error("all tasks run where the load is");
  return found;
}

/** To be called as the operation begins: kills the leader once the service has a task that was not there before. */
async function killerInTheMiddle(observer: TestNode): Promise<() => Promise<void>> {
  const before = new Set((await tasks(observer, { service: [SERVICE] })).map(({ ID }) => ID));
  const { pids } = await leader();
  return async () => {
    await eventually("it has begun", 20_000, async () =>
      (await tasks(observer, { service: [SERVICE] })).some(({ ID }) => !before.has(ID)),
    );
    kill(pids.front);
  };
}

test.each(MODES)(
  `${ROUNDS} rolling updates under load lose no request: Connection: $mode`,
  async ({ mode }) => {
    const manager = await leader();
    const load = await underLoad(manager, manager, mode);
    for (let round = 0; round < ROUNDS; round++)
      expect(await docker(manager, ...updateFlags(`${round}`), SERVICE)).toMatchObject({ code: 0 });
    expect(await runningTasks(manager, SERVICE)).toHaveLength(REPLICAS);
    await load.allAnswered(50 * ROUNDS);
  },
  60_000 + ROUNDS * 60_000,
);

test.each(MODES)(
  "a node drained under load loses no request: Connection: $mode",
  async ({ mode }) => {
    const manager = await leader();
    const load = await underLoad(manager, manager, mode);
    for (let round = 0; round < ROUNDS; round++) {
      const { nodeId, name } = await nodeToDrain(manager, [
        manager.nodeId,
        load.client.NodeID ?? "",
      ]);
      const drain = [
        "node",
        "update",
        "--availability",
        "drain",
        "--wait",
        "--timeout",
        "60s",
        name,
      ];
      expect(await swarm(manager, ...drain)).toMatchObject({ code: 0, stderr: "" });
      const running = await runningTasks(manager, SERVICE);
      expect(running).toHaveLength(REPLICAS);
      expect(running.some(({ NodeID }) => NodeID === nodeId)).toBe(false);
      await docker(manager, "node", "update", "--availability", "active", name);
    }
    await load.allAnswered(50 * ROUNDS);
  },
  60_000 + ROUNDS * 60_000,
);

test("the leader killed in the middle of an update under load: it is completed, no request is lost", async () => {
  const manager = await follower();
  const load = await underLoad(manager, manager, "close");
  const killLeader = await killerInTheMiddle(manager);
  expect(await docker(manager, ...updateFlags("new"), "--detach", SERVICE)).toMatchObject({
    code: 0,
  });
  await killLeader();
  await eventually("the update is completed", 60_000, async () => {
    const service = await api(manager).call<ApiService>("GET", `/services/${SERVICE}`);
    return service.UpdateStatus?.State === "completed";
  });
  expect(await runningTasks(manager, SERVICE)).toHaveLength(REPLICAS);
  await load.allAnswered(50);
}, 180_000);

test("the leader killed in the middle of a drain under load: it ends, and our command with 0; no request is lost", async () => {
  const manager = await follower();
  const load = await underLoad(manager, manager, "keep-alive");
  const { nodeId, name } = await nodeToDrain(manager, [manager.nodeId, load.client.NodeID ?? ""]);
  const killLeader = await killerInTheMiddle(manager);
  const drain = ["node", "update", "--availability", "drain", "--wait", "--timeout", "60s", name];
  const [drained] = await Promise.all([swarm(manager, ...drain), killLeader()]);
  expect(drained).toMatchObject({ code: 0 });
  const running = await runningTasks(manager, SERVICE);
  expect(running).toHaveLength(REPLICAS);
  expect(running.some(({ NodeID }) => NodeID === nodeId)).toBe(false);
  await load.allAnswered(50);
}, 180_000);
