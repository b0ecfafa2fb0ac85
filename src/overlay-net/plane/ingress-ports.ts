import type { Logger } from "../../base/index.js";
import type { ListenOnPort, Port } from "./port-listeners.js";

/** Who has a port that cannot be had; undefined when it cannot be found out. */
export type PortOwner = (protocol: Port["protocol"], port: number) => Promise<string | undefined>;

export type IngressPortsOptions = {
  readonly listen: ListenOnPort;
  readonly ownerOf: PortOwner;
  readonly logger: Logger;
  /** Ports with a rule in the kernel from an earlier life of this process: they keep it, whoever holds them now. */
  readonly live: readonly Port[];
};

/**
 * Holds the cluster's published ports on this host. A port gets its rule only once it is held; one that cannot be held is told to the
 * operator and tried again.
 */
export class IngressPorts {
  readonly #listen: ListenOnPort;
  readonly #ownerOf: PortOwner;
  readonly #logger: Logger;
  readonly #live: Map<string, Port>;
  readonly #held = new Map<string, { readonly port: Port; readonly close: () => void }>();
  /** What the operator is told, by port. */
  readonly #problems = new Map<string, string>();

  constructor({ listen, ownerOf, logger, live }: IngressPortsOptions) {
    this.#listen = listen;
    this.#ownerOf = ownerOf;
    this.#logger = logger;
    this.#live = new Map(live.map((port) => [keyOf(port), port]));
  }

  /** Those that may have a rule. */
  get ruled(): readonly Port[] {
    const held = [...this.#held.values()].map(({ port }) => port);
    return [...held, ...[...this.#live.values()].filter((port) => !this.#held.has(keyOf(port)))];
  }

  get problems(): readonly string[] {
    return [...this.#problems.values()];
  }

  /** Tries the new ones among these. */
  async hold(wanted: readonly Port[]): Promise<void> {
    const fresh = wanted.filter((port) => {
      const key = keyOf(port);
      return !this.#held.has(key) && !this.#problems.has(key);
    });
    await Promise.all(fresh.map((port) => this.#try(port)));
  }

  /** Tries those that could not be had; true when one can now get its rule. */
  async retry(wanted: readonly Port[]): Promise<boolean> {
    const failed = wanted.filter((port) => this.#problems.has(keyOf(port)));
    const before = this.#held.size;
    await Promise.all(failed.map((port) => this.#try(port)));
    return this.#held.size > before;
  }

  /** Gives back all but these: once their rules are gone. */
  keepOnly(wanted: readonly Port[]): void {
    const keys = new Set(wanted.map(keyOf));
    for (const map of [this.#live, this.#problems]) {
      for (const key of [...map.keys()]) if (!keys.has(key)) map.delete(key);
    }
    for (const [key, { close }] of [...this.#held]) {
      if (keys.has(key)) continue;
      close();
      this.#held.delete(key);
    }
  }

  async #try(port: Port): Promise<void> {
    const key = keyOf(port);
    try {
      this.#held.set(key, { port, close: await this.#listen(port) });
      if (this.#problems.delete(key)) this.#logger.info({ port: key }, "published port is held");
    } catch (error) {
      const isNew = !this.#problems.has(key);
      const text = await this.#problemOf(port, error as NodeJS.ErrnoException);
      this.#problems.set(key, text);
      if (isNew) this.#logger.error({ port: key, error }, text);
    }
  }

  async #problemOf(port: Port, { code, message }: NodeJS.ErrnoException): Promise<string> {
    const { protocol, publishedPort } = port;
    const name = `port ${publishedPort}/${protocol}`;
    if (code !== "EADDRINUSE") return `${name} cannot be held on this node: ${code ?? message}`;
    const owner = (await this.#ownerOf(protocol, publishedPort)) ?? "another program";
    const effect = this.#live.has(keyOf(port))
      ? "tasks answer there as before"
      : "no task answers there through this node until it is freed";
    return `${name} held by ${owner}: ${effect} (ss -lnp); free it or publish another port`;
  }
}

function keyOf({ protocol, publishedPort }: Port): string {
  return `${publishedPort}/${protocol}`;
}
