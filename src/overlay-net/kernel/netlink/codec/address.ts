/** RTM_*ADDR of rtnetlink(7). */
import { parsePrefix, prefixText } from "../../addresses.js";
import {
  attr,
  decodeAttrs,
  encodeMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  readU32,
  u32,
} from "./message.js";

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
export const AF_INET = 2;
export const AF_INET6 = 10;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
/** Duplicate address detection would keep an address unusable for a second; addresses here are unique by allocation. */
const IFA_F_NODAD = 2;
const RT_SCOPE_LINK = 253;
const IFADDRMSG_BYTES = 8;

export type DecodedAddress = {
  readonly linkIndex: number;
  readonly address: string;
  /** fe80::/64, made by the kernel for every link that is up. */
  readonly isLinkLocal: boolean;
};

export function encodeAddAddress(linkIndex: number, address: string): Buffer {
  return encodeAddress(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, linkIndex, address);
}

export function encodeRemoveAddress(linkIndex: number, address: string): Buffer {
  return encodeAddress(RTM_DELADDR, 0, linkIndex, address);
}

function encodeAddress(type: number, flags: number, linkIndex: number, address: string): Buffer {
  const { family, bytes, length } = parsePrefix(address);
  const header = Buffer.from([
    family === 4 ? AF_INET : AF_INET6,
    length,
    family === 6 ? IFA_F_NODAD : 0,
    0,
  ]);
  return encodeMessage(
    type,
    NLM_F_REQUEST | NLM_F_ACK | flags,
    header,
    u32(linkIndex),
    attr(IFA_LOCAL, bytes),
    attr(IFA_ADDRESS, bytes),
  );
}

export function encodeDumpAddresses(): Buffer {
  return encodeMessage(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, Buffer.alloc(IFADDRMSG_BYTES));
}

export function decodeAddress(payload: Buffer): DecodedAddress | undefined {
  const attrs = decodeAttrs(payload, IFADDRMSG_BYTES);
  const bytes = attrs.get(IFA_LOCAL) ?? attrs.get(IFA_ADDRESS);
  if (bytes === undefined) return undefined;
  return {
    linkIndex: readU32(payload, 4),
    address: prefixText(bytes, payload[1] ?? 0),
    isLinkLocal: payload[0] === AF_INET6 && payload[3] === RT_SCOPE_LINK,
  };
}
