/**
 * certificates/: this node's key and certificate, the cluster's roots and the Raft data keys (0700, files 0600). Key and
 * certificate are one file, so that a crash never leaves a pair that does not fit.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import type { RaftKeys } from "../api/index.js";
import {
  makePrivateDirectory,
  readFileIfAny,
  syncDirectory,
  writeFileDurably,
} from "./durable-file.js";

const NODE_FILE = "swarm-node.pem";
const ROOT_FILE = "swarm-root-ca.crt";
const RAFT_KEYS_FILE = "raft-keys.json";
const RAFT_KEYS_FORMAT = 1;
const RAFT_KEY_BYTES = 32;
const MODE = 0o600;

export type NodeCredentials = {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly rootBundlePem: string;
};

export class CertificateStore {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async load(): Promise<NodeCredentials | undefined> {
    const [node, rootBundlePem] = await Promise.all([
      readFileIfAny(this.#path(NODE_FILE)),
      readFileIfAny(this.#path(ROOT_FILE)),
    ]);
    if (node === undefined || rootBundlePem === undefined) return undefined;
    const certificatePem = block(node, "CERTIFICATE");
    const privateKeyPem = block(node, "PRIVATE KEY");
    if (certificatePem === undefined || privateKeyPem === undefined) {
      throw new Error(
        `${this.#path(NODE_FILE)} has not both a certificate and a private key; restore it from a backup, ` +
          "or move the state directory away and join again",
      );
    }
    return { privateKeyPem, certificatePem, rootBundlePem };
  }

  /** Roots first: they are valid for the old certificate too. */
  async save(credentials: NodeCredentials): Promise<void> {
    await makePrivateDirectory(this.#directory);
    await writeFileDurably(this.#path(ROOT_FILE), credentials.rootBundlePem, MODE);
    const node = `${credentials.certificatePem.trimEnd()}\n${credentials.privateKeyPem.trimEnd()}\n`;
    await writeFileDurably(this.#path(NODE_FILE), node, MODE);
  }

  async saveRoots(rootBundlePem: string): Promise<void> {
    await writeFileDurably(this.#path(ROOT_FILE), rootBundlePem, MODE);
  }

  /** The keys this manager's log and snapshots are encrypted with; made at the first call, before the first entry is written. */
  async raftKeys(): Promise<RaftKeys> {
    const path = this.#path(RAFT_KEYS_FILE);
    const text = await readFileIfAny(path);
    if (text !== undefined) return parseRaftKeys(text, path);
    const keys: RaftKeys = {
      keys: [{ keyId: 1, keyBase64: randomBytes(RAFT_KEY_BYTES).toString("base64") }],
      activeKeyId: 1,
    };
    await makePrivateDirectory(this.#directory);
    // "none": the keys lie open beside the node key. A key-encrypting key gets a cipher name of its own here.
    const file = { formatVersion: RAFT_KEYS_FORMAT, cipher: "none", ...keys };
    await writeFileDurably(path, `${JSON.stringify(file, null, 2)}\n`, MODE);
    return keys;
  }

  /** Forgets everything: the node left its cluster. */
  async wipe(): Promise<void> {
    await makePrivateDirectory(this.#directory);
    for (const name of [NODE_FILE, RAFT_KEYS_FILE, ROOT_FILE])
      await rm(this.#path(name), { force: true });
    await syncDirectory(this.#directory);
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

function block(text: string, label: string): string | undefined {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text)?.[0];
  return found === undefined ? undefined : `${found}\n`;
}

function parseRaftKeys(text: string, path: string): RaftKeys {
  const raw = JSON.parse(text) as {
    formatVersion?: unknown;
    cipher?: unknown;
    keys?: unknown;
    activeKeyId?: unknown;
  };
  if (raw.formatVersion !== RAFT_KEYS_FORMAT || raw.cipher !== "none") {
    throw new Error(
      `${path} has format ${String(raw.formatVersion)} and cipher ${String(raw.cipher)}, which this program does not know; ` +
        "use the swarmd version that wrote it",
    );
  }
  const keys = (Array.isArray(raw.keys) ? raw.keys : []).filter(
    (key: { keyId?: unknown; keyBase64?: unknown }) =>
      Number.isInteger(key.keyId) &&
      typeof key.keyBase64 === "string" &&
      Buffer.from(key.keyBase64, "base64").length === RAFT_KEY_BYTES,
  ) as RaftKeys["keys"];
  const active = keys.find((key) => key.keyId === raw.activeKeyId);
  if (active === undefined)
    throw new Error(`${path} holds no usable active key; restore it from a backup`);
  return { keys, activeKeyId: active.keyId };
}
