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
  JournalQueryError,
  JournalUrlError,
  LAST_MAX,
  ORIGIN,
  PASSWORD_MARK,
  type Position,
  parseJournalUrl,
  parsePosition,
  parseQueryText,
  positionText,
  queryText,
  redactedUrl,
  selectionFilter,
} from "./core/index.js";
export { FileJournal } from "./file/file-journal.js";
export type { FileJournalLimits } from "./file/limits.js";
export { History } from "./history.js";
export { type JournalPage, PAGE_BYTES, pageOf } from "./page.js";
export { type JournalPeer, PeerEntries } from "./peers/peer-entries.js";
export { StreamFill } from "./peers/stream-fill.js";
export { type Journal, type JournalLag, JournalReadError, type JournalReader } from "./port.js";
export { JournalRecorder } from "./recorder.js";
export { RedisReader } from "./redis/reader.js";
export { RedisJournal } from "./redis/redis-journal.js";
export { STREAM_ENTRIES_MAX, streamKey } from "./redis/stream.js";
