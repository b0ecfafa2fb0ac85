/** Operations as lines of `ip -batch` and `bridge -batch`, and as arguments of conntrack. Pure. */
import type { ConntrackFilter, KernelOperation, Link, VethPeer } from "../../core/kernel-model.js";
import { familyOf, ipBytes, ipText, macBytes, parsePrefix } from "../addresses.js";
import { KernelError, netnsPath } from "../netns-kernel.js";

/** One line of a batch. Lines of the same command and namespace that follow each other travel together. */
export type Line = {
  readonly netns: string;
  /** Without `-batch -`. */
  readonly command: readonly string[];
  readonly line: string;
  /** What the tool says when nothing was to be done. */
  readonly harmless?: RegExp;
};

/** Old kernels give an errno, which iproute2 words; new ones a text of their own ("ipv4: Address not found"). */
const GONE =
  /Cannot find device|No such (device|file or directory|process)|Cannot assign requested address|not found/i;
/** Words and quoted words: nothing of a name may end a word or a line of a batch. */
const SAFE_NAME = /^[\w.@:+-]+$/;

/** The line that makes a link: only this one cannot be repeated. */
export function makeLinkLine(netns: string, link: Link, peer: VethPeer | undefined): Line {
  const { vxlan } = link;
  const isTunnel = link.kind === "vxlan" || link.kind === "wireguard";
  const parts = ["link add", `name ${safe(link.name)}`, ...identity(link)];
  // A tunnel's own socket is in the namespace where the link is made: the underlay is the host's.
  if (isTunnel && netns !== "") parts.push(`netns ${netnsPath(netns)}`);
  parts.push(`type ${link.kind}`);
  // Without a default VLAN every FDB entry exists once instead of twice (untagged and in VLAN 1).
  if (link.kind === "bridge") parts.push("vlan_default_pvid 0");
  if (vxlan !== undefined) {
    parts.push(`id ${vxlan.vni} dstport ${vxlan.port} nolearning proxy`);
    if (vxlan.local !== "") parts.push(`local ${address(vxlan.local)}`);
  }
  if (peer !== undefined)
    parts.push(
      `peer name ${safe(peer.link.name)}`,
      ...identity(peer.link),
      `netns ${fileOf(peer)}`,
    );
  return { netns: isTunnel ? "" : netns, command: ["ip"], line: parts.join(" ") };
}

/** All that a link that is there can be given. Port flags come before it is up. */
export function setLinkLines(netns: string, link: Link): Line[] {
  const name = safe(link.name);
  const ip = (line: string): Line => ({ netns, command: ["ip"], line });
  const onOff = (value: boolean): string => (value ? "on" : "off");
  return [
    ip(
      [
        `link set dev ${name}`,
        ...identity(link),
        link.master === "" ? "nomaster" : `master ${safe(link.master)}`,
      ].join(" "),
    ),
    ip(`link set dev ${name} alias ${quoted(link.alias)}`),
    ...(link.master === ""
      ? []
      : [
          ip(
            `link set dev ${name} type bridge_slave isolated ${onOff(link.isIsolated)} learning ${onOff(link.isLearning)}`,
          ),
        ]),
    ip(`link set dev ${name} ${link.isUp ? "up" : "down"}`),
  ];
}

/** Lines of the operations that are one line of a batch; undefined for the others. Throws AddressError, KernelError INVALID. */
export function entryLine(netns: string, operation: KernelOperation): Line | undefined {
  switch (operation.kind) {
    case "removeLink":
      return ip(netns, `link del dev ${safe(operation.name)}`, GONE);
    case "addAddress":
    case "removeAddress": {
      const { link, address: text } = operation.address;
      const { family } = parsePrefix(text);
      if (operation.kind === "removeAddress")
        return ip(netns, `addr del ${text} dev ${safe(link)}`, GONE);
      return ip(netns, `addr replace ${text} dev ${safe(link)}${family === 6 ? " nodad" : ""}`);
    }
    case "replaceRoute":
      return ip(netns, `route replace ${routeText(operation.route)} proto static`);
    case "removeRoute":
      return ip(netns, `route del ${routeText(operation.route)}`, GONE);
    case "addRule":
    case "removeRule": {
      const { family, priority, fwmark, mask, table } = operation.rule;
      const isAdding = operation.kind === "addRule";
      return {
        netns,
        command: ["ip", `-${family}`],
        line: `rule ${isAdding ? "add" : "del"} priority ${priority} fwmark ${fwmark}/${mask} lookup ${table}`,
        harmless: isAdding ? /File exists/ : GONE,
      };
    }
    case "replaceFdb":
    case "removeFdb": {
      const { link, mac, dst } = operation.entry;
      const isSelf = dst !== "";
      macBytes(mac);
      const where = `${mac} dev ${safe(link)} ${isSelf ? `dst ${address(dst)} self` : "master"}`;
      const isAdding = operation.kind === "replaceFdb";
      return {
        netns,
        command: ["bridge"],
        line: isAdding
          ? `fdb replace ${where} ${isSelf ? "permanent" : "static"}`
          : `fdb del ${where}`,
        ...(isAdding ? {} : { harmless: GONE }),
      };
    }
    case "replaceNeighbour":
    case "removeNeighbour": {
      const { link, mac, address: text } = operation.entry;
      if (operation.kind === "removeNeighbour")
        return ip(netns, `neigh del ${address(text)} dev ${safe(link)}`, GONE);
      macBytes(mac);
      return ip(
        netns,
        `neigh replace ${address(text)} lladdr ${mac} dev ${safe(link)} nud permanent`,
      );
    }
    default:
      return undefined;
  }
}

/** conntrack(8) wants one family and, for ports, one protocol per call; zones of one direction are another option. */
export function endConnectionsCommands(filter: ConntrackFilter): string[][] {
  const { protocol, originalDst, originalDstPort, replySrc, zone } = filter;
  const given = originalDst ?? replySrc;
  const families = given === undefined ? [4, 6] : [familyOf(given)];
  const protocols: readonly ConntrackFilter["protocol"][] =
    protocol === undefined && originalDstPort !== undefined ? ["tcp", "udp", "sctp"] : [protocol];
  const zones =
    zone === undefined
      ? [[]]
      : [
          ["-w", `${zone}`],
          ["--orig-zone", `${zone}`],
        ];
  const common = [
    ...(originalDst === undefined ? [] : ["--orig-dst", address(originalDst)]),
    ...(replySrc === undefined ? [] : ["--reply-src", address(replySrc)]),
  ];
  return families.flatMap((family) =>
    protocols.flatMap((name) =>
      zones.flatMap((zoneArgs) =>
        statesOf(name).map((stateArgs) => [
          ...["conntrack", "-D", "-f", family === 4 ? "ipv4" : "ipv6"],
          ...(name === undefined ? [] : ["-p", name]),
          ...stateArgs,
          ...common,
          ...(originalDstPort === undefined ? [] : ["--orig-port-dst", `${originalDstPort}`]),
          ...zoneArgs,
        ]),
      ),
    ),
  );
}

/** States of TCP from the second packet until both sides have closed, and of SCTP. */
const OPEN_STATES = new Set(["SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT"]);

/**
 * conntrack(8) names by its original direction what it deletes after it has listed all: in place of a TCP connection that is over, the
 * next one of the same client port would end.
 */
function statesOf(protocol: ConntrackFilter["protocol"]): readonly string[][] {
  if (protocol !== "tcp") return [[]];
  return ["SYN_SENT", ...OPEN_STATES].map((state) => ["--state", state]);
}

/** Connections with a state, in the families of these addresses. */
export function listFlowsCommands(addresses: readonly string[]): string[][] {
  const families = new Set(addresses.map((address) => familyOf(address)));
  return [...families].flatMap((family) =>
    ["tcp", "sctp"].map((protocol) => [
      ...["conntrack", "-L", "-f", family === 4 ? "ipv4" : "ipv6", "-p", protocol],
    ]),
  );
}

/** Lines of a list that are answered from one of these addresses and not over yet. */
export function countOpenFlows(listed: string, addresses: readonly string[]): number {
  const own = new Set(addresses.map((address) => ipText(ipBytes(address))));
  return listed.split("\n").filter((line) => {
    const state = line.split(/\s+/)[3] ?? "";
    // Of the original direction first, then of the reply.
    const source = [...line.matchAll(/\bsrc=(\S+)/g)][1]?.[1] ?? "";
    return OPEN_STATES.has(state) && source !== "" && own.has(ipText(ipBytes(source)));
  }).length;
}

function ip(netns: string, line: string, harmless?: RegExp): Line {
  return { netns, command: ["ip"], line, ...(harmless !== undefined && { harmless }) };
}

function identity({ mtu, mac }: Link): string[] {
  if (mac !== "") macBytes(mac);
  return [`mtu ${mtu}`, ...(mac === "" ? [] : [`address ${mac}`])];
}

function routeText({
  dst,
  family,
  via,
  link,
  table,
}: {
  readonly dst: string;
  readonly family: 4 | 6;
  readonly via: string;
  readonly link: string;
  readonly table: number;
}): string {
  // "default" alone would not tell the family.
  const any = family === 4 ? "0.0.0.0/0" : "::/0";
  if (dst !== "default") parsePrefix(dst);
  const gateway = via === "" ? "" : `via ${address(via)} `;
  return `${dst === "default" ? any : dst} ${gateway}dev ${safe(link)} table ${table}`;
}

function fileOf({ netns }: VethPeer): string {
  // `ip` runs in another process: its own "self" would be its namespace.
  return netns === "" ? `/proc/${process.pid}/ns/net` : netnsPath(netns);
}

function address(text: string): string {
  ipBytes(text);
  return text;
}

function safe(name: string): string {
  if (!SAFE_NAME.test(name)) throw new KernelError("INVALID", `"${name}" is no name of a link`);
  return name;
}

function quoted(text: string): string {
  if (/["\\\n]/.test(text)) throw new KernelError("INVALID", `"${text}" is no alias`);
  return `"${text}"`;
}
