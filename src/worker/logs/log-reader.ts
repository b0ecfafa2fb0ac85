/** Reads a task's log: all or the last N records, from a time on, and on as it grows. */
import { type FileHandle, open } from "node:fs/promises";
import { eachLine, type LogRecord, parseRecord, RECORD_MAX_BYTES } from "./record.js";
import type { TaskLog } from "./task-log.js";

export type LogQuery = {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly tail: number | "all";
  /** Unix ns as 19 digits; "" = no bound. Inclusive. */
  readonly sinceNs: string;
  readonly untilNs: string;
};

const BLOCK_BYTES = 64 * 1024;
/** A reader looks again after this long even when nobody told it. */
const LOOK_AGAIN_MS = 1_000;

type Position = { readonly generation: number; readonly offset: number };

/** Yields records in batches; the consumer's pace is the reader's. Ends with the container when following. */
export async function* readLog(
  log: TaskLog,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[]> {
  while (!log.isFinished && (await log.drain()));
  const end: Position = { generation: log.files.generation, offset: log.files.sizeBytes };
  const start = await findStart(log, query);
  let { generation, offset } = start;
  while (!signal.aborted) {
    const file = await log.exclusive(() => openGeneration(log, generation));
    if (file !== undefined) {
      const isRotated = yield* readFile(log, file, { generation, offset }, end, query, signal);
      if (!isRotated) return;
    } else if (generation >= log.files.generation) {
      // Nothing written yet.
      if (!query.follow || log.isFinished) return;
      await watchOnce(log, signal).done;
      continue;
    }
    generation += 1;
    offset = 0;
  }
}

/** One file to its end; true when the log goes on in the next one. */
async function* readFile(
  log: TaskLog,
  file: FileHandle,
  start: Position,
  end: Position,
  query: LogQuery,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[], boolean> {
  let offset = start.offset;
  try {
    while (!signal.aborted) {
      // Noted before reading: what arrives meanwhile wakes us again.
      const isCurrent = start.generation === log.files.generation;
      const wasFinished = log.isFinished;
      const change = watchOnce(log, signal);
      try {
        const batch = await readBatch(file, offset, query);
        offset = batch.next;
        if (batch.records.length > 0) yield batch.records;
        if (batch.isPastEnd) return false;
        if (!query.follow && start.generation >= end.generation && offset >= end.offset) {
          return false;
        }
        if (batch.records.length > 0) continue;
        if (!isCurrent) return true;
        if (!query.follow || wasFinished) return false;
        await change.done;
      } finally {
        change.cancel();
      }
    }
    return false;
  } finally {
    await file.close();
  }
}

async function openGeneration(log: TaskLog, generation: number): Promise<FileHandle | undefined> {
  const path = log.files.pathOf(generation);
  if (path === undefined) return undefined;
  try {
    return await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readBatch(
  file: FileHandle,
  offset: number,
  query: LogQuery,
): Promise<{ records: readonly LogRecord[]; next: number; isPastEnd: boolean }> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let next = offset;
  // Skips on while nothing matches, so that an empty batch means the end of the file.
  for (;;) {
    const { bytesRead } = await file.read(block, 0, block.length, next);
    const records: LogRecord[] = [];
    let isPastEnd = false;
    const consumed = eachLine(block.subarray(0, bytesRead), (line) => {
      const record = parseRecord(line);
      if (record === undefined || isPastEnd) return;
      if (query.untilNs !== "" && record.timeNs > query.untilNs) isPastEnd = true;
      else if (matches(record, query)) records.push(record);
    });
    next += consumed;
    if (records.length > 0 || consumed === 0 || isPastEnd) return { records, next, isPastEnd };
  }
}

function matches(record: LogRecord, query: LogQuery): boolean {
  if (record.stream === "stdout" ? !query.stdout : !query.stderr) return false;
  return query.sinceNs === "" || record.timeNs >= query.sinceNs;
}

function watchOnce(
  log: TaskLog,
  signal: AbortSignal,
): { readonly done: Promise<void>; cancel(): void } {
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const timer = setTimeout(() => finish(), LOOK_AGAIN_MS);
  const stop = log.onChange(() => finish());
  const onAbort = (): void => finish();
  signal.addEventListener("abort", onAbort, { once: true });
  const cancel = (): void => {
    clearTimeout(timer);
    stop();
    signal.removeEventListener("abort", onAbort);
    finish();
  };
  return { done: done.then(cancel), cancel };
}

/** Where the last `tail` matching records begin; the oldest file there is for "all". */
async function findStart(log: TaskLog, query: LogQuery): Promise<Position> {
  return log.exclusive(async () => {
    const generations = await log.files.existing();
    const oldest = { generation: generations[0] ?? log.files.generation, offset: 0 };
    if (query.tail === "all") return oldest;
    let wanted = query.tail;
    if (wanted === 0) return { generation: log.files.generation, offset: log.files.sizeBytes };
    for (const generation of [...generations].reverse()) {
      const file = await openGeneration(log, generation);
      if (file === undefined) continue;
      try {
        const found = await findBackward(file, query, wanted);
        if (found.count >= wanted) return { generation, offset: found.offset };
        wanted -= found.count;
      } finally {
        await file.close();
      }
    }
    return oldest;
  });
}

/** Searches one file from its end for the `wanted`-th last matching record. */
async function findBackward(
  file: FileHandle,
  query: LogQuery,
  wanted: number,
): Promise<{ readonly count: number; readonly offset: number }> {
  let hi = (await file.stat()).size;
  let count = 0;
  while (hi > 0) {
    // One record more than a block at least, so that every block holds a record's beginning.
    const lo = Math.max(0, hi - BLOCK_BYTES - RECORD_MAX_BYTES);
    const block = Buffer.allocUnsafe(hi - lo);
    await file.read(block, 0, block.length, lo);
    const first = lo === 0 ? 0 : block.indexOf(0x0a) + 1;
    const starts: number[] = [];
    let at = first;
    eachLine(block.subarray(first), (line) => {
      const record = parseRecord(line);
      if (record !== undefined && matches(record, query)) starts.push(at);
      at += line.length + 1;
    });
    if (count + starts.length >= wanted) {
      return { count: wanted, offset: lo + (starts[starts.length - (wanted - count)] ?? 0) };
    }
    count += starts.length;
    hi = lo + first;
  }
  return { count, offset: 0 };
}
