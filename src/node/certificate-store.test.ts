/** Keys on disk while managers are locked: what opens them, and that a crash at any write leaves one key for all of them. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { NodeRole } from "../api/index.js";
import { SeededRandom } from "../base/index.js";
import { createCsr, createRoot, signCertificate } from "../manager/ca/index.js";
import { CertificateStore, type NodeCredentials } from "./certificate-store.js";
import { writeFileDurably } from "./durable-file.js";

/** Writes that still succeed. */
let writesLeft = Number.POSITIVE_INFINITY;

const disk: typeof writeFileDurably = (path, text, mode) => {
  if (writesLeft <= 0) return Promise.reject(new Error("crashed"));
  writesLeft -= 1;
  return writeFileDurably(path, text, mode);
};

const random = new SeededRandom(8);
const K1 = Buffer.alloc(32, 1);
const K2 = Buffer.alloc(32, 2);
let directory: string;
let own: Record<NodeRole, NodeCredentials>;

beforeAll(async () => {
  const root = await createRoot(Date.now(), random);
  const make = async (role: NodeRole): Promise<NodeCredentials> => {
    const { csrPem, privateKeyPem } = await createCsr();
    const ids = { nodeId: "n1", clusterId: "c1", role, nowMs: Date.now() };
    const certificatePem = await signCertificate({
      root,
      csrPem,
      ...ids,
      nodeCertExpiryNs: 1e15,
      random,
    });
    return { certificatePem, privateKeyPem, rootBundlePem: root.certificatePem };
  };
  own = { manager: await make("manager"), worker: await make("worker") };
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "certificates-"));
  writesLeft = Number.POSITIVE_INFINITY;
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const onDisk = (): string =>
  ["swarm-node.pem", "raft-keys.json"]
    .map((name) => readFileSync(join(directory, name), "utf8"))
    .join("");

/** A manager's files with this key. */
async function made(unlockKey: Buffer | undefined) {
  const store = new CertificateStore(directory, disk);
  await store.save(own.manager);
  const raftKeys = await store.raftKeys();
  if (unlockKey !== undefined) await store.setUnlockKey(unlockKey, own.manager);
  return { store, raftKeys };
}

test("locked, nothing on disk opens anything by itself; the unlock key opens all of it", async () => {
  const { raftKeys } = await made(K1);
  const [key] = raftKeys.keys;
  expect(onDisk()).not.toContain("BEGIN PRIVATE KEY");
  expect(onDisk()).not.toContain(key?.keyBase64);

  const again = new CertificateStore(directory);
  expect(await again.load()).toEqual({
    kind: "locked",
    certificatePem: own.manager.certificatePem,
    rootBundlePem: own.manager.rootBundlePem,
  });
  expect(await again.unlock(K2)).toBeUndefined();
  await expect(again.raftKeys()).rejects.toThrow("another unlock key");
  expect(await again.unlock(K1)).toEqual(own.manager);
  expect(await again.raftKeys()).toEqual(raftKeys);
});

test("what is written later is encrypted too: a renewed certificate, and keys that are made", async () => {
  const store = new CertificateStore(directory);
  await store.save(own.manager);
  expect(await store.setUnlockKey(K1, own.manager)).toEqual({ layOpen: true });
  const raftKeys = await store.raftKeys();
  await store.save(own.manager);
  expect(onDisk()).not.toContain("BEGIN PRIVATE KEY");
  expect(onDisk()).not.toContain(raftKeys.keys[0]?.keyBase64);
  expect(await store.setUnlockKey(K2, own.manager)).toEqual({ layOpen: false });
});

test("a demoted manager is locked no more: workers never are", async () => {
  const { store, raftKeys } = await made(K1);
  await store.save(own.worker);
  const again = new CertificateStore(directory);
  expect(await again.load()).toEqual({ kind: "open", credentials: own.worker });
  expect(await again.raftKeys()).toEqual(raftKeys);
});

describe.each<{ name: string; from: Buffer | undefined; to: Buffer | undefined; writes: number }>([
  { name: "locking", from: undefined, to: K1, writes: 3 },
  { name: "another key", from: K1, to: K2, writes: 3 },
  { name: "unlocking for good", from: K1, to: undefined, writes: 2 },
])("a crash while $name", ({ from, to, writes }) => {
  test.each([0, 1, 2, 3].filter((count) => count <= writes))("after %i writes", async (count) => {
    const { store, raftKeys } = await made(from);
    writesLeft = count;
    const done = store.setUnlockKey(to, own.manager);
    await (count < writes ? expect(done).rejects.toThrow("crashed") : done);
    writesLeft = Number.POSITIVE_INFINITY;

    const again = new CertificateStore(directory);
    const stored = await again.load();
    if (stored.kind === "locked") {
      const opened = [await again.unlock(K1), await again.unlock(K2)].filter(Boolean);
      expect(opened).toEqual([own.manager]);
    } else expect(stored).toEqual({ kind: "open", credentials: own.manager });
    expect(await again.raftKeys()).toEqual(raftKeys);
    // The manager tells the key at each start: that completes it.
    await again.setUnlockKey(to, own.manager);
    const last = new CertificateStore(directory);
    expect((await last.load()).kind).toBe(to === undefined ? "open" : "locked");
    if (to !== undefined) expect(await last.unlock(to)).toEqual(own.manager);
    expect(await last.raftKeys()).toEqual(raftKeys);
  });
});
