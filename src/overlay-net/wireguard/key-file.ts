import { rm } from "node:fs/promises";
import { readChecked, writeChecked } from "../state-file.js";
import { type KeyPair, newKeyPair } from "./keys.js";

export type PairKeyPair = KeyPair & {
  /** Wall clock. */
  readonly madeAtMs: number;
};

/** A node's secrets for encrypted networks. */
export type TunnelKeys = {
  readonly nodeId: string;
  /** WireGuard's own: one for as long as the node runs in its cluster. */
  readonly identity: KeyPair;
  /** What the keys of its pairs are made with, oldest first; one, or two while they change. */
  readonly pairKeys: readonly PairKeyPair[];
};

/** Remembers the keys over a restart of the process; for root alone, in the run directory: no private key outlives a boot, or is on a disk. */
export class KeyFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(nodeId: string): Promise<TunnelKeys | undefined> {
    const stored = await readChecked<TunnelKeys>(this.#path);
    return stored?.nodeId === nodeId ? stored : undefined;
  }

  write(keys: TunnelKeys): Promise<void> {
    return writeChecked(this.#path, keys);
  }

  remove(): Promise<void> {
    return rm(this.#path, { force: true });
  }
}

export function newPairKey(nowMs: number): PairKeyPair {
  return { ...newKeyPair(), madeAtMs: nowMs };
}

export function newTunnelKeys(nodeId: string, nowMs: number): TunnelKeys {
  return { nodeId, identity: newKeyPair(), pairKeys: [newPairKey(nowMs)] };
}
