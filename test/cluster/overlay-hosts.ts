/** Three hosts, each a network namespace on one bridge, and a client outside: what the overlay's desired state is executed on. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { unreachable } from "../../src/base/index.js";
import { desiredState } from "../../src/overlay-net/core/desired.js";
import type { KernelOperation, Link, VethPeer } from "../../src/overlay-net/core/kernel-model.js";
import type { LocalAttachment, LocalFacts } from "../../src/overlay-net/core/local-facts.js";
import { nodeNames } from "../../src/overlay-net/core/names.js";
import type { NetworkState } from "../../src/overlay-net/core/network-state.js";
import { planNode } from "../../src/overlay-net/core/planner.js";

const PREFIX = "ovr-";
export const LAN = `${PREFIX}lan`;
export const CLIENT = `${PREFIX}client`;

export type Host = { readonly netns: string; readonly nodeId: string; readonly index: number };

/** The first eight characters of a node's id name what it makes. */
export const HOSTS: readonly Host[] = [1, 2, 3].map((index) => ({
  netns: `${PREFIX}h${index}`,
  nodeId: `ovrnode${index}0123456789abcdefg`,
  index,
}));

export function sh(script: string): string {
  return execFileSync("bash", ["-ec", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** One command line in a namespace. */
export function inNetns(netns: string, command: string): string {
  return sh(`nsenter --net=/run/netns/${netns} ${command}`);
}

export function makeHosts(): void {
  removeHosts();
  sh(
    `ip netns add ${LAN}; ip -n ${LAN} link add name br0 type bridge; ip -n ${LAN} link set dev br0 up`,
  );
  for (const { netns, last } of [
    ...HOSTS.map(({ netns, index }) => ({ netns, last: index })),
    { netns: CLIENT, last: 100 },
  ]) {
    sh(`ip netns add ${netns}
      ip -n ${LAN} link add name p${last} type veth peer name eth0 netns ${netns}
      ip -n ${LAN} link set dev p${last} master br0 up
      ip -n ${netns} link set dev lo up; ip -n ${netns} link set dev eth0 up
      ip -n ${netns} addr add 10.99.0.${last}/24 dev eth0
      ip -n ${netns} addr add fd99::${last}/64 dev eth0 nodad`);
  }
}

export function removeHosts(): void {
  const names = sh("ip netns list")
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  const isOurs = (name: string) => name.startsWith(PREFIX) || name.startsWith("swarm-ovrnode");
  for (const name of names.filter(isOurs)) sh(`ip netns del ${name}`);
}

/** Brings a host from nothing to what it should be. */
export function bringUp(
  host: Host,
  state: NetworkState,
  attachments: readonly LocalAttachment[],
): void {
  const names = nodeNames(host.nodeId);
  const local: LocalFacts = {
    attachments,
    keepsGwbridge: true,
    gwbridgeSubnet: "172.31.0.0/24",
    gwbridgeMtu: 1500,
    heldPorts: [8080, 8090, 8099].flatMap((publishedPort) => [
      { protocol: "tcp" as const, publishedPort },
      { protocol: "udp" as const, publishedPort },
    ]),
    uplinks: [{ name: "eth0", acceptRa: 0 }],
    wasForwarding: false,
    wasForwarding6: false,
    hasIpv6: true,
    hasDefaultRoute6: false,
    hasBridgeNetfilter: true,
    firewall: { dockerUser: "absent", dockerUser6: "absent", isFirewalldRunning: false },
  };
  const desired = desiredState({ state, names, local });
  const everything = { mayDelete: true, aliasPrefix: "", tablePrefix: "" };
  const pairs = desired.map((netns) => ({
    netns: netns.netns,
    desired: netns,
    observed: netns.netns === "" ? emptyHost() : undefined,
    ownership: everything,
  }));
  for (const { netns, operations } of planNode(pairs)) {
    for (const operation of operations) execute(host, netns || host.netns, operation);
  }
}

function emptyHost() {
  const none = { links: [], addresses: [], routes: [], rules: [] };
  return { netns: "", ...none, fdb: [], neighbours: [], tables: [], sysctls: [] };
}

function execute(host: Host, netns: string, operation: KernelOperation): void {
  const ip = `ip -n ${netns}`;
  switch (operation.kind) {
    case "addNetns":
      sh(`ip netns add ${netns}; ${ip} link set dev lo up`);
      return;
    case "addLink":
      addLink(host, netns, operation.link, operation.peer);
      return;
    case "addAddress": {
      const { link, address } = operation.address;
      sh(`${ip} addr add ${address} dev ${link} ${address.includes(":") ? "nodad" : ""}`);
      return;
    }
    case "replaceRoute": {
      const { dst, family, via, link, table } = operation.route;
      sh(
        `${ip} -${family} route replace ${dst} ${via === "" ? "" : `via ${via}`} dev ${link} table ${table}`,
      );
      return;
    }
    case "addRule": {
      const { family, priority, fwmark, mask, table } = operation.rule;
      sh(`${ip} -${family} rule add pref ${priority} fwmark ${fwmark}/${mask} lookup ${table}`);
      return;
    }
    case "replaceFdb": {
      const { link, mac, dst } = operation.entry;
      const how = dst === "" ? "master static" : `dst ${dst} self permanent`;
      sh(`bridge -n ${netns} fdb replace ${mac} dev ${link} ${how}`);
      return;
    }
    case "replaceNeighbour": {
      const { link, address, mac } = operation.entry;
      sh(`${ip} neigh replace ${address} lladdr ${mac} dev ${link} nud permanent`);
      return;
    }
    case "nft":
      execFileSync("nsenter", [`--net=/run/netns/${netns}`, "nft", "-f", "-"], {
        input: operation.script,
        stdio: ["pipe", "ignore", "pipe"],
      });
      return;
    case "setSysctl":
      inNetns(netns, `sh -c 'echo ${operation.sysctl.value} > /proc/sys/${operation.sysctl.key}'`);
      return;
    case "setLink":
    case "removeLink":
    case "removeNetns":
    case "removeAddress":
    case "removeRoute":
    case "removeRule":
    case "removeFdb":
    case "removeNeighbour":
    case "endConnections":
      throw new Error(`nothing is taken away when a host comes up: ${operation.kind}`);
    default:
      return unreachable(operation, "execute");
  }
}

function addLink(host: Host, netns: string, link: Link, peer: VethPeer | undefined): void {
  if (link.kind === "bridge") {
    sh(`ip -n ${netns} link add name ${link.name} type bridge`);
  } else if (link.vxlan !== undefined) {
    const { vni, port, local } = link.vxlan;
    // Made on the host, so that its socket stays there, and moved.
    sh(`ip -n ${host.netns} link add name ${link.name} type vxlan id ${vni} dstport ${port} nolearning proxy local ${local}
      ip -n ${host.netns} link set dev ${link.name} netns ${netns}`);
  } else if (peer !== undefined) {
    const there = peer.netns || host.netns;
    sh(
      `ip -n ${netns} link add name ${link.name} type veth peer name ${peer.link.name} netns ${there}`,
    );
    setLink(there, peer.link);
  }
  setLink(netns, link);
}

function setLink(netns: string, link: Link): void {
  const mac = link.mac === "" ? "" : `address ${link.mac}`;
  const master = link.master === "" ? "" : `master ${link.master}`;
  sh(
    `ip -n ${netns} link set dev ${link.name} alias ${link.alias} mtu ${link.mtu} ${mac} ${master} up`,
  );
  if (link.master === "") return;
  const flag = (isOn: boolean) => (isOn ? "on" : "off");
  sh(
    `bridge -n ${netns} link set dev ${link.name} isolated ${flag(link.isIsolated)} learning ${flag(link.isLearning)}`,
  );
}

/** Answers TCP with `<name> <who asks>` and UDP datagrams likewise, on one port of every address. */
const SERVER = `
const [name, port] = process.argv.slice(1);
const plain = (a) => a.replace(/^::ffff:/, "");
const tcp = require("node:net").createServer((s) => { s.on("error", () => {}); s.end(name + " " + plain(s.remoteAddress) + "\\n"); });
tcp.listen(Number(port), "::", () => {
  const udp = require("node:dgram").createSocket("udp6");
  udp.on("message", (_, r) => udp.send(name + " " + plain(r.address) + "\\n", r.port, r.address));
  udp.bind(Number(port), () => console.log("ready"));
});`;

export async function serve(netns: string, name: string, port: number): Promise<ChildProcess> {
  const child = spawn(
    "nsenter",
    [`--net=/run/netns/${netns}`, process.execPath, "-e", SERVER, name, `${port}`],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`server ${name} ended with ${code}`)));
  });
  return child;
}

/** What the server says, or "refused", or "silent" after the time given. */
export function ask(netns: string, address: string, port: number, timeoutSec = 3): string {
  return attempt(
    netns,
    timeoutSec,
    `exec 3<>/dev/tcp/${address}/${port}; read -r line <&3; echo "$line"`,
  );
}

/** One read for the whole datagram: the shell's own takes single bytes, and the rest of the datagram is lost. */
export function askUdp(netns: string, address: string, port: number): string {
  return attempt(
    netns,
    2,
    `exec 3<>/dev/udp/${address}/${port}; echo hello >&3; dd bs=2048 count=1 status=none <&3`,
  );
}

function attempt(netns: string, timeoutSec: number, script: string): string {
  try {
    return inNetns(netns, `timeout ${timeoutSec} bash -ec '${script}'`).trim();
  } catch (error) {
    const { status } = error as { status: number };
    return status === 124 ? "silent" : "refused";
  }
}
