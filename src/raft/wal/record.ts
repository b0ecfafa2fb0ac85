import type { Entry, HardState } from "../core/entry.js";
import { unreachable } from "../errors.js";
import type { LogIndex, MemberId, Term } from "../types.js";
import { ByteReader, type ByteWriter, malformed } from "../wire/bytes.js";
import { readEntry, writeEntry } from "../wire/entry-codec.js";

/** What a log frame holds: a sequence of these. Tags are append-only. */
export type WalRecord =
  /** First in every segment: whose log this is, and where it stood, so that older segments can go. */
  | {
      readonly kind: "head";
      readonly memberId: MemberId;
      readonly hardState: HardState;
      readonly lastIndex: LogIndex;
      readonly lastTerm: Term;
    }
  /** Replaces any entry of this index and everything after it. */
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "hardState"; readonly hardState: HardState }
  /** A snapshot from the leader replaced the whole log. */
  | { readonly kind: "reset"; readonly index: LogIndex; readonly term: Term };

const TAG = { head: 1, entry: 2, hardState: 3, reset: 4 } as const;

export function writeRecord(w: ByteWriter, record: WalRecord): void {
  w.u8(TAG[record.kind]);
  switch (record.kind) {
    case "head":
      w.text(record.memberId);
      writeHardState(w, record.hardState);
      w.uint(record.lastIndex);
      return w.uint(record.lastTerm);
    case "entry":
      return writeEntry(w, record.entry);
    case "hardState":
      return writeHardState(w, record.hardState);
    case "reset":
      w.uint(record.index);
      return w.uint(record.term);
    default:
      return unreachable(record, "writeRecord");
  }
}

export function readRecords(plaintext: Uint8Array): WalRecord[] {
  const r = new ByteReader(plaintext);
  const records: WalRecord[] = [];
  while (!r.isAtEnd) records.push(readRecord(r));
  return records;
}

function readRecord(r: ByteReader): WalRecord {
  const tag = r.u8();
  switch (tag) {
    case TAG.head: {
      const memberId = r.text();
      const hardState = readHardState(r);
      const lastIndex = r.index();
      return { kind: "head", memberId, hardState, lastIndex, lastTerm: r.term() };
    }
    case TAG.entry:
      return { kind: "entry", entry: readEntry(r) };
    case TAG.hardState:
      return { kind: "hardState", hardState: readHardState(r) };
    case TAG.reset: {
      const index = r.index();
      return { kind: "reset", index, term: r.term() };
    }
    default:
      throw malformed(`unknown log record ${tag}`);
  }
}

function writeHardState(w: ByteWriter, state: HardState): void {
  w.uint(state.term);
  w.text(state.vote ?? "");
  w.uint(state.commit);
}

function readHardState(r: ByteReader): HardState {
  const term = r.term();
  const vote = r.text();
  return { term, vote: vote === "" ? undefined : vote, commit: r.index() };
}
