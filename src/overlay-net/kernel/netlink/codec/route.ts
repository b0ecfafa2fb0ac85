/** RTM_*ROUTE and RTM_*RULE of rtnetlink(7); rules as in linux/fib_rules.h. */
import type { Route, Rule } from "../../../core/kernel-model.js";
import { ipBytes, ipText, parsePrefix, prefixText } from "../../addresses.js";
import { AF_INET, AF_INET6 } from "./address.js";
import {
  attr,
  attrNumber,
  attrU32,
  decodeAttrs,
  encodeMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
} from "./message.js";

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_GETRULE = 34;

const RTMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_TABLE = 15;
const RTPROT_REDIRECT = 1;
const RTPROT_KERNEL = 2;
const RTPROT_STATIC = 4;
const RTPROT_RA = 9;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;
const RTN_UNICAST = 1;
const RT_TABLE_LOCAL = 255;
/** Table 0 in the header: the number is in its attribute, which has room for 32 bits. */
const RT_TABLE_UNSPEC = 0;

const FRA_SRC = 2;
const FRA_DST = 1;
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FR_ACT_TO_TBL = 1;
const FULL_MASK = 0xffff_ffff;

export type DecodedRoute = Omit<Route, "link"> & { readonly linkIndex: number };

export function encodeReplaceRoute(route: Route, linkIndex: number): Buffer {
  const scope = route.via === "" && route.family === 4 ? RT_SCOPE_LINK : 0;
  return encodeRoute(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route, linkIndex, [
    RTPROT_STATIC,
    scope,
    RTN_UNICAST,
  ]);
}

export function encodeRemoveRoute(route: Route, linkIndex: number): Buffer {
  return encodeRoute(RTM_DELROUTE, 0, route, linkIndex, [0, RT_SCOPE_NOWHERE, 0]);
}

function encodeRoute(
  type: number,
  flags: number,
  route: Route,
  linkIndex: number,
  [protocol, scope, kind]: readonly [number, number, number],
): Buffer {
  const dst = route.dst === "default" ? undefined : parsePrefix(route.dst);
  const header = Buffer.from([
    ...[family(route.family), dst?.length ?? 0, 0, 0],
    ...[RT_TABLE_UNSPEC, protocol, scope, kind, 0, 0, 0, 0],
  ]);
  return encodeMessage(
    type,
    NLM_F_REQUEST | NLM_F_ACK | flags,
    header,
    ...(dst === undefined ? [] : [attr(RTA_DST, dst.bytes)]),
    ...(route.via === "" ? [] : [attr(RTA_GATEWAY, ipBytes(route.via))]),
    attrU32(RTA_OIF, linkIndex),
    attrU32(RTA_TABLE, route.table),
  );
}

export function encodeDumpRoutes(): Buffer {
  return encodeMessage(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, Buffer.alloc(RTMSG_BYTES));
}

/** undefined for what is not in the model: made by the kernel or learned, local, multicast or multipath. */
export function decodeRoute(payload: Buffer): DecodedRoute | undefined {
  const attrs = decodeAttrs(payload, RTMSG_BYTES);
  const table = attrNumber(attrs, RTA_TABLE, payload[4]);
  const linkIndex = attrNumber(attrs, RTA_OIF);
  const isAutomatic = [RTPROT_REDIRECT, RTPROT_KERNEL, RTPROT_RA].includes(payload[5] ?? 0);
  if (isAutomatic || payload[7] !== RTN_UNICAST || table === RT_TABLE_LOCAL || linkIndex === 0)
    return undefined;
  if (payload[0] !== AF_INET && payload[0] !== AF_INET6) return undefined;
  const dst = attrs.get(RTA_DST);
  const via = attrs.get(RTA_GATEWAY);
  return {
    family: payload[0] === AF_INET ? 4 : 6,
    dst: dst === undefined ? "default" : prefixText(dst, payload[1] ?? 0),
    via: via === undefined ? "" : ipText(via),
    linkIndex,
    table,
  };
}

/** EXCL: without it the kernel adds the same rule again and again. */
export function encodeAddRule(rule: Rule): Buffer {
  return encodeRule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
}

export function encodeRemoveRule(rule: Rule): Buffer {
  return encodeRule(RTM_DELRULE, 0, rule);
}

function encodeRule(type: number, flags: number, rule: Rule): Buffer {
  return encodeMessage(
    type,
    NLM_F_REQUEST | NLM_F_ACK | flags,
    Buffer.from([family(rule.family), 0, 0, 0, RT_TABLE_UNSPEC, 0, 0, FR_ACT_TO_TBL, 0, 0, 0, 0]),
    attrU32(FRA_PRIORITY, rule.priority),
    attrU32(FRA_FWMARK, rule.fwmark),
    attrU32(FRA_FWMASK, rule.mask),
    attrU32(FRA_TABLE, rule.table),
  );
}

export function encodeDumpRules(): Buffer {
  return encodeMessage(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, Buffer.alloc(RTMSG_BYTES));
}

/** undefined for rules that are not of the form `fwmark … lookup …`. */
export function decodeRule(payload: Buffer): Rule | undefined {
  const attrs = decodeAttrs(payload, RTMSG_BYTES);
  const isOther =
    !attrs.has(FRA_FWMARK) ||
    payload[7] !== FR_ACT_TO_TBL ||
    [FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_OIFNAME].some((type) => attrs.has(type));
  if (isOther || (payload[0] !== AF_INET && payload[0] !== AF_INET6)) return undefined;
  return {
    family: payload[0] === AF_INET ? 4 : 6,
    priority: attrNumber(attrs, FRA_PRIORITY),
    fwmark: attrNumber(attrs, FRA_FWMARK),
    mask: attrNumber(attrs, FRA_FWMASK, FULL_MASK),
    table: attrNumber(attrs, FRA_TABLE, payload[4]),
  };
}

function family(version: 4 | 6): number {
  return version === 4 ? AF_INET : AF_INET6;
}
