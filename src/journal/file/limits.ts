/** A full segment is closed and a new one begun. */
export const SEGMENT_BYTES_MAX = 4 * 1024 * 1024;
/** All segments of a manager; the oldest go first. */
export const JOURNAL_BYTES_MAX = 64 * 1024 * 1024;
/** A segment whose last entry is older than this goes. */
export const JOURNAL_AGE_MAX_MS = 30 * 24 * 3600 * 1000;
/** Entries that wait for the disk, in memory; beyond it the oldest are given up. */
export const QUEUE_ENTRIES_MAX = 32_768;
/** Gaps that no entry has come behind yet, in memory. */
export const GAPS_MAX = 64;
/** Entries of one write. */
export const WRITE_ENTRIES_MAX = 256;
/** What comes within this time is written together. */
export const WRITE_DELAY_MS = 10;
/** From a write to its fdatasync. */
export const SYNC_DELAY_MS = 1000;
/** From a failed write to the next attempt. */
export const RETRY_DELAY_MS = 1000;

export type FileJournalLimits = {
  readonly segmentBytesMax: number;
  readonly journalBytesMax: number;
  readonly ageMaxMs: number;
  readonly queueEntriesMax: number;
};

export const FILE_JOURNAL_LIMITS: FileJournalLimits = {
  segmentBytesMax: SEGMENT_BYTES_MAX,
  journalBytesMax: JOURNAL_BYTES_MAX,
  ageMaxMs: JOURNAL_AGE_MAX_MS,
  queueEntriesMax: QUEUE_ENTRIES_MAX,
};
