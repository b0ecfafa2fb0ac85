import { randomBytes } from "node:crypto";

/** Source of chance. Cores get it handed in, so that a seed replays a whole cluster. */
export interface Random {
  /** Uniform in [0, 1). */
  float(): number;
  bytes(length: number): Uint8Array;
}

/** Fetched at once from the operating system: a call for 17 bytes costs nearly as much as one for 4,096. */
const POOL_BYTES = 4096;
/** Longer wishes (keys) go past the pool. */
const POOLED_MAX_BYTES = 64;

/** The operating system's generator. */
export class SystemRandom implements Random {
  #pool: Buffer = Buffer.alloc(0);

  float(): number {
    return this.#take(6).readUIntBE(0, 6) / 2 ** 48;
  }

  bytes(length: number): Uint8Array {
    return length > POOLED_MAX_BYTES ? randomBytes(length) : this.#take(length);
  }

  /** Every byte is handed out once, as a copy of its own, and leaves the pool. */
  #take(length: number): Buffer {
    if (this.#pool.length < length) this.#pool = randomBytes(POOL_BYTES);
    const taken = Buffer.from(this.#pool.subarray(0, length));
    this.#pool.fill(0, 0, length);
    this.#pool = this.#pool.subarray(length);
    return taken;
  }
}

/** A repeatable generator for tests and simulation (mulberry32). Never for keys or ids that must not be guessed. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  float(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.float() * 256));
  }
}
