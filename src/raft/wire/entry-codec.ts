import type { Entry, EntryKind, Membership, SnapshotMeta } from "../core/entry.js";
import type { LoggedChange } from "../core/membership.js";
import type { Member } from "../types.js";
import { ByteReader, ByteWriter, malformed } from "./bytes.js";

/** Append-only tables: a number that was ever written keeps its meaning. */
const ENTRY_KINDS: readonly EntryKind[] = ["data", "membership", "empty"];
const CHANGE_KINDS: readonly LoggedChange["kind"][] = [
  "bootstrap",
  "addLearner",
  "promote",
  "update",
  "remove",
];

export function writeEntry(w: ByteWriter, entry: Entry): void {
  w.uint(entry.index);
  w.uint(entry.term);
  w.u8(ENTRY_KINDS.indexOf(entry.kind));
  w.bytes(entry.data);
}

export function readEntry(r: ByteReader): Entry {
  const index = r.index();
  const term = r.term();
  const kind = ENTRY_KINDS[r.u8()];
  if (kind === undefined) throw malformed("unknown entry kind");
  return { index, term, kind, data: r.bytes() };
}

export function writeMember(w: ByteWriter, member: Member): void {
  w.text(member.id);
  w.u8(member.isLearner ? 1 : 0);
  w.bytes(member.context);
}

export function readMember(r: ByteReader): Member {
  const id = r.text();
  const isLearner = r.bool();
  return { id, isLearner, context: r.bytes() };
}

export function writeMembership(w: ByteWriter, membership: Membership): void {
  for (const list of [membership.members, membership.removed]) {
    w.uint(list.length);
    for (const member of list) writeMember(w, member);
  }
}

export function readMembership(r: ByteReader): Membership {
  return { members: readMembers(r), removed: readMembers(r) };
}

function readMembers(r: ByteReader): Member[] {
  const members: Member[] = [];
  for (let left = r.uint(); left > 0; left--) members.push(readMember(r));
  return members;
}

export function writeSnapshotMeta(w: ByteWriter, meta: SnapshotMeta): void {
  w.uint(meta.index);
  w.uint(meta.term);
  writeMembership(w, meta.membership);
}

export function readSnapshotMeta(r: ByteReader): SnapshotMeta {
  const index = r.index();
  const term = r.term();
  return { index, term, membership: readMembership(r) };
}

/** Data of a membership entry: {kind, id, context when the kind has one}. */
export function encodeChange(change: LoggedChange): Uint8Array {
  const w = new ByteWriter(64);
  w.u8(CHANGE_KINDS.indexOf(change.kind));
  w.text(change.id);
  if ("context" in change) w.bytes(change.context);
  return w.finish();
}

export function decodeChange(data: Uint8Array): LoggedChange {
  const r = new ByteReader(data);
  const kind = CHANGE_KINDS[r.u8()];
  const id = r.text();
  switch (kind) {
    case "bootstrap":
    case "addLearner":
    case "update":
      return { kind, id, context: r.bytes() };
    case "promote":
    case "remove":
      return { kind, id };
    default:
      throw malformed("unknown membership change");
  }
}
