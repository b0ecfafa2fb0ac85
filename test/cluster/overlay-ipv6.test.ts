/** IPv6 on two hosts of the test's own: the way out, tasks that take IPv4 alone, and a network's MTU that falls while it is used. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { swarm } from "../../src/api/index.js";
import type { NetworkState } from "../../src/overlay-net/core/network-state.js";
import { NetProcess } from "./net-process.js";
import { ask, askUdp, inNetns, serve, sh } from "./overlay-hosts.js";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("overlay-ipv6: skipped: it needs root for network namespaces");

const PREFIX = "t-ov6-";
/** A client, and the router to the rest of the world. */
const CLIENT = `${PREFIX}client`;
const CLIENT_6 = "fd94::100";
const WORLD_6 = "2001:db8::1";
const NODES = [1, 2].map((index) => ({
  index,
  nodeId: `ov6node${index}0123456789abcdefg`,
  netns: `${PREFIX}h${index}`,
  address: `10.94.0.${index}`,
  address6: `fd94::${index}`,
}));
type TestNode = (typeof NODES)[number];

const NETWORKS = [
  { id: "ingress", vni: 4096, subnet: "10.255.0.0/16", base: "10.255.0", base6: "fd25::" },
  { id: "front", vni: 4097, subnet: "10.71.1.0/24", base: "10.71.1", base6: "fd71::" },
  { id: "inner", vni: 4098, subnet: "10.71.2.0/24", base: "10.71.2", base6: "fd72::" },
];
/** `both` takes both families; `old` IPv4 alone; `inside` has no way out. */
const TASKS = [
  { task: "both", node: 1, networks: ["ingress", "front"], published: 8080, target: 80 },
  { task: "old", node: 2, networks: ["ingress", "front"], published: 8081, target: 81 },
  { task: "inside", node: 1, networks: ["inner"], published: 0, target: 0 },
];

function stateFor({ nodeId }: TestNode, index: number, mtu = 1450): NetworkState {
  const common = { mode: "dnsrr" as const, vip: "", vip6: "", aliases: [], prefersLocal: false };
  return {
    ...{ index, nodeId, dataPathPort: 4789 },
    networks: NETWORKS.map(({ id, vni, subnet, base, base6 }) => ({
      ...{ id, name: id, vni, subnet, subnet6: `${base6}/64`, mtu, isEncrypted: false },
      ...{ gateway: `${base}.1`, gateway6: `${base6}1` },
      ...{ isInternal: id === "inner", isIngress: id === "ingress" },
    })),
    endpoints: TASKS.flatMap(({ task, node, networks, published }, place) =>
      networks.map((networkId) => {
        const network = NETWORKS.find(({ id }) => id === networkId);
        return {
          ...{ taskId: task, networkId, nodeId: NODES[node - 1]?.nodeId ?? "" },
          ...{ serviceId: published === 0 ? "" : task, taskName: task, containerId: "" },
          address: `${network?.base}.${place + 11}`,
          address6: `${network?.base6}${place + 11}`,
          ...{ aliases: [], isBackend: published !== 0 },
        };
      }),
    ),
    services: TASKS.filter(({ published }) => published !== 0).map(
      ({ task, published: publishedPort, target: targetPort }) => ({
        ...{ ...common, serviceId: task, name: task, networkId: "ingress" },
        ports: (["tcp", "udp"] as const).map((protocol) => ({
          ...{ protocol, publishedPort, targetPort, name: "" },
        })),
      }),
    ),
    nodes: NODES.map((one) => ({
      ...{ nodeId: one.nodeId, index: one.index, dataPathAddr: one.address, isDown: false },
    })),
  };
}

/** As the test's own servers, on one family: TCP answers with who asks, and goes on as an echo; UDP likewise without the echo. */
const SERVER = `
const [name, port, host] = process.argv.slice(1);
const family = host.includes(":") ? 6 : 4;
require("node:net").createServer((s) => { s.on("error", () => {}); s.write(name + " " + s.remoteAddress + "\\n"); s.pipe(s); })
  .listen({ port: Number(port), host, ipv6Only: true }, () => {
    const udp = require("node:dgram").createSocket({ type: "udp" + family, ipv6Only: family === 6 });
    udp.on("message", (_, r) => udp.send(name + " " + r.address + "\\n", r.port, r.address));
    udp.bind(Number(port), host, () => console.log("ready"));
  });`;

async function start(netns: string, program: string, ...args: readonly string[]) {
  const child = spawn(
    "nsenter",
    [`--net=/run/netns/${netns}`, process.execPath, "-e", program, ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}`)));
  });
  return child;
}

/** Sends 100 kB each 50 ms, and counts what comes back. */
const STREAM = `
const [address, port] = process.argv.slice(1);
const socket = require("node:net").connect(Number(port), address);
let back = 0;
socket.on("error", (error) => { console.log("lost " + error.code); process.exit(1); });
socket.on("data", (bytes) => { back += bytes.length; });
setInterval(() => { socket.write(Buffer.alloc(100_000)); console.log(back); }, 50);`;

let dir: string;
let nets: NetProcess[];
const children: ChildProcess[] = [];
/** Servers of the task that takes IPv4 alone. */
const olds: ChildProcess[] = [];
const netnsOf = new Map<string, string>();

function processOf(node: number): NetProcess {
  const found = nets[node - 1];
  if (found === undefined) throw new Error(`no node ${node}`);
  return found;
}

function inTask(task: string, command: string): string {
  return inNetns(netnsOf.get(task) ?? "", command);
}

function removeHosts(): void {
  sh(
    `for n in $(ls /run/netns 2>/dev/null | grep -E '^(swarm-ov6node|${PREFIX})'); do ip netns del $n; done`,
  );
}

function makeHosts(): void {
  removeHosts();
  const lan = `${PREFIX}lan`;
  sh(
    `ip netns add ${lan}; ip -n ${lan} link add name br0 type bridge; ip -n ${lan} link set dev br0 up`,
  );
  const client = { netns: CLIENT, address: "10.94.0.100", address6: CLIENT_6 };
  for (const { netns, address, address6 } of [...NODES, client]) {
    const last = address.split(".")[3];
    sh(`ip netns add ${netns}
      ip -n ${lan} link add name p${last} type veth peer name eth0 netns ${netns}
      ip -n ${lan} link set dev p${last} master br0 up
      ip -n ${netns} link set dev lo up; ip -n ${netns} link set dev eth0 up
      ip -n ${netns} addr add ${address}/24 dev eth0
      ip -n ${netns} addr add ${address6}/64 dev eth0 nodad`);
  }
  sh(`ip -n ${CLIENT} addr add ${WORLD_6}/128 dev lo
    ip -n ${NODES[0]?.netns} -6 route add default via ${CLIENT_6}`);
}

async function eventually(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Global addresses of a container's link. */
function addresses6(task: string, link: string): string {
  return inTask(task, `ip -6 -o addr show dev ${link} scope global`);
}

async function verified(node: number): Promise<swarm.net.VerifyReply> {
  return processOf(node).call<swarm.net.VerifyReply>("verify", {});
}

beforeAll(async () => {
  if (!isRoot) return;
  dir = mkdtempSync(join(tmpdir(), "swarm-ov6-"));
  makeHosts();
  nets = NODES.map((node) => new NetProcess(node, dir));
  await Promise.all(nets.map((net) => net.start()));
  await Promise.all(NODES.map((node, i) => nets[i]?.complete(stateFor(node, 10))));
  for (const { task, node, networks } of TASKS) {
    const { netnsPath } = await processOf(node).attach(task, networks);
    netnsOf.set(task, netnsPath.replace("/run/netns/", ""));
  }
  const lone = await processOf(1).call<swarm.net.AttachReply>("attach", {
    ...{ containerId: "lone", mode: "default" },
    hostPorts: [{ protocol: "tcp", targetPort: 82, publishedPort: 9000 }],
  });
  netnsOf.set("lone", lone.netnsPath.replace("/run/netns/", ""));
  children.push(await serve(netnsOf.get("both") ?? "", "both", 80));
  children.push(await serve(netnsOf.get("lone") ?? "", "lone", 82));
  children.push(await serve(CLIENT, "world", 90));
  olds.push(await start(netnsOf.get("old") ?? "", SERVER, "old", "81", "0.0.0.0"));
}, 60_000);

afterAll(async () => {
  if (!isRoot) return;
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(nets.map((net) => net.kill()));
  removeHosts();
  rmSync(dir, { recursive: true });
});

describe.skipIf(!isRoot)("the IPv6 way out", () => {
  test("containers leave with the host's address, on networks or not; one on internal networks alone does not", () => {
    for (const task of ["both", "lone"])
      expect(ask(netnsOf.get(task) ?? "", WORLD_6, 90)).toBe("world fd94::1");
    expect(addresses6("both", "eth0")).toMatch(/ fd[\da-f:]+:1::[\da-f]+\/64 /);
    expect(ask(netnsOf.get("inside") ?? "", WORLD_6, 90)).toBe("refused");
  });

  test("a host that now forwards goes on taking router advertisements, and forwards for nobody else", () => {
    const host = NODES[0]?.netns ?? "";
    const setting = (key: string) => inNetns(host, `sysctl -n net.ipv6.conf.${key}`).trim();
    expect([setting("all.forwarding"), setting("eth0.accept_ra")]).toEqual(["1", "2"]);
    sh(`ip -n ${CLIENT} -6 route add 2001:db8:2::/64 via fd94::1
      ip -n ${host} -6 route add 2001:db8:2::/64 via fd94::2
      ip -n ${NODES[1]?.netns} addr add 2001:db8:2::1/128 dev lo`);
    expect(() => inNetns(CLIENT, "busybox ping -6 -c 1 -W 1 2001:db8:2::1")).toThrow();
    sh(`ip -n ${host} -6 route del 2001:db8:2::/64`);
  });

  test("without a default route of the host there is none, and no address for it", () => {
    expect(addresses6("old", "eth0")).toBe("");
    expect(ask(netnsOf.get("old") ?? "", WORLD_6, 90)).toBe("refused");
  });

  test("from outside nobody gets to a container's own address, and from one nobody leaves with another", () => {
    const [address = ""] = / (fd[\da-f:]+)\/64 /.exec(addresses6("both", "eth0"))?.slice(1) ?? [];
    sh(`ip -n ${CLIENT} -6 route replace ${address}/128 via fd94::1`);
    expect(ask(CLIENT, address, 80, 2)).toBe("silent");
    inTask("both", "ip addr add 2001:db8:bad::1/128 dev lo");
    sh(`ip -n ${CLIENT} -6 route replace 2001:db8:bad::1/128 via fd94::1`);
    expect(() =>
      inTask("both", `busybox ping -6 -c 1 -W 1 -I 2001:db8:bad::1 ${WORLD_6}`),
    ).toThrow();
    inTask("both", "ip addr del 2001:db8:bad::1/128 dev lo");
  });

  test("a port on one node leads to its container with the client's own address", () => {
    expect(ask(CLIENT, "fd94::1", 9000)).toBe(`lone ${CLIENT_6}`);
    expect(ask(CLIENT, "10.94.0.1", 9000)).toBe("lone 10.94.0.100");
    expect(ask(NODES[0]?.netns ?? "", "fd94::1", 9000)).toBe("lone fd94::1");
  });

  test("it goes with the host's default route and comes back with it; connections to ports stay", async () => {
    const host = NODES[0]?.netns ?? "";
    sh(`ip -n ${host} -6 route del default`);
    await eventually("no address", () =>
      ["both", "lone"].every((task) => addresses6(task, "eth0") === ""),
    );
    expect(ask(netnsOf.get("both") ?? "", WORLD_6, 90)).toBe("refused");
    expect(ask(CLIENT, "fd94::2", 8080)).toBe(`both ${CLIENT_6}`);
    expect(inNetns(host, "nft list tables")).not.toContain("_egress6");
    expect((await verified(1)).drifts).toEqual([]);
    sh(`ip -n ${host} -6 route add default via ${CLIENT_6}`);
    await eventually("the way out", () =>
      ["both", "lone"].every(
        (task) => ask(netnsOf.get(task) ?? "", WORLD_6, 90) === "world fd94::1",
      ),
    );
    expect((await verified(1)).drifts).toEqual([]);
  });

  test("what another hand takes away of it is put back", async () => {
    const prefix = inTask("both", "ip -6 -o addr show dev eth0 scope global");
    inTask("both", "ip -6 addr flush dev eth0 scope global");
    inNetns(NODES[0]?.netns ?? "", "nft delete table inet swarm_ov6node1_egress6");
    await eventually(
      "the way out",
      () => ask(netnsOf.get("both") ?? "", WORLD_6, 90) === "world fd94::1",
    );
    expect(addresses6("both", "eth0").split("/64")[0]).toBe(prefix.split("/64")[0]);
  });
});

describe.skipIf(!isRoot)("a published port over IPv6", () => {
  test("a task that takes both families sees the client's own address, on every node, TCP and UDP", () => {
    for (const { address6 } of NODES) {
      expect(ask(CLIENT, address6, 8080)).toBe(`both ${CLIENT_6}`);
      expect(askUdp(CLIENT, address6, 8080)).toBe(`both ${CLIENT_6}`);
    }
  });

  test("one that takes IPv4 alone answers all the same, and its node says so", async () => {
    for (const { address6, address } of NODES) {
      expect(ask(CLIENT, address6, 8081)).toBe("old 10.255.0.12");
      expect(askUdp(CLIENT, address6, 8081)).toBe("old 10.255.0.12");
      expect(ask(CLIENT, address, 8081)).toBe("old 10.94.0.100");
    }
    const { proxied } = await verified(2);
    expect(
      proxied.map(({ taskId, serviceId, protocol, targetPort }) => [
        taskId,
        serviceId,
        protocol,
        targetPort,
      ]),
    ).toEqual([
      ["old", "old", "tcp", 81],
      ["old", "old", "udp", 81],
    ]);
    expect((await verified(1)).proxied).toEqual([]);
  });

  test("as soon as it takes IPv6 too it sees the client's own address", async () => {
    const server = await start(netnsOf.get("old") ?? "", SERVER, "new", "81", "::");
    expect(ask(CLIENT, "fd94::1", 8081)).toBe(`new ${CLIENT_6}`);
    expect(askUdp(CLIENT, "fd94::1", 8081)).toBe(`new ${CLIENT_6}`);
    expect((await verified(2)).proxied).toEqual([]);
    server.kill("SIGKILL");
    await eventually("the relay again", () => ask(CLIENT, "fd94::1", 8081) === "old 10.255.0.12");
  });

  test("where it takes neither a client is reset, and nobody else gets to a relay", async () => {
    const inOld = netnsOf.get("old") ?? "";
    const port = /\[fd25::12\]:(\d+)/.exec(inNetns(inOld, "ss -Hlnt"))?.[1];
    expect(port).toMatch(/^\d+$/);
    for (const from of [NODES[0]?.netns ?? "", netnsOf.get("both") ?? ""])
      expect(ask(from, "fd25::12", Number(port), 2)).toMatch(/^(refused|silent)$/);
    const [old] = olds;
    old?.kill("SIGKILL");
    await eventually("nobody answers", () => ask(CLIENT, "fd94::1", 8081) === "refused");
    expect(ask(CLIENT, "10.94.0.1", 8081)).toBe("refused");
    expect((await verified(2)).proxied).toEqual([]);
    olds.push(await start(inOld, SERVER, "old", "81", "0.0.0.0"));
    expect(ask(CLIENT, "fd94::1", 8081)).toBe("old 10.255.0.12");
  });
});

describe.skipIf(!isRoot)("a network's MTU", () => {
  test("falls on all links of a running network, and open connections go on", async () => {
    const stream = spawn(
      "nsenter",
      [
        `--net=/run/netns/${netnsOf.get("both")}`,
        process.execPath,
        "-e",
        STREAM,
        "10.71.1.12",
        "81",
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    children.push(stream);
    let last = "0";
    stream.stdout.on("data", (text: Buffer) => {
      last = text.toString().trim().split("\n").at(-1) ?? last;
    });
    await eventually("it streams", () => Number(last) > 300_000);
    await Promise.all(NODES.map((node, i) => nets[i]?.complete(stateFor(node, 20, 1300))));
    const before = Number(last);
    await eventually("it goes on", () => Number(last) > before + 1_000_000);
    expect(last).not.toContain("lost");
    stream.kill("SIGKILL");
    const mtus = (netns: string) =>
      [...inNetns(netns, "ip -o link").matchAll(/^\d+: (?!lo|eth0)\S+ .* mtu (\d+)/gm)].map(
        ([, mtu]) => mtu,
      );
    for (const netns of [
      "swarm-ov6node1.net-front",
      "swarm-ov6node2.net-ingress",
      netnsOf.get("both") ?? "",
    ])
      expect([...new Set(mtus(netns))]).toEqual(["1300"]);
    expect(inNetns(NODES[0]?.netns ?? "", "nft list table inet swarm_ov6node1_mesh")).toContain(
      "maxseg size set 1260",
    );
    expect(ask(CLIENT, "fd94::1", 8080)).toBe(`both ${CLIENT_6}`);
    for (const node of [1, 2]) expect((await verified(node)).drifts).toEqual([]);
  });
});

describe.skipIf(!isRoot)("nodes whose data path is IPv6", () => {
  const over6 = (node: TestNode, index: number, nodes: readonly TestNode[]): NetworkState => {
    const state = stateFor(node, index, 1300);
    const is6 = new Set(nodes.map(({ nodeId }) => nodeId));
    return {
      ...state,
      nodes: state.nodes.map((one) =>
        is6.has(one.nodeId) ? { ...one, dataPathAddr: `fd94::${one.index}` } : one,
      ),
    };
  };

  test("reach each other, directly and through the mesh", async () => {
    await Promise.all(NODES.map((node, i) => nets[i]?.complete(over6(node, 30, NODES))));
    expect(ask(netnsOf.get("both") ?? "", "10.71.1.12", 81)).toBe("old 10.71.1.11");
    expect(ask(CLIENT, "fd94::1", 8081)).toBe("old 10.255.0.12");
    expect(inNetns("swarm-ov6node1.net-front", "ip -d link show type vxlan")).toContain(
      "local fd94::1",
    );
    for (const node of [1, 2]) expect((await verified(node)).drifts).toEqual([]);
  });

  test("do not reach one of the other family, and both say so", async () => {
    await Promise.all(
      NODES.map((node, i) => nets[i]?.complete(over6(node, 40, NODES.slice(0, 1)))),
    );
    for (const net of nets) {
      const { problems } = await net.call<swarm.net.StatusReply>("status", {});
      expect(problems.join("\n")).toMatch(/is of another family than that of ov6node/);
    }
    expect(ask(CLIENT, "fd94::1", 8080)).toBe(`both ${CLIENT_6}`);
    await Promise.all(NODES.map((node, i) => nets[i]?.complete(stateFor(node, 50, 1300))));
    expect(ask(netnsOf.get("both") ?? "", "10.71.1.12", 81)).toBe("old 10.71.1.11");
  });
});

describe.skipIf(!isRoot)("when the nodes leave", () => {
  test("nothing of it stays", async () => {
    for (const net of nets) net.leave();
    for (const { netns } of NODES)
      await eventually("no trace", () => {
        const tables = inNetns(netns, "nft list tables");
        return (
          !tables.includes("swarm_ov6node") && !inNetns(netns, "ip -o link").includes("ov6node")
        );
      });
  });
});
