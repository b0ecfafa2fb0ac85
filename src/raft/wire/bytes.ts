import { RaftError } from "../errors.js";
import { toLogIndex, toTerm } from "../ids.js";
import type { LogIndex, Term } from "../types.js";

const UTF8 = new TextEncoder();
const FROM_UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Grows as needed. Integers are unsigned LEB128 up to 2^53 - 1; bytes and texts carry their length first. */
export class ByteWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(sizeHintBytes = 256) {
    this.#buffer = new Uint8Array(sizeHintBytes);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  uint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  bytes(value: Uint8Array): void {
    this.uint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  text(value: string): void {
    this.bytes(UTF8.encode(value));
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + count));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** Bounds-checked counterpart of ByteWriter; throws RaftError DAMAGED on anything malformed. */
export class ByteReader {
  readonly #buffer: Uint8Array;
  #at = 0;

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#buffer.length;
  }

  u8(): number {
    const value = this.#buffer[this.#at++];
    if (value === undefined) throw malformed("ends too early");
    return value;
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw malformed("integer out of range");
        return value;
      }
      scale *= 0x80;
    }
    throw malformed("integer too long");
  }

  index(): LogIndex {
    return toLogIndex(this.uint());
  }

  term(): Term {
    return toTerm(this.uint());
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.uint();
    const end = this.#at + length;
    if (end > this.#buffer.length) throw malformed("length beyond the end");
    const value = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return value;
  }

  text(): string {
    try {
      return FROM_UTF8.decode(this.bytes());
    } catch (cause) {
      if (cause instanceof RaftError) throw cause;
      throw malformed("bad UTF-8");
    }
  }

  bool(): boolean {
    return this.u8() !== 0;
  }
}

export function malformed(what: string): RaftError {
  return new RaftError("DAMAGED", `malformed record: ${what}`);
}
