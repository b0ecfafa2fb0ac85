/** The majority of the managers is gone: the last one goes on alone by the stock client, and the old ones come back as workers. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiInfo, ApiNode, ApiTask } from "../../src/cli/api-types.js";
import {
  api,
  containerPids,
  create,
  docker,
  eventually,
  follower,
  healthy,
  managers,
  node,
  remakePlayground,
  reset,
  runningTasks,
  swarm,
  type TestNode,
  untilRunning,
  whileFrozen,
} from "./playground.js";

const REPLICAS = 10;
/** 5 × what init may take, and what a role change may. */
const FORCE_MS = 100_000;
const ROLE_CHANGE_MS = 25_000;

let isWhole = false;

beforeAll(reset);

/** Whatever happened, the next file finds the cluster that it expects. */
afterAll(async () => {
  if (!isWhole) await remakePlayground();
}, 300_000);

const info = (target: TestNode): Promise<ApiInfo> =>
  api(target).call<ApiInfo>("GET", "/info", { signal: AbortSignal.timeout(5_000) });

type Kept = { readonly tokens: unknown; readonly id: string; readonly services: readonly string[] };

async function kept(target: TestNode): Promise<Kept> {
  const cluster = await api(target).call<{ ID: string; JoinTokens: unknown }>("GET", "/swarm");
  const services = await api(target).call<{ ID: string }[]>("GET", "/services");
  return { id: cluster.ID, tokens: cluster.JoinTokens, services: services.map(({ ID }) => ID) };
}

const onNodes = (tasks: readonly ApiTask[], nodes: readonly TestNode[]): string[] =>
  tasks
    .filter(({ NodeID }) => nodes.some(({ nodeId }) => nodeId === NodeID))
    .map(({ ID }) => ID)
    .sort();

test("the third manager goes on alone, containers run on, and the lost ones return as workers", async () => {
  const sole = await follower();
  const lost = managers().filter(({ name }) => name !== sole.name);
  const left = [sole, node("w1"), node("w2")];
  await create(sole, "steady", { replicas: REPLICAS });
  const tasks = await untilRunning(sole, "steady", REPLICAS);
  const before = await kept(sole);
  const pids = new Map(left.flatMap((target) => [...containerPids(target)]));

  // Frozen whole, they come back with everything they had in memory: one of them believing that it leads.
  const frozen = lost.flatMap(({ pids: own }) => Object.values(own));
  await whileFrozen(frozen, async () => {
    await eventually("there is no leader", 30_000, async () => {
      const refused = await docker(sole, "node", "ls");
      return refused.code === 1 && refused.stderr.includes("does not have a leader");
    });
    const forced = await docker(
      sole,
      ...["swarm", "init", "--force-new-cluster", "--advertise-addr", sole.addr],
    );
    expect(forced).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`current node (${sole.nodeId}) is now a manager`) as string,
    });
    expect(await kept(sole)).toEqual(before);
    expect((await info(sole)).Swarm).toMatchObject({
      LocalNodeState: "active",
      ControlAvailable: true,
      NodeID: sole.nodeId,
    });
    // The tasks of the lost nodes run elsewhere in time; those of the others are not touched.
    await untilRunning(sole, "steady", REPLICAS, FORCE_MS);
    expect(onNodes(await runningTasks(sole, "steady"), left)).toEqual(
      expect.arrayContaining(onNodes(tasks, left)),
    );
    const now = new Map(left.flatMap((target) => [...containerPids(target)]));
    for (const [id, pid] of pids) expect({ id, pid: now.get(id) }).toEqual({ id, pid });
  });

  await eventually("the old managers are workers", ROLE_CHANGE_MS, async () => {
    const nodes = await api(sole).call<ApiNode[]>("GET", "/nodes");
    const states = await Promise.all(lost.map(async (target) => (await info(target)).Swarm));
    return (
      states.every((state) => state.LocalNodeState === "active" && !state.ControlAvailable) &&
      lost.every(({ nodeId }) =>
        nodes.some(
          ({ ID, Status, ManagerStatus }) =>
            ID === nodeId && Status.State === "ready" && ManagerStatus === undefined,
        ),
      )
    );
  });
  for (const target of lost) {
    const refused = await swarm(target, "init", "--force-new-cluster");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("This node is not a swarm manager: it is a worker");
  }
  expect(await kept(sole)).toEqual(before);

  // Again, by our own command: nothing is lost by it.
  const again = await swarm(sole, "init", "--force-new-cluster");
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("is now the only manager of its cluster") as string,
  });
  expect(await kept(sole)).toEqual(before);

  for (const { nodeId } of lost)
    expect(await docker(sole, "node", "promote", nodeId ?? "")).toMatchObject({ code: 0 });
  await eventually("there are three managers again", ROLE_CHANGE_MS, async () => {
    const states = await Promise.all(lost.map(async (target) => (await info(target)).Swarm));
    return states.every(({ ControlAvailable }) => ControlAvailable);
  });
  await healthy();
  for (const target of lost) expect(await kept(target)).toEqual(before);
  isWhole = true;
}, 400_000);
