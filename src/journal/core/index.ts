export {
  ENTRY_BYTES_MAX,
  entryText,
  isEntry,
  PLACE_LENGTH,
  parseEntry,
  placeOfText,
} from "./codec.js";
export { entryOf } from "./derive.js";
export {
  comparePositions,
  END,
  ENTRY_ACTIONS,
  ENTRY_TYPES,
  type EntryAction,
  type EntryType,
  earlierOf,
  endOf,
  isAfter,
  type JournalEntry,
  justBefore,
  laterOf,
  ORIGIN,
  type Position,
  parsePosition,
  positionText,
} from "./entry.js";
export { type Hole, HoleFinder, queryWithin } from "./holes.js";
export {
  JournalUrlError,
  PASSWORD_MARK,
  parseJournalUrl,
  type RedisTarget,
  redactedUrl,
  targetText,
} from "./journal-url.js";
export { isNoteText, type Note, parseNote } from "./note.js";
export {
  CLOCK_SLACK_MS,
  type EntryFilter,
  type EntrySelection,
  type JournalQuery,
  LAST_MAX,
  matchesQuery,
  selectionFilter,
} from "./query.js";
export {
  JournalQueryError,
  parseQueryText,
  QUERY_BYTES_MAX,
  queryText,
} from "./query-text.js";
