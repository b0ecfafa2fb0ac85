import {
  type FileHandle,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SystemClock, silentLogger } from "../../base/index.js";
import { endOf, type JournalQuery, ORIGIN, positionText } from "../core/index.js";
import { RECENT_MAX } from "../recent.js";
import { describeJournal, positions } from "../testing/conformance.js";
import { entries, entry } from "../testing/entries.js";
import { FileJournal, type FileJournalParts } from "./file-journal.js";
import { WRITE_ENTRIES_MAX } from "./limits.js";
import { encodeRecord } from "./record.js";

let root: string;
let dir: string;
const opened: FileJournal[] = [];

async function openJournal(parts: Partial<FileJournalParts> = {}): Promise<FileJournal> {
  const journal = await FileJournal.open({
    rootDir: root,
    clusterId: "cluster1",
    clock: new SystemClock(),
    logger: silentLogger,
    ...parts,
  });
  opened.push(journal);
  return journal;
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "journal-"));
  dir = join(root, "cluster1");
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((journal) => journal.close()));
  await rm(root, { recursive: true, force: true });
});

describeJournal("files", async () => {
  let journal = await openJournal();
  return {
    journal,
    stored: () => positions(journal.read({})).then(() => undefined),
    reopen: async () => {
      await journal.close();
      journal = await openJournal();
      return journal;
    },
    [Symbol.asyncDispose]: () => journal.close(),
  };
});

/** Small segments: five entries or so each. */
const SMALL = {
  segmentBytesMax: 1500,
  journalBytesMax: 6000,
  // The entries are from 1970.
  ageMaxMs: Number.POSITIVE_INFINITY,
};

async function segmentPaths(): Promise<string[]> {
  return (await readdir(dir)).sort().map((name) => join(dir, name));
}

async function write(journal: FileJournal, from: number, to: number): Promise<void> {
  for (const each of entries(from, to)) {
    journal.append([each]);
    await positions(journal.read({ last: 0 }));
  }
}

describe("bounds", () => {
  test("by size: the oldest segments go, the newest entries stay", async () => {
    const journal = await openJournal({ limits: SMALL });
    await write(journal, 1, 100);
    const found = await positions(journal.read({}));
    expect(found.at(-1)).toBe("99-0");
    expect(found.length).toBeLessThan(99);
    expect(journal.sizeBytes).toBeLessThan(SMALL.journalBytesMax + SMALL.segmentBytesMax);
    const sizes = await Promise.all(
      (await segmentPaths()).map(async (path) => (await stat(path)).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(journal.sizeBytes);
  });

  test("by age", async () => {
    const clock = Object.assign(new SystemClock(), { wallMs: () => 2_000_000 });
    const journal = await openJournal({ clock, limits: { ...SMALL, ageMaxMs: 1_000 } });
    const old = entries(1, 30).map((each) => ({ ...each, atMs: 1_000 }));
    for (const each of old) {
      journal.append([each]);
      await positions(journal.read({ last: 0 }));
    }
    journal.append([entry(50, { atMs: 2_000_000 })]);
    const found = await positions(journal.read({}));
    expect(found.at(-1)).toBe("50-0");
    expect(found.length).toBeLessThan(10);
  });

  test("of what waits for the disk: the oldest are given up and counted, and a note says so", async () => {
    let isFull = true;
    const journal = await openJournal({
      limits: { queueEntriesMax: 10 },
      openFile: (path, flags, mode) => openFull(path, flags, mode, () => isFull),
    });
    journal.append(entries(1, 31));
    expect(await positions(journal.read({}))).toEqual(
      Array.from({ length: 10 }, (_, i) => `${21 + i}-0`),
    );
    expect(journal.lag()).toMatchObject({
      state: "failing",
      problem: expect.stringContaining("ENOSPC"),
      droppedCount: 20,
      waitingCount: 10,
      stored: ORIGIN,
    });
    isFull = false;
    await positions(journal.read({ last: 0 }));
    journal.append([entry(31)]);
    expect((await positions(journal.read({}))).at(-1)).toBe("31-0");
    expect(journal.lag()).toMatchObject({ state: "ok", waitingCount: 0, droppedCount: 20 });
    const [path = ""] = await segmentPaths();
    expect(await readFile(path, "latin1")).toContain('{"gap":{"from":"1-0","to":"20-0","count":20');
  });
});

/** A disk that takes half of a write and then has no room left. */
async function openFull(
  path: string,
  flags: string,
  mode: number,
  isFull: () => boolean,
): Promise<FileHandle> {
  const file = await open(path, flags, mode);
  const write = file.write.bind(file) as (...args: unknown[]) => Promise<unknown>;
  return Object.assign(file, {
    write: async (bytes: Buffer, offset: number, length: number, at: number) => {
      if (!isFull()) return write(bytes, offset, length, at);
      await write(bytes, offset, length >> 1, at);
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    },
  });
}

describe("damage", () => {
  async function stored(count: number): Promise<string> {
    const journal = await openJournal();
    await write(journal, 1, count + 1);
    await journal.close();
    const [path = ""] = await segmentPaths();
    return path;
  }

  test("a torn tail is cut, and writing goes on behind what is whole", async () => {
    const path = await stored(5);
    const whole = await readFile(path);
    await writeFile(path, Buffer.concat([whole, encodeRecord("{}").subarray(0, 13)]));
    const journal = await openJournal();
    await write(journal, 6, 8);
    expect(await positions(journal.read({}))).toEqual([1, 2, 3, 4, 5, 6, 7].map((i) => `${i}-0`));
    await journal.close();
    const again = await openJournal();
    expect(await positions(again.read({}))).toHaveLength(7);
  });

  test.each([
    { name: "a flipped bit", at: 0.5, hurt: (byte: number) => byte ^ 1 },
    { name: "zeros", at: 0.2, hurt: () => 0 },
  ])("$name in the middle costs its own entries only", async ({ at, hurt }) => {
    const path = await stored(10);
    const bytes = await readFile(path);
    const place = Math.floor(bytes.length * at);
    for (let i = place; i < place + 3; i++) bytes[i] = hurt(bytes[i] ?? 0);
    await writeFile(path, bytes);
    const journal = await openJournal();
    const found = await positions(journal.read({}));
    expect(found.length).toBeGreaterThanOrEqual(8);
    expect(found.length).toBeLessThan(10);
    expect(found.at(-1)).toBe("10-0");
  });

  test("a segment of garbage is skipped", async () => {
    const journal = await openJournal({ limits: SMALL });
    await write(journal, 1, 20);
    const before = await positions(journal.read({}));
    await journal.close();
    const [, second = ""] = await segmentPaths();
    await writeFile(second, Buffer.alloc((await stat(second)).size, "garbage"));
    const again = await openJournal({ limits: SMALL });
    await write(again, 20, 22);
    const found = await positions(again.read({}));
    expect(found.length).toBeLessThan(before.length + 2);
    expect(found.slice(-3)).toEqual(["19-0", "20-0", "21-0"]);
    expect(found[0]).toBe(before[0]);
  });

  test("a directory that cannot be made is a problem of the journal alone", async () => {
    await writeFile(join(root, "file"), "");
    const journal = await openJournal({ rootDir: join(root, "file") });
    journal.append(entries(1, 3));
    expect(await positions(journal.read({}))).toEqual(["1-0", "2-0"]);
    expect(journal.lag()).toMatchObject({ state: "failing", waitingCount: 2 });
  });
});

test("what belongs to another cluster is removed", async () => {
  const journal = await openJournal();
  await write(journal, 1, 3);
  await journal.close();
  const other = await openJournal({ clusterId: "cluster2" });
  expect(await positions(other.read({}))).toEqual([]);
  expect(await readdir(root)).toEqual(["cluster2"]);
});

describe("gaps", () => {
  async function notes(): Promise<string> {
    const texts = await Promise.all((await segmentPaths()).map((path) => readFile(path, "latin1")));
    return texts.join("");
  }

  test("a state taken over from a snapshot is noted as a gap", async () => {
    const journal = await openJournal();
    await write(journal, 1, 3);
    journal.restored(90);
    journal.append([entry(91)]);
    expect(await positions(journal.read({}))).toEqual(["1-0", "2-0", "91-0"]);
    expect(await notes()).toContain('{"gap":{"from":3,"to":90,');
  });

  test("entries that waited when the state was taken over come before the gap", async () => {
    const journal = await openJournal();
    const count = 2 * WRITE_ENTRIES_MAX;
    journal.append(entries(1, count));
    journal.restored(5000);
    journal.append([entry(5001)]);
    const asked: unknown[] = [];
    const fill = async function* (query: JournalQuery) {
      await Promise.resolve();
      asked.push(query);
      yield* [entry(1), entry(4000)];
    };
    const expected = [...entries(1, count), entry(4000), entry(5001)].map(positionText);
    expect(await positions(journal.read({}, fill))).toEqual(expected);
    expect(asked).toEqual([{ after: endOf(count - 1), upTo: endOf(5000) }]);
  });

  test("none where everything in between was seen", async () => {
    const journal = await openJournal();
    await write(journal, 1, 3);
    journal.seen(90);
    await journal.close();
    const again = await openJournal();
    again.restored(90);
    await write(again, 91, 92);
    expect(await notes()).not.toContain("gap");
  });
});

test("a slow follower reads from the files what memory no longer holds", async () => {
  const journal = await openJournal();
  const count = 3 * RECENT_MAX;
  const end = new AbortController();
  const follower = journal.follow(ORIGIN, end.signal)[Symbol.asyncIterator]();
  journal.append(entries(1, 2));
  expect((await follower.next()).value).toMatchObject({ index: 1 });
  journal.append(entries(2, count + 1));
  let index = 1;
  while (index < count && (await follower.next()).value?.index === index + 1) index++;
  expect(index).toBe(count);
  end.abort();
  await follower.return?.(undefined);
});
