import { createCipheriv, createDecipheriv } from "node:crypto";
import { RaftError } from "../errors.js";
import type { DataKey } from "../types.js";

export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/** A sealed frame body; `sealed` ends with the tag. */
export type Sealed = {
  readonly keyId: number;
  readonly nonce: Uint8Array;
  readonly sealed: Uint8Array;
};

/**
 * AES-256-GCM with the embedder's data keys. Nonces are random: files are cut and rewritten at the same
 * offsets after a crash, so a position must never serve as one. 2^32 frames per key stay within NIST's bound.
 */
export class Sealer {
  readonly activeKeyId: number;
  readonly #keys = new Map<number, Uint8Array>();
  readonly #random: (length: number) => Uint8Array;

  constructor(
    keys: readonly DataKey[],
    activeKeyId: number,
    random: (length: number) => Uint8Array,
  ) {
    for (const { keyId, key } of keys) {
      if (key.length !== 32)
        throw new RangeError(`data key ${keyId} has ${key.length} bytes, not 32`);
      this.#keys.set(keyId, key);
    }
    if (!this.#keys.has(activeKeyId)) {
      throw new RaftError("KEY_MISSING", `the active data key ${activeKeyId} was not handed in`);
    }
    this.activeKeyId = activeKeyId;
    this.#random = random;
  }

  /** `bound` is authenticated, not stored: the frame is valid at its place only. */
  seal(plaintext: Uint8Array, bound: Uint8Array): Sealed {
    const nonce = this.#random(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key(this.activeKeyId, "new frames"), nonce);
    cipher.setAAD(bound);
    const body = cipher.update(plaintext);
    cipher.final();
    return { keyId: this.activeKeyId, nonce, sealed: Buffer.concat([body, cipher.getAuthTag()]) };
  }

  /** Undoes `seal`. KEY_MISSING when the key is absent or another one; the caller has checked the CRC before. */
  open(frame: Sealed, bound: Uint8Array, where: string): Uint8Array {
    const key = this.#key(frame.keyId, where);
    const decipher = createDecipheriv("aes-256-gcm", key, frame.nonce);
    decipher.setAAD(bound);
    decipher.setAuthTag(frame.sealed.subarray(frame.sealed.length - TAG_BYTES));
    try {
      const plaintext = decipher.update(frame.sealed.subarray(0, frame.sealed.length - TAG_BYTES));
      decipher.final();
      return plaintext;
    } catch (cause) {
      throw new RaftError(
        "KEY_MISSING",
        `${where}: the frame is intact but was not written with the data key handed in as ${frame.keyId}`,
        { cause },
      );
    }
  }

  #key(keyId: number, where: string): Uint8Array {
    const key = this.#keys.get(keyId);
    if (key !== undefined) return key;
    throw new RaftError(
      "KEY_MISSING",
      `${where}: encrypted with data key ${keyId}, which was not handed in`,
    );
  }
}
