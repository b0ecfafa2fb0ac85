import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { netService, type swarm } from "../api/index.js";
import { silentLogger } from "../base/index.js";
import { type RandomCluster, stateOf } from "./core/testing/random-cluster.js";
import { SimulatedKernel } from "./kernel/simulated-kernel.js";
import { NetService } from "./net-service.js";
import { NetworkOwner } from "./network-owner.js";
import { openPlaneParts, type PlaneParts } from "./plane/plane-parts.js";

const CLUSTER: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [1], isBackend: true },
  ],
};
const STATE = stateOf(CLUSTER, 0);
const COMPLETE = {
  complete: true,
  appliesTo: 0,
  resultsIn: STATE.index,
  bodyJson: Buffer.from(JSON.stringify(STATE)),
};
const TASK = { containerId: "c0", mode: "default", taskId: "task0", networkIds: ["net1"] };

let dir: string;
let parts: PlaneParts;
let service: NetService;
let owner: NetworkOwner;
let kernel: SimulatedKernel;
let client: Client;

/** The net process of a simulated node, as its worker sees it: by RPC, without any rights. */
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-net-"));
  parts = (await openPlaneParts(true, "", silentLogger)) as PlaneParts;
  kernel = new SimulatedKernel();
  service = new NetService(kernel, silentLogger);
  const common = { gwbridgePool: "172.20.0.0/14", logger: silentLogger };
  const onKernelLost = () => undefined;
  owner = new NetworkOwner({
    ...common,
    kernel,
    planeParts: async () => parts,
    service,
    runDir: dir,
    onKernelLost,
  });
  await service.listen(join(dir, "net.sock"));
  client = new Client(`unix:${join(dir, "net.sock")}`, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await owner.follow(undefined);
  service.close();
  await rm(dir, { recursive: true });
});

function call<Reply>(name: keyof typeof netService, request: object): Promise<Reply> {
  const method = netService[name];
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      (value: object) => (method.requestSerialize as (message: object) => Buffer)(value),
      (bytes: Buffer) => method.responseDeserialize(bytes) as Reply,
      request,
      (error: ServiceError | null, reply) => {
        if (error === null) resolve(reply as Reply);
        else reject(error);
      },
    );
  });
}

const sandboxes = () => parts.kernel.list("swarm-node0xxx.net-");

test("networks, a container on them, its release and the end of membership", async () => {
  await owner.follow({ nodeId: STATE.nodeId } as never);
  const set = await call<swarm.net.NetworksReply>("setNetworks", COMPLETE);
  expect(set).toMatchObject({ appliedIndex: STATE.index, needsComplete: false });
  const reply = await call<swarm.net.AttachReply>("attach", TASK);
  expect(reply.address).toBe("172.20.0.2/20");
  const netns = reply.netnsPath.replace("/run/netns/", "");
  expect((await parts.kernel.observe(netns, ""))?.links.map(({ name }) => name)).toEqual(["eth1"]);
  expect((await call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
  const { plane } = await call<swarm.net.StatusReply>("status", {});
  expect(plane).toMatchObject({ kernel: "simulated", networksIndex: 1, appliedIndex: 1 });
  await call("release", { containerId: "c0" });
  expect(await parts.kernel.observe(netns, "")).toBe(undefined);
  await owner.follow(undefined);
  expect(await sandboxes()).toEqual([]);
  expect((await parts.kernel.observe("", ""))?.tables).toEqual([]);
  expect(await readdir(dir)).toEqual(["net.sock"]);
});

test("who asks whether a left cluster's networks are gone waits for that, and hears why they are not", async () => {
  const left = async () => {
    await owner.follow({ nodeId: STATE.nodeId } as never);
    void owner.follow(undefined);
    await owner.settled();
  };
  const removeNetns = kernel.removeNetns.bind(kernel);
  let removed = 0;
  kernel.removeNetns = async (name) => {
    await new Promise((resolve) => setImmediate(resolve));
    await removeNetns(name);
    removed += 1;
  };
  await left();
  expect(removed).toBeGreaterThan(0);
  expect([...kernel.netns.keys()]).toEqual([]);
  kernel.removeNetns = () => Promise.reject(new Error("device busy"));
  await expect(left()).rejects.toThrow("device busy");
  kernel.removeNetns = removeNetns;
  await owner.follow(undefined);
  await owner.settled();
});

test.each([
  { name: "networks in mode host", fields: { mode: "host" }, text: "mode host is on no network" },
  { name: "networks without a task", fields: { taskId: "" }, text: 'bad id ""' },
  { name: "a network twice", fields: { networkIds: ["a", "a"] }, text: "named twice" },
])("$name are refused by name", async ({ fields, text }) => {
  await owner.follow({ nodeId: STATE.nodeId } as never);
  const refused = call("attach", { ...TASK, ...fields });
  await expect(refused).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  await expect(refused).rejects.toThrow(text);
});

test("until a node is on a network, nothing is opened for it", async () => {
  await owner.follow({ nodeId: STATE.nodeId } as never);
  const none = { ...STATE, networks: [], endpoints: [], services: [], nodes: [] };
  const empty = { ...COMPLETE, bodyJson: Buffer.from(JSON.stringify(none)) };
  const set = (request: object) => call<swarm.net.NetworksReply>("setNetworks", request);
  expect(await set(empty)).toMatchObject({ appliedIndex: STATE.index, needsComplete: false });
  expect(await set({ ...COMPLETE, complete: false })).toMatchObject({ needsComplete: true });
  expect((await call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
  const idle = await call<swarm.net.StatusReply>("status", {});
  expect({ plane: idle.plane ?? null, problems: idle.problems }).toEqual({
    plane: null,
    problems: [],
  });
  expect(await set(COMPLETE)).toMatchObject({ appliedIndex: STATE.index });
  expect((await call<swarm.net.StatusReply>("status", {})).plane).toMatchObject({ rounds: 1 });
});

test("without a cluster there are no networks", async () => {
  const refused = call("setNetworks", COMPLETE);
  await expect(refused).rejects.toMatchObject({ code: status.UNAVAILABLE });
});
