/** What a session is told of the cluster while it lasts, and when it is not let in. */
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Change, type Cluster, swarm } from "../../api/index.js";
import { SeededRandom, silentLogger } from "../../base/index.js";
import { ClusterStore, LocalProposer } from "../../store/index.js";
import { FakeCall } from "../testing/fake-call.js";
import { FakeClock, settled } from "../testing/fake-clock.js";
import { CLUSTER_SPEC, DESCRIPTION, sampleNode, sampleTask } from "../testing/samples.js";
import { REGISTRATIONS_MAX } from "./core/sessions.js";
import { Dispatcher } from "./dispatcher.js";

type In = swarm.dispatcher.AgentMessage;
type Out = Parameters<typeof swarm.dispatcher.DispatcherMessage.encode>[0];

const CLUSTER: Cluster = {
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

let store: ClusterStore;
let dispatcher: Dispatcher;
let leading: AbortController;
let led: Promise<void>;

beforeEach(async () => {
  const clock = new FakeClock();
  store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  await commit(
    { kind: "putCluster", cluster: CLUSTER },
    { kind: "putNode", node: sampleNode({ id: "n1" }) },
    { kind: "putTask", task: sampleTask({ id: "t1", nodeId: "n1" }) },
  );
  dispatcher = new Dispatcher({
    clock,
    logger: silentLogger,
    managers: () => [],
    leaderAddr: () => undefined,
    readBarrier: () => Promise.resolve(),
  });
  leading = new AbortController();
  const { signal } = leading;
  const proposer = new LocalProposer(store);
  const random = new SeededRandom(1);
  led = dispatcher
    .lead({ store, proposer, clock, random, logger: silentLogger, signal })
    .catch(() => {});
});

afterEach(async () => {
  leading.abort();
  await led;
});

function commit(...changes: readonly Change[]) {
  const meta = { requestId: "", atMs: 1, isClient: false, preconditions: [], resultJson: "" };
  return new LocalProposer(store).propose({ ...meta, changes });
}

function send(
  call: FakeCall<In, Out>,
  message: Parameters<typeof swarm.dispatcher.AgentMessage.encode>[0],
) {
  const bytes = swarm.dispatcher.AgentMessage.encode(message).finish();
  call.receive(swarm.dispatcher.AgentMessage.decode(bytes));
}

async function session(nodeId: string): Promise<FakeCall<In, Out>> {
  const call = new FakeCall<In, Out>();
  const peer = { nodeId, clusterId: "c1", role: "worker" } as const;
  dispatcher.accept(call.asCall, { peer, remoteIp: "10.0.0.5" });
  const descriptionJson = Buffer.from(JSON.stringify(DESCRIPTION));
  send(call, { hello: { descriptionJson, bootId: "b1" } });
  await settled();
  return call;
}

test("a root certificate that changes is pushed to every session", async () => {
  const call = await session("n1");
  call.written.splice(0);
  await commit({ kind: "putCluster", cluster: { ...CLUSTER, rootCertPem: "ROOT2" } });
  await settled();
  expect(call.written).toMatchObject([{ nodeUpdate: { rootBundlePem: "ROOT2" } }]);
});

test("a heartbeat period that changes reaches the agent with its next heartbeat", async () => {
  const call = await session("n1");
  call.written.splice(0);
  const spec = { ...CLUSTER_SPEC, Dispatcher: { HeartbeatPeriod: 4e9 } };
  await commit({ kind: "putCluster", cluster: { ...CLUSTER, spec } });
  send(call, { heartbeat: { seq: 1 } });
  await settled();
  const ack = call.written.find((message) => message.heartbeatAck)?.heartbeatAck;
  expect(ack?.seq).toBe(1);
  expect(Math.abs((ack?.heartbeatPeriodMs ?? 0) - 4000)).toBeLessThanOrEqual(400);
});

test("a node that registers too often is asked to wait; the sessions of others are not touched", async () => {
  await commit({ kind: "putNode", node: sampleNode({ id: "n2", nodeIndex: 2 }) });
  const other = await session("n2");
  for (let i = 0; i < REGISTRATIONS_MAX; i++) await session("n1");
  const refused = await session("n1");
  expect(refused.error?.code).toBe(status.UNAVAILABLE);
  expect(other.error).toBeUndefined();
});

test("a node that the cluster does not know gets no session and no tasks", async () => {
  const call = await session("stranger");
  expect(call.written).toMatchObject([{ removed: {} }]);
  expect(call.isEnded).toBe(true);
});
