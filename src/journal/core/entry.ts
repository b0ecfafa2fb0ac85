/** What the journal holds: one entry per change of one object, ordered and named by its place in the Raft log. */
import type { RequesterDoor } from "../../api/index.js";

export const ENTRY_TYPES = [
  "service",
  "task",
  "node",
  "network",
  "secret",
  "config",
  "cluster",
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];
export const ENTRY_ACTIONS = ["create", "update", "remove"] as const;
export type EntryAction = (typeof ENTRY_ACTIONS)[number];

/** Place of an entry: log index of the transaction, then the change within it, from 0. Orders and names it on every manager. */
export type Position = { readonly index: number; readonly seq: number };

/** Field path → value as text. */
export type Values = Readonly<Record<string, string>>;

export type JournalEntry = Position & {
  /** Unix ms by the clock of the leader that wrote it: not monotonic across leaders. */
  readonly atMs: number;
  readonly type: EntryType;
  readonly action: EntryAction;
  readonly id: string;
  /** Services, networks, secrets, configs: their name; nodes: host name; tasks: `service.slot` or `service.node id`. */
  readonly name: string;
  readonly who: {
    readonly nodeId: string;
    readonly door: RequesterDoor;
    readonly actor: string;
  };
  /** Of a task: its service and node, as far as known. */
  readonly serviceId?: string;
  readonly nodeId?: string;
  /** Fields that changed, before and after. A field that is in one only was absent in the other. */
  readonly old: Values;
  readonly new: Values;
  /** Changed fields beyond what an entry holds. */
  readonly moreFields: number;
  /** Where the object stands after it, in a few words: "running", "failed (exit 1): …", "paused: …"; "" when there is nothing to say. */
  readonly outcome: string;
};

/** Before every entry. */
export const ORIGIN: Position = { index: 0, seq: 0 };

export function comparePositions(a: Position, b: Position): number {
  return a.index - b.index || a.seq - b.seq;
}

export function isAfter(a: Position, b: Position): boolean {
  return comparePositions(a, b) > 0;
}

/** Behind every entry. */
export const END: Position = { index: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER };

/** The last place before it: of the same transaction, or behind all of the one before. */
export function justBefore({ index, seq }: Position): Position {
  if (seq > 0) return { index, seq: seq - 1 };
  return index === 0 ? ORIGIN : endOf(index - 1);
}

/** Behind all changes of that transaction. */
export function endOf(index: number): Position {
  return { index, seq: Number.MAX_SAFE_INTEGER };
}

export function laterOf(a: Position, b: Position): Position {
  return isAfter(a, b) ? a : b;
}

export function earlierOf(a: Position, b: Position): Position {
  return isAfter(a, b) ? b : a;
}

/** "1234-0": also the entry's id in a Redis Stream. */
export function positionText({ index, seq }: Position): string {
  return `${index}-${seq}`;
}

/** Undefined for anything else than two safe whole numbers. */
export function parsePosition(text: string): Position | undefined {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(text);
  if (match === null) return undefined;
  const [index, seq] = [Number(match[1]), Number(match[2])];
  return Number.isSafeInteger(index) && Number.isSafeInteger(seq) ? { index, seq } : undefined;
}
