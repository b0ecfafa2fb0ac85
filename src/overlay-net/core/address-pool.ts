import { type Ipv4Prefix, prefixSize } from "./ipv4.js";

/**
 * Addresses of the node's bridge. The first host address is the gateway. A freed address goes to the end of the queue,
 * so that the one free the longest is given next and stale neighbours and connections meet nobody for as long as possible.
 */
export class AddressPool {
  readonly prefix: Ipv4Prefix;
  readonly #used = new Set<number>();
  /** Freed ones, oldest first. */
  readonly #freed = new Set<number>();
  #next: number;

  constructor(prefix: Ipv4Prefix) {
    this.prefix = prefix;
    this.#next = prefix.base + 2;
  }

  get gateway(): number {
    return this.prefix.base + 1;
  }

  /** undefined when the prefix is used up. */
  take(): number | undefined {
    const end = this.prefix.base + prefixSize(this.prefix) - 1;
    while (this.#next < end) {
      const address = this.#next++;
      if (this.#used.has(address)) continue;
      this.#used.add(address);
      return address;
    }
    for (const address of this.#freed) {
      this.#freed.delete(address);
      this.#used.add(address);
      return address;
    }
    return undefined;
  }

  /** Marks an address that a running container has (after a restart). */
  claim(address: number): void {
    this.#used.add(address);
    this.#freed.delete(address);
  }

  free(address: number): void {
    if (this.#used.delete(address)) this.#freed.add(address);
  }

  get usedCount(): number {
    return this.#used.size;
  }
}
