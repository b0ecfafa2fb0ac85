import { beforeEach, describe, expect, test } from "vitest";
import {
  type NetworkSpec,
  TASK_STATE,
  type Task,
  type TaskNetwork,
  type TaskSpec,
} from "../../api/index.js";
import { cluster, describedNode, type Leader, leader, run, task } from "./testing/leader.js";

const CONTAINER_ID = "ab".repeat(32);
const RUNNING = { state: TASK_STATE.running, nodeId: "m1", containerId: CONTAINER_ID } as const;
let lead: Leader;
let made = 0;

beforeEach(async () => {
  lead = leader();
  lead.capabilities.add("overlay");
  await put([
    { kind: "putCluster", cluster: cluster() },
    { kind: "putNode", node: describedNode("m1") },
    { kind: "putTask", task: task("web1", RUNNING) },
  ]);
  await network("open", { Attachable: true }, "10.7.0.0/24");
  await network("closed", {}, "10.8.0.0/24");
});

function put(changes: Parameters<Leader["proposer"]["propose"]>[0]["changes"]) {
  return lead.proposer.propose({
    ...{ requestId: "", atMs: 1, isClient: false, preconditions: [], resultJson: "" },
    changes,
  });
}

async function network(Name: string, set: Partial<NetworkSpec>, subnet: string) {
  const spec = { Name, Driver: "overlay", ...set } as NetworkSpec;
  const networkId = `net-${Name}`;
  await run(lead, { kind: "network.create", networkId, spec });
  await put([
    {
      kind: "networkAllocated",
      ...{ networkId, vni: 4096 + made++, mtu: 1450 },
      subnets: [{ subnet, gateway: subnet.replace(/0\/.*/, "1"), ipRange: "" }],
    },
  ]);
}

type Given = {
  readonly network?: string;
  readonly aliases?: readonly string[];
  readonly addresses?: readonly string[];
  readonly nodeId?: string;
  readonly containerTaskId?: string;
  readonly containerName?: string;
};

function connect(set: Given = {}, taskId = `t${++made}`) {
  return run(lead, {
    kind: "network.connect",
    ...{ taskId, nodeId: "m1", containerTaskId: "web1", containerId: CONTAINER_ID },
    ...{ containerName: "web.1.web1", network: "open", aliases: [], addresses: [] },
    ...set,
  });
}

function disconnect(container = CONTAINER_ID, networkRef = "open", nodeId = "m1") {
  return run(lead, { kind: "network.disconnect", nodeId, container, network: networkRef });
}

/** As the allocator does it, and the agent after it. */
async function allocated(taskId: string, address = "10.7.0.9"): Promise<void> {
  const one: TaskNetwork = { networkId: "net-open", address, address6: "", aliases: [] };
  await put([{ kind: "taskNetworks", taskId, networks: [one], message: "" }]);
}

describe("connecting", () => {
  test("makes a task for the container's node that names the container, still without addresses", async () => {
    await connect({ aliases: ["db"], addresses: ["10.7.0.9"] }, "t-a");
    expect(lead.store.task("t-a")).toMatchObject({
      ...{ serviceId: "", serviceName: "web.1.web1", nodeId: "m1", networks: [] },
      ...{ state: TASK_STATE.new, desiredState: TASK_STATE.running },
      spec: {
        Runtime: "attachment",
        NetworkAttachmentSpec: { ContainerID: CONTAINER_ID, TaskID: "web1" },
        Networks: [{ Target: "net-open", Aliases: ["db"], Addresses: ["10.7.0.9"] }],
      },
    });
    await allocated("t-a");
    expect(lead.store.task("t-a")?.state).toBe(TASK_STATE.assigned);
  });

  test.each(["open", "net-open", "net-o"])("finds the network by %s", async (reference) => {
    expect((await connect({ network: reference })).result).toEqual({ networkId: "net-open" });
  });

  test("asked again by the same node for the same thing, it is the same one", async () => {
    await connect({}, "t-a");
    expect((await connect({}, "t-a")).result).toEqual({ networkId: "net-open" });
    expect(lead.store.tasks()).toHaveLength(2);
  });

  test("of two at once for one container and network, the second is refused", async () => {
    const both = await Promise.allSettled([connect(), connect()]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  test("again after it was disconnected", async () => {
    await connect();
    await disconnect();
    await connect();
    expect(lead.store.tasks()).toHaveLength(3);
  });

  test("an address in IPv6 is kept in its canonical form, one of each family", async () => {
    await put([
      {
        kind: "putNetwork",
        network: {
          ...(lead.store.network("net-open") as NonNullable<ReturnType<typeof lead.store.network>>),
          id: "net-six",
          spec: { Name: "six", Labels: {}, Driver: "overlay", Scope: "swarm", Attachable: true },
          vni: 5000,
          subnets: [
            { subnet: "10.6.0.0/24", gateway: "10.6.0.1", ipRange: "" },
            { subnet: "fd00:6::/64", gateway: "fd00:6::1", ipRange: "" },
          ],
        },
      },
    ]);
    await connect({ network: "six", addresses: ["10.6.0.7", "FD00:6:0::7"] }, "t-six");
    expect(lead.store.task("t-six")?.spec.Networks?.[0]?.Addresses).toEqual([
      "10.6.0.7",
      "fd00:6::7",
    ]);
  });

  test.each<{ name: string; set: Given; http: number; message: string }>([
    {
      name: "to a network that is not there",
      set: { network: "nope" },
      http: 404,
      message: "network nope not found",
    },
    {
      name: "by a beginning of two ids",
      set: { network: "net-" },
      http: 400,
      message: "network net- is ambiguous (2 matches found)",
    },
    {
      name: "to a network that is not attachable",
      set: { network: "closed" },
      http: 403,
      message: "network closed not manually attachable",
    },
    {
      name: "for a container of another node",
      set: { nodeId: "m2" },
      http: 404,
      message: "No such container: web.1.web1",
    },
    {
      name: "for a container that is not there",
      set: { containerTaskId: "other" },
      http: 404,
      message: "No such container: web.1.web1",
    },
    {
      name: "with a malformed address",
      set: { addresses: ["10.7.0"] },
      http: 400,
      message: "invalid IP address: 10.7.0",
    },
    {
      name: "with an address of another subnet",
      set: { addresses: ["10.8.0.7"] },
      http: 400,
      message: "no configured subnet contains IP address 10.8.0.7: network open has 10.7.0.0/24",
    },
    {
      name: "with two addresses of one family",
      set: { addresses: ["10.7.0.7", "10.7.0.8"] },
      http: 400,
      message: "one address of each family can be chosen",
    },
    {
      name: "with the gateway's address",
      set: { addresses: ["10.7.0.1"] },
      http: 403,
      message: "Address already in use: 10.7.0.1 on network open",
    },
    {
      name: "with an alias that is no name",
      set: { aliases: ["-"] },
      http: 400,
      message: 'Networks: alias "-" on network open is no DNS name of at most 63 characters',
    },
  ])("is refused $name", async ({ set, http, message }) => {
    await expect(connect(set)).rejects.toMatchObject({ http, message });
    expect(lead.store.tasks()).toHaveLength(1);
  });

  test("is refused with an address that another one has", async () => {
    await connect({}, "t-a");
    await allocated("t-a");
    await put([{ kind: "putTask", task: task("web2", RUNNING) }]);
    await expect(
      connect({ containerTaskId: "web2", addresses: ["10.7.0.9"] }),
    ).rejects.toMatchObject({ http: 403, message: expect.stringMatching(/^Address already/) });
  });

  test.each<{ name: string; set: Partial<Task> }>([
    { name: "has ended", set: { state: TASK_STATE.failed } },
    { name: "is to stop", set: { desiredState: TASK_STATE.shutdown } },
  ])("is refused for a container that $name", async ({ set }) => {
    await put([{ kind: "putTask", task: task("web1", { ...RUNNING, ...set }) }]);
    await expect(connect()).rejects.toMatchObject({
      http: 409,
      message: "container web.1.web1 is not running",
    });
  });

  test.each<{ name: string; prepare: () => Promise<unknown> }>([
    { name: "it was connected to", prepare: () => connect() },
    {
      name: "it was started on",
      prepare: () => {
        const networks = [{ networkId: "net-open", address: "", address6: "", aliases: [] }];
        return put([{ kind: "putTask", task: task("web1", { ...RUNNING, networks }) }]);
      },
    },
  ])("is refused to a network that $name", async ({ prepare }) => {
    await prepare();
    await expect(connect()).rejects.toMatchObject({
      http: 409,
      message: "web.1.web1 is already attached to network open",
    });
  });

  test("is refused where the node's bridge has the network's addresses", async () => {
    await put([{ kind: "putNode", node: describedNode("m1", { Bridge: "10.7.0.0/20" }) }]);
    await expect(connect()).rejects.toMatchObject({
      http: 400,
      message: expect.stringContaining("overlaps 10.7.0.0/20, the bridge of node m1") as string,
    });
  });

  test("is refused to an encrypted network where the node has no WireGuard", async () => {
    lead.capabilities.add("encryption");
    await put([{ kind: "putNode", node: describedNode("m1", { WireGuard: "none" }) }]);
    await network("vault", { Attachable: true, Options: { encrypted: "" } }, "10.9.0.0/24");
    await expect(connect({ network: "vault" })).rejects.toMatchObject({
      http: 400,
      message: expect.stringContaining(
        "node m1 has no WireGuard; install wireguard-tools",
      ) as string,
    });
    await put([{ kind: "putNode", node: describedNode("m1", { WireGuard: "kernel" }) }]);
    expect((await connect({ network: "vault" })).result).toEqual({ networkId: "net-vault" });
  });

  test("is refused for an attachment: that is no container", async () => {
    await connect({}, "t-a");
    await expect(connect({ containerTaskId: "t-a" })).rejects.toMatchObject({ http: 404 });
  });
});

describe("disconnecting", () => {
  test.each([CONTAINER_ID, CONTAINER_ID.slice(0, 12), "web1", "web.1.web1", "t-a"])(
    "ends the attachment of the container named %s",
    async (reference) => {
      await connect({}, "t-a");
      await allocated("t-a");
      expect((await disconnect(reference)).result).toEqual({ taskIds: ["t-a"] });
      expect(lead.store.task("t-a")?.desiredState).toBe(TASK_STATE.remove);
    },
  );

  test.each<{ name: string; args: Parameters<typeof disconnect>; http: number; message: string }>([
    {
      name: "a network that is not there",
      args: [CONTAINER_ID, "nope"],
      http: 404,
      message: "network nope not found",
    },
    {
      name: "a network that it is not on",
      args: [CONTAINER_ID, "closed"],
      http: 500,
      message: `container ${CONTAINER_ID} is not connected to network closed`,
    },
    {
      name: "a container of another node",
      args: [CONTAINER_ID, "open", "m2"],
      http: 500,
      message: `container ${CONTAINER_ID} is not connected to network open`,
    },
  ])("is refused for $name", async ({ args, http, message }) => {
    await connect();
    await expect(disconnect(...args)).rejects.toMatchObject({ http, message });
  });

  test("twice is once", async () => {
    await connect();
    await disconnect();
    await expect(disconnect()).rejects.toMatchObject({ http: 500 });
  });

  test.each([
    {
      ...{ name: "a service's task", serviceId: "s1" },
      remedy: "swarm service update --network-rm open web",
    },
    { name: "a container outside services", serviceId: "", remedy: "swarm task rm" },
  ])("$name does not leave a network of its start: the remedy is named", async (row) => {
    const networks = [{ networkId: "net-open", address: "", address6: "", aliases: [] }];
    const { serviceId } = row;
    await put([{ kind: "putTask", task: task("web1", { ...RUNNING, networks, serviceId }) }]);
    // Listed first, and with the same container.
    const other = { ...RUNNING, spec: { NetworkAttachmentSpec: { TaskID: "web1" } } };
    await put([{ kind: "putTask", task: task("a-first", other as Partial<Task>) }]);
    await expect(disconnect()).rejects.toMatchObject({
      http: 403,
      message: expect.stringContaining(row.remedy) as string,
    });
  });
});

test("an attachment is no container to be removed, and takes no name", async () => {
  await connect({ containerName: "tool" }, "t-a");
  await expect(run(lead, { kind: "container.remove", taskId: "t-a" })).rejects.toMatchObject({
    message: expect.stringContaining("network disconnect") as string,
  });
  const spec = { ContainerSpec: { Image: "bb" }, Networks: [{ Target: "open" }] };
  await run(lead, {
    kind: "container.run",
    ...{ taskId: "c1", nodeId: "m1", name: "tool" },
    spec: spec as unknown as TaskSpec,
  });
});

test("its network cannot be removed before it", async () => {
  await connect({}, "t-a");
  const remove = () => run(lead, { kind: "network.remove", networkId: "net-open" });
  await expect(remove()).rejects.toMatchObject({
    message: "network net-open is in use by task t-a",
  });
  await disconnect();
  await remove();
});
