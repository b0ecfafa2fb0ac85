/** The stream itself: one key, entries under ids that are their positions. */
import {
  comparePositions,
  ENTRY_BYTES_MAX,
  entryText,
  type JournalEntry,
  ORIGIN,
  type Position,
  parseEntry,
  parsePosition,
  positionText,
} from "../core/index.js";
import type { RedisClient } from "./client.js";

/** Entries kept; Redis trims whole nodes of its list, so some more may stay. */
export const STREAM_ENTRIES_MAX = 100_000;

/** The braces keep all keys of a cluster on one slot of a Redis Cluster. */
export function streamKey(clusterId: string): string {
  return `swarm:{${clusterId}}:journal`;
}

/**
 * Appends only behind the entry that the caller saw last, and answers the stream's last id. Two leaders that do not know of each
 * other, a command that was carried out although its answer was lost, and a Redis that came back with less than it had: in each case the
 * answer differs from what the caller expects, nothing was written, and the caller goes on from there. So no entry comes
 * twice and none is left out.
 */
const APPEND = `
local last = '0-0'
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = info[i + 1] end
  end
end
if last ~= ARGV[1] then return last end
for i = 3, #ARGV, 6 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], ARGV[i], 'type', ARGV[i + 1], 'action', ARGV[i + 2],
    'id', ARGV[i + 3], 'name', ARGV[i + 4], 'entry', ARGV[i + 5])
  last = ARGV[i]
end
return last`;

/** Nothing is written when the stream's last id is not `after`. Resolves with the last id then in the stream. */
export async function appendAfter(
  client: RedisClient,
  key: string,
  after: Position,
  entries: readonly JournalEntry[],
  entriesMax: number,
): Promise<Position> {
  const args = entries.flatMap((entry) => [
    positionText(entry),
    entry.type,
    entry.action,
    entry.id,
    entry.name,
    entryText(entry),
  ]);
  const last = await client.eval(APPEND, 1, key, positionText(after), String(entriesMax), ...args);
  return streamPosition(last);
}

export function lastPosition(client: RedisClient, key: string): Promise<Position> {
  return appendAfter(client, key, { index: Number.MAX_SAFE_INTEGER, seq: 0 }, [], 0);
}

function streamPosition(value: unknown): Position {
  const position = typeof value === "string" ? parsePosition(value) : undefined;
  if (position !== undefined) return position;
  if (value === "0-0") return ORIGIN;
  throw new Error(`the stream's last id is not one of a journal: ${String(value).slice(0, 64)}`);
}

/** As Redis answers XRANGE: an id and its fields, names and values in turn. */
export type StreamRow = readonly [id: string, fields: readonly string[]];

/** The entry's JSON; undefined when there is none of a possible length. */
export function rowText([, fields]: StreamRow): string | undefined {
  const at = fields.findIndex((name, i) => i % 2 === 0 && name === "entry");
  const text = at === -1 ? undefined : fields[at + 1];
  return text === undefined || text.length > ENTRY_BYTES_MAX ? undefined : text;
}

/** Undefined for what no manager of this version wrote there: a broken entry, or one under another's place. */
export function rowEntry(row: StreamRow): JournalEntry | undefined {
  const text = rowText(row);
  const entry = text === undefined ? undefined : parseEntry(text);
  const place = parsePosition(row[0]);
  if (entry === undefined || place === undefined) return undefined;
  return comparePositions(entry, place) === 0 ? entry : undefined;
}
