/** Two net processes on hosts of the test's own: what the managers say becomes networks, and stays there whatever happens to them. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { swarm } from "../../src/api/index.js";
import type { EndpointEntry, NetworkState } from "../../src/overlay-net/core/network-state.js";
import { ECHO, Echo } from "./echo.js";
import { NetProcess } from "./net-process.js";
import { ask, inNetns, serve, sh } from "./overlay-hosts.js";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("overlay-plane: skipped: it needs root for network namespaces");

const PREFIX = "t-ovp-";
const CLIENT = `${PREFIX}client`;
const CLIENT_ADDRESS = "10.96.0.100";
const NODES = [1, 2].map((index) => ({
  index,
  nodeId: `ovpnode${index}0123456789abcdefg`,
  netns: `${PREFIX}h${index}`,
  address: `10.96.0.${index}`,
}));
type TestNode = (typeof NODES)[number];

const NETWORKS = [
  { id: "ingress", vni: 4096, subnet: "10.255.0.0/16", base: "10.255.0" },
  { id: "front", vni: 4097, subnet: "10.51.1.0/24", base: "10.51.1" },
];
/** `web` answers on both nodes; `caller` asks. */
const TASKS = [
  { task: "web1", node: 1, service: "web", networks: ["ingress", "front"] },
  { task: "web2", node: 2, service: "web", networks: ["ingress", "front"] },
  { task: "caller", node: 1, service: "", networks: ["front"] },
] as const;
const SANDBOX = "swarm-ovpnode1.net-front";
const INGRESS = "swarm-ovpnode1.net-ingress";
const DROP_PORTS =
  "for l in $(ip -o link show master swgwovpnode1 | cut -d: -f2 | cut -d@ -f1); do ip link del $l; done";
const DROP_ROUTES =
  "ip rule del pref 4789; ip route flush table 47890; ip link set swinovpnode1 down";
const VIP = "10.51.1.5";
const PORT = 8080;

function endpoints(): readonly EndpointEntry[] {
  return TASKS.flatMap(({ task, node, service, networks }, place) =>
    networks.map((networkId) => ({
      taskId: task,
      networkId,
      nodeId: NODES[node - 1]?.nodeId ?? "",
      serviceId: service,
      address: `${NETWORKS.find(({ id }) => id === networkId)?.base}.${place + 11}`,
      address6: "",
      taskName: task,
      containerId: "",
      aliases: [],
      isBackend: service !== "",
    })),
  );
}

function stateFor({ nodeId }: TestNode): NetworkState {
  const web = { serviceId: "web", name: "web", mode: "vip" as const, vip6: "", aliases: [] };
  return {
    index: 10,
    nodeId,
    dataPathPort: 4789,
    networks: NETWORKS.map(({ id, vni, subnet, base }) => ({
      ...{ id, name: id, vni, subnet, subnet6: "", gateway: `${base}.1`, gateway6: "", mtu: 1450 },
      ...{ isInternal: false, isIngress: id === "ingress", isEncrypted: false },
    })),
    endpoints: endpoints(),
    services: [
      { ...web, networkId: "front", vip: VIP, ports: [], prefersLocal: false },
      {
        ...{ ...web, networkId: "ingress", vip: "", prefersLocal: false },
        ports: [{ protocol: "tcp", publishedPort: PORT, targetPort: 80, name: "" }],
      },
    ],
    nodes: NODES.map((one) => ({
      ...{ nodeId: one.nodeId, index: one.index, dataPathAddr: one.address, isDown: false },
    })),
  };
}

/** One of the two, told what this test's cluster is. */
class PlaneProcess extends NetProcess {
  readonly node: TestNode;

  constructor(node: TestNode, dir: string) {
    super(node, dir);
    this.node = node;
  }

  setNetworks(fields: { complete: boolean; appliesTo: number; resultsIn: number }, body: object) {
    const bodyJson = Buffer.from(JSON.stringify(body));
    return this.call<swarm.net.NetworksReply>("setNetworks", { ...fields, bodyJson });
  }

  tellAll(): Promise<swarm.net.NetworksReply> {
    return this.complete(stateFor(this.node));
  }

  attachTask({ task, networks }: (typeof TASKS)[number]): Promise<swarm.net.AttachReply> {
    return this.attach(task, networks);
  }
}

let dir: string;
let nets: PlaneProcess[];
const servers: ChildProcess[] = [];
const echoes: ChildProcess[] = [];
const netnsOf = new Map<string, string>();

function processOf(node: number): PlaneProcess {
  const found = nets[node - 1];
  if (found === undefined) throw new Error(`no node ${node}`);
  return found;
}

function inTask(task: string, command: string): string {
  return inNetns(netnsOf.get(task) ?? "", command);
}

function removeHosts(): void {
  sh(
    `for n in $(ls /run/netns 2>/dev/null | grep -E '^(swarm-ovpnode|${PREFIX})'); do ip netns del $n; done`,
  );
}

function makeHosts(): void {
  removeHosts();
  const lan = `${PREFIX}lan`;
  sh(
    `ip netns add ${lan}; ip -n ${lan} link add name br0 type bridge; ip -n ${lan} link set dev br0 up`,
  );
  for (const { netns, address } of [...NODES, { netns: CLIENT, address: CLIENT_ADDRESS }]) {
    const last = address.split(".")[3];
    sh(`ip netns add ${netns}
      ip -n ${lan} link add name p${last} type veth peer name eth0 netns ${netns}
      ip -n ${lan} link set dev p${last} master br0 up
      ip -n ${netns} link set dev lo up; ip -n ${netns} link set dev eth0 up
      ip -n ${netns} addr add ${address}/24 dev eth0`);
  }
}

/** Names of the servers that answered, each with the address it saw, in 30 attempts. */
function answers(netns: string, address: string, port: number): readonly string[] {
  const texts = Array.from({ length: 30 }, () => ask(netns, address, port));
  return [...new Set(texts)].sort();
}

/** A client that reads nothing and closes nothing. */
function holdOpen(netns: string, address: string, port: number): ChildProcess {
  const script = `exec 3<>/dev/tcp/${address}/${port}; exec sleep 60`;
  return spawn("nsenter", [`--net=/run/netns/${netns}`, "bash", "-c", script], { stdio: "ignore" });
}

/** What a real resolver (c-ares) of the container finds. */
function lookUp(task: string, name: string): string {
  const program = `const r = new (require("node:dns").promises.Resolver)({ timeout: 2000, tries: 2 });
    r.setServers(["127.0.0.11"]); r.resolve4("${name}").then((a) => console.log(a.sort().join()), (e) => console.log(e.code))`;
  return inTask(task, `${process.execPath} -e '${program}'`).trim();
}

async function eventually(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

beforeAll(async () => {
  if (!isRoot) return;
  dir = mkdtempSync(join(tmpdir(), "swarm-ovp-"));
  makeHosts();
  inNetns(NODES[1]?.netns ?? "", "nft add table ip filter");
  inNetns(NODES[1]?.netns ?? "", "nft add chain ip filter DOCKER-USER");
  nets = NODES.map((node) => new PlaneProcess(node, dir));
  await Promise.all(nets.map((net) => net.start()));
}, 60_000);

afterAll(async () => {
  if (!isRoot) return;
  for (const server of [...servers, ...echoes]) server.kill("SIGKILL");
  await Promise.all(nets.map((net) => net.kill()));
  removeHosts();
  rmSync(dir, { recursive: true });
});

describe.skipIf(!isRoot)("the net processes of two nodes", () => {
  test("a container that comes before the managers' word waits for it, and is told its resolver", async () => {
    const attaching = TASKS.map(async (task) => {
      const reply = await processOf(task.node).attachTask(task);
      netnsOf.set(task.task, reply.netnsPath.replace("/run/netns/", ""));
      expect(reply.address).toMatch(/^172\.\d+\.\d+\.\d+\/20$/);
      expect(reply.nameservers).toEqual(["127.0.0.11"]);
      expect(reply.options).toContain("ndots:0");
    });
    const replies = await Promise.all(nets.map((net) => net.tellAll()));
    expect(replies.map(({ appliedIndex }) => Number(appliedIndex))).toEqual([10, 10]);
    await Promise.all(attaching);
    for (const { task } of TASKS) {
      const netns = netnsOf.get(task) ?? "";
      servers.push(await serve(netns, task, 80));
      const echo = [`--net=/run/netns/${netns}`, process.execPath, "-e", ECHO];
      echoes.push(spawn("nsenter", echo, { stdio: "ignore" }));
    }
  });

  test("tasks reach each other across nodes: by address, by the service's address and by name", () => {
    inTask("caller", "busybox ping -c 1 -W 2 10.51.1.12");
    expect(answers(netnsOf.get("caller") ?? "", VIP, 80)).toEqual([
      "web1 10.51.1.13",
      "web2 10.51.1.13",
    ]);
    expect(lookUp("caller", "web")).toBe(VIP);
    expect(lookUp("caller", "tasks.web")).toBe("10.51.1.11,10.51.1.12");
    expect(lookUp("web2", "web1")).toBe("10.51.1.11");
  });

  test("a published port answers on every node with the client's own address, also on [::1]", () => {
    for (const { address } of NODES) {
      expect(answers(CLIENT, address, PORT)).toEqual([
        `web1 ${CLIENT_ADDRESS}`,
        `web2 ${CLIENT_ADDRESS}`,
      ]);
    }
    const host = NODES[0]?.netns ?? "";
    expect(ask(host, "127.0.0.1", PORT)).toMatch(/^web\d 10\.255\./);
    expect(ask(host, "::1", PORT)).toMatch(/^web\d 10\.255\./);
    expect(() => inNetns(host, `timeout 2 busybox nc -l -p ${PORT}`)).toThrow();
  });

  test("with local=prefer a node's own task answers there, and others do not, until it is none", async () => {
    const set = { complete: true, appliesTo: 0 };
    const prefer = (state: NetworkState, index: number, gone = "") => ({
      ...{ ...state, index },
      services: state.services.map((one) => ({ ...one, prefersLocal: true })),
      endpoints: state.endpoints.map((one) => ({ ...one, isBackend: one.taskId !== gone })),
    });
    const tell = (gone: string, index: number) =>
      Promise.all(
        nets.map((net) =>
          net.setNetworks({ ...set, resultsIn: index }, prefer(stateFor(net.node), index, gone)),
        ),
      );
    await tell("", 5);
    for (const [place, { address }] of NODES.entries())
      expect(answers(CLIENT, address, PORT)).toEqual([`web${place + 1} ${CLIENT_ADDRESS}`]);
    expect(answers(netnsOf.get("caller") ?? "", VIP, 80)).toHaveLength(2);
    await tell("web1", 6);
    for (const { address } of NODES)
      expect(answers(CLIENT, address, PORT)).toEqual([`web2 ${CLIENT_ADDRESS}`]);
    await Promise.all(nets.map((net) => net.tellAll()));
  });

  test("connections to a task are counted, by whichever way they came, until they end", async () => {
    const open = async (task: (typeof TASKS)[number]) =>
      (await processOf(task.node).call<swarm.net.FlowsReply>("flows", { containerId: task.task }))
        .open;
    const [web1, web2, caller] = TASKS;
    const toWeb = async () => (await open(web1)) + (await open(web2));
    await eventually("earlier connections are over", async () => (await toWeb()) === 0);
    const inCaller = netnsOf.get("caller") ?? "";
    const clients = [
      holdOpen(CLIENT, "10.96.0.1", PORT),
      holdOpen(CLIENT, "10.96.0.2", PORT),
      holdOpen(inCaller, VIP, 80),
      holdOpen(inCaller, "10.51.1.12", 80),
    ];
    await eventually("all of them are seen", async () => (await toWeb()) === clients.length);
    expect(await open(web2)).toBeGreaterThan(0);
    expect(await open(caller)).toBe(0);
    for (const client of clients) client.kill("SIGKILL");
    await eventually("none is left", async () => (await toWeb()) === 0);
  });

  test("a running container joins a network and leaves it, also over a restart of its net process; what it had stays as it was", async () => {
    const net = processOf(1);
    const plain = await net.attach("plain", []);
    netnsOf.set("plain", plain.netnsPath.replace("/run/netns/", ""));
    const joins = [
      { node: 1, containerId: "caller", taskId: "att1", address: "10.53.1.9" },
      { node: 2, containerId: "web2", taskId: "att2", address: "10.53.1.8" },
      { node: 1, containerId: "plain", taskId: "att3", address: "10.53.1.7" },
    ] as const;
    const withSide = (state: NetworkState): NetworkState => {
      const front = state.networks.find(({ id }) => id === "front");
      if (front === undefined) throw new Error("no network");
      const names = { id: "side", name: "side", vni: 4098 };
      const addresses = { subnet: "10.53.1.0/24", gateway: "10.53.1.1" };
      const more = joins.map(({ node, containerId, taskId, address }) => ({
        ...{ taskId, networkId: "side", nodeId: NODES[node - 1]?.nodeId ?? "", serviceId: "" },
        ...{ address, address6: "", taskName: containerId, containerId: "" },
        ...{ aliases: [`${containerId}-box`], isBackend: true },
      }));
      return {
        ...{ ...state, index: 8 },
        networks: [...state.networks, { ...front, ...names, ...addresses }],
        endpoints: [...state.endpoints, ...more],
      };
    };
    const fields = { complete: true, appliesTo: 0, resultsIn: 8 };
    await Promise.all(nets.map((one) => one.setNetworks(fields, withSide(stateFor(one.node)))));
    const looks = (task: string) => inTask(task, "ip -o -4 addr").replace(/^\d+: /gm, "");
    const before = joins.map(({ containerId }) => looks(containerId));
    using through = new Echo(netnsOf.get("caller") ?? "", "10.51.1.12");
    await through.say("one");
    for (const { node, containerId, taskId, address } of joins) {
      const request = { containerId, taskId, networkId: "side" };
      const reply = await processOf(node).call<swarm.net.ConnectReply>("connect", request);
      expect(reply.network).toMatchObject({ name: "side", address, prefixLength: 24 });
      expect(reply.nameservers).toEqual(["127.0.0.11"]);
    }
    const works = async (): Promise<void> => {
      for (const { containerId } of joins)
        for (const other of joins)
          if (other.containerId !== containerId)
            inTask(containerId, `busybox ping -c 1 -W 2 ${other.address}`);
      await eventually("names", () => lookUp("web2", "caller-box") === "10.53.1.9");
      await eventually("names", () => lookUp("plain", "web2-box") === "10.53.1.8");
    };
    await works();
    // A network of its start, and one that it never was on.
    expect(lookUp("caller", "web")).toBe(VIP);
    expect(() => inTask("plain", "busybox ping -c 1 -W 1 10.51.1.12")).toThrow();
    await net.kill();
    await net.start();
    await works();
    for (const one of nets)
      expect((await one.call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
    for (const { node, containerId, taskId } of joins)
      for (let twice = 0; twice < 2; twice++)
        await processOf(node).call("disconnect", { containerId, taskId });
    expect(joins.map(({ containerId }) => looks(containerId))).toEqual(before);
    await through.say("two");
    for (const one of nets)
      expect((await one.call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
    await net.call("release", { containerId: "plain" });
    await Promise.all(nets.map((one) => one.tellAll()));
    expect(sh("ls /run/netns")).not.toContain("net-side");
  });

  test("where Docker filters what is forwarded, its administrator's chain lets the networks pass", () => {
    const chain = inNetns(NODES[1]?.netns ?? "", "nft list chain ip filter DOCKER-USER");
    for (const link of ["swgwovpnode2", "swinovpnode2"])
      expect(chain).toMatch(new RegExp(`iifname "${link}" accept comment "swarm:ovpnode2`));
  });

  test("what another hand takes away is put back, and verify finds nothing wrong then", async () => {
    const net = processOf(1);
    const drifts = async (): Promise<number> =>
      Number((await net.call<swarm.net.StatusReply>("status", {})).plane?.drifts);
    const before = await drifts();
    inNetns(NODES[0]?.netns ?? "", "nft flush ruleset");
    inNetns(SANDBOX, "bridge fdb del 02:42:0a:33:01:0c dev vxovpnode135t self");
    await eventually("no drift", async () => {
      const reply = await net.call<swarm.net.VerifyReply>("verify", {});
      return reply.drifts.length === 0;
    });
    // The table of the mesh and the entry, whether the watch or `verify` saw them first.
    expect(await drifts()).toBeGreaterThanOrEqual(before + 2);
    inTask("caller", "busybox ping -c 1 -W 2 10.51.1.12");
    expect(answers(CLIENT, "10.96.0.1", PORT)).toHaveLength(2);
  });

  test.each([
    { name: "a container's services", where: "caller", chain: "inet swarm_ovpnode1_vip services" },
    { name: "a container's resolver", where: "caller", chain: "inet swarm_ovpnode1_dns out" },
    { name: "a task on the mesh", where: "web1", chain: "inet swarm_ovpnode1_ingress in" },
    { name: "the mesh", where: "", chain: "inet swarm_ovpnode1_mesh pre" },
    { name: "what the host keeps out", where: "", chain: "inet swarm_ovpnode1_guard in" },
    { name: "the node's bridge", where: "", chain: "inet swarm_ovpnode1 post" },
  ])("the rules of $name, taken out of their chain by another hand, come back", async (row) => {
    const net = processOf(1);
    const netns = netnsOf.get(row.where) ?? NODES[0]?.netns ?? "";
    const rules = (): string => inNetns(netns, "nft -s list ruleset");
    const lines = (text: string) =>
      text
        .split("\n")
        .filter((line) => /^\t\t/.test(line))
        .sort();
    const before = lines(rules());
    using through = new Echo(netnsOf.get("caller") ?? "", "10.51.1.12");
    await through.say("one");
    inNetns(netns, `nft flush chain ${row.chain}`);
    expect(lines(rules())).not.toEqual(before);
    await eventually("it is repaired", () => lines(rules()).join() === before.join());
    expect((await net.call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
    await through.say("two");
  });

  test("rules taken out while the net process was away are back soon after it", async () => {
    const net = processOf(1);
    const netns = netnsOf.get("caller") ?? "";
    const services = (): string =>
      inNetns(netns, "nft list chain inet swarm_ovpnode1_vip services");
    const before = services();
    // It is written a second after a change.
    await eventually("what is in the tables is kept", () => {
      const { mtimeMs } = statSync(join(net.runDir, "net-tables.json"));
      return Date.now() - mtimeMs > 1_500;
    });
    await net.kill();
    inNetns(netns, "nft flush chain inet swarm_ovpnode1_vip services");
    await net.start();
    await eventually("it is repaired", () => services() === before);
    expect((await net.call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
  });

  test.each([
    { name: "the bridge of a network", where: SANDBOX, remove: "ip link del br0" },
    { name: "its VXLAN device", where: SANDBOX, remove: "ip link del vxovpnode135t" },
    { name: "a container's interface on it", where: "web1", remove: "ip link del eth2" },
    { name: "a container's way out", where: "web1", remove: "ip link del eth0" },
    { name: "the address of its way out", where: "web1", remove: "ip addr flush dev eth0" },
    { name: "its default route", where: "web1", remove: "ip route del default" },
    { name: "the host's ends of all ways out", where: "", remove: DROP_PORTS },
    { name: "the node's bridge", where: "", remove: "ip link del swgwovpnode1" },
    { name: "the address of the bridge", where: "", remove: "ip addr flush dev swgwovpnode1" },
    { name: "the host's place on ingress", where: "", remove: "ip link del swinovpnode1" },
    { name: "the bridge of ingress", where: INGRESS, remove: "ip link del br0" },
    { name: "ingress' end of the host's place", where: INGRESS, remove: "ip link del host" },
    { name: "the host's rules and routes", where: "", remove: DROP_ROUTES },
  ])("$name comes back within seconds, and open connections go on", async ({ where, remove }) => {
    const net = processOf(1);
    const own = netnsOf.get("web1") ?? "";
    const driftCount = async () =>
      Number((await net.call<swarm.net.StatusReply>("status", {})).plane?.drifts);
    const before = await driftCount();
    const looks = () => [
      inNetns(own, "ip -o -4 addr")
        .replace(/^\d+: /gm, "")
        .split("\n")
        .sort()
        .join("\n"),
      inNetns(own, "ip route"),
    ];
    const had = looks();
    using through = new Echo(netnsOf.get("caller") ?? "", "10.51.1.12");
    using within = new Echo(NODES[0]?.netns ?? "", had.join().match(/172\.[\d.]+/)?.[0] ?? "");
    await through.say("one");
    await within.say("one");
    inNetns(netnsOf.get(where) ?? (where || (NODES[0]?.netns ?? "")), `sh -c '${remove}'`);
    await eventually("it is counted", async () => (await driftCount()) > before);
    await eventually("no drift", async () => {
      const reply = await net.call<swarm.net.VerifyReply>("verify", {});
      return reply.drifts.length === 0;
    });
    expect(looks()).toEqual(had);
    await through.say("two");
    await within.say("two");
    expect(answers(netnsOf.get("caller") ?? "", VIP, 80)).toHaveLength(2);
    for (const { address } of NODES) expect(answers(CLIENT, address, PORT)).toHaveLength(2);
  });

  test("a killed net process leaves the networks at work, and goes on where it was", async () => {
    const net = processOf(1);
    await net.kill();
    expect(answers(CLIENT, "10.96.0.1", PORT)).toHaveLength(2);
    await net.start();
    // Resolvers on other ports than before are no drift.
    await eventually("a look at all", async () => {
      const { plane } = await net.call<swarm.net.StatusReply>("status", {});
      return Number(plane?.rounds) > 0;
    });
    const status = await net.call<swarm.net.StatusReply>("status", {});
    expect(Number(status.plane?.drifts)).toBe(0);
    expect(answers(netnsOf.get("caller") ?? "", VIP, 80)).toHaveLength(2);
    await eventually("names", () => lookUp("caller", "web") === VIP);
    await eventually("no drift", async () => {
      const reply = await net.call<swarm.net.VerifyReply>("verify", {});
      return Number(reply.appliedIndex) === 10 && reply.drifts.length === 0;
    });
    const none = { set: [], removed: [] };
    const gone = { set: [], removed: ["front/web2", "ingress/web2"] };
    const delta = { index: 11, networks: none, endpoints: gone, services: none, nodes: none };
    const fields = { complete: false, appliesTo: 10, resultsIn: 11 };
    expect((await net.setNetworks(fields, delta)).needsComplete).toBe(false);
    expect(answers(netnsOf.get("caller") ?? "", VIP, 80)).toEqual(["web1 10.51.1.13"]);
    expect((await net.setNetworks(fields, delta)).needsComplete).toBe(false);
    const other = { complete: false, appliesTo: 9, resultsIn: 12 };
    expect((await net.setNetworks(other, { ...delta, index: 12 })).needsComplete).toBe(true);
  });

  test.each([
    {
      name: "a VNI that another device has",
      take: "ip link add foreign type vxlan id 4242 dstport 4789",
      giveBack: "ip link del foreign",
      vni: 4242,
      port: 4789,
      reason: /VNI 4242 on port 4789 is that of foreign in the host's namespace/,
    },
    {
      name: "a data-path port that a VXLAN device of another kind has",
      take: "ip link add foreign type vxlan id 77 dstport 4790 gbp; ip link set foreign up",
      giveBack: "ip link del foreign",
      vni: 4243,
      port: 4790,
      reason: /UDP port 4790, which networks use between nodes, is held by/,
    },
  ])("$name is a reason, and the network comes when it is free", async (row) => {
    const net = processOf(1);
    const host = NODES[0]?.netns ?? "";
    const index = 10 * row.vni;
    const state = stateFor(net.node);
    const [, front] = state.networks;
    if (front === undefined) throw new Error("no network");
    const extra = { ...front, id: "extra", name: "extra", vni: row.vni, subnet: "10.52.0.0/24" };
    inNetns(host, `sh -c '${row.take}'`);
    const body = {
      ...{ ...state, index, dataPathPort: row.port },
      networks: row.port === 4789 ? [...state.networks, extra] : [extra],
    };
    const set = { complete: true, appliesTo: 0, resultsIn: index };
    expect(Number((await net.setNetworks(set, body)).appliedIndex)).toBeLessThan(index);
    const problems = async () =>
      (await net.call<swarm.net.StatusReply>("status", {})).problems.join();
    expect(await problems()).toMatch(row.reason);
    const refused = net.call("attach", {
      ...{ containerId: "late", mode: "default", taskId: "late", networkIds: ["extra"] },
    });
    const late = { taskId: "late", networkId: "extra", nodeId: net.node.nodeId, serviceId: "" };
    const endpoint = { ...state.endpoints[0], ...late, address: "10.52.0.9" };
    const again = { ...body, index: index + 1, endpoints: [...state.endpoints, endpoint] };
    await net.setNetworks({ ...set, resultsIn: index + 1 }, again);
    await expect(refused).rejects.toThrow(row.reason);
    inNetns(host, `sh -c '${row.giveBack}'`);
    const applied = await net.setNetworks(
      { ...set, resultsIn: index + 2 },
      { ...again, index: index + 2 },
    );
    expect(Number(applied.appliedIndex)).toBe(index + 2);
    expect(await problems()).not.toMatch(row.reason);
    await net.setNetworks({ ...set, resultsIn: index + 3 }, { ...state, index: index + 3 });
  });

  test("a released container leaves its networks", async () => {
    const net = processOf(1);
    // As its runtime does before: a process that is left would keep the namespace.
    const place = TASKS.findIndex(({ task }) => task === "caller");
    for (const server of [servers[place], echoes[place]]) {
      const ended = new Promise((resolve) => server?.once("exit", resolve));
      server?.kill("SIGKILL");
      await ended;
    }
    await net.call("release", { containerId: "caller" });
    expect(sh("ls /run/netns")).not.toContain(netnsOf.get("caller"));
    expect((await net.call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
    const ends = () => inNetns(SANDBOX, "ip -o link").match(/endpoint:front:/g);
    await eventually("its link is gone", () => ends()?.length === 1);
    expect((await net.call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
  });

  test("a container attached again at once has its place, though a process of its former life is left", async () => {
    const net = processOf(1);
    const failures = async () =>
      Number((await net.call<swarm.net.StatusReply>("status", {})).plane?.failures);
    const before = await failures();
    // The servers of its former life keep its namespace, as the kernel does for a while in any case.
    for (let lives = 0; lives < 3; lives++) {
      const former = netnsOf.get("web1");
      await net.call("release", { containerId: "web1" });
      const reply = await processOf(1).attachTask(TASKS[0]);
      netnsOf.set("web1", reply.netnsPath.replace("/run/netns/", ""));
      expect(netnsOf.get("web1")).not.toBe(former);
      inTask("web1", "busybox ping -c 1 -W 2 10.51.1.12");
      servers.push(await serve(netnsOf.get("web1") ?? "", "web1", 80));
    }
    expect(await failures()).toBe(before);
    expect((await net.call<swarm.net.VerifyReply>("verify", {})).drifts).toEqual([]);
    for (const { address } of NODES) expect(answers(CLIENT, address, PORT)).toHaveLength(2);
  });

  test("leaving the cluster leaves nothing behind", async () => {
    for (const net of nets) net.leave();
    const left = () =>
      [
        ...sh("ls /run/netns").split("\n"),
        ...NODES.flatMap(({ netns }) =>
          inNetns(
            netns,
            "sh -c 'ip -o link; nft list ruleset; ip rule; ip route show table all'",
          ).split("\n"),
        ),
      ].filter((line) => /ovpnode|4789/.test(line));
    await eventually("nothing of ours", () => left().length === 0).catch(() => undefined);
    expect(left()).toEqual([]);
  });
});
