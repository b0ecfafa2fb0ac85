/** A follower that has what the files lack filled in. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SystemClock, silentLogger } from "../../base/index.js";
import {
  isAfter,
  type JournalEntry,
  type JournalQuery,
  matchesQuery,
  ORIGIN,
  type Position,
  positionText,
} from "../core/index.js";
import { RECENT_MAX } from "../recent.js";
import { entries, entry } from "../testing/entries.js";
import { FileJournal } from "./file-journal.js";
import type { Fill } from "./read-parts.js";

let root: string;
const opened: FileJournal[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "journal-follow-"));
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((files) => files.close()));
  await rm(root, { recursive: true, force: true });
});

async function openFiles(): Promise<FileJournal> {
  const clock = new SystemClock();
  const files = await FileJournal.open({
    rootDir: root,
    clusterId: "c1",
    clock,
    logger: silentLogger,
  });
  opened.push(files);
  return files;
}

/** Somewhere all of `log` is; remembers what was asked for. */
function elsewhere(log: readonly JournalEntry[]): {
  readonly asked: JournalQuery[];
  readonly fill: Fill;
} {
  const asked: JournalQuery[] = [];
  const fill = async function* (query: JournalQuery) {
    asked.push(query);
    await Promise.resolve();
    for (const each of log) if (matchesQuery(each, query)) yield each;
  };
  return { asked, fill };
}

const text = (from: number, to: number): string[] => entries(from, to).map(positionText);

/** Places told until one is at `last`. */
async function followed(
  files: FileJournal,
  fill: Fill | undefined,
  last: number,
  onEach: (entry: JournalEntry) => void = () => undefined,
  after: Position = ORIGIN,
): Promise<string[]> {
  const end = new AbortController();
  const seen: string[] = [];
  for await (const each of files.follow(after, end.signal, fill)) {
    seen.push(positionText(each));
    onEach(each);
    if (each.index >= last) end.abort();
  }
  return seen;
}

const LOG = entries(1, 200);

test.each([
  { name: "what was before this manager", missing: [[1, 90]], expected: text(1, 101) },
  {
    name: "stretches in the middle",
    missing: [
      [20, 30],
      [60, 61],
    ],
    expected: text(1, 101),
  },
])("$name comes at its place, whether the files are opened anew or not", async (row) => {
  const files = await openFiles();
  let index = 1;
  for (const [from = 0, to = 0] of row.missing) {
    files.append(entries(index, from));
    files.restored(to);
    index = to + 1;
  }
  files.append(entries(index, 101));
  expect(await followed(files, elsewhere(LOG).fill, 100)).toEqual(row.expected);
  await files.close();
  expect(await followed(await openFiles(), elsewhere(LOG).fill, 100)).toEqual(row.expected);
});

test("a gap that comes while it is followed is filled with the first entry behind it", async () => {
  const files = await openFiles();
  files.append(entries(1, 6));
  const { asked, fill } = elsewhere(LOG);
  const seen = await followed(files, fill, 100, ({ index }) => {
    if (index !== 5) return;
    files.restored(90);
    files.append(entries(91, 101));
  });
  expect(seen).toEqual(text(1, 101));
  expect(asked).toHaveLength(1);
});

test("entries that were on their way when the gap came are told before it", async () => {
  const files = await openFiles();
  files.append(entries(1, 6));
  const { fill } = elsewhere(LOG);
  const seen = await followed(files, fill, 100, ({ index }) => {
    if (index === 5) {
      files.restored(90);
      files.append(entries(6, 20));
    }
    if (index === 19) files.append(entries(91, 101));
  });
  expect(seen).toEqual([...text(1, 101)]);
});

test("changes that never became entries are filled in too", async () => {
  const files = await openFiles();
  files.append(entries(1, 6));
  const { fill } = elsewhere(LOG);
  const seen = await followed(files, fill, 9, ({ index }) => {
    if (index !== 5) return;
    files.unmade(6, 1);
    files.append([entry(7)]);
    files.unmade(8, 1);
    files.append([entry(9)]);
  });
  expect(seen).toEqual(text(1, 10));
});

test("a gap behind which no entry had come when the manager stopped", async () => {
  const files = await openFiles();
  files.append(entries(1, 6));
  files.restored(90);
  await files.close();
  const again = await openFiles();
  again.restored(90);
  const { fill } = elsewhere(LOG);
  const seen = await followed(again, fill, 100, ({ index }) => {
    if (index === 5) again.append(entries(91, 101));
  });
  expect(seen).toEqual(text(1, 101));
});

test("more comes before a gap than memory holds", async () => {
  const files = await openFiles();
  const count = 3 * RECENT_MAX;
  const log = entries(1, 2 * count);
  files.append([entry(1)]);
  const seen = await followed(files, elsewhere(log).fill, count + 600, (each) => {
    if (each.index !== 1) return;
    files.append(entries(2, count));
    files.restored(count + 50);
    files.append(entries(count + 51, count + 601));
  });
  expect(seen).toEqual(text(1, count + 601));
});

test("what may still come here is not asked for", async () => {
  const files = await openFiles();
  files.append(entries(1, 6));
  files.restored(90);
  const { asked, fill } = elsewhere(LOG);
  expect(await followed(files, fill, 5)).toEqual(text(1, 6));
  files.append([entry(91)]);
  await followed(files, fill, 91);
  expect(asked.every(({ upTo }) => upTo !== undefined && !isAfter(upTo, entry(91)))).toBe(true);
});

test("nothing is asked for where nothing is missing, nor behind what is had already", async () => {
  const files = await openFiles();
  files.append(entries(1, 6));
  files.seen(40);
  await files.close();
  const again = await openFiles();
  const { asked, fill } = elsewhere([]);
  const seen = await followed(again, fill, 50, ({ index }) => {
    if (index === 5) again.append([entry(50)]);
  });
  expect(seen).toEqual([...text(1, 6), "50-0"]);
  again.restored(90);
  again.append(entries(91, 95));
  expect(await followed(again, fill, 94, undefined, entry(91))).toEqual(text(92, 95));
  expect(asked).toEqual([]);
});

test("a fill that fails ends the following, behind what it told before", async () => {
  const files = await openFiles();
  files.restored(9);
  files.append(entries(10, 12));
  const seen: number[] = [];
  const fill = async function* () {
    yield entry(1);
    await Promise.resolve();
    throw new Error("cannot be asked");
  };
  const following = followed(files, fill, 11, ({ index }) => seen.push(index));
  await expect(following).rejects.toThrow("cannot be asked");
  expect(seen).toEqual([1]);
});

test("without a fill gaps are passed over", async () => {
  const files = await openFiles();
  files.append(entries(1, 6));
  const seen = await followed(files, undefined, 92, ({ index }) => {
    if (index !== 5) return;
    files.restored(90);
    files.append(entries(91, 93));
  });
  expect(seen).toEqual([...text(1, 6), "91-0", "92-0"]);
});
