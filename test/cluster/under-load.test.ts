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

async function drain(manager: TestNode, name: string): Promise<void> {
  const flags = ["node", "update", "--availability", "drain", "--wait", "--timeout", "60s"];
  expect(await swarm(manager, ...flags, name)).toMatchObject({ code: 0 });
}

async function expectWhole(manager: TestNode, spared = ""): Promise<void> {
  const running = await runningTasks(manager, SERVICE);
  expect(running).toHaveLength(REPLICAS);
  expect(running.some(({ NodeID }) => NodeID === spared)).toBe(false);
}

test.each([{ mode: "close" }, { mode: "keep-alive" }] as const)(
  `${ROUNDS} rolling updates and drains lose no request, Connection: $mode; nor does a leader killed in their middle`,
  async ({ mode }) => {
    const manager = await follower();
    const load = await underLoad(manager, manager, mode);
    const spared = [manager.nodeId, load.client.NodeID ?? ""];
    for (let round = 0; round < ROUNDS; round++) {
      expect(await docker(manager, ...updateFlags(`${round}`), SERVICE)).toMatchObject({ code: 0 });
      await expectWhole(manager);
      const { nodeId, name } = await nodeToDrain(manager, spared);
      await drain(manager, name);
      await expectWhole(manager, nodeId);
      await docker(manager, "node", "update", "--availability", "active", name);
    }
    const killLeader = await killerInTheMiddle(manager);
    if (mode === "close") {
      const update = [...updateFlags("new"), "--detach", SERVICE];
      expect(await docker(manager, ...update)).toMatchObject({ code: 0 });
      await killLeader();
      await eventually("the update is completed", 60_000, async () => {
        const service = await api(manager).call<ApiService>("GET", `/services/${SERVICE}`);
        return service.UpdateStatus?.State === "completed";
      });
      await expectWhole(manager);
    } else {
      const { nodeId, name } = await nodeToDrain(manager, spared);
      await Promise.all([drain(manager, name), killLeader()]);
      await expectWhole(manager, nodeId);
    }
    await load.allAnswered();
  },
  120_000 + ROUNDS * 120_000,
);
