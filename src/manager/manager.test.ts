/** Three real managers (testing/cluster-kit.ts): what clients, nodes and strangers see of them. */
import { connect } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { caService, controlService, type NodeIdentity, type Operation } from "../api/index.js";
import { newId } from "../base/index.js";
import type { Manager } from "./manager.js";
import { encodeOperation } from "./rpc/index.js";
import { clock, random, TestCluster } from "./testing/cluster-kit.js";

let cluster: TestCluster;
let managers: Manager[];
let identities: NodeIdentity[];

beforeAll(async () => {
  cluster = await TestCluster.start(3);
  ({ managers, identities } = cluster);
}, 60_000);

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

function create(manager: Manager, name: string) {
  return manager.submit<"service.create">({
    kind: "service.create",
    serviceId: newId(random),
    registryAuth: "",
    spec: {
      Name: name,
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: "web" }, ForceUpdate: 0, Runtime: "container" },
      Mode: { Replicated: { Replicas: 1 } },
    },
  });
}

test("init commits cluster, node and predefined networks before it is ready", () => {
  const [first] = managers;
  expect(first?.store.cluster()?.id).toBe(cluster.clusterId);
  expect(first?.store.networkByName("ingress")?.spec.Ingress).toBe(true);
  expect(first?.store.networkByName("bridge")?.predefined).toBe(true);
  expect(first?.store.networkByName("host")?.predefined).toBe(true);
  expect(first?.store.node(first.nodeId)).toMatchObject({ role: "manager", nodeIndex: 1 });
});

test("joined managers are members with their address, known to all", async () => {
  for (const manager of managers) {
    const view = await manager.read();
    const known = identities.map((id) => view.node(id.nodeId)?.manager?.addr);
    expect(known).toEqual(identities.map((id) => id.advertiseAddr));
    expect(manager.leader()?.nodeId).toBe(identities[0]?.nodeId);
  }
});

test("a service created on a follower is readable there at once and on every manager", async () => {
  const [, follower] = managers;
  if (follower === undefined) throw new Error("no follower");
  const { id } = await create(follower, "web");
  expect(follower.store.service(id)?.spec.Name).toBe("web");
  for (const manager of managers) expect((await manager.read()).service(id)?.id).toBe(id);
});

test.each<{ name: string; who: "nobody" | "worker" | "stranger" | "foreign" }>([
  { name: "no certificate", who: "nobody" },
  { name: "a worker's certificate", who: "worker" },
  { name: "a manager's certificate of a node the cluster does not know", who: "stranger" },
  { name: "a certificate of another cluster under the same root", who: "foreign" },
])("a manager's call with $name is refused", async ({ who }) => {
  const [to] = identities;
  if (to === undefined) throw new Error("no manager");
  const own =
    who === "nobody"
      ? undefined
      : who === "worker"
        ? await cluster.admit(to, "worker")
        : who === "stranger"
          ? await cluster.certificate(newId(random), "manager")
          : await cluster.certificate(to.nodeId, "manager", "othercluster");
  const operation: Operation = { kind: "service.remove", serviceId: "x" };
  await expect(
    cluster.call(to, own, controlService.submit, {
      requestId: "r1",
      operationJson: encodeOperation(operation),
      timeoutMs: 1000,
      forwardedBy: "",
    }),
  ).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
});

test("garbage and plaintext on the port end their own connection only", async () => {
  const [to] = identities;
  const [manager] = managers;
  const port = Number(to?.advertiseAddr.split(":")[1]);
  for (const bytes of [
    "GET / HTTP/1.1\r\n\r\n",
    "\x16\x03\x01\xff\xff\x00garbage",
    "\0".repeat(64),
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
      socket.on("error", () => {});
      socket.on("close", () => resolve());
      socket.setTimeout(500, () => socket.destroy());
    });
  }
  await expect(manager?.read()).resolves.toBeDefined();
});

test("a taken address is told as such", async () => {
  const [to] = identities;
  if (to === undefined) throw new Error("no manager");
  const attempt = cluster.open("m4", to, { kind: "resume" });
  await expect(attempt).rejects.toMatchObject({ reason: "addressInUse" });
});

test("swapped certificates serve new connections", async () => {
  const [manager] = managers;
  const [to] = identities;
  if (manager === undefined || to === undefined) throw new Error("no manager");
  manager.setIdentity({ ...to, ...(await cluster.certificate(to.nodeId, "manager")) });
  await expect(cluster.call(to, undefined, caService.getRoot, {})).resolves.toMatchObject({
    rootBundlePem: cluster.root.certificatePem,
  });
});

test("after the leader stops, the others write again and lose nothing", async () => {
  const [leader, second, third] = managers;
  if (!leader || !second || !third) throw new Error("three managers");
  expect(leader.isLeader).toBe(true);
  await leader.stop();
  managers.shift();
  const { id } = await create(third, "after");
  for (const manager of [second, third]) {
    const view = await manager.read();
    expect(view.service(id)?.spec.Name).toBe("after");
    expect(view.serviceByName("web")).toBeDefined();
  }
});

test("without a quorum calls are answered after a second, with the known text", async () => {
  const [second, third] = managers;
  if (!second || !third) throw new Error("two managers");
  await second.stop();
  managers.shift();
  await clock.sleep(2500);
  const startMs = clock.nowMs();
  await expect(third.read()).rejects.toMatchObject({
    code: "Unknown",
    message: expect.stringContaining("does not have a leader"),
  });
  await expect(create(third, "never")).rejects.toThrow(/more than half of the managers are online/);
  expect(clock.nowMs() - startMs).toBeLessThan(1000);
});
