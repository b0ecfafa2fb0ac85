/**
 * certificates/: this node's key and certificate, the cluster's roots and the Raft data keys (0700, files 0600). Key and
 * certificate are one file, so that a crash never leaves a pair that does not fit.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import type { RaftKeys } from "../api/index.js";
import { parseCertificate } from "../manager/ca/index.js";
import {
  makePrivateDirectory,
  readFileIfAny,
  syncDirectory,
  writeFileDurably,
} from "./durable-file.js";
import { openPrivateKey, SEAL_CIPHER, seal, sealPrivateKey, unseal } from "./sealed-keys.js";

const NODE_FILE = "swarm-node.pem";
const ROOT_FILE = "swarm-root-ca.crt";
const RAFT_KEYS_FILE = "raft-keys.json";
const RAFT_KEYS_FORMAT = 1;
const RAFT_KEY_BYTES = 32;
const MODE = 0o600;
const SEALED_LABEL = "ENCRYPTED PRIVATE KEY";

export type NodeCredentials = {
  readonly privateKeyPem: string;
  readonly certificatePem: string;
  readonly rootBundlePem: string;
};

/** What a start finds. A manager's key may be encrypted with an unlock key that nobody has told yet. */
export type StoredCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "open"; readonly credentials: NodeCredentials }
  | { readonly kind: "locked"; readonly certificatePem: string; readonly rootBundlePem: string };

/**
 * One change at a time. With an unlock key, a manager's key and its Raft keys are never written but encrypted with it; a worker's
 * always lie open.
 */
export class CertificateStore {
  readonly #directory: string;
  readonly #write: typeof writeFileDurably;
  #unlockKey: Buffer | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  /** `write` is the disk, for a test that fails it. */
  constructor(directory: string, write = writeFileDurably) {
    this.#directory = directory;
    this.#write = write;
  }

  async load(): Promise<StoredCredentials> {
    const [node, rootBundlePem] = await Promise.all([
      readFileIfAny(this.#path(NODE_FILE)),
      readFileIfAny(this.#path(ROOT_FILE)),
    ]);
    if (node === undefined || rootBundlePem === undefined) return { kind: "none" };
    const certificatePem = block(node, "CERTIFICATE");
    const privateKeyPem = block(node, "PRIVATE KEY");
    if (certificatePem !== undefined && privateKeyPem !== undefined)
      return { kind: "open", credentials: { privateKeyPem, certificatePem, rootBundlePem } };
    if (certificatePem !== undefined && block(node, SEALED_LABEL) !== undefined)
      return { kind: "locked", certificatePem, rootBundlePem };
    throw new Error(
      `${this.#path(NODE_FILE)} has not both a certificate and a private key; restore it from a backup, ` +
        "or move the state directory away and join again",
    );
  }

  /** Undefined: it is not the key that the files are encrypted with. */
  unlock(unlockKey: Buffer): Promise<NodeCredentials | undefined> {
    return this.#inTurn(async () => {
      const [node, rootBundlePem] = await Promise.all([
        readFileIfAny(this.#path(NODE_FILE)),
        readFileIfAny(this.#path(ROOT_FILE)),
      ]);
      const certificatePem = block(node ?? "", "CERTIFICATE");
      const sealed = block(node ?? "", SEALED_LABEL);
      if (certificatePem === undefined || sealed === undefined || rootBundlePem === undefined)
        return undefined;
      const privateKeyPem = openPrivateKey(sealed, certificatePem, unlockKey);
      if (privateKeyPem === undefined) return undefined;
      this.#unlockKey = unlockKey;
      return { privateKeyPem, certificatePem, rootBundlePem };
    });
  }

  /**
   * From now on the files are encrypted with this key; undefined: with none. A crash at any line leaves node key and Raft keys that
   * one and the same key opens, the old or the new one. `layOpen`: until now it could be read by whoever reads this disk.
   */
  async setUnlockKey(
    unlockKey: Buffer | undefined,
    credentials: NodeCredentials,
  ): Promise<{ readonly layOpen: boolean }> {
    return this.#inTurn(async () => {
      const layOpen = this.#unlockKey === undefined && unlockKey !== undefined;
      await this.#reseal(unlockKey, credentials);
      return { layOpen };
    });
  }

  /** Roots first: they are valid for the old certificate too. */
  save(credentials: NodeCredentials): Promise<void> {
    return this.#inTurn(async () => {
      await makePrivateDirectory(this.#directory);
      await this.#write(this.#path(ROOT_FILE), credentials.rootBundlePem, MODE);
      const { role } = parseCertificate(credentials.certificatePem);
      if (role === "worker" && this.#unlockKey !== undefined)
        await this.#reseal(undefined, credentials);
      else await this.#writeNode(credentials, this.#unlockKey);
    });
  }

  saveRoots(rootBundlePem: string): Promise<void> {
    return this.#inTurn(() => this.#write(this.#path(ROOT_FILE), rootBundlePem, MODE));
  }

  /** The keys this manager's log and snapshots are encrypted with; made at the first call, before the first entry is written. */
  raftKeys(): Promise<RaftKeys> {
    return this.#inTurn(async () => {
      const known = await this.#readRaftKeys();
      if (known !== undefined) return known;
      const keys: RaftKeys = {
        keys: [{ keyId: 1, keyBase64: randomBytes(RAFT_KEY_BYTES).toString("base64") }],
        activeKeyId: 1,
      };
      await makePrivateDirectory(this.#directory);
      await this.#writeRaftKeys(keys, this.#unlockKey === undefined ? [] : [this.#unlockKey]);
      return keys;
    });
  }

  /** Forgets everything: the node left its cluster. */
  wipe(): Promise<void> {
    return this.#inTurn(async () => {
      this.#unlockKey = undefined;
      await makePrivateDirectory(this.#directory);
      for (const name of [NODE_FILE, RAFT_KEYS_FILE, ROOT_FILE])
        await rm(this.#path(name), { force: true });
      await syncDirectory(this.#directory);
    });
  }

  async #reseal(next: Buffer | undefined, credentials: NodeCredentials): Promise<void> {
    const keys = await this.#readRaftKeys();
    const old = this.#unlockKey;
    // First readable with either, last with the new one alone.
    const isOpenFirst = old === undefined || next === undefined;
    if (keys !== undefined) await this.#writeRaftKeys(keys, isOpenFirst ? [] : [old, next]);
    await this.#writeNode(credentials, next);
    if (keys !== undefined && next !== undefined) await this.#writeRaftKeys(keys, [next]);
    this.#unlockKey = next;
  }

  async #writeNode(
    { certificatePem, privateKeyPem }: NodeCredentials,
    unlockKey: Buffer | undefined,
  ): Promise<void> {
    const key = unlockKey === undefined ? privateKeyPem : sealPrivateKey(privateKeyPem, unlockKey);
    const text = `${certificatePem.trimEnd()}\n${key.trimEnd()}\n`;
    await this.#write(this.#path(NODE_FILE), text, MODE);
  }

  async #readRaftKeys(): Promise<RaftKeys | undefined> {
    const path = this.#path(RAFT_KEYS_FILE);
    const text = await readFileIfAny(path);
    return text === undefined ? undefined : parseRaftKeys(text, path, this.#unlockKey);
  }

  /** Encrypted with each of the keys by itself; with none of them they lie open beside the node key. */
  async #writeRaftKeys(keys: RaftKeys, unlockKeys: readonly Buffer[]): Promise<void> {
    const file =
      unlockKeys.length === 0
        ? { formatVersion: RAFT_KEYS_FORMAT, cipher: "none", ...keys }
        : {
            formatVersion: RAFT_KEYS_FORMAT,
            cipher: SEAL_CIPHER,
            sealed: unlockKeys.map((unlockKey) => seal(JSON.stringify(keys), unlockKey)),
          };
    const text = `${JSON.stringify(file, null, 2)}\n`;
    await this.#write(this.#path(RAFT_KEYS_FILE), text, MODE);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

function block(text: string, label: string): string | undefined {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text)?.[0];
  return found === undefined ? undefined : `${found}\n`;
}

type RawRaftKeys = {
  readonly formatVersion?: unknown;
  readonly cipher?: unknown;
  readonly keys?: unknown;
  readonly activeKeyId?: unknown;
  readonly sealed?: unknown;
};

function parseRaftKeys(text: string, path: string, unlockKey: Buffer | undefined): RaftKeys {
  const file = JSON.parse(text) as RawRaftKeys;
  const raw = file.cipher === SEAL_CIPHER ? unsealed(file, path, unlockKey) : file;
  if (file.formatVersion !== RAFT_KEYS_FORMAT || (raw === file && file.cipher !== "none")) {
    throw new Error(
      `${path} has format ${String(file.formatVersion)} and cipher ${String(file.cipher)}, which this program does not know; ` +
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

function unsealed(file: RawRaftKeys, path: string, unlockKey: Buffer | undefined): RawRaftKeys {
  const texts = (Array.isArray(file.sealed) ? file.sealed : []).flatMap((each: unknown) => {
    const text =
      unlockKey === undefined || typeof each !== "string" ? undefined : unseal(each, unlockKey);
    return text === undefined ? [] : [text];
  });
  const [text] = texts;
  if (text === undefined)
    throw new Error(
      `${path} is encrypted with another unlock key than the node's own key; restore both from one backup`,
    );
  return JSON.parse(text) as RawRaftKeys;
}
