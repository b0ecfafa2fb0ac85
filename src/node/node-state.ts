/** Everything this node keeps about itself: the membership record, its credentials, and the identity its children get. */
import { rename, rm } from "node:fs/promises";
import { type NodeConfig, type NodeIdentity, nodePaths, type RaftKeys } from "../api/index.js";
import { parseCertificate } from "../manager/ca/index.js";
import { CertificateStore, type NodeCredentials } from "./certificate-store.js";
import type { Admission, MembershipEvent, NodeRecord } from "./core/membership.js";
import { isErrno, makePrivateDirectory } from "./durable-file.js";
import { NodeFile } from "./node-file.js";

export class NodeState {
  readonly #config: NodeConfig;
  readonly #file: NodeFile;
  readonly #store: CertificateStore;
  #credentials: NodeCredentials | undefined;
  /** Of a manager whose key nobody has unlocked since the start. */
  #locked: Omit<NodeCredentials, "privateKeyPem"> | undefined;
  /** Of an init under way: not on disk as a membership until it has succeeded. */
  #provisional: { readonly admission: Admission; readonly isPublic: boolean } | undefined;
  #raftKeys: RaftKeys | undefined;
  #onChange: () => void = () => undefined;

  private constructor(config: NodeConfig, file: NodeFile, store: CertificateStore) {
    this.#config = config;
    this.#file = file;
    this.#store = store;
  }

  static async open(config: NodeConfig): Promise<NodeState> {
    await makePrivateDirectory(config.stateDir);
    const paths = nodePaths(config);
    const store = new CertificateStore(paths.certificatesDir);
    const file = await NodeFile.open(paths.nodeFile);
    const state = new NodeState(config, file, store);
    const stored = await store.load();
    if (stored.kind === "open") state.#credentials = stored.credentials;
    if (stored.kind === "locked") state.#locked = stored;
    if (file.record.kind === "member") {
      const known = state.#credentials ?? state.#locked;
      if (known === undefined) {
        throw new Error(
          `${paths.certificatesDir} has no certificate, but ${paths.nodeFile} says this node is in a swarm; ` +
            "restore the directory from a backup, or move the state directory away and join again",
        );
      }
      // The certificate is written first: after a crash in between, it tells the role.
      const { role } = parseCertificate(known.certificatePem);
      await file.apply({ kind: "roleIssued", role });
    }
    return state;
  }

  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  get record(): NodeRecord {
    return this.#file.record;
  }

  get credentials(): NodeCredentials | undefined {
    return this.#credentials;
  }

  /** Nothing goes on but what needs no key, until the unlock key is told. */
  get isLocked(): boolean {
    return this.record.kind === "member" && this.#locked !== undefined;
  }

  /** Who this node is, without its key while it is locked: for what must go on though nobody may be called. */
  get keylessIdentity(): NodeIdentity | undefined {
    if (this.#locked === undefined) return this.identity;
    return this.#identityOf({ ...this.#locked, privateKeyPem: "" });
  }

  /** As the children get it; undefined while this node is nobody, or locked. */
  get identity(): NodeIdentity | undefined {
    const isHidden = this.record.kind !== "member" && this.#provisional?.isPublic !== true;
    return isHidden ? undefined : this.managerIdentity;
  }

  /** The first manager gets it before the others: there is nobody to connect to until it listens. */
  get managerIdentity(): NodeIdentity | undefined {
    return this.#credentials === undefined ? undefined : this.#identityOf(this.#credentials);
  }

  #identityOf(credentials: NodeCredentials): NodeIdentity | undefined {
    const { record } = this;
    const admission = record.kind === "member" ? record : this.#provisional?.admission;
    if (admission === undefined) return undefined;
    const {
      nodeId,
      clusterId,
      role,
      managers,
      advertiseAddr,
      listenAddr,
      dataPathAddr = "",
    } = admission;
    const { rootBundlePem, certificatePem, privateKeyPem } = credentials;
    return {
      nodeId,
      clusterId,
      role,
      rootBundlePem,
      certificatePem,
      privateKeyPem,
      managers,
      advertiseAddr,
      listenAddr,
      dataPathAddr,
    };
  }

  async apply(event: MembershipEvent): Promise<NodeRecord> {
    const { record, isChanged } = await this.#file.apply(event);
    if (isChanged) this.#onChange();
    return record;
  }

  async setCredentials(credentials: NodeCredentials): Promise<void> {
    await this.#store.save(credentials);
    this.#credentials = credentials;
    this.#onChange();
  }

  /** Whether the key fits; what it opened is used from then on. */
  async unlock(unlockKey: Buffer): Promise<boolean> {
    const credentials = await this.#store.unlock(unlockKey);
    if (credentials === undefined) return false;
    this.#credentials = credentials;
    this.#locked = undefined;
    this.#onChange();
    return true;
  }

  /** What is on disk is encrypted with this key from now on; undefined: it lies open. A worker's always does. */
  async setUnlockKey(unlockKey: Buffer | undefined): Promise<{ readonly layOpen: boolean }> {
    if (this.#credentials === undefined) return { layOpen: false };
    const { role } = parseCertificate(this.#credentials.certificatePem);
    if (role !== "manager") return { layOpen: false };
    return this.#store.setUnlockKey(unlockKey, this.#credentials);
  }

  async setRoots(rootBundlePem: string): Promise<void> {
    if (this.#credentials === undefined || this.#credentials.rootBundlePem === rootBundlePem)
      return;
    await this.#store.saveRoots(rootBundlePem);
    this.#credentials = { ...this.#credentials, rootBundlePem };
    this.#onChange();
  }

  setProvisional(admission: Admission | undefined, isPublic: boolean): void {
    this.#provisional = admission === undefined ? undefined : { admission, isPublic };
    this.#onChange();
  }

  /** Made before the first entry is written; the manager needs them at its start. */
  async raftKeys(): Promise<RaftKeys> {
    this.#raftKeys ??= await this.#store.raftKeys();
    return this.#raftKeys;
  }

  /** The log of a member that was removed must never be used again; one is kept for the operator to look at. */
  async setAsideRaftLog(): Promise<void> {
    const { raftDir } = nodePaths(this.#config);
    await rm(`${raftDir}.removed`, { recursive: true, force: true });
    try {
      await rename(raftDir, `${raftDir}.removed`);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
    await this.apply({ kind: "logSetAside" });
  }

  /** Forgets the cluster. No child may use its files any more. */
  async wipe(reason: string): Promise<void> {
    await this.apply({ kind: "wipeStarted", reason });
    const { raftDir } = nodePaths(this.#config);
    this.#provisional = undefined;
    this.#credentials = undefined;
    this.#locked = undefined;
    this.#raftKeys = undefined;
    await this.#store.wipe();
    await rm(raftDir, { recursive: true, force: true });
    await rm(`${raftDir}.removed`, { recursive: true, force: true });
    await this.apply({ kind: "wiped" });
  }
}
