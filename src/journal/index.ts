export {
  ENTRY_ACTIONS,
  ENTRY_TYPES,
  type EntryAction,
  type EntryFilter,
  type EntrySelection,
  type EntryType,
  isAfter,
  type JournalEntry,
  type JournalQuery,
  JournalUrlError,
  LAST_MAX,
  ORIGIN,
  PASSWORD_MARK,
  type Position,
  parseJournalUrl,
  parsePosition,
  positionText,
  redactedUrl,
  selectionFilter,
} from "./core/index.js";
export { FileJournal } from "./file/file-journal.js";
export type { FileJournalLimits } from "./file/limits.js";
export { History } from "./history.js";
export { type Journal, type JournalLag, JournalReadError, type JournalReader } from "./port.js";
export { JournalRecorder } from "./recorder.js";
export { RedisReader } from "./redis/reader.js";
export { RedisJournal } from "./redis/redis-journal.js";
export { STREAM_ENTRIES_MAX, streamKey } from "./redis/stream.js";
