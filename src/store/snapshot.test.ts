import { beforeAll, describe, expect, test } from "vitest";
import { type Change, encodeTransaction } from "../api/index.js";
import { ClusterStore } from "./cluster-store.js";
import { crc32 } from "./crc32.js";
import { SnapshotError } from "./snapshot-error.js";
import {
  IDLE_PACE,
  id,
  sampleCluster,
  sampleNetwork,
  sampleNode,
  sampleSecret,
  sampleService,
  sampleSpec,
  sampleTask,
  transaction,
} from "./testing/samples.js";

async function gather(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

function filled(tasks: number): ClusterStore {
  const store = new ClusterStore(IDLE_PACE);
  const changes: Change[] = [
    { kind: "putCluster", cluster: sampleCluster() },
    { kind: "putNode", node: sampleNode(1) },
    { kind: "putService", service: sampleService(1) },
    { kind: "putNetwork", network: sampleNetwork(1) },
    { kind: "putSecret", secret: sampleSecret(1) },
  ];
  for (let n = 1; n <= tasks; n++)
    changes.push({
      kind: "putTask",
      task: sampleTask(n, { spec: sampleSpec("svc1", {}).TaskTemplate }),
    });
  store.apply(5, encodeTransaction(transaction(changes, { requestId: "r1", resultJson: "{}" })));
  return store;
}

describe("a snapshot", () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    bytes = await gather(filled(20).snapshot());
  });

  test.each([1, 7, 1000, 1_000_000])("is read in chunks of %i bytes", async (size) => {
    const store = new ClusterStore(IDLE_PACE);
    const batches: unknown[] = [];
    store.subscribe((batch) => batches.push(batch));
    await store.restore(inChunks(bytes, size));
    expect(store.index).toBe(5);
    expect(store.tasks()).toEqual(filled(20).tasks());
    expect(store.tasks()[0]?.spec).toBe(store.tasks()[19]?.spec);
    expect(store.serviceByName("SVC1")?.id).toBe(id("s", 1));
    expect(store.storedResult("r1")).toEqual({ index: 5, resultJson: "{}" });
    expect(batches).toEqual([{ kind: "restored", index: 5 }]);
  });

  test("cut anywhere is refused as truncated, and the old state stays", async () => {
    for (let length = 0; length < bytes.length; length += 13) {
      const store = filled(1);
      await expect(store.restore(inChunks(bytes.slice(0, length), 4096))).rejects.toMatchObject({
        name: "SnapshotError",
        code: "TRUNCATED",
      });
      expect(store.tasks()).toHaveLength(1);
    }
  });

  test("with one byte changed is refused", async () => {
    for (let at = 0; at < bytes.length; at += 3) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x11;
      const store = new ClusterStore(IDLE_PACE);
      await expect(store.restore(inChunks(damaged, 4096))).rejects.toBeInstanceOf(SnapshotError);
      expect(store.index).toBe(0);
    }
  });

  test("with more behind its end is refused", async () => {
    const longer = new Uint8Array(Buffer.concat([bytes, bytes]));
    await expect(new ClusterStore(IDLE_PACE).restore(inChunks(longer, 500))).rejects.toMatchObject({
      code: "DAMAGED",
    });
  });

  test("shows the state of the call, whatever is applied while it is drained", async () => {
    const store = filled(5);
    const snapshot = store.snapshot();
    store.apply(
      6,
      encodeTransaction(
        transaction([
          { kind: "delete", table: "task", id: id("t", 1) },
          { kind: "putNode", node: sampleNode(2) },
        ]),
      ),
    );
    const other = new ClusterStore(IDLE_PACE);
    await other.restore(snapshot);
    expect(other.index).toBe(5);
    expect(other.tasks()).toHaveLength(5);
    expect(other.nodes()).toHaveLength(1);
  });

  test("failure of the source passes through and changes nothing", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes.slice(0, 100);
      throw new Error("disk gone");
    }
    const store = filled(2);
    await expect(store.restore(broken())).rejects.toThrow("disk gone");
    expect(store.tasks()).toHaveLength(2);
  });
});

test("encoding gives the loop a turn whenever its slice is over", async () => {
  let nowMs = 0;
  let turns = 0;
  const pace = {
    // Every look at the clock costs a millisecond: a slice is over after a few looks.
    nowMs: () => nowMs++,
    yieldToLoop: () => {
      turns++;
      return Promise.resolve();
    },
  };
  const store = new ClusterStore(pace);
  const changes: Change[] = [];
  for (let n = 0; n < 1000; n++) changes.push({ kind: "putTask", task: sampleTask(n) });
  store.apply(1, encodeTransaction(transaction(changes)));
  const bytes = await gather(store.snapshot());
  const encodeTurns = turns;
  expect(encodeTurns).toBeGreaterThan(10);
  await store.restore(inChunks(bytes, 1000));
  expect(turns - encodeTurns).toBeGreaterThan(10);
});

test("crc32 is the one of zlib", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  const text = new TextEncoder().encode("hello world");
  expect(crc32(text.subarray(5), crc32(text.subarray(0, 5)))).toBe(crc32(text));
});
