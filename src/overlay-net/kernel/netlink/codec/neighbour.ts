/** RTM_*NEIGH of rtnetlink(7): ARP and ND entries, and the FDB of bridges and VXLAN devices (family AF_BRIDGE). */
import type { FdbEntry, Neighbour } from "../../../core/kernel-model.js";
import { ipBytes, ipText, macBytes, macText } from "../../addresses.js";
import { AF_INET, AF_INET6 } from "./address.js";
import {
  attrBytes,
  decodeAttrs,
  HEADER_BYTES,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  readU16,
  readU32,
  startMessage,
  writeAttr,
} from "./message.js";

export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;

const AF_BRIDGE = 7;
const NDMSG_BYTES = 12;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NDA_VLAN = 5;
const NTF_SELF = 0x02;
const NTF_MASTER = 0x04;
const NTF_PROXY = 0x08;
const NUD_REACHABLE = 0x02;
/** On a bridge: static, does not age. */
const NUD_NOARP = 0x40;
/** On a bridge: an address of the bridge itself. */
const NUD_PERMANENT = 0x80;

export type DecodedNeighbour = Omit<Neighbour, "link"> & { readonly linkIndex: number };
export type DecodedFdb = Omit<FdbEntry, "link"> & { readonly linkIndex: number };

type Header = {
  readonly family: number;
  readonly linkIndex: number;
  readonly state: number;
  readonly flags: number;
};

export function encodeReplaceNeighbour(entry: Neighbour, linkIndex: number): Buffer {
  const dst = ipBytes(entry.address);
  return encodeEntry(
    RTM_NEWNEIGH,
    { family: ipFamily(dst), linkIndex, state: NUD_PERMANENT, flags: 0 },
    [NDA_DST, dst],
    [NDA_LLADDR, macBytes(entry.mac)],
  );
}

export function encodeRemoveNeighbour(entry: Neighbour, linkIndex: number): Buffer {
  const dst = ipBytes(entry.address);
  return encodeEntry(RTM_DELNEIGH, { family: ipFamily(dst), linkIndex, state: 0, flags: 0 }, [
    NDA_DST,
    dst,
  ]);
}

export function encodeReplaceFdb({ mac, dst }: FdbEntry, linkIndex: number): Buffer {
  const isSelf = dst !== "";
  return encodeEntry(
    RTM_NEWNEIGH,
    {
      family: AF_BRIDGE,
      linkIndex,
      state: isSelf ? NUD_PERMANENT : NUD_NOARP | NUD_REACHABLE,
      flags: isSelf ? NTF_SELF : NTF_MASTER,
    },
    [NDA_LLADDR, macBytes(mac)],
    isSelf ? [NDA_DST, ipBytes(dst)] : undefined,
  );
}

export function encodeRemoveFdb({ mac, dst }: FdbEntry, linkIndex: number): Buffer {
  const isSelf = dst !== "";
  return encodeEntry(
    RTM_DELNEIGH,
    { family: AF_BRIDGE, linkIndex, state: 0, flags: isSelf ? NTF_SELF : NTF_MASTER },
    [NDA_LLADDR, macBytes(mac)],
    isSelf ? [NDA_DST, ipBytes(dst)] : undefined,
  );
}

export function encodeDumpNeighbours(): Buffer {
  return encodeDump(0);
}

export function encodeDumpFdb(): Buffer {
  return encodeDump(AF_BRIDGE);
}

/** undefined for entries that are learned or not for IP. */
export function decodeNeighbour(payload: Buffer): DecodedNeighbour | undefined {
  const { family, linkIndex, state, flags } = readHeader(payload);
  const attrs = decodeAttrs(payload, NDMSG_BYTES);
  const dst = attrs.get(NDA_DST);
  const mac = attrs.get(NDA_LLADDR);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  if ((state & NUD_PERMANENT) === 0 || (flags & NTF_PROXY) !== 0) return undefined;
  if (dst === undefined || mac === undefined) return undefined;
  return { linkIndex, address: ipText(dst), mac: macText(mac) };
}

/** undefined for entries that are learned, the bridge's own, or of one VLAN. */
export function decodeFdb(payload: Buffer): DecodedFdb | undefined {
  const { family, linkIndex, state, flags } = readHeader(payload);
  const attrs = decodeAttrs(payload, NDMSG_BYTES);
  const mac = attrs.get(NDA_LLADDR);
  if (family !== AF_BRIDGE || mac === undefined || attrs.has(NDA_VLAN)) return undefined;
  const dst = attrs.get(NDA_DST);
  if (dst !== undefined) return { linkIndex, mac: macText(mac), dst: ipText(dst) };
  const isStatic = (state & NUD_NOARP) !== 0 && (state & NUD_PERMANENT) === 0;
  if ((flags & NTF_SELF) !== 0 || !isStatic) return undefined;
  return { linkIndex, mac: macText(mac), dst: "" };
}

/** Whether a notification tells of an entry that only ages or is being resolved: no change of what anybody configured. */
export function isTransientNeighbour(type: number, payload: Buffer): boolean {
  return type === RTM_NEWNEIGH && (readHeader(payload).state & (NUD_PERMANENT | NUD_NOARP)) === 0;
}

function encodeDump(family: number): Buffer {
  const message = startMessage(RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, NDMSG_BYTES);
  writeNdmsg(message, HEADER_BYTES, { family, linkIndex: 0, state: 0, flags: 0 });
  return message;
}

function ipFamily(bytes: Buffer): number {
  return bytes.length === 4 ? AF_INET : AF_INET6;
}

const REPLACE = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
const REMOVE = NLM_F_REQUEST | NLM_F_ACK;

type Attr = readonly [type: number, payload: Buffer];

function encodeEntry(
  type: typeof RTM_NEWNEIGH | typeof RTM_DELNEIGH,
  header: Header,
  first: Attr,
  second?: Attr,
): Buffer {
  const size = NDMSG_BYTES + attrBytes(first[1]) + (second ? attrBytes(second[1]) : 0);
  const message = startMessage(type, type === RTM_NEWNEIGH ? REPLACE : REMOVE, size);
  writeNdmsg(message, HEADER_BYTES, header);
  const next = writeAttr(message, HEADER_BYTES + NDMSG_BYTES, ...first);
  if (second) writeAttr(message, next, ...second);
  return message;
}

/** `struct ndmsg`. */
function writeNdmsg(bytes: Buffer, at: number, { family, linkIndex, state, flags }: Header): void {
  bytes.writeUInt8(family, at);
  bytes.writeUInt32LE(linkIndex, at + 4);
  bytes.writeUInt16LE(state, at + 8);
  bytes.writeUInt8(flags, at + 10);
}

function readHeader(payload: Buffer): Header {
  return {
    family: payload[0] ?? 0,
    linkIndex: readU32(payload, 4),
    state: readU16(payload, 8),
    flags: payload[10] ?? 0,
  };
}
