/** RTM_*LINK of rtnetlink(7); attribute numbers are those of linux/if_link.h. */
import type { Link, LinkKind } from "../../../core/kernel-model.js";
import { ipBytes, ipText, macBytes, macText } from "../../addresses.js";
import {
  type Attributes,
  attr,
  attrNumber,
  attrString,
  attrString0,
  attrU8,
  attrU16,
  attrU32,
  decodeAttrs,
  decodeNested,
  encodeMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  nest,
  readU32,
  u32,
} from "./message.js";

export const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

const IFINFOMSG_BYTES = 16;
const IFF_UP = 1;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_NET_NS_FD = 28;
const IFLA_EXT_MASK = 29;
/** Counters make most of a link's bytes; nobody here reads them. */
const RTEXT_FILTER_SKIP_STATS = 8;

const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;

const IFLA_BR_VLAN_DEFAULT_PVID = 39;
const IFLA_BRPORT_LEARNING = 8;
const IFLA_BRPORT_ISOLATED = 33;
const VETH_INFO_PEER = 1;

const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_LOCAL = 4;
const IFLA_VXLAN_LEARNING = 7;
const IFLA_VXLAN_PROXY = 11;
const IFLA_VXLAN_PORT = 15;
const IFLA_VXLAN_LOCAL6 = 17;

const MODEL_KINDS: readonly string[] = [
  "bridge",
  "vxlan",
  "veth",
  "dummy",
  "wireguard",
] satisfies LinkKind[];

export type DecodedLink = {
  readonly index: number;
  readonly name: string;
  /** undefined: loopback, a real card or another kind that is not in the model. */
  readonly kind: LinkKind | undefined;
  readonly masterIndex: number;
  /** All of the model's link but the master's name, which is known by index only. */
  readonly link: Omit<Link, "kind" | "master">;
};

export type NewLink = {
  readonly link: Link;
  /** Index of the bridge in the namespace where the link is to be; 0 = none. */
  readonly masterIndex: number;
  /** Descriptor of the namespace the link is to be in; without one that of the socket. */
  readonly netnsFd?: number;
  readonly peer?: { readonly link: Link; readonly netnsFd: number };
};

/** Makes a link that is down: port flags must be set before the first frame passes, see encodeFinishLink. */
export function encodeAddLink({ link, masterIndex, netnsFd, peer }: NewLink): Buffer {
  const data = linkData(link, peer);
  return encodeMessage(
    RTM_NEWLINK,
    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
    ifinfomsg(0, 0, 0),
    ...identity(link),
    ...(masterIndex === 0 ? [] : [attrU32(IFLA_MASTER, masterIndex)]),
    ...(netnsFd === undefined ? [] : [attrU32(IFLA_NET_NS_FD, netnsFd)]),
    nest(
      IFLA_LINKINFO,
      attrString(IFLA_INFO_KIND, link.kind),
      ...(data.length === 0 ? [] : [nest(IFLA_INFO_DATA, ...data)]),
    ),
  );
}

/** Brings MAC, MTU and master of an existing link to what `link` says. */
export function encodeSetLink(link: Link, masterIndex: number): Buffer {
  return encodeMessage(
    RTM_NEWLINK,
    NLM_F_REQUEST | NLM_F_ACK,
    ifinfomsg(0, 0, 0),
    ...identity(link),
    attrU32(IFLA_MASTER, masterIndex),
  );
}

/** Alias, port flags and whether it is up: after the master is set, as port flags belong to the port. */
export function encodeFinishLink(link: Link): Buffer {
  const port = nest(
    IFLA_LINKINFO,
    attrString(IFLA_INFO_SLAVE_KIND, "bridge"),
    nest(
      IFLA_INFO_SLAVE_DATA,
      attrU8(IFLA_BRPORT_LEARNING, Number(link.isLearning)),
      attrU8(IFLA_BRPORT_ISOLATED, Number(link.isIsolated)),
    ),
  );
  return encodeMessage(
    RTM_NEWLINK,
    NLM_F_REQUEST | NLM_F_ACK,
    ifinfomsg(0, link.isUp ? IFF_UP : 0, IFF_UP),
    attrString(IFLA_IFNAME, link.name),
    // An empty alias is an attribute without bytes, which removes it.
    attr(IFLA_IFALIAS, Buffer.from(link.alias)),
    ...(link.master === "" ? [] : [port]),
  );
}

export function encodeLinkUp(name: string): Buffer {
  return encodeMessage(
    RTM_NEWLINK,
    NLM_F_REQUEST | NLM_F_ACK,
    ifinfomsg(0, IFF_UP, IFF_UP),
    attrString(IFLA_IFNAME, name),
  );
}

export function encodeRemoveLink(name: string): Buffer {
  return encodeMessage(
    RTM_DELLINK,
    NLM_F_REQUEST | NLM_F_ACK,
    ifinfomsg(0, 0, 0),
    attrString(IFLA_IFNAME, name),
  );
}

export function encodeGetLink(name: string): Buffer {
  return encodeMessage(
    RTM_GETLINK,
    NLM_F_REQUEST | NLM_F_ACK,
    ifinfomsg(0, 0, 0),
    attrString(IFLA_IFNAME, name),
    attrU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS),
  );
}

export function encodeDumpLinks(): Buffer {
  return encodeMessage(
    RTM_GETLINK,
    NLM_F_REQUEST | NLM_F_DUMP,
    ifinfomsg(0, 0, 0),
    attrU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS),
  );
}

export function decodeLink(payload: Buffer): DecodedLink {
  const attrs = decodeAttrs(payload, IFINFOMSG_BYTES);
  const info = decodeNested(attrs, IFLA_LINKINFO);
  const kind = attrString0(info, IFLA_INFO_KIND);
  const isPort = attrString0(info, IFLA_INFO_SLAVE_KIND) === "bridge";
  const port = decodeNested(info, IFLA_INFO_SLAVE_DATA);
  return {
    index: readU32(payload, 4),
    name: attrString0(attrs, IFLA_IFNAME),
    kind: isModelKind(kind) ? kind : undefined,
    masterIndex: attrNumber(attrs, IFLA_MASTER),
    link: {
      name: attrString0(attrs, IFLA_IFNAME),
      alias: attrString0(attrs, IFLA_IFALIAS),
      mac: macText(attrs.get(IFLA_ADDRESS) ?? Buffer.alloc(0)),
      mtu: attrNumber(attrs, IFLA_MTU),
      isUp: (readU32(payload, 8) & IFF_UP) !== 0,
      isIsolated: isPort && attrNumber(port, IFLA_BRPORT_ISOLATED) === 1,
      isLearning: isPort && attrNumber(port, IFLA_BRPORT_LEARNING) === 1,
      ...(kind === "vxlan" ? { vxlan: decodeVxlan(decodeNested(info, IFLA_INFO_DATA)) } : {}),
    },
  };
}

function isModelKind(kind: string): kind is LinkKind {
  return MODEL_KINDS.includes(kind);
}

function decodeVxlan(data: Attributes): NonNullable<Link["vxlan"]> {
  const local = data.get(IFLA_VXLAN_LOCAL) ?? data.get(IFLA_VXLAN_LOCAL6);
  return {
    vni: attrNumber(data, IFLA_VXLAN_ID),
    port: data.get(IFLA_VXLAN_PORT)?.readUInt16BE(0) ?? 0,
    local: local === undefined ? "" : ipText(local),
  };
}

function linkData(link: Link, peer: NewLink["peer"]): readonly Buffer[] {
  // Without a default VLAN every FDB entry exists once instead of twice (untagged and in VLAN 1).
  if (link.kind === "bridge") return [attrU16(IFLA_BR_VLAN_DEFAULT_PVID, 0)];
  if (link.vxlan !== undefined) return vxlanData(link.vxlan);
  if (peer === undefined) return [];
  return [
    attr(
      VETH_INFO_PEER,
      Buffer.concat([
        ifinfomsg(0, 0, 0),
        ...identity(peer.link),
        attrU32(IFLA_NET_NS_FD, peer.netnsFd),
      ]),
    ),
  ];
}

function vxlanData({ vni, port, local }: NonNullable<Link["vxlan"]>): Buffer[] {
  const portBytes = Buffer.alloc(2);
  portBytes.writeUInt16BE(port);
  const localBytes = local === "" ? undefined : ipBytes(local);
  return [
    attrU32(IFLA_VXLAN_ID, vni),
    ...(localBytes === undefined
      ? []
      : [attr(localBytes.length === 4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6, localBytes)]),
    attrU8(IFLA_VXLAN_LEARNING, 0),
    attrU8(IFLA_VXLAN_PROXY, 1),
    attr(IFLA_VXLAN_PORT, portBytes),
  ];
}

function identity(link: Link): Buffer[] {
  return [
    attrString(IFLA_IFNAME, link.name),
    attrU32(IFLA_MTU, link.mtu),
    ...(link.mac === "" ? [] : [attr(IFLA_ADDRESS, macBytes(link.mac))]),
  ];
}

/** family, pad, device type, index, flags, change mask. */
function ifinfomsg(index: number, flags: number, change: number): Buffer {
  return Buffer.concat([Buffer.alloc(4), u32(index), u32(flags), u32(change)]);
}
