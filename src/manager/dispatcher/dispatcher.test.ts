import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Change, swarm, TASK_STATE } from "../../api/index.js";
import { SeededRandom, silentLogger } from "../../base/index.js";
import { ClusterStore, LocalProposer, type Proposer } from "../../store/index.js";
import { FakeCall } from "../testing/fake-call.js";
import { FakeClock, settled } from "../testing/fake-clock.js";
import { CLUSTER_SPEC, DESCRIPTION, sampleNode, sampleTask } from "../testing/samples.js";
import { Dispatcher } from "./dispatcher.js";
import { HEARTBEAT_PERIOD_DEFAULT_MS } from "./term.js";

type In = swarm.dispatcher.AgentMessage;
type Out = Parameters<typeof swarm.dispatcher.DispatcherMessage.encode>[0];

/** Counts transactions and can hold them back. */
class TestProposer implements Proposer {
  readonly #inner: LocalProposer;
  transactions: (readonly Change[])[] = [];
  gate: Promise<void> = Promise.resolve();

  constructor(store: ClusterStore) {
    this.#inner = new LocalProposer(store);
  }

  async propose(...args: Parameters<Proposer["propose"]>): ReturnType<Proposer["propose"]> {
    this.transactions.push(args[0].changes);
    await this.gate;
    return this.#inner.propose(...args);
  }
}

const managers = [{ nodeId: "m1", addr: "m1:2377" }];
let clock: FakeClock;
let store: ClusterStore;
let proposer: TestProposer;
let dispatcher: Dispatcher;
let leading: AbortController;
let led: Promise<void>;

beforeEach(async () => {
  clock = new FakeClock();
  store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  proposer = new TestProposer(store);
  const cluster = {
    id: "c1",
    versionIndex: 0,
    clientIndex: 0,
    createdAtMs: 0,
    updatedAtMs: 0,
    spec: CLUSTER_SPEC,
    rootCertPem: "ROOT",
    rootKeyPem: "",
    joinTokens: { worker: "", manager: "" },
    defaultAddrPool: [],
    subnetSize: 24,
    dataPathPort: 4789,
    deniedNodes: [],
  };
  await commit([
    { kind: "putCluster", cluster },
    { kind: "putNode", node: sampleNode({ id: "n1" }) },
    { kind: "putNode", node: sampleNode({ id: "n2", nodeIndex: 2 }) },
    { kind: "putTask", task: sampleTask({ id: "t1", nodeId: "n1" }) },
  ]);
  proposer.transactions = [];
  dispatcher = new Dispatcher({
    clock,
    logger: silentLogger,
    managers: () => managers,
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
  const random = new SeededRandom(1);
  led = dispatcher
    .lead({ store, proposer, clock, random, logger: silentLogger, signal })
    .catch(() => {});
}

function commit(changes: readonly Change[]) {
  return new LocalProposer(store).propose({
    requestId: "",
    atMs: 1,
    isClient: false,
    preconditions: [],
    changes,
    resultJson: "",
  });
}

const KEY = `${"A".repeat(43)}=`;
const TUNNEL = { Implementation: "kernel", PublicKey: KEY, PairKeys: [KEY] };

class Agent {
  readonly call = new FakeCall<In, Out>();
  #seq = 0;

  constructor(nodeId: string) {
    const peer = { nodeId, clusterId: "c1", role: "worker" } as const;
    dispatcher.accept(this.call.asCall, { peer, remoteIp: "10.0.0.5" });
  }

  send(message: Parameters<typeof swarm.dispatcher.AgentMessage.encode>[0]): void {
    const bytes = swarm.dispatcher.AgentMessage.encode(message).finish();
    this.call.receive(swarm.dispatcher.AgentMessage.decode(bytes));
  }

  hello(bootId = "b1"): void {
    const descriptionJson = Buffer.from(JSON.stringify(DESCRIPTION));
    this.send({ hello: { descriptionJson, bootId } });
  }

  heartbeat(usage?: { readonly cpuNano: number; readonly memBytes: number }): void {
    this.send({ heartbeat: { seq: ++this.#seq, ...(usage && { usage }) } });
  }

  report(taskId: string, state: number, seq = 1): void {
    this.send({ statuses: { seq, statuses: [{ taskId, state, atMs: 5, message: "m" }] } });
  }

  /** Kinds of what came since the last look. */
  kinds(): string[] {
    return this.call.written.splice(0).map((message) => Object.keys(message)[0] ?? "");
  }
}

async function session(nodeId: string): Promise<Agent> {
  const agent = new Agent(nodeId);
  agent.hello();
  await settled();
  return agent;
}

test("a new session is registered, welcomed, told of its node and given its complete set", async () => {
  const agent = await session("n1");
  const [welcome, update, networks, set] = agent.call.written;
  expect(welcome?.welcome?.heartbeatPeriodMs).toBeGreaterThanOrEqual(900);
  expect(welcome?.welcome?.heartbeatPeriodMs).toBeLessThanOrEqual(1100);
  expect(update?.nodeUpdate).toMatchObject({
    role: "worker",
    rootBundlePem: "ROOT",
    managers,
    hostname: "host1",
  });
  expect(networks?.networks).toMatchObject({ complete: true, resultsIn: store.index });
  expect(set?.assignments).toMatchObject({ complete: true, resultsIn: store.index });
  expect(set?.assignments?.tasks?.map((task) => task.taskId)).toEqual(["t1"]);
  expect(set?.assignments?.specs).toHaveLength(1);
  expect(store.node("n1")).toMatchObject({
    state: "ready",
    addr: "10.0.0.5",
    bootId: "b1",
    description: { Hostname: "host1" },
  });
});

test("a heartbeat period of 0 in the spec means the default: told, and waited for", async () => {
  const cluster = store.cluster();
  if (cluster === undefined) throw new Error("no cluster");
  const spec = { ...cluster.spec, Dispatcher: { HeartbeatPeriod: 0 } };
  await commit([{ kind: "putCluster", cluster: { ...cluster, spec } }]);
  await settled();
  const agent = await session("n1");
  const periodMs = agent.call.written[0]?.welcome?.heartbeatPeriodMs ?? 0;
  expect(Math.abs(periodMs - HEARTBEAT_PERIOD_DEFAULT_MS)).toBeLessThanOrEqual(100);
  await clock.advance(4_900);
  await settled();
  expect(store.node("n1")?.state).toBe("ready");
  await clock.advance(1_000);
  await settled();
  expect(store.node("n1")?.state).toBe("down");
});

test("every node is told when a manager comes or moves", async () => {
  const agents = [await session("n1"), await session("n2")];
  for (const agent of agents) agent.kinds();
  managers.push({ nodeId: "m2", addr: "m2:2377" });
  const manager = { memberId: "2", addr: "m2:2377" };
  await commit([{ kind: "putNode", node: sampleNode({ id: "m2", role: "manager", manager }) }]);
  await settled();
  for (const agent of agents)
    expect(agent.call.written).toMatchObject([{ nodeUpdate: { managers } }]);
  managers.pop();
});

test("coming again unchanged writes nothing", async () => {
  await session("n1");
  proposer.transactions = [];
  const again = await session("n1");
  expect(again.kinds()).toEqual(["welcome", "nodeUpdate", "networks", "assignments"]);
  expect(proposer.transactions).toEqual([]);
});

test("changes of one turn go out as one increment, specs once, foreign tasks not at all", async () => {
  const agent = await session("n1");
  agent.kinds();
  await Promise.all([
    commit([{ kind: "putTask", task: sampleTask({ id: "t2" }) }]),
    commit([{ kind: "putTask", task: sampleTask({ id: "t3" }) }]),
    commit([{ kind: "putTask", task: sampleTask({ id: "t4", nodeId: "n2" }) }]),
    commit([{ kind: "taskDesired", taskId: "t1", desiredState: TASK_STATE.shutdown }]),
  ]);
  await settled();
  expect(agent.call.written).toHaveLength(1);
  const sent = agent.call.written[0]?.assignments;
  expect(sent?.tasks?.map((task) => task.taskId)).toEqual(["t2", "t3", "t1"]);
  expect(sent?.specs).toHaveLength(1);
  agent.kinds();
  await commit([{ kind: "delete", table: "task", id: "t2" }]);
  await settled();
  expect(agent.call.written[0]?.assignments?.removedTaskIds).toEqual(["t2"]);
});

test("statuses are acknowledged after commit; what waits goes into one transaction", async () => {
  const agent = await session("n1");
  await commit([{ kind: "putTask", task: sampleTask({ id: "t2" }) }]);
  await settled();
  agent.kinds();
  proposer.transactions = [];
  const held = withResolvers();
  proposer.gate = held.promise;
  agent.report("t1", TASK_STATE.preparing, 1);
  await settled();
  agent.report("t1", TASK_STATE.running, 2);
  agent.report("t2", TASK_STATE.running, 3);
  await settled();
  expect(agent.kinds()).toEqual([]);
  expect(proposer.transactions).toHaveLength(1);
  held.resolve();
  await settled();
  expect(proposer.transactions.map((changes) => changes.length)).toEqual([1, 2]);
  expect(agent.call.written.map((message) => message.statusAck?.seq)).toEqual([1, 2, 3]);
  expect(store.task("t1")?.state).toBe(TASK_STATE.running);
});

test("statuses of foreign tasks are not written, and the batch is done with", async () => {
  const agent = await session("n2");
  agent.kinds();
  proposer.transactions = [];
  agent.report("t1", TASK_STATE.failed);
  await settled();
  expect(agent.kinds()).toEqual(["statusAck"]);
  expect(proposer.transactions).toEqual([]);
  expect(store.task("t1")?.state).toBe(TASK_STATE.assigned);
});

test("a node is down when its heartbeats stop, and ready with the next one", async () => {
  const agent = await session("n1");
  for (let i = 0; i < 3; i++) {
    await clock.advance(1000);
    agent.heartbeat();
  }
  agent.call.cancel();
  await clock.advance(4700);
  expect(store.node("n1")?.state).toBe("ready");
  await clock.advance(600);
  expect(store.node("n1")?.state).toBe("down");
  await session("n1");
  expect(store.node("n1")?.state).toBe("ready");
});

test("what containers use is kept in memory alone, while it is news", async () => {
  const agent = await session("n1");
  proposer.transactions = [];
  agent.heartbeat({ cpuNano: 5e8, memBytes: 4096 });
  agent.heartbeat({ cpuNano: -1, memBytes: Number.NaN });
  const atMs = clock.wallMs();
  expect(dispatcher.usages()).toEqual([{ nodeId: "n1", cpuNano: 5e8, memBytes: 4096, atMs }]);
  await settled();
  expect(proposer.transactions).toEqual([]);
  for (let i = 0; i < 31; i++) {
    await clock.advance(1000);
    agent.heartbeat();
  }
  expect(dispatcher.usages()).toEqual([]);
  agent.heartbeat({ cpuNano: 1, memBytes: 1 });
  await commit([{ kind: "delete", table: "node", id: "n1" }]);
  expect(dispatcher.usages()).toEqual([]);
  leading.abort();
  await led;
  expect(dispatcher.usages()).toBeUndefined();
});

test("a late heartbeat on a living stream revives the node", async () => {
  const agent = await session("n1");
  await clock.advance(6000);
  expect(store.node("n1")?.state).toBe("down");
  agent.heartbeat();
  await settled();
  expect(store.node("n1")?.state).toBe("ready");
});

test("a node that comes again while it is being written down ends up ready", async () => {
  const agent = await session("n1");
  agent.call.cancel();
  let open = (): void => undefined;
  proposer.gate = new Promise((resolve) => {
    open = resolve;
  });
  await clock.advance(6000);
  expect(store.node("n1")?.state).toBe("ready");
  const again = await session("n1");
  expect(again.kinds()).toContain("welcome");
  open();
  await settled();
  expect(store.node("n1")?.state).toBe("ready");
});

test("a new leader writes no node state, and waits ten seconds for each node", async () => {
  await session("n1");
  leading.abort();
  await led;
  proposer.transactions = [];
  lead();
  await clock.advance(9000);
  expect(proposer.transactions).toEqual([]);
  await clock.advance(1500);
  expect(store.node("n1")?.state).toBe("down");
});

test("losing leadership redirects every agent", async () => {
  const agent = await session("n1");
  agent.kinds();
  leading.abort();
  await led;
  expect(agent.kinds()).toEqual(["redirect"]);
  expect(agent.call.isEnded).toBe(true);
  const late = new Agent("n1");
  late.hello();
  await settled();
  expect(late.call.written[0]?.redirect).toMatchObject({ leaderAddr: "m1:2377", managers });
});

test("a node that leaves is down at once", async () => {
  const agent = await session("n1");
  agent.send({ leaving: {} });
  await settled();
  expect(store.node("n1")).toMatchObject({ state: "down", stateMessage: "node left the swarm" });
  expect(agent.call.isEnded).toBe(true);
});

test("a removed node is told so, whether it has a session or comes with one", async () => {
  const agent = await session("n1");
  agent.kinds();
  await commit([{ kind: "delete", table: "node", id: "n1" }]);
  await settled();
  expect(agent.kinds()).toEqual(["removed"]);
  const again = await session("n1");
  expect(again.kinds()).toEqual(["removed"]);
});

test("a newer session of the same node ends the older one", async () => {
  const old = await session("n1");
  await session("n1");
  expect(old.call.error?.code).toBe(status.ABORTED);
});

test("a changed node is told its role and availability once", async () => {
  const agent = await session("n1");
  agent.kinds();
  await commit([{ kind: "nodeRole", nodeId: "n1", role: "manager" }]);
  await commit([{ kind: "nodeStatus", nodeId: "n1", stateMessage: "x" }]);
  await settled();
  expect(agent.call.written.map((message) => message.nodeUpdate?.role)).toEqual(["manager"]);
});

test.each([
  { name: "no boot id", hello: { descriptionJson: Buffer.from(JSON.stringify(DESCRIPTION)) } },
  { name: "no description", hello: { bootId: "b1" } },
  {
    name: "a description without hostname",
    hello: { bootId: "b1", descriptionJson: Buffer.from("{}") },
  },
  {
    name: "routes that are none",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(JSON.stringify({ ...DESCRIPTION, Routes: ["10.0.0.0/8", 7] })),
    },
  },
  {
    name: "a bridge that is none",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(JSON.stringify({ ...DESCRIPTION, Bridge: "br0" })),
    },
  },
  {
    name: "problems without end",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(
        JSON.stringify({ ...DESCRIPTION, NetworkProblems: Array.from({ length: 99 }, () => "x") }),
      ),
    },
  },
  {
    name: "an MTU that is none",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(JSON.stringify({ ...DESCRIPTION, UnderlayMtu: "1500" })),
    },
  },
  {
    name: "a proxied port of no protocol",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(
        JSON.stringify({
          ...DESCRIPTION,
          Proxied6: [{ ServiceID: "s", TaskID: "t", Protocol: "sctp", TargetPort: 80 }],
        }),
      ),
    },
  },
  {
    name: "a WireGuard of an unknown kind",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(JSON.stringify({ ...DESCRIPTION, WireGuard: "some" })),
    },
  },
  {
    name: "a key of a tunnel that is none",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(
        JSON.stringify({ ...DESCRIPTION, Tunnel: { ...TUNNEL, PairKeys: ["short"] } }),
      ),
    },
  },
  {
    name: "too many pair keys",
    hello: {
      bootId: "b1",
      descriptionJson: Buffer.from(
        JSON.stringify({ ...DESCRIPTION, Tunnel: { ...TUNNEL, PairKeys: [KEY, KEY, KEY] } }),
      ),
    },
  },
])("a Hello with $name is refused", async ({ hello }) => {
  const agent = new Agent("n1");
  agent.send({ hello });
  await settled();
  expect(agent.call.error?.code).toBe(status.INVALID_ARGUMENT);
  expect(store.node("n1")?.state).toBe("unknown");
});

test("the keys of a node's tunnel reach the others, and stay while a restarted agent does not know them", async () => {
  const agent = await session("n1");
  const descriptionJson = Buffer.from(JSON.stringify({ ...DESCRIPTION, Tunnel: TUNNEL }));
  agent.send({ description: { descriptionJson } });
  await settled();
  expect(store.node("n1")?.description?.Tunnel).toEqual(TUNNEL);
  const again = await session("n1");
  expect(store.node("n1")?.description?.Tunnel).toEqual(TUNNEL);
  again.send({ description: { descriptionJson: Buffer.from(JSON.stringify(DESCRIPTION)) } });
  await settled();
  expect(store.node("n1")?.description?.Tunnel).toEqual(TUNNEL);
});

test("an agent that says nothing is cut off", async () => {
  const agent = new Agent("n1");
  await clock.advance(10_000);
  expect(agent.call.error?.code).toBe(status.DEADLINE_EXCEEDED);
});

test("an agent that cannot open a tunnel says why; one without session is named", async () => {
  const agent = await session("n1");
  agent.kinds();
  const asked = dispatcher.openTunnel("n1", "tun", "m1:2377", new AbortController().signal);
  expect(agent.kinds()).toEqual(["openTunnel"]);
  agent.send({ tunnelFailed: { tunnelId: "tun", message: "no route" } });
  await expect(asked).rejects.toThrow("no route");
  const none = dispatcher.openTunnel("n2", "tun", "m1:2377", new AbortController().signal);
  await expect(none).rejects.toMatchObject({ code: "Unavailable" });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
