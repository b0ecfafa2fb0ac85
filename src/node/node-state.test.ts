import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NodeConfig } from "../api/index.js";
import { SeededRandom } from "../base/index.js";
import { createCsr, createRoot, signCertificate } from "../manager/ca/index.js";
import type { Admission, JoinAttempt } from "./core/membership.js";
import { NodeState } from "./node-state.js";

const random = new SeededRandom(5);
let stateDir: string;
let config: NodeConfig;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "state-"));
  config = { stateDir } as NodeConfig;
});
afterEach(() => {
  rmSync(stateDir, { recursive: true });
});

const ADMISSION: Admission = {
  nodeId: "n1",
  clusterId: "c1",
  role: "worker",
  managers: [{ nodeId: "m1", addr: "10.0.0.1:2377" }],
  advertiseAddr: "10.0.0.5:2377",
  listenAddr: "0.0.0.0:2377",
};
const ATTEMPT: JoinAttempt = {
  remoteAddrs: ["10.0.0.1:2377"],
  joinToken: "t",
  availability: "active",
  advertiseAddr: "",
  listenAddr: "0.0.0.0:2377",
};

async function credentials(role: "worker" | "manager") {
  const nowMs = Date.now();
  const root = await createRoot(nowMs, random);
  const { csrPem, privateKeyPem } = await createCsr();
  const certificatePem = await signCertificate({
    root,
    csrPem,
    nodeId: "n1",
    clusterId: "c1",
    role,
    nowMs,
    nodeCertExpiryNs: 1e15,
    random,
  });
  return { certificatePem, privateKeyPem, rootBundlePem: root.certificatePem };
}

async function joined(): Promise<NodeState> {
  const state = await NodeState.open(config);
  await state.apply({ kind: "joinStarted", attempt: ATTEMPT });
  await state.setCredentials(await credentials("worker"));
  await state.apply({ kind: "admitted", admission: ADMISSION });
  return state;
}

test("a member is the same after a restart", async () => {
  const before = await joined();
  const after = await NodeState.open(config);
  expect(after.record).toEqual(before.record);
  expect(after.identity).toEqual(before.identity);
  expect(after.identity).toMatchObject({ nodeId: "n1", role: "worker" });
});

test("after a crash between certificate and record, the certificate tells the role", async () => {
  const state = await joined();
  await state.setCredentials(await credentials("manager"));
  expect(state.record).toMatchObject({ role: "worker" });
  expect((await NodeState.open(config)).record).toMatchObject({ role: "manager" });
});

test("an identity under way is the manager's alone until it is published", async () => {
  const state = await NodeState.open(config);
  await state.apply({ kind: "initStarted" });
  await state.setCredentials(await credentials("manager"));
  state.setProvisional(ADMISSION, false);
  expect(state.identity).toBeUndefined();
  expect(state.managerIdentity).toMatchObject({ nodeId: "n1" });
  state.setProvisional(ADMISSION, true);
  expect(state.identity).toMatchObject({ nodeId: "n1" });
});

test("Raft keys are made once, 32 bytes, readable by root alone", async () => {
  const first = await (await NodeState.open(config)).raftKeys();
  const again = await (await NodeState.open(config)).raftKeys();
  expect(again).toEqual(first);
  expect(Buffer.from(first.keys[0]?.keyBase64 ?? "", "base64")).toHaveLength(32);
  expect(statSync(join(stateDir, "certificates", "raft-keys.json")).mode & 0o777).toBe(0o600);
});

test("a wipe forgets keys, certificates and log, and keeps what is the worker's", async () => {
  const state = await joined();
  await state.raftKeys();
  mkdirSync(join(stateDir, "raft"));
  mkdirSync(join(stateDir, "worker", "volumes"), { recursive: true });
  await state.wipe("why");
  expect(state.identity).toBeUndefined();
  const after = await NodeState.open(config);
  expect(after.record).toEqual({ kind: "inactive", lastError: "why" });
  expect(after.credentials).toBeUndefined();
  expect(() => statSync(join(stateDir, "raft"))).toThrow("ENOENT");
  expect(statSync(join(stateDir, "worker", "volumes")).isDirectory()).toBe(true);
});

test("a demoted manager's log is set aside, the one before it dropped", async () => {
  const state = await joined();
  await state.apply({ kind: "roleIssued", role: "manager" });
  for (const text of ["first", "second"]) {
    mkdirSync(join(stateDir, "raft"));
    writeFileSync(join(stateDir, "raft", "wal"), text);
    await state.setAsideRaftLog();
  }
  expect(readFileSync(join(stateDir, "raft.removed", "wal"), "utf8")).toBe("second");
});

test("concurrent events are applied in order, each on the last one's result", async () => {
  const state = await joined();
  await Promise.all([
    state.apply({ kind: "settled" }),
    state.apply({ kind: "roleIssued", role: "manager" }),
    state.apply({ kind: "managerReady" }),
  ]);
  expect((await NodeState.open(config)).record).toMatchObject({ isSettled: true });
  expect(state.record).toMatchObject({ isSettled: true, role: "manager", hasRaftLog: true });
});

test.each([
  { name: "not JSON", text: "{", message: "it is not JSON" },
  { name: "of a later format", text: '{"formatVersion":2,"kind":"inactive"}', message: "format 2" },
  { name: "of an unknown kind", text: '{"formatVersion":1,"kind":"odd"}', message: "kind is odd" },
  {
    name: "a member without role",
    text: '{"formatVersion":1,"kind":"member"}',
    message: "missing",
  },
])("node.json that is $name stops the start, naming the file", async ({ text, message }) => {
  writeFileSync(join(stateDir, "node.json"), text);
  const opening = NodeState.open(config);
  await expect(opening).rejects.toThrow(message);
  await expect(opening).rejects.toThrow("node.json");
});

test("a member whose certificate is gone stops the start, saying what to do", async () => {
  await joined();
  rmSync(join(stateDir, "certificates"), { recursive: true });
  await expect(NodeState.open(config)).rejects.toThrow("restore the directory from a backup");
});
