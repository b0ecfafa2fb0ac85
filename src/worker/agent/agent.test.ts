import { expect, test } from "vitest";
import { type FromChild, type NodeIdentity, TASK_STATE } from "../../api/index.js";
import { SeededRandom, silentLogger } from "../../base/index.js";
import { NetworkRelay } from "../net/index.js";
import { FakeClock, settle, until } from "../testing/fake-clock.js";
import { FakeDispatcher, type FakeSession, wireAssignments } from "../testing/fake-dispatcher.js";
import { fakeAssignment, NODE, NodeKit, taskId } from "../testing/node-kit.js";
import { Agent } from "./agent.js";

const S = TASK_STATE;

function identity(change: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    nodeId: NODE.nodeId,
    clusterId: "c1",
    role: "worker",
    rootBundlePem: "root",
    certificatePem: "cert",
    privateKeyPem: "key",
    managers: ["m1", "m2", "m3"].map((name) => ({ nodeId: name, addr: `${name}:2377` })),
    advertiseAddr: "10.0.0.9",
    listenAddr: "",
    ...change,
  };
}

class AgentKit implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly cluster = new FakeDispatcher();
  readonly told: FromChild[] = [];
  readonly node: NodeKit;
  readonly agent: Agent;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  usage: { readonly cpuNano: number; readonly memBytes: number } | undefined;
  tunnel: (id: string, addr: string) => Promise<void> = () => Promise.resolve();

  static async make(first: NodeIdentity | "none" = identity()): Promise<AgentKit> {
    const clock = new FakeClock();
    return new AgentKit(await NodeKit.make(undefined, clock), clock, first);
  }

  private constructor(node: NodeKit, clock: FakeClock, first: NodeIdentity | "none") {
    this.node = node;
    this.clock = clock;
    this.agent = new Agent({
      tasks: node.tasks,
      networks: new NetworkRelay({ net: node.net, clock, logger: silentLogger }),
      dial: this.cluster.dial,
      clock,
      random: new SeededRandom(7),
      logger: silentLogger,
      bootId: "boot1",
      description: () => ({
        Hostname: "w1",
        Platform: { Architecture: "x86_64", OS: "linux" },
        Resources: { NanoCPUs: 2e9, MemoryBytes: 1e9 },
        Engine: { EngineVersion: "fake 1", Plugins: [] },
        EngineKind: "simulated",
      }),
      usage: () => this.usage,
      tell: (message) => this.told.push(message),
      openTunnel: (id, addr) => this.tunnel(id, addr),
    });
    if (first !== "none") this.agent.setIdentity(first);
    this.#done = this.agent.run(this.#stop.signal);
  }

  /** The next session that the agent opens. */
  async session(number: number): Promise<FakeSession> {
    await this.clock.advanceUntil(
      () => this.cluster.sessions.length >= number,
      `session ${number}`,
    );
    const session = this.cluster.sessions[number - 1];
    if (session === undefined) throw new Error("no session");
    return session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("test over"));
    await this.#done;
    await this.node[Symbol.asyncDispose]();
  }
}

/** Answers heartbeats and status batches as a healthy leader does. */
function answerAll(kit: AgentKit): void {
  kit.cluster.onMessage = (session, message) => {
    if (message.heartbeat) {
      session.send({ heartbeatAck: { seq: message.heartbeat.seq ?? 0, heartbeatPeriodMs: 1_000 } });
    }
    if (message.statuses) session.send({ statusAck: { seq: message.statuses.seq ?? 0 } });
  };
}

test("hello first, then heartbeats in the manager's period", async () => {
  await using kit = await AgentKit.make();
  answerAll(kit);
  const session = await kit.session(1);
  expect(session.addr).toBe("m1:2377");
  const [hello] = session.of("hello");
  expect(hello).toMatchObject({ bootId: "boot1", assignmentsIndex: 0, advertiseAddr: "10.0.0.9" });
  expect(JSON.parse(Buffer.from(hello?.descriptionJson ?? []).toString()).Hostname).toBe("w1");
  session.welcome(400);
  expect(kit.told).toEqual([{ kind: "session", isUp: true }]);
  await kit.clock.advance(400, 100);
  expect(session.of("heartbeat")).toHaveLength(1);
  // The answer set the period to 1 s; the beat already planned still comes after 400 ms.
  await kit.clock.advance(2_400, 100);
  expect(session.of("heartbeat").map((beat) => beat.seq)).toEqual([1, 2, 3, 4]);
});

test("what containers use goes with a heartbeat, once per measurement and session", async () => {
  await using kit = await AgentKit.make();
  answerAll(kit);
  const told = (session: FakeSession) =>
    session.of("heartbeat").map(({ usage }) => usage?.cpuNano ?? "-");
  const first = await kit.session(1);
  first.welcome(1_000);
  await kit.clock.advance(1_000, 100);
  kit.usage = { cpuNano: 5, memBytes: 6 };
  await kit.clock.advance(2_000, 100);
  kit.usage = { cpuNano: 7, memBytes: 6 };
  await kit.clock.advance(1_000, 100);
  expect(told(first)).toEqual(["-", 5, "-", 7]);
  first.send({ redirect: { leaderAddr: "m3:2377", managers: [] } });
  const second = await kit.session(2);
  second.welcome(1_000);
  await kit.clock.advance(2_000, 100);
  expect(told(second)).toEqual([7, "-"]);
});

test("a redirect is followed at once", async () => {
  await using kit = await AgentKit.make();
  const first = await kit.session(1);
  const before = kit.clock.nowMs();
  first.send({ redirect: { leaderAddr: "m3:2377", managers: [] } });
  await settle();
  expect(kit.cluster.last?.addr).toBe("m3:2377");
  expect(kit.clock.nowMs()).toBe(before);
  expect(first.isClosed).toBe(true);
});

test("a manager that does not answer is left after 3 s for another", async () => {
  await using kit = await AgentKit.make();
  await kit.session(1);
  await kit.clock.advance(2_900, 100);
  expect(kit.cluster.sessions).toHaveLength(1);
  await kit.clock.advance(500, 50);
  expect(kit.cluster.last?.addr).toBe("m2:2377");
});

test("a silent leader is left after three unanswered heartbeats", async () => {
  await using kit = await AgentKit.make();
  const session = await kit.session(1);
  session.welcome(1_000);
  await kit.clock.advance(3_900, 100);
  expect(session.of("heartbeat")).toHaveLength(3);
  expect(session.isClosed).toBe(false);
  await kit.clock.advance(400, 50);
  expect(session.isClosed).toBe(true);
  expect(kit.told).toEqual([
    { kind: "session", isUp: true },
    { kind: "session", isUp: false },
  ]);
  expect(kit.cluster.last?.addr).toBe("m2:2377");
});

test("a broken session is opened again within 250 ms, at another manager", async () => {
  await using kit = await AgentKit.make();
  const session = await kit.session(1);
  session.welcome();
  session.break();
  await kit.clock.advance(250, 10);
  expect(kit.cluster.sessions.map((each) => each.addr)).toEqual(["m1:2377", "m2:2377"]);
});

test("assignments run, statuses go up, a new session hears all of them again", async () => {
  await using kit = await AgentKit.make();
  const first = await kit.session(1);
  first.welcome();
  first.send({ assignments: wireAssignments([fakeAssignment("a")], 5) });
  await kit.clock.advanceUntil(
    () => first.statuses().includes(`${taskId("a")}:${S.running}`),
    "running reported",
  );
  first.break();
  const second = await kit.session(2);
  expect(second.of("hello")[0]?.assignmentsIndex).toBe(5);
  second.welcome();
  await settle();
  expect(second.statuses()).toEqual([`${taskId("a")}:${S.running}`]);
});

test("steps on the way to running wait 100 ms for company", async () => {
  await using kit = await AgentKit.make();
  const session = await kit.session(1);
  session.welcome();
  const batches = (): readonly number[] =>
    session.of("statuses").map(({ statuses }) => statuses?.length ?? 0);
  const before = batches().length;
  const assignment = fakeAssignment("a", { desiredState: S.ready });
  session.send({ assignments: wireAssignments([assignment], 5) });
  await kit.clock.advance(90, 10);
  expect(batches().slice(before)).toEqual([]);
  await kit.clock.advance(20, 10);
  expect(batches().slice(before)).toEqual([1]);
});

test("a task that ends while no manager can be reached is reported on return, and not started again", async () => {
  await using kit = await AgentKit.make();
  const first = await kit.session(1);
  first.welcome();
  first.send({ assignments: wireAssignments([fakeAssignment("a")], 5) });
  await until(() => kit.node.stateOf("a") === S.running, "running");
  first.break();
  const second = await kit.session(2);
  kit.node.engine.exit(taskId("a"), 9);
  await kit.clock.advanceUntil(() => kit.node.stateOf("a") === S.failed, "failed");
  expect(second.statuses()).toEqual([]);
  second.welcome();
  await settle();
  expect(second.statuses()).toEqual([`${taskId("a")}:${S.failed}`]);
  expect(kit.node.engine.calls.filter((call) => call.startsWith("start"))).toHaveLength(1);
});

test("a gap in the assignments opens the session again and asks for all", async () => {
  await using kit = await AgentKit.make();
  const first = await kit.session(1);
  first.welcome();
  first.send({ assignments: wireAssignments([], 5) });
  first.send({
    assignments: { ...wireAssignments([], 9), complete: false, appliesTo: 7 },
  });
  const second = await kit.session(2);
  expect(second.of("hello")[0]?.assignmentsIndex).toBe(0);
});

test("the cluster's view of the node goes to the supervisor, its managers are dialled next", async () => {
  await using kit = await AgentKit.make();
  const first = await kit.session(1);
  first.welcome();
  first.send({
    nodeUpdate: {
      role: "manager",
      rootBundlePem: "pem",
      managers: [{ nodeId: "m9", addr: "m9:2377" }],
      forceRenew: false,
    },
  });
  expect(kit.told.at(-1)).toEqual({
    kind: "nodeUpdate",
    role: "manager",
    rootBundlePem: "pem",
    managers: [{ nodeId: "m9", addr: "m9:2377" }],
    forceRenew: false,
  });
  first.break();
  expect((await kit.session(2)).addr).toBe("m9:2377");
});

test("a removed node stops its tasks, says so, and dials nobody any more", async () => {
  await using kit = await AgentKit.make();
  const session = await kit.session(1);
  session.welcome();
  session.send({ assignments: wireAssignments([fakeAssignment("a")], 5) });
  await until(() => kit.node.stateOf("a") === S.running, "running");
  session.send({ removed: {} });
  await kit.clock.advanceUntil(() => kit.node.engine.containers.size === 0, "tasks gone");
  expect(kit.told.map((message) => message.kind)).toEqual(["session", "session", "removed"]);
  await kit.clock.advance(10_000, 500);
  expect(kit.cluster.sessions).toHaveLength(1);
});

test("without an identity nothing is dialled; with one it is, at once", async () => {
  await using kit = await AgentKit.make("none");
  kit.agent.setIdentity(undefined);
  await kit.clock.advance(5_000, 500);
  kit.agent.setIdentity(identity());
  await settle();
  expect(kit.cluster.sessions).toHaveLength(1);
});

test("a new certificate keeps the session, another cluster ends it", async () => {
  await using kit = await AgentKit.make();
  const session = await kit.session(1);
  session.welcome();
  kit.agent.setIdentity(identity({ certificatePem: "new" }));
  await settle();
  expect(session.isClosed).toBe(false);
  kit.agent.setIdentity(identity({ clusterId: "c2", nodeId: "other" }));
  await kit.session(2);
  expect(session.isClosed).toBe(true);
});

test("leaving tells the manager and opens no further session", async () => {
  await using kit = await AgentKit.make();
  const session = await kit.session(1);
  session.welcome();
  kit.agent.leave();
  expect(session.of("leaving")).toHaveLength(1);
  await kit.clock.advance(5_000, 500);
  expect(kit.cluster.sessions).toHaveLength(1);
});

test("a tunnel that cannot be opened is reported to the manager", async () => {
  await using kit = await AgentKit.make();
  const session = await kit.session(1);
  session.welcome();
  kit.tunnel = () => Promise.reject(new Error("cannot reach manager m2:2377"));
  session.send({ openTunnel: { tunnelId: "t1", managerAddr: "m2:2377" } });
  await settle();
  expect(session.of("tunnelFailed")).toEqual([
    { tunnelId: "t1", message: "cannot reach manager m2:2377" },
  ]);
});

test("a message that makes no sense ends the session, not the agent", async () => {
  await using kit = await AgentKit.make();
  const first = await kit.session(1);
  first.welcome();
  const broken = wireAssignments([fakeAssignment("a")], 5);
  first.send({ assignments: { ...broken, specs: [] } });
  expect(first.isClosed).toBe(true);
  expect((await kit.session(2)).addr).toBe("m2:2377");
});

function wholeNetworks(index: number) {
  const lists = { networks: [], endpoints: [], services: [], nodes: [] };
  const state = { index, nodeId: NODE.nodeId, dataPathPort: 4789, ...lists };
  const bodyJson = Buffer.from(JSON.stringify(state));
  return { networks: { complete: true, appliesTo: 0, resultsIn: index, bodyJson } };
}

test("how far the kernel is with the networks is told once per pause, and again with each session", async () => {
  await using kit = await AgentKit.make();
  answerAll(kit);
  const first = await kit.session(1);
  first.welcome();
  first.send(wholeNetworks(7));
  first.send(wholeNetworks(9));
  await kit.clock.advance(10, 1);
  expect(first.of("networkApplied")).toEqual([{ index: 9 }]);
  first.break();
  const second = await kit.session(2);
  expect(second.of("networkApplied")).toEqual([]);
  second.welcome();
  expect(second.of("networkApplied")).toEqual([{ index: 9 }]);
});

test("a net process that is away holds up nothing of the agent", async () => {
  await using kit = await AgentKit.make();
  answerAll(kit);
  kit.node.net.isDown = true;
  const session = await kit.session(1);
  session.welcome();
  session.send(wholeNetworks(7));
  session.send({ assignments: wireAssignments([], 8) });
  await kit.clock.advance(1_000, 100);
  expect(kit.node.tasks.index).toBe(8);
  expect(session.of("heartbeat")).toHaveLength(1);
  expect(session.of("networkApplied")).toEqual([]);
  kit.node.net.isDown = false;
  await kit.clock.advance(5_000, 100);
  expect(session.of("networkApplied")).toEqual([{ index: 7 }]);
});

test("a gap in the networks opens the session anew", async () => {
  await using kit = await AgentKit.make();
  answerAll(kit);
  const session = await kit.session(1);
  session.welcome();
  const { networks } = wholeNetworks(9);
  session.send({ networks: { ...networks, complete: false, appliesTo: 4 } });
  expect(session.isClosed).toBe(true);
  await kit.session(2);
});
