/** `Containers` of a network: those of the node that is asked. */
import { expect, test } from "vitest";
import { type Network, TASK_STATE, type Task } from "../api/index.js";
import { ClusterStore, LocalProposer } from "../store/index.js";
import { presentContainers } from "./present/network-containers.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };
const NETWORK: Network = {
  ...META,
  id: "net9",
  spec: { Name: "app", Labels: {}, Driver: "overlay", Scope: "swarm" },
  predefined: false,
  vni: 4097,
  subnets: [
    { subnet: "10.9.0.0/24", gateway: "10.9.0.1", ipRange: "" },
    { subnet: "fd00:9::/64", gateway: "fd00:9::1", ipRange: "" },
  ],
  mtu: 1450,
};

function task(id: string, set: Partial<Task>): Task {
  return {
    ...{ id, versionIndex: 0, createdAtMs: 0, updatedAtMs: 0 },
    ...{ serviceId: "s1", serviceName: "web", slot: 1, nodeId: "n1", specVersion: 0 },
    spec: { ContainerSpec: { Image: "bb" }, ForceUpdate: 0, Runtime: "container" },
    ...{ hostPorts: [], desiredState: TASK_STATE.running, state: TASK_STATE.running },
    ...{ statusAtMs: 0, message: "", err: "", containerId: `c-${id}`, pid: 0, exitCode: 0 },
    ...{ portStatus: [], notBeforeMs: 0, jobIteration: 0, genericResources: [] },
    networks: [{ networkId: "net9", address: "10.9.0.7", address6: "fd00:9::7", aliases: [] }],
    networkPhase: 2,
    ...set,
  };
}

async function containers(...tasks: readonly Task[]): Promise<unknown> {
  const store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  await new LocalProposer(store).propose({
    ...{ requestId: "", atMs: 1, isClient: false, preconditions: [], resultJson: "" },
    changes: [
      { kind: "putNetwork", network: NETWORK },
      ...tasks.map((one) => ({ kind: "putTask" as const, task: one })),
    ],
  });
  return presentContainers(NETWORK, store, "n1");
}

test("a task's container has its name, addresses with their lengths and the MAC that follows", async () => {
  expect(await containers(task("t1", {}))).toEqual({
    "c-t1": {
      ...{ Name: "web.1.t1", EndpointID: "t1", MacAddress: "02:42:0a:09:00:07" },
      ...{ IPv4Address: "10.9.0.7/24", IPv6Address: "fd00:9::7/64" },
    },
  });
});

test("a container that was connected goes by its own name", async () => {
  const container = task("t1", { networks: [] });
  const NetworkAttachmentSpec = { ContainerID: "c-t1", TaskID: "t1" };
  const attachment = task("t2", {
    ...{ serviceId: "", serviceName: "x", containerId: "c-t1" },
    spec: { ...container.spec, NetworkAttachmentSpec, Runtime: "attachment" },
  });
  expect(await containers(container, attachment)).toMatchObject({ "c-t1": { Name: "web.1.t1" } });
});

test.each([
  { name: "on another node", set: { nodeId: "n2" } },
  { name: "that has ended", set: { state: TASK_STATE.failed } },
  { name: "without a container yet", set: { containerId: "" } },
  { name: "on another network", set: { networks: [] } },
])("one $name is not shown", async ({ set }) => {
  expect(await containers(task("t1", set))).toBe(null);
});
