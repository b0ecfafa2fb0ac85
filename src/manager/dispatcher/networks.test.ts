import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type Change,
  NETWORK_PHASE,
  type NodeDescription,
  swarm,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { SeededRandom, silentLogger } from "../../base/index.js";
import {
  applyDelta,
  type NetworkDelta,
  type NetworkState,
  networkStateFor,
} from "../../overlay-net/core/index.js";
import { ClusterStore, LocalProposer } from "../../store/index.js";
import { sampleNetwork } from "../../store/testing/samples.js";
import { FakeCall } from "../testing/fake-call.js";
import { FakeClock, settled } from "../testing/fake-clock.js";
import { DESCRIPTION, sampleNode, sampleTask } from "../testing/samples.js";
import { ACKNOWLEDGE_MAX_MS } from "./core/endpoint-phases.js";
import { Dispatcher } from "./dispatcher.js";
import { RETURN_WITHIN_MS } from "./term-networks.js";

type In = swarm.dispatcher.AgentMessage;
type Out = Parameters<typeof swarm.dispatcher.DispatcherMessage.encode>[0];

const S = TASK_STATE;
const NET = sampleNetwork(1).id;
let clock: FakeClock;
let store: ClusterStore;
let dispatcher: Dispatcher;
let leading: AbortController;
let led: Promise<void>;

beforeEach(async () => {
  clock = new FakeClock();
  store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  const subnet = { subnet: "10.1.0.0/16", gateway: "10.1.0.1", ipRange: "" };
  await commit(
    {
      kind: "putNetwork",
      network: { ...sampleNetwork(1), vni: 4097, subnets: [subnet], mtu: 1450 },
    },
    ...["n1", "n2", "n3"].map((id, i) => ({
      kind: "putNode" as const,
      node: sampleNode({ id, nodeIndex: i + 1, state: "ready", addr: `10.0.0.${i + 1}` }),
    })),
  );
  dispatcher = new Dispatcher({
    clock,
    logger: silentLogger,
    managers: () => [],
    leaderAddr: () => "m1:2377",
    readBarrier: () => Promise.resolve(),
  });
  lead();
});

afterEach(async () => {
  leading.abort();
  await led;
});

function lead(): void {
  leading = new AbortController();
  const { signal } = leading;
  const context = { store, clock, signal, random: new SeededRandom(1), logger: silentLogger };
  led = dispatcher.lead({ ...context, proposer: new LocalProposer(store) }).catch(() => {});
}

function commit(...changes: readonly Change[]) {
  const common = { requestId: "", isClient: false, preconditions: [], resultJson: "" };
  return new LocalProposer(store).propose({ ...common, atMs: 1, changes });
}

/** A task on the network. */
function attached(id: string, nodeId: string, change: Partial<Task> = {}): Change {
  const networks = [
    { networkId: NET, address: `10.1.0.${id.slice(1)}`, address6: "", aliases: [] },
  ];
  return { kind: "putTask", task: sampleTask({ id, nodeId, networks, ...change }) };
}

const RUNNING = { state: S.running, networkPhase: NETWORK_PHASE.announced } as const;

/** An agent with its networks as it was told them, and the tasks' desired states. */
class Agent {
  readonly call = new FakeCall<In, Out>();
  readonly desired = new Map<string, number>();
  networks: NetworkState | undefined;
  /** Kinds of messages, in order. */
  readonly kinds: string[] = [];
  readonly #nodeId: string;

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
    const peer = { nodeId, clusterId: "c1", role: "worker" } as const;
    dispatcher.accept(this.call.asCall, { peer, remoteIp: `10.0.0.${nodeId.slice(1)}` });
    const descriptionJson = Buffer.from(JSON.stringify(DESCRIPTION));
    this.send({ hello: { descriptionJson, bootId: "b1" } });
  }

  send(message: Parameters<typeof swarm.dispatcher.AgentMessage.encode>[0]): void {
    const bytes = swarm.dispatcher.AgentMessage.encode(message).finish();
    this.call.receive(swarm.dispatcher.AgentMessage.decode(bytes));
  }

  applied(index = this.networks?.index ?? 0): Promise<void> {
    this.send({ networkApplied: { index } });
    return settled();
  }

  /** Takes in what was sent; a gap fails. */
  read(): this {
    for (const { networks, assignments, ...rest } of this.call.written.splice(0)) {
      this.kinds.push(
        networks ? "networks" : assignments ? "assignments" : String(Object.keys(rest)[0]),
      );
      for (const task of assignments?.tasks ?? [])
        this.desired.set(task.taskId ?? "", task.desiredState ?? 0);
      if (!networks) continue;
      const body: unknown = JSON.parse(Buffer.from(networks.bodyJson ?? []).toString());
      if (networks.complete) this.networks = body as NetworkState;
      else {
        expect(networks.appliesTo).toBe(this.networks?.index);
        this.networks = applyDelta(this.networks as NetworkState, body as NetworkDelta);
      }
      expect(this.networks.index).toBe(networks.resultsIn);
    }
    return this;
  }

  expectCurrent(): void {
    const sorted = (state: NetworkState | undefined) => ({
      ...state,
      index: 0,
      endpoints: [...(state?.endpoints ?? [])].sort((a, b) => (a.taskId < b.taskId ? -1 : 1)),
    });
    expect(sorted(this.read().networks)).toEqual(sorted(networkStateFor(store, this.#nodeId)));
  }
}

async function session(nodeId: string): Promise<Agent> {
  const agent = new Agent(nodeId);
  await settled();
  return agent;
}

const phaseOf = (id: string) => store.task(id)?.networkPhase;

test("while nothing is on a network agents get one empty state, and no more", async () => {
  const agent = await session("n1");
  expect(agent.read().networks).toMatchObject({ networks: [], endpoints: [], nodes: [] });
  agent.kinds.length = 0;
  await commit({ kind: "putTask", task: sampleTask({ id: "t9" }) });
  await commit({ kind: "nodeStatus", nodeId: "n2", state: "down", stateMessage: "" });
  await settled();
  expect(agent.read().kinds).toEqual(["assignments"]);
});

test("the whole comes with the session, then differences, before the tasks that need them", async () => {
  await commit(attached("t1", "n1"));
  const [one, two, three] = [await session("n1"), await session("n2"), await session("n3")];
  expect(one.read().kinds).toEqual(["welcome", "nodeUpdate", "networks", "assignments"]);
  for (const agent of [one, two, three]) agent.expectCurrent();
  for (const agent of [one, two, three]) agent.kinds.length = 0;
  await Promise.all([commit(attached("t2", "n2")), commit(attached("t3", "n2"))]);
  await settled();
  for (const agent of [one, two, three]) agent.expectCurrent();
  expect(one.kinds).toEqual(["networks"]);
  expect(two.kinds).toEqual(["networks", "assignments"]);
  // It does not have the network.
  expect(three.kinds).toEqual([]);
});

test("the first use of a network reaches sessions that are there already", async () => {
  const agents = [await session("n1"), await session("n2")];
  await commit(attached("t1", "n1"));
  await settled();
  for (const agent of agents) agent.expectCurrent();
});

test.each<{ what: string; described: Partial<NodeDescription> }>([
  { what: "another data path address", described: { DataPathAddr: "192.168.7.1" } },
  {
    what: "the keys of its tunnel",
    described: { Tunnel: { Implementation: "kernel", PublicKey: "k1", PairKeys: ["k2"] } },
  },
])("what a node says of itself reaches the others: $what", async ({ described }) => {
  await commit(attached("t1", "n1"));
  await commit(attached("t2", "n2"));
  const agents = [await session("n1"), await session("n2")];
  for (const agent of agents) agent.read().kinds.length = 0;
  const description = { ...DESCRIPTION, ...described };
  await commit({ kind: "nodeStatus", nodeId: "n2", description });
  await settled();
  for (const agent of agents) agent.expectCurrent();
  expect(agents[0]?.kinds).toEqual(["networks"]);
});

test("a full stream gets the whole when it takes more", async () => {
  await commit(attached("t1", "n1"));
  const agent = (await session("n1")).read();
  agent.call.writableNeedDrain = true;
  for (const id of ["t2", "t3", "t4"]) {
    await commit(attached(id, "n2"));
    await settled();
  }
  expect(agent.call.written).toEqual([]);
  agent.call.writableNeedDrain = false;
  agent.call.emit("drain");
  await settled();
  expect(agent.call.written.map(({ networks }) => networks?.complete)).toEqual([true]);
  agent.expectCurrent();
});

test("a task is announced when all nodes of its network have applied it", async () => {
  await commit(attached("t1", "n1"), attached("t2", "n2", RUNNING));
  const [one, two] = [await session("n1"), await session("n2")];
  await one.read().applied();
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.none);
  await two.read().applied();
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.announced);
  const sent = one.call.written.flatMap(({ assignments }) => assignments?.tasks ?? []);
  expect(sent).toMatchObject([{ taskId: "t1", networkPhase: NETWORK_PHASE.announced }]);
  expect(JSON.parse(Buffer.from(sent[0]?.networksJson ?? []).toString())[0].networkId).toBe(NET);
});

test("a silent node is waited for two seconds, one whose session ended for one", async () => {
  await commit(attached("t1", "n1"), attached("t2", "n2", RUNNING));
  const [one, two] = [await session("n1"), await session("n2")];
  await one.read().applied();
  await clock.advance(ACKNOWLEDGE_MAX_MS - 1);
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.none);
  await clock.advance(1);
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.announced);
  expect(dispatcher.lateNodeCount).toBe(1);
  await commit(attached("t3", "n1"));
  await settled();
  await one.read().applied();
  expect(phaseOf("t3")).toBe(NETWORK_PHASE.none);
  two.call.cancel();
  await settled();
  await clock.advance(RETURN_WITHIN_MS - 1);
  expect(phaseOf("t3")).toBe(NETWORK_PHASE.none);
  await clock.advance(1);
  expect(phaseOf("t3")).toBe(NETWORK_PHASE.announced);
  await commit(attached("t4", "n1"));
  await settled();
  await one.read().applied();
  expect(phaseOf("t4")).toBe(NETWORK_PHASE.announced);
});

test("a stop waits for a node that comes again meanwhile, until it has taken the endpoint out", async () => {
  await commit(attached("t1", "n1", RUNNING), attached("t2", "n2", RUNNING));
  const [one, two] = [await session("n1"), await session("n2")];
  await one.read().applied();
  await two.read().applied();
  two.call.cancel();
  await settled();
  await commit({ kind: "taskDesired", taskId: "t1", desiredState: S.shutdown });
  await settled();
  await one.read().applied();
  await clock.advance(RETURN_WITHIN_MS / 2);
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.announced);
  const again = await session("n2");
  await clock.advance(RETURN_WITHIN_MS);
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.announced);
  await again.read().applied();
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.withdrawn);
});

test("a planned stop is kept from the agent until all nodes have taken the endpoint out", async () => {
  await commit(attached("t1", "n1", RUNNING), attached("t2", "n2", RUNNING));
  const [one, two] = [await session("n1"), await session("n2")];
  await one.read().applied();
  await two.read().applied();
  await commit({ kind: "taskDesired", taskId: "t1", desiredState: S.shutdown });
  await settled();
  expect(two.read().networks?.endpoints.find(({ taskId }) => taskId === "t1")?.isBackend).toBe(
    false,
  );
  expect(one.read().desired.get("t1")).toBe(S.running);
  await one.applied();
  expect(one.read().desired.get("t1")).toBe(S.running);
  await two.applied();
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.withdrawn);
  expect(one.read().desired.get("t1")).toBe(S.shutdown);
});

test("a new leader holds the stop on, until it hears the nodes or the bound is over", async () => {
  await commit(attached("t1", "n1", RUNNING), attached("t2", "n2", RUNNING));
  await commit({ kind: "taskDesired", taskId: "t1", desiredState: S.shutdown });
  leading.abort();
  await led;
  lead();
  const one = (await session("n1")).read();
  await one.applied();
  // n2 is ready and has not come yet: it is expected.
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.announced);
  expect(one.read().desired.get("t1")).toBe(S.running);
  await clock.advance(ACKNOWLEDGE_MAX_MS);
  expect(phaseOf("t1")).toBe(NETWORK_PHASE.withdrawn);
  expect(one.read().desired.get("t1")).toBe(S.shutdown);
});

test("tasks on no network are stopped at once and get no phase", async () => {
  await commit(attached("t2", "n2", RUNNING));
  await commit({ kind: "putTask", task: sampleTask({ id: "t9", state: S.running }) });
  const agent = (await session("n1")).read();
  await commit({ kind: "taskDesired", taskId: "t9", desiredState: S.shutdown });
  await settled();
  expect(agent.read().desired.get("t9")).toBe(S.shutdown);
  await clock.advance(ACKNOWLEDGE_MAX_MS);
  expect(phaseOf("t9")).toBe(NETWORK_PHASE.none);
});
