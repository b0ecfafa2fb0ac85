import type { Entry } from "../core/entry.js";
import type { Message } from "../core/message.js";
import { unreachable } from "../errors.js";
import { ByteReader, ByteWriter, malformed } from "./bytes.js";
import { readEntry, readSnapshotMeta, writeEntry, writeSnapshotMeta } from "./entry-codec.js";

/**
 * Messages between members, format 1: {version u8, kind u8, to text, term uint, fields of the kind}.
 * The sender is not in it; the transport authenticated it. Later fields go to the end of a kind and are read
 * only when present, so neighbouring releases understand each other; a new meaning gets a new kind.
 */
export const MESSAGE_FORMAT = 1;
/** No single message exceeds this (gRPC's default limit), given proposals within PROPOSAL_LIMIT_BYTES. */
export const MESSAGE_MAX_BYTES = 4 * 1024 * 1024;

/** Append-only: the position is the number on the wire. */
const KINDS: readonly Message["kind"][] = [
  "preVote",
  "preVoteReply",
  "vote",
  "voteReply",
  "append",
  "appendReply",
  "appendReject",
  "heartbeat",
  "heartbeatReply",
  "timeoutNow",
  "readIndex",
  "readIndexReply",
  "removed",
  "snapshotChunk",
  "snapshotAck",
];

export function encodeMessage(m: Message): Uint8Array {
  const w = new ByteWriter(sizeHint(m));
  w.u8(MESSAGE_FORMAT);
  w.u8(KINDS.indexOf(m.kind));
  w.text(m.to);
  w.uint(m.term);
  writeBody(w, m);
  return w.finish();
}

/** Throws RaftError DAMAGED when the bytes are not a message of this format. */
export function decodeMessage(from: string, bytes: Uint8Array): Message {
  const r = new ByteReader(bytes);
  const format = r.u8();
  if (format !== MESSAGE_FORMAT) throw malformed(`message format ${format}`);
  const kind = KINDS[r.u8()];
  if (kind === undefined) throw malformed("unknown message kind");
  const to = r.text();
  const head = { from, to, term: r.term() };
  return readBody(r, kind, head);
}

function sizeHint(m: Message): number {
  if (m.kind === "snapshotChunk") return m.bytes.length + 4096;
  if (m.kind !== "append") return 128;
  let bytes = 128 + m.context.length;
  for (const entry of m.entries) bytes += entry.data.length + 24;
  return bytes;
}

function writeBody(w: ByteWriter, m: Message): void {
  switch (m.kind) {
    case "preVote":
      w.uint(m.lastIndex);
      return w.uint(m.lastTerm);
    case "vote":
      w.uint(m.lastIndex);
      w.uint(m.lastTerm);
      return w.u8(m.force ? 1 : 0);
    case "preVoteReply":
    case "voteReply":
      return w.u8(m.granted ? 1 : 0);
    case "append":
      w.uint(m.prevIndex);
      w.uint(m.prevTerm);
      w.uint(m.commit);
      w.bytes(m.context);
      w.uint(m.entries.length);
      for (const entry of m.entries) writeEntry(w, entry);
      return;
    case "appendReply":
      return w.uint(m.match);
    case "appendReject":
      w.uint(m.prevIndex);
      w.uint(m.hintIndex);
      return w.uint(m.hintTerm);
    case "heartbeat":
      w.uint(m.commit);
      w.uint(m.round);
      return w.bytes(m.context);
    case "heartbeatReply":
      return w.uint(m.round);
    case "readIndex":
      return w.uint(m.requestId);
    case "readIndexReply":
      w.uint(m.requestId);
      return w.uint(m.index);
    case "timeoutNow":
    case "removed":
      return;
    case "snapshotChunk":
      writeSnapshotMeta(w, m.meta);
      w.uint(m.totalBytes);
      w.uint(m.offset);
      w.uint(m.crc);
      w.bytes(m.context);
      return w.bytes(m.bytes);
    case "snapshotAck":
      w.uint(m.index);
      w.uint(m.nextOffset);
      return w.u8(m.refused ? 1 : 0);
    default:
      return unreachable(m, "encodeMessage");
  }
}

function readBody(
  r: ByteReader,
  kind: Message["kind"],
  head: Pick<Message, "from" | "to" | "term">,
): Message {
  switch (kind) {
    case "preVote":
      return { ...head, kind, lastIndex: r.index(), lastTerm: r.term() };
    case "vote":
      return { ...head, kind, lastIndex: r.index(), lastTerm: r.term(), force: r.bool() };
    case "preVoteReply":
    case "voteReply":
      return { ...head, kind, granted: r.bool() };
    case "append":
      return {
        ...head,
        kind,
        prevIndex: r.index(),
        prevTerm: r.term(),
        commit: r.index(),
        context: r.bytes(),
        entries: readEntries(r),
      };
    case "appendReply":
      return { ...head, kind, match: r.index() };
    case "appendReject":
      return { ...head, kind, prevIndex: r.index(), hintIndex: r.index(), hintTerm: r.term() };
    case "heartbeat":
      return { ...head, kind, commit: r.index(), round: r.uint(), context: r.bytes() };
    case "heartbeatReply":
      return { ...head, kind, round: r.uint() };
    case "readIndex":
      return { ...head, kind, requestId: r.uint() };
    case "readIndexReply":
      return { ...head, kind, requestId: r.uint(), index: r.index() };
    case "timeoutNow":
    case "removed":
      return { ...head, kind };
    case "snapshotChunk":
      return {
        ...head,
        kind,
        meta: readSnapshotMeta(r),
        totalBytes: r.uint(),
        offset: r.uint(),
        crc: r.uint(),
        context: r.bytes(),
        bytes: r.bytes(),
      };
    case "snapshotAck":
      return { ...head, kind, index: r.index(), nextOffset: r.uint(), refused: r.bool() };
    default:
      return unreachable(kind, "decodeMessage");
  }
}

/** Indexes must be consecutive: everything behind this relies on it. */
function readEntries(r: ByteReader): Entry[] {
  const entries: Entry[] = [];
  let previous: Entry | undefined;
  for (let left = r.uint(); left > 0; left--) {
    const entry = readEntry(r);
    if (previous !== undefined && entry.index !== previous.index + 1)
      throw malformed("entries not consecutive");
    entries.push(entry);
    previous = entry;
  }
  return entries;
}
