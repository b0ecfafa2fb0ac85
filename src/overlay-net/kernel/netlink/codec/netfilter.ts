/** nfnetlink: connections (linux/netfilter/nfnetlink_conntrack.h) and names of nft tables (nf_tables.h). */
import type { ConntrackFilter, NftFamily } from "../../../core/kernel-model.js";
import { ipText } from "../../addresses.js";
import {
  ATTR_NESTED,
  type Attributes,
  attr,
  attrString,
  attrString0,
  decodeAttrs,
  decodeNested,
  encodeMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
} from "./message.js";

const NFNL_SUBSYS_CTNETLINK = 1;
const NFNL_SUBSYS_NFTABLES = 10;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const IPCTNL_MSG_CT_GET_STATS = 5;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_GETCHAIN = 4;
const NFT_MSG_GETRULE = 7;
const NFT_MSG_NEWGEN = 15;
const NFT_MSG_GETGEN = 16;
const NFGENMSG_BYTES = 4;

const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_PROTOINFO = 4;
const CTA_ID = 12;
const CTA_STATS_GLOBAL_ENTRIES = 1;
const CTA_ZONE = 18;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_TUPLE_ZONE = 3;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const CTA_PROTOINFO_TCP = 1;
const CTA_PROTOINFO_SCTP = 3;
/** Of either. */
const CTA_PROTOINFO_STATE = 1;
/** TCP_CONNTRACK_SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT: from the second packet until both sides have closed. */
const TCP_OPEN_STATES: ReadonlySet<number | undefined> = new Set([2, 3, 4, 5]);
const SCTP_ESTABLISHED = 4;

const NFTA_TABLE_NAME = 1;
const NFTA_TABLE_HANDLE = 4;
const NFTA_TABLE_USERDATA = 6;
/** First TLV of a table's user data: its comment, zero-terminated. */
const UDATA_TABLE_COMMENT = 0;
const NFTA_CHAIN_TABLE = 1;
const NFTA_RULE_TABLE = 1;
const NFTA_GEN_ID = 1;

const PROTOCOLS: Readonly<Record<number, ConntrackFilter["protocol"]>> = {
  6: "tcp",
  17: "udp",
  132: "sctp",
};
/** NFPROTO_*; arp and bridge are not in the model. */
const FAMILIES: Readonly<Record<number, NftFamily>> = {
  1: "inet",
  2: "ip",
  5: "netdev",
  10: "ip6",
};
const FAMILY_NUMBERS = new Map(Object.entries(FAMILIES).map(([number, name]) => [name, +number]));

export type Connection = {
  readonly family: number;
  readonly protocol: ConntrackFilter["protocol"];
  readonly originalDst: string;
  readonly originalDstPort: number;
  readonly replySrc: string;
  /** Of the original direction; 0 = none. */
  readonly zone: number;
  /** Has a state (TCP, SCTP), and is not over by it. */
  readonly isOpen: boolean;
  /**
   * What a deletion must name: reply tuple, zone and id as the kernel gave them. By its original tuple a later connection of the same client
   * port would be found in its place, whose id is the same when the kernel gave it the same piece of memory.
   */
  readonly key: readonly Buffer[];
};
export type DecodedTable = {
  readonly family: NftFamily;
  readonly name: string;
  readonly comment: string;
  /** The kernel's, which no other table of the namespace ever has. */
  readonly handle: string;
};

export function encodeDumpConnections(): Buffer {
  return encodeMessage(
    (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET,
    NLM_F_REQUEST | NLM_F_DUMP,
    nfgenmsg(0),
  );
}

/** Of the namespace that is asked. */
export function encodeCountConnections(): Buffer {
  return encodeMessage(
    (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET_STATS,
    NLM_F_REQUEST | NLM_F_ACK,
    nfgenmsg(0),
  );
}

/** undefined when the answer does not say. */
export function decodeConnectionCount(payload: Buffer): number | undefined {
  return decodeAttrs(payload, NFGENMSG_BYTES).get(CTA_STATS_GLOBAL_ENTRIES)?.readUInt32BE(0);
}

export function encodeEndConnection({ family, key }: Connection): Buffer {
  return encodeMessage(
    (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE,
    NLM_F_REQUEST | NLM_F_ACK,
    nfgenmsg(family),
    ...key,
  );
}

export function decodeConnection(payload: Buffer): Connection {
  const attrs = decodeAttrs(payload, NFGENMSG_BYTES);
  const original = decodeNested(attrs, CTA_TUPLE_ORIG);
  const reply = decodeNested(attrs, CTA_TUPLE_REPLY);
  const proto = decodeNested(original, CTA_TUPLE_PROTO);
  const zone = attrs.get(CTA_ZONE) ?? original.get(CTA_TUPLE_ZONE);
  return {
    family: payload[0] ?? 0,
    protocol: PROTOCOLS[proto.get(CTA_PROTO_NUM)?.[0] ?? 0],
    originalDst: tupleAddress(original, CTA_IP_V4_DST, CTA_IP_V6_DST),
    originalDstPort: proto.get(CTA_PROTO_DST_PORT)?.readUInt16BE(0) ?? 0,
    replySrc: tupleAddress(reply, CTA_IP_V4_SRC, CTA_IP_V6_SRC),
    zone: zone?.readUInt16BE(0) ?? 0,
    isOpen: isOpen(attrs),
    key: [CTA_TUPLE_REPLY, CTA_ZONE, CTA_ID].flatMap((type) => {
      const bytes = attrs.get(type);
      if (bytes === undefined) return [];
      return [attr(type === CTA_TUPLE_REPLY ? type | ATTR_NESTED : type, bytes)];
    }),
  };
}

function isOpen(attrs: Attributes): boolean {
  const info = decodeNested(attrs, CTA_PROTOINFO);
  const stateOf = (kind: number) => decodeNested(info, kind).get(CTA_PROTOINFO_STATE)?.[0];
  return (
    TCP_OPEN_STATES.has(stateOf(CTA_PROTOINFO_TCP)) ||
    stateOf(CTA_PROTOINFO_SCTP) === SCTP_ESTABLISHED
  );
}

/** All fields that are given match. Addresses are in canonical text. */
export function matchesFilter(connection: Connection, filter: ConntrackFilter): boolean {
  const { protocol, originalDst, originalDstPort, replySrc, zone } = filter;
  return (
    (protocol === undefined || connection.protocol === protocol) &&
    (originalDst === undefined || connection.originalDst === originalDst) &&
    (originalDstPort === undefined || connection.originalDstPort === originalDstPort) &&
    (replySrc === undefined || connection.replySrc === replySrc) &&
    (zone === undefined || connection.zone === zone)
  );
}

export function encodeDumpTables(): Buffer {
  return encodeMessage(
    (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE,
    NLM_F_REQUEST | NLM_F_DUMP,
    nfgenmsg(0),
  );
}

export function decodeTable(payload: Buffer): DecodedTable | undefined {
  const attrs = decodeAttrs(payload, NFGENMSG_BYTES);
  const family = FAMILIES[payload[0] ?? 0];
  if (family === undefined) return undefined;
  return {
    family,
    name: attrString0(attrs, NFTA_TABLE_NAME),
    comment: tableComment(attrs.get(NFTA_TABLE_USERDATA)),
    handle: attrs.get(NFTA_TABLE_HANDLE)?.toString("hex") ?? "",
  };
}

/** Of all tables: the kernel takes no filter here. */
export function encodeDumpChains(): Buffer {
  return encodeMessage(
    (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN,
    NLM_F_REQUEST | NLM_F_DUMP,
    nfgenmsg(0),
  );
}

/** Of one table. */
export function encodeDumpRules({ family, name }: Pick<DecodedTable, "family" | "name">): Buffer {
  return encodeMessage(
    (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETRULE,
    NLM_F_REQUEST | NLM_F_DUMP,
    nfgenmsg(FAMILY_NUMBERS.get(family) ?? 0),
    attrString(NFTA_RULE_TABLE, name),
  );
}

/** Of a chain or rule: all but the header, which tells the generation. */
export function contentOf(payload: Buffer): Buffer {
  return payload.subarray(NFGENMSG_BYTES);
}

/** Whether a chain is in this table. */
export function isChainOf(
  payload: Buffer,
  { family, name }: Pick<DecodedTable, "family" | "name">,
): boolean {
  return (
    FAMILIES[payload[0] ?? 0] === family &&
    attrString0(decodeAttrs(payload, NFGENMSG_BYTES), NFTA_CHAIN_TABLE) === name
  );
}

export function encodeGetGeneration(): Buffer {
  return encodeMessage(
    (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN,
    NLM_F_REQUEST | NLM_F_ACK,
    nfgenmsg(0),
  );
}

/** Ends the notifications of each transaction; also the answer to `encodeGetGeneration`. */
export function isGeneration(type: number): boolean {
  return type === ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN);
}

export function decodeGeneration(payload: Buffer): number {
  return decodeAttrs(payload, NFGENMSG_BYTES).get(NFTA_GEN_ID)?.readUInt32BE(0) ?? 0;
}

/** TLVs with a length byte and no padding. */
function tableComment(userData: Buffer | undefined): string {
  for (let at = 0; userData !== undefined && at + 2 <= userData.length; ) {
    const size = userData[at + 1] ?? 0;
    if (userData[at] === UDATA_TABLE_COMMENT)
      return userData.toString("utf8", at + 2, at + 2 + size).replace(/\0+$/, "");
    at += 2 + size;
  }
  return "";
}

function tupleAddress(tuple: Attributes, v4: number, v6: number): string {
  const ip = decodeNested(tuple, CTA_TUPLE_IP);
  const bytes = ip.get(v4) ?? ip.get(v6);
  return bytes === undefined ? "" : ipText(bytes);
}

/** family, version 0, resource id 0. */
function nfgenmsg(family: number): Buffer {
  return Buffer.from([family, 0, 0, 0]);
}
