/** Encrypted networks on three hosts of the test's own: what the wire carries, what comes in from it, and what keys do. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { swarm } from "../../src/api/index.js";
import type { EndpointEntry, NetworkState } from "../../src/overlay-net/core/network-state.js";
import { readChecked, writeChecked } from "../../src/overlay-net/state-file.js";
import type { TunnelKeys } from "../../src/overlay-net/wireguard/key-file.js";
import { NetProcess } from "./net-process.js";
import { ask, inNetns, serve, sh } from "./overlay-hosts.js";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("overlay-encrypted: skipped: it needs root for network namespaces");

const PREFIX = "t-enc-";
const LAN = `${PREFIX}lan`;
const STRANGER = `${PREFIX}stranger`;
const NODES = [1, 2, 3].map((index) => ({
  index,
  nodeId: `encnode${index}0123456789abcdefg`,
  netns: `${PREFIX}h${index}`,
  address: `10.95.0.${index}`,
  link: `swwgencnode${index}`,
}));
const NETWORKS = [
  { id: "secret", vni: 4097, base: "10.61.1", mtu: 1370, isEncrypted: true },
  { id: "plain", vni: 4098, base: "10.61.2", mtu: 1450, isEncrypted: false },
];
const TASKS = NODES.map(({ index, nodeId }) => ({
  taskId: `task${index}`,
  nodeId,
  last: 10 + index,
}));
const PORT = 8080;
/** A call of WireGuard that was lost is made again after 5 s. */
const MEET_WITHIN_MS = 25_000;
/** Half a day and an hour: a key that is due. */
const LONG_AGO_MS = 13 * 60 * 60 * 1_000;

/** A line each 50 ms to whoever answers; prints one for each answer. */
const STREAM = `
const socket = require("node:net").connect(Number(process.argv[2]), process.argv[1]);
socket.on("error", (error) => { console.log("lost " + error.code); process.exit(1); });
socket.on("close", () => { console.log("lost"); process.exit(1); });
socket.on("data", () => console.log("answer"));
setInterval(() => socket.write("x"), 50);`;
const ECHO = `require("node:net").createServer((s) => { s.on("error", () => {}); s.pipe(s); })
  .listen(Number(process.argv[1]), () => console.log("ready"));`;

/** The real one, unless the file beside it says that this start fails. */
const UNSTEADY = `#!/bin/bash
dir=$(dirname "$0"); echo "$*" >> $dir/begun
[ "$(head -n 1 $dir/failures)" = 0 ] && exec /usr/bin/wireguard-go "$@"
echo $(($(cat $dir/failures) - 1)) > $dir/failures
echo "ERROR: no luck today" >&2; exit 1
`;

/** A frame to a container's MAC in a VXLAN packet of one VNI, with a source address of the sender's choice. */
const INJECT = `
const [from, to, vni, mac, inner] = process.argv.slice(1);
const bytes = (text) => Buffer.from(text.split(".").map(Number));
const payload = Buffer.from("injected");
const udp = Buffer.alloc(8); udp.writeUInt16BE(9000, 0); udp.writeUInt16BE(9999, 2); udp.writeUInt16BE(8 + payload.length, 4);
const ip = Buffer.alloc(20); ip[0] = 0x45; ip.writeUInt16BE(28 + payload.length, 2); ip[8] = 64; ip[9] = 17;
bytes(inner.replace(/\\d+$/, "12")).copy(ip, 12); bytes(inner).copy(ip, 16);
let sum = 0; for (let i = 0; i < 20; i += 2) sum += ip.readUInt16BE(i);
while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
ip.writeUInt16BE(~sum & 0xffff, 10);
const ether = Buffer.concat([Buffer.from(mac.replace(/:/g, ""), "hex"), Buffer.from("0242aabbccdd0800", "hex")]);
const vxlan = Buffer.alloc(8); vxlan[0] = 8; vxlan.writeUInt32BE(Number(vni) << 8, 4);
const socket = require("node:dgram").createSocket("udp4");
socket.bind(0, from, () => socket.send(Buffer.concat([vxlan, ether, ip, udp, payload]), 4789, to, (error) => {
  console.log(error ? error.code : "sent"); socket.close();
}));`;
const HEAR = `const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (m) => console.log(m.toString())); socket.bind(9999, () => console.log("ready"));`;

let dir: string;
let nets: NetProcess[];
const children: ChildProcess[] = [];
const netnsOf = new Map<string, string>();
const tunnels = new Map<string, { publicKey: string; pairKeys: string[] }>();
let index = 10;

function netOf(node: number): NetProcess {
  const found = nets[node - 1];
  if (found === undefined) throw new Error(`no node ${node}`);
  return found;
}

function endpoints(): readonly EndpointEntry[] {
  return NETWORKS.flatMap(({ id: networkId, base }) =>
    TASKS.map(({ taskId, nodeId, last }) => ({
      ...{ taskId, networkId, nodeId, serviceId: "", address: `${base}.${last}`, address6: "" },
      ...{ taskName: taskId, containerId: "", aliases: [], isBackend: false },
    })),
  );
}

function stateFor(nodeId: string): NetworkState {
  return {
    ...{ index, nodeId, dataPathPort: 4789, services: [], endpoints: endpoints() },
    networks: NETWORKS.map(({ id, vni, base, mtu, isEncrypted }) => ({
      ...{ id, name: id, vni, mtu, isEncrypted, isInternal: false, isIngress: false },
      ...{ subnet: `${base}.0/24`, subnet6: "", gateway: `${base}.1`, gateway6: "" },
    })),
    nodes: NODES.map((node) => {
      const tunnel = tunnels.get(node.nodeId);
      const entry = { nodeId: node.nodeId, index: node.index, dataPathAddr: node.address };
      return { ...entry, isDown: false, ...(tunnel === undefined ? {} : { tunnel }) };
    }),
  };
}

function note(nodeId: string, tunnel: swarm.net.Tunnel.$Properties | null | undefined): void {
  if (!tunnel) return;
  const { publicKey, pairKeys } = tunnel;
  tunnels.set(nodeId, { publicKey: publicKey ?? "", pairKeys: pairKeys ?? [] });
}

/** As managers do: everybody is told everything, and what they answer is told again. */
async function tellAll(): Promise<void> {
  index++;
  const replies = await Promise.all(nets.map((net) => net.complete(stateFor(net.host.nodeId))));
  expect(replies.map(({ appliedIndex }) => Number(appliedIndex))).toEqual(nets.map(() => index));
  for (const [i, { tunnel }] of replies.entries()) note(NODES[i]?.nodeId ?? "", tunnel);
}

async function statusOf(node: number): Promise<swarm.net.StatusReply> {
  return netOf(node).call<swarm.net.StatusReply>("status", {});
}

async function drifts(node: number): Promise<readonly string[]> {
  const reply = await netOf(node).call<swarm.net.VerifyReply>("verify", {});
  return reply.drifts.map(({ what }) => what ?? "");
}

function run(netns: string, program: string, ...args: readonly string[]): ChildProcess {
  const child = spawn(
    "nsenter",
    [`--net=/run/netns/${netns}`, process.execPath, "-e", program, ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  return child;
}

async function ready(child: ChildProcess): Promise<ChildProcess> {
  await new Promise((resolve, reject) => {
    child.stdout?.once("data", resolve);
    child.once("exit", (code) => reject(new Error(`ended with ${code} before it was ready`)));
  });
  return child;
}

/** Lines that a program printed so far. */
function linesOf(child: ChildProcess): readonly string[] {
  const lines: string[] = [];
  child.stdout?.on("data", (data: Buffer) => lines.push(...data.toString().trim().split("\n")));
  return lines;
}

function makeHosts(): void {
  removeHosts();
  sh(
    `ip netns add ${LAN}; ip -n ${LAN} link add name br0 type bridge; ip -n ${LAN} link set br0 up`,
  );
  for (const { netns, address } of [...NODES, { netns: STRANGER, address: "10.95.0.100" }]) {
    const last = address.split(".")[3];
    sh(`ip netns add ${netns}
      ip -n ${LAN} link add name p${last} type veth peer name eth0 netns ${netns}
      ip -n ${LAN} link set dev p${last} master br0 up
      ip -n ${netns} link set dev lo up; ip -n ${netns} link set dev eth0 up
      ip -n ${netns} addr add ${address}/24 dev eth0`);
  }
  // Sends with a node's address, and is never asked or told whose it is.
  sh(`nsenter --net=/run/netns/${STRANGER} sysctl -qw net.ipv4.conf.all.arp_ignore=1
    ip -n ${STRANGER} addr add 10.95.0.2/32 dev lo
    ip -n ${STRANGER} neigh replace 10.95.0.1 dev eth0 nud permanent lladdr $(ip -n ${PREFIX}h1 -o link show eth0 | grep -oP 'ether \\K\\S+')`);
  // The LAN's own count of what the nodes send.
  const ports = NODES.map(({ index: node }) => `p${node}`).join(", ");
  const counted = NETWORKS.map(
    ({ id, vni }) => `udp dport 4789 @th,96,24 ${vni} counter comment "${id}";`,
  );
  const hook = `type filter hook ingress devices = { ${ports} } priority 0;`;
  const rules = [...counted, 'udp dport 4790 counter comment "wireguard";'].join(" ");
  inNetns(LAN, `nft 'add table netdev wire; add chain netdev wire in { ${hook} }'`);
  for (const rule of rules.split(/(?<=;) /))
    inNetns(LAN, `nft 'add rule netdev wire in ${rule.replace(";", "")}'`);
}

function removeHosts(): void {
  sh(
    `for n in $(ls /run/netns 2>/dev/null | grep -E '^(swarm-encnode|${PREFIX})'); do
       for l in $(ip -n $n -o link | grep -oE 'swwgencnode[0-9]' | sort -u); do ip -n $n link del $l; done
       ip netns del $n; done`,
  );
}

/** Packets seen on the LAN so far. */
function seen(what: string): number {
  const list = inNetns(LAN, "nft list chain netdev wire in");
  return Number(new RegExp(`packets (\\d+) .*"${what}"`).exec(list)?.[1]);
}

function taskNetns(task: number): string {
  return netnsOf.get(`task${task}`) ?? "";
}

function presharedKeys(node: number): readonly string[] {
  const { netns, link } = NODES[node - 1] ?? { netns: "", link: "" };
  return inNetns(netns, `wg show ${link} preshared-keys`)
    .trim()
    .split("\n")
    .map((line) => line.split("\t")[1] ?? "")
    .sort();
}

async function eventually(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  withinMs = 10_000,
) {
  const deadline = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function unsteadyEnv(): NodeJS.ProcessEnv {
  const bin = join(dir, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "wireguard-go"), UNSTEADY);
  chmodSync(join(bin, "wireguard-go"), 0o755);
  fail(1);
  const { PATH = "" } = process.env;
  return { PATH: `${bin}:${PATH}` };
}

/** So many starts from now on, on the third node. */
function fail(count: number): void {
  writeFileSync(join(dir, "bin/failures"), `${count}\n`);
}

beforeAll(async () => {
  if (!isRoot) return;
  dir = mkdtempSync(join(tmpdir(), "swarm-enc-"));
  makeHosts();
  nets = NODES.map((node) => new NetProcess(node, dir, node.index === 3 ? unsteadyEnv() : {}));
  await Promise.all(nets.map((net) => net.start()));
  await tellAll();
  await tellAll();
  for (const [i, { taskId }] of TASKS.entries()) {
    const reply = await netOf(i + 1).attach(
      taskId,
      NETWORKS.map(({ id }) => id),
    );
    netnsOf.set(taskId, reply.netnsPath.replace("/run/netns/", ""));
    children.push(await serve(taskNetns(i + 1), taskId, PORT));
    await ready(run(taskNetns(i + 1), ECHO, "7777"));
  }
}, 60_000);

afterAll(async () => {
  if (!isRoot) return;
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(nets.map((net) => net.kill()));
  removeHosts();
  rmSync(dir, { recursive: true });
});

describe.skipIf(!isRoot)("encrypted networks of three nodes", () => {
  test("tasks reach each other, and the wire carries none of it in the clear", async () => {
    for (const [from, to] of [
      [1, 2],
      [2, 3],
      [3, 1],
    ] as const) {
      const address = `10.61.1.${10 + to}`;
      await eventually(
        `task${from} reaches task${to}`,
        () => ask(taskNetns(from), address, PORT).startsWith(`task${to} `),
        MEET_WITHIN_MS,
      );
    }
    inNetns(taskNetns(1), "busybox ping -c 1 -W 2 -s 1300 10.61.1.12");
    expect(seen("secret")).toBe(0);
    expect(seen("wireguard")).toBeGreaterThan(10);
    expect(ask(taskNetns(1), "10.61.2.12", PORT)).toBe("task2 10.61.2.11");
    expect(seen("plain")).toBeGreaterThan(3);
  });

  test("what encrypts is told, and the keys that others need", async () => {
    const { plane, problems } = await statusOf(1);
    expect(["kernel", "wireguard-go"]).toContain(plane?.tunnel?.implementation);
    expect(plane?.tunnel?.pairKeys).toHaveLength(1);
    expect(problems.filter((text) => /WireGuard|encrypted/.test(text))).toEqual([]);
    expect(sh(`stat -c %a ${netOf(1).runDir}/net-wireguard.json`).trim()).toBe("600");
  });

  test.each([
    { network: "secret", vni: 4097, base: "10.61.1", mac: "02:42:0a:3d:01:0b", isHeard: false },
    { network: "plain", vni: 4098, base: "10.61.2", mac: "02:42:0a:3d:02:0b", isHeard: true },
  ])("a packet in the clear with a member's address, of $network: heard $isHeard", async (one) => {
    const hearing = await ready(run(taskNetns(1), HEAR));
    const heard = linesOf(hearing);
    const send = () =>
      inNetns(
        STRANGER,
        `${process.execPath} -e '${INJECT}' 10.95.0.2 10.95.0.1 ${one.vni} ${one.mac} ${one.base}.11`,
      ).trim();
    for (let i = 0; i < 5; i++) expect(send()).toBe("sent");
    if (one.isHeard) await eventually("it is heard", () => heard.includes("injected"));
    // What was sent before a request is there before its answer.
    expect(ask(taskNetns(2), `${one.base}.11`, PORT)).toBe(`task1 ${one.base}.12`);
    expect(heard.includes("injected")).toBe(one.isHeard);
    hearing.kill("SIGKILL");
    await once(hearing, "exit");
  });

  test("no program of a node sends an encrypted network's packets in the clear", () => {
    const before = seen("secret");
    const send = (vni: number) =>
      inNetns(
        NODES[1]?.netns ?? "",
        `${process.execPath} -e '${INJECT}' 10.95.0.2 10.95.0.1 ${vni} 02:42:0a:3d:01:0b 10.61.1.11`,
      ).trim();
    expect(send(4097)).toBe("EPERM");
    expect(send(4098)).toBe("sent");
    expect(seen("secret")).toBe(before);
  });

  test("a container cannot go into the tunnel beside its network", () => {
    expect(() => inNetns(taskNetns(1), "busybox ping -c 1 -W 1 198.18.0.2")).toThrow();
  });

  test("a killed net process leaves the tunnel at work; its successor changes nothing", async () => {
    const stream = run(taskNetns(1), STREAM, "10.61.1.12", "7777");
    const answers = linesOf(stream);
    await eventually("it runs", () => answers.length > 5);
    const link = () =>
      inNetns(NODES[0]?.netns ?? "", "ip -o link").match(/(\d+): swwgencnode1/)?.[1];
    const before = link();
    await netOf(1).kill();
    const atKill = answers.length;
    await eventually("it runs on", () => answers.length > atKill + 20);
    await netOf(1).start();
    await eventually("no drift", async () => (await drifts(1)).length === 0);
    expect(link()).toBe(before);
    expect(answers.filter((line) => line !== "answer")).toEqual([]);
    stream.kill("SIGKILL");
  });

  test("another key is made beside the one in use; all pairs take it, and no connection is lost", async () => {
    const streams = [
      run(taskNetns(1), STREAM, "10.61.1.12", "7777"),
      run(taskNetns(3), STREAM, "10.61.1.11", "7777"),
    ];
    const answers = streams.map(linesOf);
    await eventually("they run", () => answers.every((lines) => lines.length > 5));
    const before = presharedKeys(1);
    await netOf(1).kill();
    const path = `${netOf(1).runDir}/net-wireguard.json`;
    const keys = await readChecked<TunnelKeys>(path);
    const pairKeys = keys?.pairKeys.map((key) => ({
      ...key,
      madeAtMs: key.madeAtMs - LONG_AGO_MS,
    }));
    await writeChecked(path, { ...keys, pairKeys });
    await netOf(1).start();
    await eventually(
      "there is another key",
      async () => (await statusOf(1)).plane?.tunnel?.pairKeys?.length === 2,
      20_000,
    );
    // Nobody else has heard of it: it is not in use.
    expect(presharedKeys(1)).toEqual(before);
    note(NODES[0]?.nodeId ?? "", (await statusOf(1)).plane?.tunnel);
    await tellAll();
    const after = presharedKeys(1);
    expect(after.filter((key) => before.includes(key))).toEqual([]);
    const shared = presharedKeys(2).filter((key) => after.includes(key));
    expect([...shared, ...presharedKeys(3).filter((key) => after.includes(key))].sort()).toEqual(
      after,
    );
    const counts = answers.map(({ length }) => length);
    await eventually("they run on", () =>
      answers.every((l, i) => l.length > (counts[i] ?? 0) + 20),
    );
    // Without its interface a node has no sessions left: the next ones are made with the new keys.
    inNetns(NODES[0]?.netns ?? "", "ip link delete dev swwgencnode1");
    expect(await drifts(1)).not.toEqual([]);
    const atLoss = answers.map(({ length }) => length);
    await eventually(
      "they go on with new sessions",
      () => answers.every((lines, i) => lines.length > (atLoss[i] ?? 0) + 20),
      20_000,
    );
    expect(answers.flat().filter((line) => line !== "answer")).toEqual([]);
    expect(seen("secret")).toBe(0);
    await eventually("no drift", async () => (await drifts(1)).length === 0);
    for (const stream of streams) stream.kill("SIGKILL");
  }, 90_000);

  test("a WireGuard program that ends at its start is begun again at once; what it says is shown", async () => {
    const begun = () => readFileSync(join(dir, "bin/begun"), "utf8").trim().split("\n");
    // One that failed, one that was heard, and one that stays.
    expect(begun()).toEqual(Array.from({ length: 3 }, () => "--foreground swwgencnode3"));
    fail(1_000);
    inNetns(NODES[2]?.netns ?? "", "ip link delete dev swwgencnode3");
    await eventually("its words are told", async () =>
      JSON.stringify(await statusOf(3)).includes("wireguard-go ended with 1: ERROR: no luck today"),
    );
    fail(0);
    await eventually("it is back", async () => (await drifts(3)).length === 0, 60_000);
    expect(JSON.stringify(await statusOf(3))).not.toContain("no luck");
  }, 90_000);

  test("leaving the cluster leaves no interface, process or key behind", async () => {
    for (const net of nets) net.leave();
    const left = () =>
      [
        ...NODES.flatMap(({ netns }) => inNetns(netns, "ip -o link").split("\n")),
        ...sh("ps -eo args").split("\n"),
        ...nets.flatMap(({ runDir }) => sh(`ls ${runDir}`).split("\n")),
      ].filter((line) => /^(wireguard-go.*)?swwgencnode|: swwg|net-wireguard/.test(line));
    await eventually("nothing of ours", () => left().length === 0).catch(() => undefined);
    expect(left()).toEqual([]);
  });
});
