/** Managers' dispatcher and nodes' agents together, over their real messages: when tasks on networks start and stop. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Change, type NodeIdentity, swarm, TASK_STATE } from "../api/index.js";
import { SeededRandom, silentLogger } from "../base/index.js";
import { Dispatcher } from "../manager/dispatcher/index.js";
import { FakeCall } from "../manager/testing/fake-call.js";
import { DESCRIPTION, sampleNode, sampleTask } from "../manager/testing/samples.js";
import { applyDelta, type NetworkDelta, type NetworkState } from "../overlay-net/core/index.js";
import { ClusterStore, LocalProposer } from "../store/index.js";
import { sampleNetwork } from "../store/testing/samples.js";
import { Agent, type DialDispatcher } from "../worker/agent/index.js";
import { NetworkRelay } from "../worker/net/index.js";
import { FakeClock } from "../worker/testing/fake-clock.js";
import { NodeKit, taskId } from "../worker/testing/node-kit.js";

const { AgentMessage, DispatcherMessage } = swarm.dispatcher;
type Out = Parameters<typeof DispatcherMessage.encode>[0];

const S = TASK_STATE;
const STEP_MS = 20;
/** Of real time. */
const GIVE_UP_MS = 15_000;
const NET = sampleNetwork(1).id;
const T1 = taskId("t1");
let clock: FakeClock;
let store: ClusterStore;
let dispatcher: Dispatcher;
let nodes: SimNode[];
let leading: AbortController;
let led: Promise<void>;

/** A stream in memory, through the wire's encoding both ways. */
function dialAs(nodeId: string): DialDispatcher {
  return (_addr, handlers) => {
    class Call extends FakeCall<swarm.dispatcher.AgentMessage, Out> {
      override write(message: Out): boolean {
        const bytes = DispatcherMessage.encode(message).finish();
        queueMicrotask(() => handlers.onMessage(DispatcherMessage.decode(bytes)));
        return true;
      }

      override end(): void {
        super.end();
        queueMicrotask(() => handlers.onEnd("ended"));
      }
    }
    const call = new Call();
    const peer = { nodeId, clusterId: "c1", role: "worker" } as const;
    dispatcher.accept(call.asCall, { peer, remoteIp: "10.0.0.1" });
    return {
      send: (message) => call.receive(AgentMessage.decode(AgentMessage.encode(message).finish())),
      close: () => call.cancel(),
    };
  };
}

class SimNode implements AsyncDisposable {
  readonly kit: NodeKit;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  /** What net was told is in the kernel from then on. */
  #open: () => void = () => undefined;

  static async make(nodeId: string): Promise<SimNode> {
    return new SimNode(nodeId, await NodeKit.make(undefined, clock));
  }

  private constructor(nodeId: string, kit: NodeKit) {
    this.kit = kit;
    const agent = new Agent({
      tasks: kit.tasks,
      networks: new NetworkRelay({ net: kit.net, clock, logger: silentLogger }),
      dial: dialAs(nodeId),
      clock,
      random: new SeededRandom(1),
      logger: silentLogger,
      bootId: "b1",
      description: () => DESCRIPTION,
      usage: () => undefined,
      tell: () => undefined,
      openTunnel: () => Promise.resolve(),
    });
    const identity: NodeIdentity = {
      nodeId,
      clusterId: "c1",
      role: "worker",
      rootBundlePem: "",
      certificatePem: "",
      privateKeyPem: "",
      managers: [{ nodeId: "m1", addr: "m1:2377" }],
      advertiseAddr: "10.0.0.1",
      listenAddr: "",
    };
    agent.setIdentity(identity);
    this.#done = agent.run(this.#stop.signal);
  }

  /** Net takes what it is told, and its kernel is not there before `release`. */
  hold(): void {
    const gate = new Promise<void>((resolve) => {
      this.#open = resolve;
    });
    this.kit.net.answer = async ({ resultsIn }) => {
      await gate;
      return { appliedIndex: resultsIn, needsComplete: false };
    };
  }

  release(): void {
    this.#open();
  }

  /** What net was told, put together. */
  get networks(): NetworkState | undefined {
    let state: NetworkState | undefined;
    for (const { isComplete, body } of this.kit.net.told) {
      const told: unknown = JSON.parse(Buffer.from(body).toString());
      if (isComplete) state = told as NetworkState;
      else if (state !== undefined) state = applyDelta(state, told as NetworkDelta);
    }
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("test over"));
    await this.#done;
    await this.kit[Symbol.asyncDispose]();
  }
}

function commit(...changes: readonly Change[]) {
  const common = { requestId: "", isClient: false, preconditions: [], resultJson: "" };
  return new LocalProposer(store).propose({ ...common, atMs: 1, changes });
}

function attached(id: string, nodeId: string, address: string): Change {
  const networks = [{ networkId: NET, address, address6: "", aliases: [] }];
  const ContainerSpec = { Image: "bb:latest" };
  const spec = { ContainerSpec, ForceUpdate: 0, Runtime: "container" as const };
  return { kind: "putTask", task: sampleTask({ id, nodeId, spec, networks }) };
}

function lead(): void {
  leading = new AbortController();
  const { signal } = leading;
  const context = { store, clock, signal, random: new SeededRandom(1), logger: silentLogger };
  led = dispatcher.lead({ ...context, proposer: new LocalProposer(store) }).catch(() => undefined);
}

const stateOf = (id: string) => store.task(id)?.state ?? 0;
/** In small steps: files are written meanwhile, and on a busy machine two seconds of the clock must not be over before. */
async function reaches(id: string, state: number): Promise<void> {
  const giveUpMs = performance.now() + GIVE_UP_MS;
  while (stateOf(id) !== state) {
    if (performance.now() > giveUpMs) throw new Error(`${id} never reached ${state}`);
    await clock.advance(STEP_MS);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

beforeEach(async () => {
  clock = new FakeClock();
  store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  const subnet = { subnet: "10.1.0.0/16", gateway: "10.1.0.1", ipRange: "" };
  const network = { ...sampleNetwork(1), vni: 4097, subnets: [subnet], mtu: 1450 };
  await commit(
    { kind: "putNetwork", network },
    { kind: "putNode", node: sampleNode({ id: "n1" }) },
    { kind: "putNode", node: sampleNode({ id: "n2", nodeIndex: 2 }) },
  );
  dispatcher = new Dispatcher({
    clock,
    logger: silentLogger,
    managers: () => [{ nodeId: "m1", addr: "m1:2377" }],
    leaderAddr: () => "m1:2377",
    readBarrier: () => Promise.resolve(),
  });
  lead();
  nodes = [await SimNode.make("n1"), await SimNode.make("n2")];
  await clock.advanceUntil(() => store.nodes().every(({ state }) => state === "ready"), "ready");
});

afterEach(async () => {
  for (const node of nodes) await node[Symbol.asyncDispose]();
  leading.abort();
  await led;
});

test("a task starts when the other node knows it, and stops when it has forgotten it", async () => {
  const [one, two] = nodes as [SimNode, SimNode];
  await commit(attached(taskId("t2"), "n2", "10.1.0.2"));
  await reaches(taskId("t2"), S.running);
  two.hold();
  const fromMs = clock.nowMs();
  await commit(attached(T1, "n1", "10.1.0.3"));
  await reaches(T1, S.ready);
  const known = one.networks?.endpoints.map(({ address }) => address);
  expect(known).toEqual(["10.1.0.3", "10.1.0.2"]);
  // Nobody waits longer than two seconds, and on a busy machine some of them are over by now.
  await clock.advance(Math.max(0, Math.min(500, fromMs + 1_900 - clock.nowMs())), 100);
  expect(stateOf(T1)).toBe(S.ready);
  two.release();
  await reaches(T1, S.running);
  two.hold();
  await commit({ kind: "taskDesired", taskId: T1, desiredState: S.shutdown });
  await clock.advance(1_000, 100);
  expect(one.kit.stateOf("t1")).toBe(S.running);
  two.release();
  await reaches(T1, S.shutdown);
  expect(dispatcher.lateNodeCount).toBe(0);
});

test("a node whose kernel does not follow costs two seconds, across a change of leader too", async () => {
  const [, two] = nodes as [SimNode, SimNode];
  await commit(attached(taskId("t2"), "n2", "10.1.0.2"), attached(T1, "n1", "10.1.0.3"));
  await reaches(T1, S.running);
  two.hold();
  leading.abort();
  await led;
  lead();
  await commit({ kind: "taskDesired", taskId: T1, desiredState: S.shutdown });
  const stoppedFromMs = clock.nowMs();
  await reaches(T1, S.shutdown);
  expect(clock.nowMs() - stoppedFromMs).toBeGreaterThanOrEqual(2_000);
  expect(dispatcher.lateNodeCount).toBe(1);
});
