/** Questions and answers through a library that is not under test. */
import packet, { type Answer, type DecodedPacket, type Packet, type RecordType } from "dns-packet";
import { parseQuery, type Query } from "../wire.js";

export function question(
  name: string,
  type: RecordType = "A",
  fields: Packet & { readonly udpBytes?: number } = {},
): Buffer {
  const { udpBytes, ...rest } = fields;
  const opt = {
    type: "OPT",
    name: ".",
    udpPayloadSize: udpBytes ?? 0,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  } satisfies Answer;
  return packet.encode({
    type: "query",
    id: 4711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ type, name, class: "IN" }],
    additionals: udpBytes === undefined ? [] : [opt],
    ...rest,
  });
}

export function queryOf(message: Buffer): Query {
  const parsed = parseQuery(message);
  if (parsed.kind !== "query") throw new Error(`not a query: ${parsed.kind}`);
  return parsed.query;
}

export type Read = DecodedPacket & { readonly rcode: string; readonly data: readonly unknown[] };

export function read(message: Buffer): Read {
  const decoded = packet.decode(message) as DecodedPacket & { rcode: string };
  const data = (decoded.answers ?? []).map((answer) => ("data" in answer ? answer.data : answer));
  return { ...decoded, data };
}

/** A response to what was asked, as another server gives it. */
export function response(asked: Buffer, fields: Packet & { readonly rcode?: number }): Buffer {
  const { id, questions } = packet.decode(asked);
  const { rcode = 0, flags = 0, ...rest } = fields;
  return packet.encode({
    type: "response",
    id: id ?? 0,
    questions: questions ?? [],
    flags: flags | packet.RECURSION_AVAILABLE | rcode,
    ...rest,
  });
}
