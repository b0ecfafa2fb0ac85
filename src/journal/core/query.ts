/** Which entries a reader wants. */
import {
  type EntryAction,
  type EntryType,
  isAfter,
  type JournalEntry,
  type Position,
} from "./entry.js";

export type EntryFilter = (entry: JournalEntry) => boolean;

export type JournalQuery = {
  /** Unix ms, both included. */
  readonly sinceMs?: number;
  readonly untilMs?: number;
  /** Excluded. */
  readonly after?: Position;
  /** Included. */
  readonly upTo?: Position;
  readonly filter?: EntryFilter;
  /** Only entries whose JSON text holds one of these can pass the filter: spares parsing the others. */
  readonly needles?: readonly string[];
  /** Of those that match, the newest only; at most LAST_MAX. Absent: all. */
  readonly last?: number;
};

/** Entries that are gathered in memory for a query with `last`. */
export const LAST_MAX = 10_000;

/** Clocks of leaders differ: a place is left unread for its time only by this margin. */
export const CLOCK_SLACK_MS = 60_000;

export function matchesQuery(entry: JournalEntry, query: JournalQuery): boolean {
  const { sinceMs, untilMs, after, upTo, filter } = query;
  if (after !== undefined && !isAfter(entry, after)) return false;
  if (upTo !== undefined && isAfter(entry, upTo)) return false;
  if (sinceMs !== undefined && entry.atMs < sinceMs) return false;
  if (untilMs !== undefined && entry.atMs > untilMs) return false;
  return filter === undefined || filter(entry);
}

/** What a client asks for, as texts: values within a key are alternatives, keys must all match. */
export type EntrySelection = {
  readonly types?: readonly EntryType[];
  readonly actions?: readonly EntryAction[];
  /** Type → beginnings of ids or names. A task also belongs to its service and its node. */
  readonly objects?: Readonly<Partial<Record<EntryType, readonly string[]>>>;
  /** Exact name or id, or the beginning of an id: the object's own entries; with `withTasks` also those of its tasks. */
  readonly history?: { readonly of: readonly string[]; readonly withTasks: boolean };
};

/** Ids are random: a shorter beginning would match by chance. */
const ID_PREFIX_MIN = 4;

export function selectionFilter(selection: EntrySelection): EntryFilter {
  const { types, actions, objects, history } = selection;
  const wanted = Object.entries(objects ?? {});
  return (entry) =>
    (types === undefined || types.includes(entry.type)) &&
    (actions === undefined || actions.includes(entry.action)) &&
    wanted.every(([type, refs]) => refs.some((ref) => belongsTo(entry, type, ref))) &&
    (history === undefined || history.of.some((ref) => isOf(entry, ref, history.withTasks)));
}

function belongsTo(entry: JournalEntry, type: string, ref: string): boolean {
  if (entry.type === type) return begins(entry.id, ref) || begins(entry.name, ref);
  if (entry.type !== "task") return false;
  if (type === "service") return begins(entry.serviceId ?? "", ref) || begins(entry.name, ref);
  return type === "node" && begins(entry.nodeId ?? "", ref);
}

function isOf(entry: JournalEntry, ref: string, withTasks: boolean): boolean {
  const isId = (id: string | undefined): boolean =>
    id === ref || (ref.length >= ID_PREFIX_MIN && id !== undefined && id.startsWith(ref));
  if (isId(entry.id) || entry.name === ref) return true;
  if (!withTasks || entry.type !== "task") return false;
  const serviceName = entry.name.slice(0, entry.name.lastIndexOf("."));
  return isId(entry.serviceId) || isId(entry.nodeId) || serviceName === ref;
}

/** As the Engine's filters do: in any case. */
function begins(value: string, ref: string): boolean {
  return value.toLowerCase().startsWith(ref.toLowerCase());
}
