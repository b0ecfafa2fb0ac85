/** One question in, one answer out; or word that somebody else must be asked. */
import packet, { type Answer } from "dns-packet";
import type { Random } from "../../base/index.js";
import { answerFor, type DnsView, sample } from "../core/dns-answer.js";
import { type SrvTarget, TASK_TTL_SEC } from "../core/dns-table.js";
import {
  addressRecordBytes,
  answerFlags,
  encodeAddresses,
  encodeEmpty,
  encodePointer,
  encodeRefusal,
  FLAG_AA,
  FLAG_TC,
  parseQuery,
  type Query,
  RCODE,
  roomFor,
  TCP_MAX_BYTES,
  UDP_MAX_BYTES,
  udpLimit,
} from "./wire.js";

export type Transport = "udp" | "tcp";

export type Outcome =
  | { readonly kind: "answer"; readonly bytes: Buffer }
  | { readonly kind: "malformed"; readonly bytes: Buffer }
  | { readonly kind: "ignore" }
  | { readonly kind: "forward"; readonly query: Query };

const CLASS_IN = 1;
const CLASS_ANY = 255;
const IPV4_RECORD_BYTES = 16;
/** The library takes some 0.1 ms for each, and everybody waits meanwhile: of more backends, any so many are named. */
const SRV_TARGET_MAX = 256;
/** Type, class, TTL, length; priority, weight, port. */
const SRV_FIXED_BYTES = 16;

/** Never throws, whatever the bytes are. */
export function respond(
  message: Buffer,
  transport: Transport,
  view: DnsView,
  random: Random,
): Outcome {
  const parsed = parseQuery(message);
  if (parsed.kind === "ignore") return parsed;
  if (parsed.kind === "refuse") {
    return { kind: "malformed", bytes: encodeRefusal(message, parsed.rcode) };
  }
  const { query } = parsed;
  if (query.edns !== undefined && query.edns.version !== 0) {
    return { kind: "answer", bytes: encodeEmpty(query, RCODE.BADVERS) };
  }
  // Other classes (CHAOS: `version.bind`) ask about the server itself; that is nobody's business.
  if (query.class !== CLASS_IN && query.class !== CLASS_ANY) {
    return { kind: "answer", bytes: encodeEmpty(query, RCODE.REFUSED) };
  }
  return answerQuery(query, transport, view, random);
}

function answerQuery(query: Query, transport: Transport, view: DnsView, random: Random): Outcome {
  const answer = answerFor(view, query.name, query.type);
  switch (answer.kind) {
    case "unknown":
      return { kind: "forward", query };
    case "empty":
      return { kind: "answer", bytes: encodeEmpty(query, RCODE.NOERROR, FLAG_AA) };
    case "missing":
      return { kind: "answer", bytes: encodeEmpty(query, RCODE.NXDOMAIN, FLAG_AA) };
    case "pointer":
      return { kind: "answer", bytes: encodePointer(query, answer.name, TASK_TTL_SEC) };
    case "addresses": {
      const bytes = shuffledAddresses(query, transport, answer.addresses, answer.ttlSec, random);
      return { kind: "answer", bytes };
    }
    case "services":
      return { kind: "answer", bytes: srvAnswer(query, transport, answer.targets, random) };
  }
}

function shuffledAddresses(
  query: Query,
  transport: Transport,
  addresses: readonly Uint8Array[],
  ttlSec: number,
  random: Random,
): Buffer {
  let room = roomFor(query, transport === "tcp" ? TCP_MAX_BYTES : udpLimit(query));
  const picked = sample(addresses, Math.ceil(room / IPV4_RECORD_BYTES), random);
  let count = 0;
  for (const address of picked) {
    room -= addressRecordBytes(address);
    if (room < 0) break;
    count += 1;
  }
  const isCut = count < addresses.length;
  const fitting = count < picked.length ? picked.slice(0, count) : picked;
  // A client that asks again over TCP gets no more than TCP holds: 4,000 addresses of any are as good as all.
  return encodeAddresses(query, fitting, ttlSec, isCut && transport === "udp");
}

/** Rare and varied: the library writes it. The targets' addresses ride along while they fit (RFC 2782). */
function srvAnswer(
  query: Query,
  transport: Transport,
  targets: readonly SrvTarget[],
  random: Random,
): Buffer {
  const limit = transport === "tcp" ? TCP_MAX_BYTES : udpLimit(query);
  const { questions = [] } = packet.decode(query.message);
  const name = questions[0]?.name ?? query.name;
  const chosen = fittingTargets(roomFor(query, limit), name, targets, random);
  const isCut = chosen.length < targets.length && transport === "udp";
  const encode = (hasAddresses: boolean): Buffer =>
    packet.encode({
      type: "response",
      id: query.message.readUInt16BE(0),
      flags: answerFlags(query, isCut ? FLAG_AA | FLAG_TC : FLAG_AA),
      questions,
      answers: chosen.map((target) => srvRecord(name, target)),
      additionals: [
        ...(hasAddresses ? chosen.flatMap(targetAddresses) : []),
        ...(query.edns === undefined ? [] : [OPT_RECORD]),
      ],
    });
  const full = encode(true);
  return full.length <= limit ? full : encode(false);
}

/** As many as fit, in random order; names are written out in full. */
function fittingTargets(
  roomBytes: number,
  name: string,
  targets: readonly SrvTarget[],
  random: Random,
): SrvTarget[] {
  const fixedBytes = name.length + 2 + SRV_FIXED_BYTES;
  const countMax = Math.min(SRV_TARGET_MAX, Math.ceil(roomBytes / fixedBytes));
  const picked = sample(targets, countMax, random);
  let room = roomBytes;
  const tooMany = picked.findIndex((target) => {
    room -= fixedBytes + target.name.length + 2;
    return room < 0;
  });
  return tooMany < 0 ? picked : picked.slice(0, tooMany);
}

const OPT_RECORD: Answer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: UDP_MAX_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function srvRecord(name: string, target: SrvTarget): Answer {
  const data = { port: target.port, target: target.name, priority: 0, weight: 0 };
  return { type: "SRV", name, ttl: TASK_TTL_SEC, data };
}

function targetAddresses({ name, v4, v6 }: SrvTarget): Answer[] {
  const records: Answer[] = [];
  if (v4 !== undefined) records.push({ type: "A", name, ttl: TASK_TTL_SEC, data: v4.join(".") });
  if (v6 !== undefined) {
    records.push({ type: "AAAA", name, ttl: TASK_TTL_SEC, data: addressText(v6) });
  }
  return records;
}

function addressText(v6: Uint8Array): string {
  const groups = Array.from(
    { length: 8 },
    (_, i) => ((v6[2 * i] ?? 0) << 8) | (v6[2 * i + 1] ?? 0),
  );
  return groups.map((group) => group.toString(16)).join(":");
}
