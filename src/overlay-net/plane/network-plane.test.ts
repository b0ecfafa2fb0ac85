import { expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import type { BridgeEndpoint } from "../core/bridge-faults.js";
import { plainLink } from "../core/desired-parts.js";
import { gwbridgeSubnet6 } from "../core/gwbridge6.js";
import { nodeNames } from "../core/names.js";
import type { NetworkState } from "../core/network-state.js";
import { type RandomCluster, stateOf } from "../core/testing/random-cluster.js";
import { ManualClock } from "../dns/testing/manual-clock.js";
import { KernelError } from "../kernel/netns-kernel.js";
import { SimulatedHost } from "../kernel/simulated/simulated-host.js";
import { SimulatedNetnsKernel } from "../kernel/simulated/simulated-netns-kernel.js";
import type { Attachment } from "../node-network.js";
import { EncryptedTunnel } from "../wireguard/encrypted-tunnel.js";
import { MemoryTunnelDevice } from "../wireguard/testing/memory-tunnel-device.js";
import { simulatedHostProbe } from "./host-facts.js";
import { NetworkPlane } from "./network-plane.js";
import type { StoredPlane } from "./plane-file.js";
import type { ListenOnPort } from "./port-listeners.js";
import { CHANGE_DELAY_MS, CHECK_INTERVAL_MS } from "./reconciler.js";
import { removeNetworks } from "./remove-networks.js";

const CLUSTER: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
  ],
};
const STATE: NetworkState = { ...stateOf(CLUSTER, 0), index: 7 };
const NODE = STATE.nodeId;
const SANDBOX = "swarm-node0xxx.net-net1";
const CONTAINER: Attachment = {
  containerId: "c0",
  netns: "swarm-node0xxx-c0",
  mode: "default",
  netnsPath: "/run/netns/swarm-node0xxx-c0",
  address: "172.20.0.2",
  hostPorts: [],
  overlay: {
    taskId: "task0",
    networkIds: ["ingress", "net1"],
    dnsServers: [],
    ndots: 0,
    isInternalOnly: false,
  },
};

/** One node: its kernel and what outlives the process. */
class Node {
  readonly host = new SimulatedHost();
  readonly clock = new ManualClock();
  readonly kernel = new SimulatedNetnsKernel(this.host);
  readonly stranger = new SimulatedNetnsKernel(this.host);
  readonly attachments: Attachment[] = [];
  readonly taken = new Set<number>();
  hasDefaultRoute6 = false;
  unclaimed: string[] = [];
  readonly bridge = {
    rulesDigest: undefined as string | undefined,
    repairs: 0,
    links: { bridge: "br", address: "172.20.0.1/20", endpoints: [] as BridgeEndpoint[] },
    mended: [] as string[],
    repairLinks: (netnsNames: readonly string[]) => this.#repairLinks(netnsNames),
    repairRules: () => this.#repairRules(),
  };
  isMendingRefused = false;
  readonly lost: unknown[] = [];
  tunnel: EncryptedTunnel | undefined;
  stored: StoredPlane = { nodeId: NODE, wasForwarding: false, ruledPorts: [] };

  readonly listen: ListenOnPort = ({ publishedPort }) =>
    this.taken.has(publishedPort)
      ? Promise.reject(Object.assign(new Error("taken"), { code: "EADDRINUSE" }))
      : Promise.resolve(() => undefined);

  /** As NodeNetwork does it, with tools of its own. */
  async #repairRules(): Promise<void> {
    this.bridge.repairs++;
    const script = `table inet swarm_node0xxx { comment "${this.bridge.rulesDigest}"; }\n`;
    await this.stranger.execute([{ netns: "", operations: [{ kind: "nft", script }] }]);
  }

  async #repairLinks(netnsNames: readonly string[]): Promise<void> {
    this.bridge.mended.push(netnsNames.join());
    if (netnsNames.length === 0) await this.#makeBridge();
    if (this.isMendingRefused) throw new Error("ip: no");
  }

  async #makeBridge(): Promise<void> {
    const { bridge: name, address } = this.bridge.links;
    const link = plainLink({ name, kind: "bridge", alias: "", mtu: 1500 });
    await this.stranger.execute([
      {
        netns: "",
        operations: [
          { kind: "addLink", link },
          { kind: "addAddress", address: { link: name, address } },
        ],
      },
    ]);
  }

  async open(): Promise<NetworkPlane> {
    await this.#makeBridge();
    return NetworkPlane.open({
      kernel: this.kernel,
      node: {
        subnet: "172.20.0.0/20",
        attachments: this.attachments,
        unclaimed: () => Promise.resolve(this.unclaimed),
      },
      bridge: this.bridge,
      removesContainers: false,
      dns: undefined,
      tunnel: this.tunnel,
      proxies: undefined,
      host: {
        facts: async () => ({
          ...(await simulatedHostProbe.facts()),
          hasDefaultRoute6: this.hasDefaultRoute6,
        }),
        hasDefaultRoute6: () => Promise.resolve(this.hasDefaultRoute6),
      },
      listen: this.listen,
      ownerOf: () => Promise.resolve("nginx (pid 7)"),
      file: {
        write: (stored) => {
          this.stored = structuredClone(stored);
          return Promise.resolve();
        },
      },
      stored: this.stored,
      problem: "",
      onKernelLost: (error) => {
        this.lost.push(error);
      },
      clock: this.clock,
      logger: silentLogger,
    });
  }

  async attach(plane: NetworkPlane): Promise<void> {
    this.attachments.push(CONTAINER);
    await plane.connect(CONTAINER);
  }

  async links(netns: string): Promise<readonly string[]> {
    return ((await this.stranger.observe(netns, ""))?.links ?? []).map(({ name }) => name);
  }

  async tables(netns: string): Promise<readonly string[]> {
    return ((await this.stranger.observe(netns, ""))?.tables ?? []).map(({ name }) => name);
  }
}

function complete(plane: NetworkPlane, state = STATE): Promise<number | undefined> {
  const body = Buffer.from(JSON.stringify(state));
  return plane.setNetworks({ complete: true, appliesTo: 0, resultsIn: state.index, body });
}

function delta(plane: NetworkPlane, appliesTo: number, fields: object) {
  const none = { set: [], removed: [] };
  const all = { networks: none, endpoints: none, services: none, nodes: none, ...fields };
  const resultsIn = appliesTo + 1;
  const body = Buffer.from(JSON.stringify({ index: resultsIn, ...all }));
  return plane.setNetworks({ complete: false, appliesTo, resultsIn, body });
}

/** A node with its networks and one container on them. */
async function running(): Promise<{ node: Node; plane: NetworkPlane }> {
  const node = new Node();
  const plane = await node.open();
  await complete(plane);
  await node.attach(plane);
  return { node, plane };
}

test("a complete set is in the kernel when it is answered, a difference that follows too, another asks for all", async () => {
  const node = new Node();
  const plane = await node.open();
  expect(await complete(plane)).toBe(7);
  expect(await node.links(SANDBOX)).toEqual(["br0", "vxnode0xxx35t"]);
  expect(await delta(plane, 5, {})).toBe(undefined);
  const gone = { endpoints: { set: [], removed: ["net1/task1"] } };
  expect(await delta(plane, 7, gone)).toBe(8);
  expect((await node.stranger.observe(SANDBOX, ""))?.fdb).toEqual([]);
  expect(plane.status).toMatchObject({ networksIndex: 8, appliedIndex: 8, problems: [] });
});

test("a container gets its interfaces and tables, and takes them along when it goes", async () => {
  const { node, plane } = await running();
  expect(await node.links(CONTAINER.netns)).toEqual(["eth1", "eth2"]);
  expect(await node.links(SANDBOX)).toHaveLength(3);
  expect(await node.tables(CONTAINER.netns)).toContain("swarm_node0xxx_vip");
  node.attachments.pop();
  await plane.disconnect(CONTAINER);
  // The kernel takes the links along with the namespace, in its own time: what is still there then is no drift yet.
  expect(await node.links(SANDBOX)).toHaveLength(3);
  expect(await plane.verify([], false)).toEqual([]);
  await node.clock.pass(3 * CHECK_INTERVAL_MS);
  expect(await node.links(SANDBOX)).toHaveLength(2);
  expect(await plane.verify([], false)).toEqual([]);
});

test("an IPv6 way out comes and goes with the host's default route, for containers outside networks too", async () => {
  const { node, plane } = await running();
  const names = nodeNames(NODE);
  const LONE: Attachment = {
    ...{ containerId: "lone", netns: "swarm-node0xxx-lone", mode: "default" },
    ...{ netnsPath: "/run/netns/swarm-node0xxx-lone", address: "172.20.0.3", hostPorts: [] },
  };
  const made = (name: string, alias: string) => ({
    ...{ kind: "addLink" as const, link: plainLink({ name, kind: "bridge", alias, mtu: 1500 }) },
  });
  await node.stranger.execute([
    { netns: "", operations: [made(names.bridge, names.bridgeAlias)] },
    { netns: CONTAINER.netns, operations: [made("eth0", "")] },
    { netns: LONE.netns, operations: [{ kind: "addNetns" }, made("eth0", "")] },
  ]);
  node.attachments.push(LONE);
  const prefix = gwbridgeSubnet6(NODE).replace("/64", "");
  const addresses = async () => {
    const all = await Promise.all(
      ["", CONTAINER.netns, LONE.netns].map((netns) => node.stranger.observe(netns, "")),
    );
    const found = all.flatMap((state) => state?.addresses ?? []).map(({ address }) => address);
    return found.filter((address) => address.startsWith(prefix));
  };
  await plane.connectOutside(LONE);
  expect(await addresses()).toEqual([]);
  // The watch of the host's namespace tells of a route, whoever made it.
  const aRouteChanges = async (hasDefaultRoute6: boolean) => {
    node.hasDefaultRoute6 = hasDefaultRoute6;
    await node.stranger.execute([
      { netns: "", operations: [made(`link${Number(hasDefaultRoute6)}`, "")] },
    ]);
    await node.clock.pass(CHANGE_DELAY_MS);
    await plane.verify([], false);
  };
  await aRouteChanges(true);
  expect(await addresses()).toEqual(["1", "2", "3"].map((place) => `${prefix}${place}/64`));
  expect(node.stored).toMatchObject({ hadDefaultRoute6: true });
  await aRouteChanges(false);
  expect(await addresses()).toEqual([]);
  expect(await plane.verify([], false)).toEqual([]);
});

test("connections to a container are those it answers on its networks; its service says how long they hold a stop", async () => {
  const { node, plane } = await running();
  const flow = { netns: CONTAINER.netns, originalDst: "10.101.0.10", originalDstPort: 80, zone: 0 };
  node.host.connections = [
    { ...flow, protocol: "tcp", replySrc: "10.101.1.1" },
    { ...flow, protocol: "tcp", replySrc: "10.100.1.1" },
    { ...flow, protocol: "udp", replySrc: "10.101.1.1" },
    { ...flow, protocol: "tcp", replySrc: "172.20.0.2" },
    { ...flow, protocol: "tcp", replySrc: "10.101.1.2", netns: "" },
  ];
  expect(await plane.flows(CONTAINER)).toEqual({ open: 2, drainMs: 2_000 });
  const services = STATE.services.map((one) => ({ ...one, drainMs: 500 }));
  await delta(plane, 7, { services: { set: services, removed: [] } });
  expect(await plane.flows(CONTAINER)).toEqual({ open: 2, drainMs: 500 });
  const keys = STATE.services.map(({ networkId, serviceId }) => `${networkId}/${serviceId}`);
  await delta(plane, 8, { services: { set: [], removed: keys } });
  expect((await plane.flows(CONTAINER)).drainMs).toBe(500);
});

test("the bridge and containers' links to it are looked at with the rest, and mended by those who make them", async () => {
  const { node, plane } = await running();
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(node.bridge.mended).toEqual([]);
  await node.stranger.execute([
    { netns: "", operations: [{ kind: "removeLink", name: node.bridge.links.bridge }] },
  ]);
  await node.clock.pass(CHANGE_DELAY_MS);
  expect(node.bridge.mended).toEqual([""]);
  const before = plane.status.counters.drifts;
  const endpoint = { netns: CONTAINER.netns, hostLink: "v2", address: "172.20.0.2/20", mac: "m" };
  node.bridge.links = { ...node.bridge.links, endpoints: [endpoint] };
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(node.bridge.mended[1]).toBe(CONTAINER.netns);
  expect(plane.status.counters.drifts - before).toBeGreaterThanOrEqual(2);
  const found = await plane.verify([], false);
  expect(found.map(({ what }) => what)).toEqual([
    "host: link v2 is missing",
    `${CONTAINER.netns}: link eth0 is missing`,
  ]);
  node.isMendingRefused = true;
  const failures = plane.status.counters.failures;
  expect((await plane.verify([], true)).map(({ isRepaired }) => isRepaired)).toEqual([
    false,
    false,
  ]);
  expect(plane.status.counters.failures).toBe(failures + 1);
});

test("the port between nodes being taken is told with who has it, and tried again", async () => {
  const { node, plane } = await running();
  const execute = node.kernel.execute.bind(node.kernel);
  node.kernel.execute = async (batch) => {
    if (batch.some(({ netns }) => netns === SANDBOX)) throw new KernelError("IN_USE", "vx: no");
    return execute(batch);
  };
  await node.stranger.execute([
    { netns: SANDBOX, operations: [{ kind: "removeLink", name: "vxnode0xxx35t" }] },
  ]);
  expect(await complete(plane, { ...STATE, index: 9, dataPathPort: 4790 })).toBe(7);
  expect(plane.status.problems.join()).toContain("UDP port 4790");
  expect(plane.status.problems.join()).toContain("held by nginx (pid 7)");
  node.kernel.execute = execute;
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(plane.status).toMatchObject({ appliedIndex: 9, problems: [] });
});

test("what comes while one change is being programmed is in the next round, however many come", async () => {
  const { node, plane } = await running();
  const before = plane.status.counters.rounds;
  const all = Array.from({ length: 20 }, (_, i) => complete(plane, { ...STATE, index: 10 + i }));
  expect(new Set(await Promise.all(all))).toEqual(new Set([29]));
  expect(plane.status.counters.rounds - before).toBeLessThanOrEqual(2);
  expect(node.stored.state?.index).toBe(29);
});

/** With an encrypted network, and the tunnel that it goes through. */
function encrypted(node: Node): { device: MemoryTunnelDevice; state: NetworkState } {
  const device = new MemoryTunnelDevice();
  const keys = { read: () => Promise.resolve(undefined), write: () => Promise.resolve() };
  const names = nodeNames(NODE);
  const { clock } = node;
  node.tunnel = new EncryptedTunnel({ names, device, keys, clock, logger: silentLogger });
  const networks = STATE.networks.map((one) => ({ ...one, isEncrypted: one.id === "net1" }));
  return { device, state: { ...STATE, networks } };
}

test("an encrypted network has its tunnel when it is answered, and none with the last one gone", async () => {
  const node = new Node();
  const { device, state } = encrypted(node);
  const plane = await node.open();
  expect(await complete(plane)).toBe(7);
  expect(device.links.size).toBe(0);
  expect(await complete(plane, { ...state, index: 8 })).toBe(8);
  expect([...device.links.keys()]).toEqual(["swwgnode0xxx"]);
  expect(plane.status.tunnel?.Implementation).toBe("kernel");
  device.links.clear();
  expect((await plane.verify(["net2"], false)).map(({ what }) => what)).toEqual([]);
  const found = await plane.verify(["net1"], true);
  expect(found).toMatchObject([{ networkId: "net1", netns: "", isRepaired: true }]);
  device.links.clear();
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(device.links.size).toBe(1);
  expect(await complete(plane, { ...STATE, index: 9 })).toBe(9);
  expect(device.links.size).toBe(0);
});

test("without WireGuard a container on an encrypted network is refused with the remedy, until it is there", async () => {
  const node = new Node();
  const { device, state } = encrypted(node);
  device.refusal = "install wireguard-go";
  const plane = await node.open();
  expect(await complete(plane, state)).toBe(0);
  expect(plane.status.problems).toEqual(["networks: install wireguard-go"]);
  await expect(node.attach(plane)).rejects.toThrow("install wireguard-go");
  device.refusal = "";
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(plane.status).toMatchObject({ appliedIndex: 7, problems: [] });
  await plane.connect(CONTAINER);
});

test("another hand in the kernel is seen and undone, and nothing of others is touched", async () => {
  const { node, plane } = await running();
  await node.clock.pass(CHANGE_DELAY_MS);
  expect(plane.status.counters.drifts).toBe(0);
  const [entry] = (await node.stranger.observe(SANDBOX, ""))?.fdb ?? [];
  if (entry === undefined) throw new Error("no forwarding entry");
  const foreign = 'table ip others { comment "x"; }\n';
  await node.stranger.execute([
    { netns: SANDBOX, operations: [{ kind: "removeFdb", entry }] },
    { netns: "", operations: [{ kind: "nft", script: `flush ruleset\n${foreign}` }] },
    { netns: CONTAINER.netns, operations: [{ kind: "removeLink", name: "eth2" }] },
  ]);
  const found = await plane.verify([], false);
  expect(found.map(({ netns }) => netns)).toEqual(expect.arrayContaining([SANDBOX, ""]));
  expect(await plane.verify(["net2"], false)).toEqual([]);
  expect(found.find(({ what }) => what.includes("forwarding entry"))?.networkId).toBe("net1");
  await node.clock.pass(CHANGE_DELAY_MS);
  expect(await plane.verify([], false)).toEqual([]);
  expect(await node.links(CONTAINER.netns)).toEqual(["eth1", "eth2"]);
  expect(await node.tables("")).toContain("others");
  expect(plane.status.counters.drifts).toBeGreaterThan(2);
});

test("the bridge's own table, which is kept elsewhere, is loaded again from there", async () => {
  const { node, plane } = await running();
  node.bridge.rulesDigest = "d1";
  const [found] = await plane.verify([], true);
  expect(found).toMatchObject({ what: "host: table inet swarm_node0xxx is missing", netns: "" });
  expect([found?.isRepaired, node.bridge.repairs]).toEqual([true, 1]);
  expect(await plane.verify([], false)).toEqual([]);
});

test("verify repairs on request and says what is well again", async () => {
  const { node, plane } = await running();
  await node.stranger.execute([
    { netns: SANDBOX, operations: [{ kind: "removeLink", name: "vxnode0xxx35t" }] },
  ]);
  const found = await plane.verify(["net1"], true);
  expect(found.length).toBeGreaterThan(0);
  expect(found.every(({ isRepaired, networkId }) => isRepaired && networkId === "net1")).toBe(true);
  expect(await plane.verify([], false)).toEqual([]);
});

test("after a restart the plane works from its file: connections stay, strays go, nothing is wrong", async () => {
  const { node, plane } = await running();
  await plane.close();
  await node.stranger.execute([
    { netns: "swarm-node0xxx.net-old", operations: [{ kind: "addNetns" }] },
  ]);
  const again = await node.open();
  expect(await delta(again, 7, {})).toBe(8);
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(await again.verify([], false)).toEqual([]);
  expect(await node.links(CONTAINER.netns)).toEqual(["eth1", "eth2"]);
  expect(await node.stranger.list("swarm-node0xxx.net-")).not.toContain("swarm-node0xxx.net-old");
});

test("while a container is not accounted for, nothing is taken away; then it is", async () => {
  const { node, plane } = await running();
  await plane.close();
  // Without a file: neither the networks nor the container are known.
  node.stored = { nodeId: NODE, wasForwarding: false, ruledPorts: [] };
  node.attachments.pop();
  node.unclaimed = [CONTAINER.netns];
  const again = await node.open();
  expect(await complete(again)).toBe(7);
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(await node.links(SANDBOX)).toHaveLength(3);
  expect(await again.verify([], false)).toEqual([]);
  node.unclaimed = [];
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(await node.links(SANDBOX)).toHaveLength(2);
});

test("a published port of another program gets no rule until it is free", async () => {
  const node = new Node();
  node.taken.add(8000);
  const plane = await node.open();
  await complete(plane);
  expect(plane.status.problems[0]).toContain("port 8000/tcp held by nginx (pid 7)");
  expect(node.stored.ruledPorts.map(({ publishedPort }) => publishedPort)).toEqual([8001, 8002]);
  node.taken.clear();
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(plane.status.problems).toEqual([]);
  expect(node.stored.ruledPorts).toHaveLength(3);
});

test("a network that cannot be programmed keeps no other back, is told, and is tried again", async () => {
  const node = new Node();
  const vxlan = { vni: 4097, port: 4789, local: "10.9.9.9" };
  const common = { mac: "", mtu: 1450, isUp: true, master: "", isIsolated: false };
  const link = { ...common, name: "theirs", kind: "vxlan" as const, alias: "", isLearning: true };
  await node.stranger.execute([
    { netns: "", operations: [{ kind: "addLink", link: { ...link, vxlan } }] },
  ]);
  const plane = await node.open();
  expect(await complete(plane)).toBe(0);
  expect(plane.status.problems[0]).toMatch(/VNI 4097 on port 4789 is that of theirs/);
  expect(await node.links("swarm-node0xxx.net-ingress")).toContain("br0");
  await expect(node.attach(plane)).rejects.toThrow(/VNI 4097/);
  await node.stranger.execute([
    { netns: "", operations: [{ kind: "removeLink", name: "theirs" }] },
  ]);
  await node.clock.pass(CHECK_INTERVAL_MS);
  expect(plane.status).toMatchObject({ appliedIndex: 7, problems: [] });
});

test("a port to the kernel that has ended is told once to whoever can start anew", async () => {
  const { node, plane } = await running();
  await node.kernel.close();
  await expect(complete(plane, { ...STATE, index: 8 })).rejects.toThrow("closed");
  expect(node.lost).toHaveLength(1);
});

test("a container waits for the managers' word on its address, for a while", async () => {
  const node = new Node();
  const plane = await node.open();
  const signal = new AbortController().signal;
  const early = plane.isInternalOnly("task0", ["net1"], signal);
  await complete(plane);
  expect(await early).toBe(false);
  const never = expect(plane.isInternalOnly("task9", ["net1", "ingress"], signal)).rejects.toThrow(
    "which address task task9 has on network net1, ingress",
  );
  await node.clock.pass(10_000);
  await never;
});

test("leaving takes away sandboxes, links, tables and rules, and nothing of others", async () => {
  const { node, plane } = await running();
  await node.stranger.execute([
    { netns: "swarm-otherone.net-x", operations: [{ kind: "addNetns" }] },
    { netns: "", operations: [{ kind: "nft", script: "table ip others { }\n" }] },
  ]);
  await plane.close();
  await removeNetworks(node.kernel, NODE, silentLogger);
  const host = await node.stranger.observe("", "");
  // The bridge goes by the hand that made it.
  expect(await node.links("")).toEqual([node.bridge.links.bridge]);
  expect(host).toMatchObject({ routes: [], rules: [] });
  expect(host?.tables.map(({ name }) => name)).toEqual(["others"]);
  expect(await node.stranger.list("swarm-")).toEqual([CONTAINER.netns, "swarm-otherone.net-x"]);
});

/** The other container's task is on ingress and net1; this is an attachment of c0 to net2. */
const JOINED_STATE: NetworkState = (() => {
  const more = stateOf(
    {
      ...CLUSTER,
      tasks: [...CLUSTER.tasks, { node: 0, service: 0, networks: [2], isBackend: true }],
    },
    0,
  );
  const endpoints = more.endpoints.map((one) =>
    one.taskId === "task2"
      ? { ...one, taskId: "att", serviceId: "", taskName: "web.1.x", aliases: ["db"] }
      : one,
  );
  return { ...more, index: 8, endpoints };
})();
const SANDBOX2 = "swarm-node0xxx.net-net2";
const JOINED: Attachment = {
  ...CONTAINER,
  overlay: {
    taskId: "task0",
    networkIds: ["ingress", "net1"],
    joined: [{ networkId: "net2", taskId: "att", place: 2 }],
    dnsServers: [],
    ndots: 0,
    isInternalOnly: false,
  },
};

/** As NodeNetwork does it. */
async function rejoin(node: Node, plane: NetworkPlane, attachment: Attachment): Promise<void> {
  node.attachments.splice(0, 1, attachment);
  await plane.connect(attachment);
}

test("a running container gets one more interface, and loses it; the others are not touched", async () => {
  const { node, plane } = await running();
  const before = await node.stranger.observe(CONTAINER.netns, "");
  await complete(plane, JOINED_STATE);
  await plane.hasEndpoint("att", "net2", new AbortController().signal);
  await rejoin(node, plane, JOINED);
  const now = await node.stranger.observe(CONTAINER.netns, "");
  expect(now?.links.map(({ name }) => name)).toEqual(["eth1", "eth2", "eth3"]);
  expect(now?.links.slice(0, 2)).toEqual(before?.links);
  expect(now?.addresses).toContainEqual({ link: "eth3", address: "10.102.1.3/16" });
  expect(await node.links(SANDBOX2)).toHaveLength(3);
  expect(await plane.verify([], false)).toEqual([]);
  expect(plane.endpointsOf("att", ["net2"])).toMatchObject([
    { network: { id: "net2" }, endpoint: { address: "10.102.1.3" } },
  ]);
  // One that is put where it was goes on from its own file.
  await plane.close();
  const again = await node.open();
  await complete(again, JOINED_STATE);
  expect(await node.links(CONTAINER.netns)).toEqual(["eth1", "eth2", "eth3"]);
  await rejoin(node, again, CONTAINER);
  expect(await node.links(CONTAINER.netns)).toEqual(["eth1", "eth2"]);
  expect(await node.links(SANDBOX2)).toHaveLength(2);
  expect((await node.stranger.observe(CONTAINER.netns, ""))?.links).toEqual(before?.links);
  expect(await again.verify([], false)).toEqual([]);
});

test("connections of an attachment are those to its address; of the container, all", async () => {
  const { node, plane } = await running();
  await complete(plane, JOINED_STATE);
  await rejoin(node, plane, JOINED);
  const flow = { netns: CONTAINER.netns, protocol: "tcp", originalDstPort: 80, zone: 0 } as const;
  node.host.connections = ["10.102.1.3", "10.101.1.1"].map((address) => ({
    ...flow,
    originalDst: address,
    replySrc: address,
  }));
  expect(await plane.flows(JOINED, "att")).toMatchObject({ open: 1 });
  expect(await plane.flows(JOINED)).toMatchObject({ open: 2 });
  expect(await plane.flows(JOINED, "other")).toMatchObject({ open: 0 });
});
