import { readFile } from "node:fs/promises";
import type { Clock } from "../../base/index.js";

/** The node's own resolvers; loopback ones among them, as they are asked from the host. */
export interface HostResolv {
  /** Addresses in order. Rejects when they cannot be read. */
  servers(): Promise<readonly string[]>;
}

/** Age at which the file is read again. */
const REREAD_MS = 5_000;

/** Reads a resolv.conf now and then; while it cannot be read, what it said last holds. */
export class HostResolvFile implements HostResolv {
  readonly #path: string;
  readonly #clock: Clock;
  #servers: Promise<readonly string[]> | undefined;
  #readAtMs = 0;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  servers(): Promise<readonly string[]> {
    const nowMs = this.#clock.nowMs();
    if (this.#servers === undefined || nowMs - this.#readAtMs >= REREAD_MS) {
      const before = this.#servers;
      this.#readAtMs = nowMs;
      this.#servers = readFile(this.#path, "utf8").then(nameservers, () => before ?? []);
    }
    return this.#servers;
  }
}

function nameservers(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([key, address]) => (key === "nameserver" && address !== undefined ? [address] : []));
}
