/** Entries as JSON text: in the files, in Redis and on the wire. */
import { REQUESTER_DOORS } from "../../api/index.js";
import {
  ENTRY_ACTIONS,
  ENTRY_TYPES,
  type JournalEntry,
  type Position,
  parsePosition,
  type Values,
} from "./entry.js";

/** Longest entry as JSON, by the limits of its parts: 32 fields with two values of 256 characters, each at most 6 bytes. */
export const ENTRY_BYTES_MAX = 256 * 1024;

export function entryText(entry: JournalEntry): string {
  return JSON.stringify(entry);
}

/** Undefined for a text that is no entry of a known form: it was written by a later version, or by somebody else. */
export function parseEntry(text: string): JournalEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isEntry(value) ? value : undefined;
}

/** Characters of an entry's text that are enough for its place. */
export const PLACE_LENGTH = 64;

/** Place of an entry by the beginning of its text: spares parsing it. Undefined for a text that begins in another way. */
export function placeOfText(start: string): Position | undefined {
  const match = /^\{"index":(\d{1,16}),"seq":(\d{1,16}),/.exec(start);
  return match === null ? undefined : parsePosition(`${match[1]}-${match[2]}`);
}

export function isEntry(value: unknown): value is JournalEntry {
  if (!isRecord(value)) return false;
  const {
    index,
    seq,
    atMs,
    type,
    action,
    id,
    name,
    who,
    old,
    new: now,
    moreFields,
    outcome,
  } = value;
  return (
    isCount(index) &&
    isCount(seq) &&
    typeof atMs === "number" &&
    isOneOf(ENTRY_TYPES, type) &&
    isOneOf(ENTRY_ACTIONS, action) &&
    typeof id === "string" &&
    typeof name === "string" &&
    isRecord(who) &&
    typeof who["nodeId"] === "string" &&
    isOneOf(REQUESTER_DOORS, who["door"]) &&
    typeof who["actor"] === "string" &&
    isOptionalText(value["serviceId"]) &&
    isOptionalText(value["nodeId"]) &&
    isValues(old) &&
    isValues(now) &&
    isCount(moreFields) &&
    typeof outcome === "string"
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isOneOf(words: readonly string[], value: unknown): boolean {
  return typeof value === "string" && words.includes(value);
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isValues(value: unknown): value is Values {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}
