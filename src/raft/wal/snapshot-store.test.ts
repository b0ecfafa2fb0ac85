import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toLogIndex, toTerm } from "../ids.js";
import { membershipOf } from "../testing/core-cluster.js";
import { NodeDisk } from "./node-disk.js";
import { Sealer } from "./sealer.js";
import { SNAPSHOT_SLICE_BYTES } from "./snapshot-file.js";
import { SnapshotStore } from "./snapshot-store.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "raft-snap-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const storeWith = (keyByte: number): SnapshotStore => {
  const keys = [{ keyId: 1, key: new Uint8Array(32).fill(keyByte) }];
  return new SnapshotStore(
    new NodeDisk(),
    dir,
    new Sealer(keys, 1, (length) => randomBytes(length)),
  );
};
const metaOf = (index: number) => ({
  index: toLogIndex(index),
  term: toTerm(2),
  membership: membershipOf(["a"], ["b"]),
});

async function save(index: number, bytes: Uint8Array): Promise<void> {
  const pending = await storeWith(1).write(metaOf(index));
  for (let at = 0; at < bytes.length; at += 70_001)
    await pending.write(bytes.subarray(at, at + 70_001));
  await pending.commit();
}

test.each([
  0,
  1,
  SNAPSHOT_SLICE_BYTES - 1,
  SNAPSHOT_SLICE_BYTES,
  SNAPSHOT_SLICE_BYTES + 1,
  3 * SNAPSHOT_SLICE_BYTES,
])("%i bytes come back as they were, whole and from any slice", async (sizeBytes) => {
  const bytes = randomBytes(sizeBytes);
  await save(5, bytes);
  const reader = await storeWith(1).open(toLogIndex(5));
  expect(reader.meta).toMatchObject({ index: 5, term: 2 });
  expect(reader.meta.membership.members.map(({ id }) => id)).toEqual(["a", "b"]);
  const parts: Uint8Array[] = [];
  for await (const chunk of reader.chunks()) parts.push(chunk);
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  if (sizeBytes > SNAPSHOT_SLICE_BYTES) {
    const slice = await reader.slice(SNAPSHOT_SLICE_BYTES);
    expect(
      Buffer.from(slice).equals(bytes.subarray(SNAPSHOT_SLICE_BYTES, 2 * SNAPSHOT_SLICE_BYTES)),
    ).toBe(true);
  }
  await reader.close();
});

test("an unfinished snapshot is never seen and is cleaned up", async () => {
  const pending = await storeWith(1).write(metaOf(9));
  await pending.write(randomBytes(10));
  const { readers } = await storeWith(1).load();
  expect(readers).toEqual([]);
  expect(await readdir(dir)).toEqual([]);
  await expect(pending.discard()).rejects.toMatchObject({ code: "ENOENT" });
});

test("a damaged one is reported, the one before it still offered", async () => {
  await save(5, randomBytes(1000));
  await save(8, randomBytes(1000));
  const path = join(dir, (await readdir(dir)).sort().at(-1) ?? "");
  const whole = await readFile(path);
  for (const at of [3, 40, whole.length >> 1, whole.length - 1]) {
    const bad = Buffer.from(whole);
    bad[at] = (bad[at] ?? 0) ^ 1;
    await writeFile(path, bad);
    const { readers, damage } = await storeWith(1).load();
    expect(readers.map(({ meta }) => meta.index)).toEqual([5]);
    expect(damage.map(({ code }) => code)).toEqual(["DAMAGED"]);
    for (const reader of readers) await reader.close();
  }
  await writeFile(path, whole.subarray(0, whole.length - 10));
  const { readers, damage } = await storeWith(1).load();
  expect(damage).toHaveLength(1);
  for (const reader of readers) await reader.close();
});

test("another key is KEY_MISSING, not damage", async () => {
  await save(5, randomBytes(1000));
  await expect(storeWith(2).load()).rejects.toMatchObject({ code: "KEY_MISSING" });
});

test("two are kept; the log is needed back to the older", async () => {
  for (const index of [5, 8]) await save(index, randomBytes(10));
  expect(await storeWith(1).prune()).toBe(5);
  await save(12, randomBytes(10));
  expect(await storeWith(1).prune()).toBe(8);
  expect(await readdir(dir)).toHaveLength(2);
});
