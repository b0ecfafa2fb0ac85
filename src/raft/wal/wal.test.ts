import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toLogIndex, toTerm } from "../ids.js";
import { entry } from "../testing/core-cluster.js";
import type { DataKey } from "../types.js";
import { crc32, crc32ByTable } from "./crc32.js";
import { FlushPolicy } from "./flush-policy.js";
import { NodeDisk } from "./node-disk.js";
import { Sealer } from "./sealer.js";
import { type SaveBatch, Wal } from "./wal.js";

const KEY: DataKey = { keyId: 1, key: new Uint8Array(32).fill(1) };
const OTHER: DataKey = { keyId: 2, key: new Uint8Array(32).fill(2) };
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "raft-wal-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const open = async (keys: readonly DataKey[] = [KEY], activeKeyId = 1, segmentMaxBytes = 1 << 20) =>
  Wal.open({
    disk: new NodeDisk(),
    dir,
    memberId: "m",
    sealer: new Sealer(keys, activeKeyId, (length) => randomBytes(length)),
    segmentMaxBytes,
  });

const batch = (from: number, to: number, term = 1, commit = 0): SaveBatch => ({
  reset: undefined,
  entries: Array.from({ length: to - from + 1 }, (_, i) => entry(from + i, term, `e${from + i}`)),
  hardState: { term: toTerm(term), vote: "m", commit: toLogIndex(commit) },
});

async function write(...batches: SaveBatch[]): Promise<string> {
  const { wal } = await open();
  for (const one of batches) await wal.save([one]);
  await wal.close();
  return join(dir, (await readdir(dir)).sort().at(-1) ?? "");
}

async function replayed(keys?: readonly DataKey[]) {
  const { wal, log, tornBytes } = await open(keys);
  await wal.close();
  return { indexes: log?.entries.map(({ index }) => index as number), log, tornBytes };
}

describe("log segments", () => {
  test("an empty directory has no log", async () => {
    expect((await replayed()).log).toBeUndefined();
  });

  test("what was saved comes back, hard state included", async () => {
    await write(batch(1, 3), batch(4, 4, 2, 3));
    const { log, indexes } = await replayed();
    expect(indexes).toEqual([1, 2, 3, 4]);
    expect(log?.hardState).toEqual({ term: 2, vote: "m", commit: 3 });
    expect(Buffer.from(log?.entries[0]?.data ?? []).toString()).toBe("e1");
  });

  test("later records override earlier ones of the same index and after", async () => {
    await write(batch(1, 5), batch(3, 3, 2));
    const { log } = await replayed();
    expect(log?.entries.map(({ index, term }) => [index, term])).toEqual([
      [1, 1],
      [2, 1],
      [3, 2],
    ]);
  });

  test("nothing readable is on disk", async () => {
    const path = await write(batch(1, 3));
    expect((await readFile(path)).includes("e2")).toBe(false);
  });

  test("segments roll over; old ones go once covered, and the rest still replays", async () => {
    const { wal } = await open([KEY], 1, 300);
    for (let i = 1; i <= 20; i++) await wal.save([batch(i, i, 1, i)]);
    const before = (await readdir(dir)).length;
    await wal.dropThrough(toLogIndex(12));
    await wal.close();
    expect((await readdir(dir)).length).toBeLessThan(before);
    const { log } = await replayed();
    expect(log?.entries.at(-1)?.index).toBe(20);
    expect(log?.base).toBeLessThanOrEqual(12);
    expect(log?.hardState.commit).toBe(20);
  });

  test("a reset forgets the log before it", async () => {
    const membership = { members: [], removed: [] };
    const reset = { index: toLogIndex(50), term: toTerm(4), membership };
    await write(batch(1, 3), { reset, entries: [entry(51, 4)], hardState: undefined });
    const { log, indexes } = await replayed();
    expect([log?.base, log?.baseTerm, indexes]).toEqual([50, 4, [51]]);
  });
});

describe("a crash while writing", () => {
  test("cut at every byte of the last frame: it is dropped, everything before it stays", async () => {
    await write(batch(1, 2));
    const path = await write(batch(3, 4));
    const whole = await readFile(path);
    const start = await frameStartBefore(path, [batch(1, 2)]);
    for (let end = start; end < whole.length; end++) {
      await writeFile(path, whole.subarray(0, end));
      const { indexes, tornBytes } = await replayed();
      expect([end, indexes, tornBytes]).toEqual([end, [1, 2], end - start]);
    }
  });

  test("garbage at every byte of the last frame: same", async () => {
    await write(batch(1, 2));
    const path = await write(batch(3, 4));
    const whole = await readFile(path);
    const start = await frameStartBefore(path, [batch(1, 2)]);
    for (let at = start; at < whole.length; at++) {
      const torn = Buffer.from(whole);
      torn[at] = (torn[at] ?? 0) ^ 0x40;
      await writeFile(path, torn);
      expect((await replayed()).indexes).toEqual([1, 2]);
    }
  });

  test("after the cut, writing goes on where the intact part ends", async () => {
    const path = await write(batch(1, 2), batch(3, 4));
    await writeFile(path, (await readFile(path)).subarray(0, -3));
    await write(batch(3, 3, 2));
    expect((await replayed()).indexes).toEqual([1, 2, 3]);
  });

  test("an unfinished new segment is not one", async () => {
    await write(batch(1, 2));
    await writeFile(join(dir, "wal-0000000000000002.log.tmp"), "RAFTW");
    expect((await replayed()).indexes).toEqual([1, 2]);
    expect(await readdir(dir)).toHaveLength(1);
  });
});

describe("damage", () => {
  test("a flipped bit anywhere before the last frame is refused, naming file and offset", async () => {
    const path = await write(batch(1, 2), batch(3, 4));
    const whole = await readFile(path);
    const lastFrame = await frameStartBefore(path, [batch(1, 2)]);
    for (let at = 0; at < lastFrame; at += 3) {
      const bad = Buffer.from(whole);
      bad[at] = (bad[at] ?? 0) ^ 1;
      await writeFile(path, bad);
      await expect(open()).rejects.toMatchObject({
        code: "DAMAGED",
        message: expect.stringMatching(/wal-0000000000000001\.log.*offset \d+/),
      });
    }
  });

  test("a cut segment with others after it is refused", async () => {
    const { wal } = await open([KEY], 1, 100);
    for (let i = 1; i <= 6; i++) await wal.save([batch(i, i)]);
    await wal.close();
    const path = join(dir, "wal-0000000000000002.log");
    await writeFile(path, (await readFile(path)).subarray(0, -1));
    await expect(open()).rejects.toMatchObject({ code: "DAMAGED" });
    await rm(path);
    await expect(open()).rejects.toMatchObject({
      code: "DAMAGED",
      message: expect.stringContaining("missing"),
    });
  });

  test("a frame moved to another place is refused", async () => {
    const path = await write(batch(1, 1), batch(2, 2));
    const whole = await readFile(path);
    const second = await frameStartBefore(path, [batch(1, 1)]);
    await writeFile(path, Buffer.concat([whole, whole.subarray(second)]));
    await expect(open()).rejects.toMatchObject({ code: "KEY_MISSING" });
  });
});

describe("keys", () => {
  test("an absent key, and another key under the same id, are KEY_MISSING", async () => {
    await write(batch(1, 1));
    await expect(open([OTHER], 2)).rejects.toMatchObject({ code: "KEY_MISSING" });
    await expect(open([{ keyId: 1, key: OTHER.key }])).rejects.toMatchObject({
      code: "KEY_MISSING",
    });
    await expect(open([KEY], 9)).rejects.toMatchObject({ code: "KEY_MISSING" });
  });

  test("new frames use the active key, old ones stay readable", async () => {
    await write(batch(1, 1));
    const { wal } = await open([KEY, OTHER], 2);
    await wal.save([batch(2, 2)]);
    expect([...wal.keyIds].sort()).toEqual([1, 2]);
    await wal.close();
    expect((await replayed([KEY, OTHER])).indexes).toEqual([1, 2]);
    await expect(open([KEY])).rejects.toMatchObject({ code: "KEY_MISSING" });
  });
});

test("CRC-32 by table equals the native one", () => {
  const bytes = randomBytes(1000);
  expect(crc32ByTable(bytes)).toBe(crc32(bytes));
  expect(crc32ByTable(bytes.subarray(9), crc32(bytes.subarray(0, 9)))).toBe(crc32(bytes));
});

describe("flush policy", () => {
  test("stays synchronous while that is fast, leaves after a stall, and comes back to try", () => {
    const policy = new FlushPolicy();
    for (let i = 0; i < 100; i++) {
      expect(policy.isSyncWorthwhile(500)).toBe(true);
      policy.measuredSync(0.08);
    }
    policy.measuredSync(20);
    let pooled = 0;
    while (!policy.isSyncWorthwhile(500)) pooled++;
    expect(pooled).toBeGreaterThan(100);
  });

  test("a slow disk is left to the pool, and large frames always are", () => {
    const policy = new FlushPolicy();
    for (let i = 0; i < 10 && policy.isSyncWorthwhile(500); i++) policy.measuredSync(2);
    expect(policy.isSyncWorthwhile(500)).toBe(false);
    expect(new FlushPolicy().isSyncWorthwhile(1 << 20)).toBe(false);
  });
});

/** Where the frame after these batches begins: sizes do not depend on nonces. */
async function frameStartBefore(path: string, batches: SaveBatch[]): Promise<number> {
  const kept = await readFile(path);
  await rm(path);
  const fresh = await write(...batches);
  const { length } = await readFile(fresh);
  await writeFile(path, kept);
  return length;
}
