export { ENTRY_BYTES_MAX, entryText, isEntry, parseEntry } from "./codec.js";
export { entryOf } from "./derive.js";
export {
  comparePositions,
  ENTRY_ACTIONS,
  ENTRY_TYPES,
  type EntryAction,
  type EntryType,
  isAfter,
  type JournalEntry,
  ORIGIN,
  type Position,
  parsePosition,
  positionText,
} from "./entry.js";
export {
  JournalUrlError,
  PASSWORD_MARK,
  parseJournalUrl,
  type RedisTarget,
  redactedUrl,
  targetText,
} from "./journal-url.js";
export {
  type EntryFilter,
  type EntrySelection,
  type JournalQuery,
  LAST_MAX,
  matchesQuery,
  selectionFilter,
} from "./query.js";
