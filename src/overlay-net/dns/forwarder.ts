import type { Clock } from "../../base/index.js";
import { UPSTREAM_MAX } from "../core/dns-resolv-conf.js";
import { StaleCache } from "../core/dns-stale-cache.js";
import type { HostResolv } from "./host-resolv.js";
import type { Transport } from "./respond.js";
import { handedOn, lowestTtl, rcodeOf, withTtl } from "./upstream-message.js";
import type { Upstreams, UpstreamTarget } from "./upstreams.js";
import { encodeEmpty, type Query, RCODE, TCP_MAX_BYTES, udpLimit } from "./wire.js";

/** Questions of one node that wait for other servers. */
export const FORWARD_MAX = 1_024;
/** Of one container: eight busy ones must not shut out the others. */
export const FORWARD_CONTAINER_MAX = 128;
/** Per server. */
export const UPSTREAM_TIMEOUT_MS = 4_000;
/** An old answer is given when there is no new one by then: before a client's own patience ends (RFC 8767 §5). */
export const STALE_AFTER_MS = 1_800;
/** What a client may remember an old answer for. */
export const STALE_TTL_SEC = 5;
/** Header bits that change an answer: RD, AD, CD. */
const QUESTION_FLAGS = 0x0130;

/** Whose question it is and where it may go. */
export type ForwardScope = {
  readonly containerId: string;
  readonly netnsPath: string;
  /** The user's, asked from the container's namespace; empty: the node's, asked from the host's. */
  readonly dnsServers: readonly string[];
  readonly ndots: number;
  readonly isInternalOnly: boolean;
};

export type ForwardStats = {
  forwarded: number;
  /** Over a limit. */
  refused: number;
  /** Nobody answered, and there was no old answer. */
  failed: number;
  stale: number;
};

/** Asks other servers for names that are not ours. */
export class Forwarder {
  readonly stats: ForwardStats = { forwarded: 0, refused: 0, failed: 0, stale: 0 };
  readonly #upstreams: Upstreams;
  readonly #hostResolv: HostResolv;
  readonly #clock: Clock;
  readonly #stale = new StaleCache<Buffer>();
  /** One exchange for all who ask the same: also, a forger gets one try instead of many (RFC 5452 §5). */
  readonly #running = new Map<string, Promise<Buffer | undefined>>();
  readonly #waitingOf = new Map<string, number>();
  readonly #tries = new Set<AbortController>();
  #isClosed = false;
  #waiting = 0;

  constructor(upstreams: Upstreams, hostResolv: HostResolv, clock: Clock) {
    this.#upstreams = upstreams;
    this.#hostResolv = hostResolv;
    this.#clock = clock;
  }

  get waitingCount(): number {
    return this.#waiting;
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#tries) controller.abort(new Error("the resolver closes"));
  }

  /** The whole answer for the client. Never rejects. */
  async forward(query: Query, transport: Transport, scope: ForwardScope): Promise<Buffer> {
    // The names of isolated networks are all the names there are: nothing leaves the node for them (spec §6.2).
    if (scope.isInternalOnly) return encodeEmpty(query, RCODE.NXDOMAIN);
    // Whoever sets ndots wants short names searched for; the client adds the domain next (spec §6.3).
    if (scope.ndots > 0 && !query.name.includes(".")) return encodeEmpty(query, RCODE.NXDOMAIN);
    const key = questionKey(query, scope);
    const old = this.#stale.get(key, this.#clock.nowMs());
    if (old?.isFailing === true) return this.#giveOld(query, transport, old.message);
    const fresh = this.#exchange(query, transport, scope, key);
    if (fresh === undefined) {
      if (old !== undefined) return this.#giveOld(query, transport, old.message);
      this.stats.refused += 1;
      return encodeEmpty(query, RCODE.REFUSED);
    }
    const response = old === undefined ? await fresh : await this.#within(fresh, STALE_AFTER_MS);
    if (response !== undefined) return handedOn(response, query, limitOf(query, transport));
    if (old !== undefined) return this.#giveOld(query, transport, old.message);
    this.stats.failed += 1;
    return encodeEmpty(query, RCODE.SERVFAIL);
  }

  #giveOld(query: Query, transport: Transport, message: Buffer): Buffer {
    this.stats.stale += 1;
    return handedOn(withTtl(message, STALE_TTL_SEC), query, limitOf(query, transport));
  }

  /** undefined: a limit is reached. The place is held until the exchange ends, whoever still waits for it. */
  #exchange(
    query: Query,
    transport: Transport,
    scope: ForwardScope,
    key: string,
  ): Promise<Buffer | undefined> | undefined {
    const mine = this.#waitingOf.get(scope.containerId) ?? 0;
    if (this.#waiting >= FORWARD_MAX || mine >= FORWARD_CONTAINER_MAX) return undefined;
    this.#waiting += 1;
    this.#waitingOf.set(scope.containerId, mine + 1);
    this.stats.forwarded += 1;
    const runningKey = `${transport} ${key}`;
    let running = this.#running.get(runningKey);
    if (running === undefined) {
      running = this.#askAll(query, transport, scope, key).finally(() => {
        this.#running.delete(runningKey);
      });
      this.#running.set(runningKey, running);
    }
    return running.finally(() => this.#release(scope.containerId));
  }

  #release(containerId: string): void {
    this.#waiting -= 1;
    const left = (this.#waitingOf.get(containerId) ?? 1) - 1;
    if (left === 0) this.#waitingOf.delete(containerId);
    else this.#waitingOf.set(containerId, left);
  }

  /** One server after the other; undefined when none could say. Never rejects. */
  async #askAll(
    query: Query,
    transport: Transport,
    scope: ForwardScope,
    key: string,
  ): Promise<Buffer | undefined> {
    const isOwn = scope.dnsServers.length > 0;
    const servers = isOwn ? scope.dnsServers : await this.#hostServers();
    const netnsPath = isOwn ? scope.netnsPath : undefined;
    for (const server of servers.slice(0, UPSTREAM_MAX)) {
      if (this.#isClosed) return undefined;
      const response = await this.#askOne(query, { server, transport, netnsPath });
      if (response === undefined || UNHELPFUL.has(rcodeOf(response))) continue;
      this.#remember(key, response);
      return response;
    }
    this.#stale.fail(key, this.#clock.nowMs());
    return undefined;
  }

  async #hostServers(): Promise<readonly string[]> {
    return this.#hostResolv.servers().catch(() => []);
  }

  async #askOne(query: Query, target: UpstreamTarget): Promise<Buffer | undefined> {
    const controller = new AbortController();
    const cancel = this.#clock.setTimer(UPSTREAM_TIMEOUT_MS, () =>
      controller.abort(new Error("no answer in time")),
    );
    this.#tries.add(controller);
    try {
      return await this.#upstreams.ask(query, target, controller.signal);
    } catch {
      // A server that cannot be reached, says nonsense or nothing: the next one is asked.
      return undefined;
    } finally {
      cancel();
      this.#tries.delete(controller);
    }
  }

  #remember(key: string, response: Buffer): void {
    if (rcodeOf(response) !== RCODE.NOERROR) return;
    const ttlSec = lowestTtl(response);
    const isWhole = (response.readUInt16BE(2) & 0x0200) === 0;
    if (ttlSec !== undefined && isWhole) {
      this.#stale.put(key, response, ttlSec, this.#clock.nowMs());
    }
  }

  /** The result, or undefined when it is not there in time; it is waited for on by others. */
  #within(fresh: Promise<Buffer | undefined>, delayMs: number): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(delayMs, () => resolve(undefined));
      void fresh.then((response) => {
        cancel();
        resolve(response);
      }); // an exchange never rejects
    });
  }
}

const UNHELPFUL: ReadonlySet<number> = new Set([RCODE.SERVFAIL, RCODE.REFUSED]);

function limitOf(query: Query, transport: Transport): number {
  return transport === "tcp" ? TCP_MAX_BYTES : udpLimit(query);
}

/** Same key, same answer: the servers asked, flags, question in any spelling, and everything after it (EDNS options). */
function questionKey(query: Query, scope: ForwardScope): string {
  const asked =
    scope.dnsServers.length > 0 ? `${scope.containerId} ${scope.dnsServers.join()}` : "host";
  const tail = query.message.toString("latin1", query.questionEnd);
  const flags = query.flags & QUESTION_FLAGS;
  return `${asked} ${flags} ${query.type} ${query.class} ${query.name} ${tail}`;
}
