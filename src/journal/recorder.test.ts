import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SystemClock, silentLogger } from "../base/index.js";
import { apply, id, populated, sampleTask } from "../store/testing/samples.js";
import { FileJournal } from "./file/file-journal.js";
import { JournalRecorder } from "./recorder.js";
import { positions } from "./testing/conformance.js";

let rootDir: string;

beforeEach(async () => {
  rootDir = await mkdtemp(join(tmpdir(), "journal-"));
});

afterEach(async () => {
  await rm(rootDir, { recursive: true, force: true });
});

/** The journal of a store that applies three entries (four changes, then `count` tasks in one). */
async function record(count: number): Promise<readonly string[]> {
  const clock = new SystemClock();
  const journal = await FileJournal.open({
    rootDir,
    clusterId: "c",
    clock,
    logger: silentLogger,
    limits: { ageMaxMs: Number.POSITIVE_INFINITY },
  });
  const store = populated();
  const recorder = new JournalRecorder({ store, journal, clock, nextTurn });
  apply(
    store,
    Array.from({ length: count }, (_, i) => ({ kind: "putTask", task: sampleTask(10 + i) })),
  );
  apply(store, [{ kind: "delete", table: "task", id: id("t", 10) }]);
  await recorder.close();
  const found = await positions(journal.read({}));
  await journal.close();
  return found;
}

test("a log that is read again at the start is journalled once", async () => {
  const first = await record(3);
  expect(first).toEqual(["4-0", "4-1", "4-2", "5-0"]);
  expect(await record(3)).toEqual(first);
});

test("a large transaction is taken in slices and whole", async () => {
  expect(await record(2_000)).toHaveLength(2_001);
});
