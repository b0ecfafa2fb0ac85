/**
 * A query as managers send it to each other, canonical JSON:
 *
 *   {"after":"4-0","last":256,"needles":["web"],"sinceMs":1,"untilMs":2,"upTo":"90-3"}
 *
 * Every field may be absent. The filter stays with who asks.
 */
import { canonicalJson } from "../../api/index.js";
import { type Position, parsePosition, positionText } from "./entry.js";
import { type JournalQuery, LAST_MAX } from "./query.js";

/** Longest text of a query. */
export const QUERY_BYTES_MAX = 64 * 1024;

/** What is wrong with the text of a query; names the field. */
export class JournalQueryError extends Error {
  override readonly name = "JournalQueryError";
}

/** Needles that make it longer than QUERY_BYTES_MAX are left out: they only spare work. */
export function queryText(query: JournalQuery): string {
  const { after, upTo, needles, sinceMs, untilMs, last } = query;
  const bare = {
    after: after && positionText(after),
    upTo: upTo && positionText(upTo),
    sinceMs,
    untilMs,
    last,
  };
  const text = canonicalJson({ ...bare, needles });
  return Buffer.byteLength(text) <= QUERY_BYTES_MAX ? text : canonicalJson(bare);
}

/** Throws JournalQueryError. A field that this version does not know is refused: nothing is accepted and ignored. */
export function parseQueryText(text: string): JournalQuery {
  const byteCount = Buffer.byteLength(text);
  if (byteCount > QUERY_BYTES_MAX)
    throw new JournalQueryError(
      `query is ${byteCount} bytes, at most ${QUERY_BYTES_MAX} are taken`,
    );
  const fields = fieldsOf(text);
  for (const field of Object.keys(fields))
    if (!FIELDS.includes(field))
      throw new JournalQueryError(`query: field ${field.slice(0, 64)} is not supported`);
  const { needles } = fields;
  if (needles !== undefined && !isNeedles(needles)) throw malformed("needles", "texts, none empty");
  const after = placeIn(fields, "after");
  const upTo = placeIn(fields, "upTo");
  const sinceMs = numberIn(fields, "sinceMs", "a number");
  const untilMs = numberIn(fields, "untilMs", "a number");
  const last = numberIn(fields, "last", `a whole number, 0–${LAST_MAX}`);
  if (last !== undefined && !(Number.isInteger(last) && last >= 0 && last <= LAST_MAX))
    throw malformed("last", `a whole number, 0–${LAST_MAX}`);
  return {
    ...(after !== undefined && { after }),
    ...(upTo !== undefined && { upTo }),
    ...(needles !== undefined && { needles }),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
    ...(last !== undefined && { last }),
  };
}

const FIELDS = ["after", "upTo", "needles", "sinceMs", "untilMs", "last"];

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JournalQueryError("query is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new JournalQueryError("query is not an object");
  return value as Fields;
}

function isNeedles(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string" && text !== "");
}

function placeIn(fields: Fields, field: string): Position | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  const place = typeof value === "string" ? parsePosition(value) : undefined;
  if (place === undefined) throw malformed(field, "INDEX-SEQ");
  return place;
}

function numberIn(fields: Fields, field: string, form: string): number | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  if (typeof value !== "number") throw malformed(field, form);
  return value;
}

function malformed(field: string, form: string): JournalQueryError {
  return new JournalQueryError(`query: field ${field} is malformed: must be ${form}`);
}
