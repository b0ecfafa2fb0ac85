/** Passes on to net what the managers say of this node's networks, and tells how far the kernel is. Nothing waits for it. */
import { type NodeTunnel, sameSpec } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import { type NetworkMessage, NetworkQueue } from "../core/network/network-queue.js";
import { retryDelayMs } from "../core/task/outcome.js";
import type { NetPort, NetworksReply } from "./net-client.js";

/** Calls that net may have unanswered: a later one does not wait for the kernel to hold an earlier one. */
export const IN_FLIGHT_MAX = 8;

export class NetworkRelay implements Disposable {
  readonly #net: Pick<NetPort, "setNetworks" | "onBack">;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #queue = new NetworkQueue();
  readonly #listeners = new Set<() => void>();
  #stopWatching: (() => void) | undefined;
  #stopRetry: (() => void) | undefined;
  #appliedIndex = 0;
  #tunnel: NodeTunnel | undefined;
  #tellTunnel: (tunnel: NodeTunnel) => void = () => undefined;
  #inFlight = 0;
  #failures = 0;
  /** Counts wholes: an answer to what was sent before the last one says nothing about it. */
  #round = 0;
  #isDisposed = false;

  constructor(parts: {
    readonly net: Pick<NetPort, "setNetworks" | "onBack">;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#net = parts.net;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
  }

  /** Highest store index that the kernel holds entirely; 0: none known. */
  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  /** Called when `appliedIndex` has grown. */
  onApplied(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Called when net answers with another tunnel than the last time: the other nodes need its keys. */
  onTunnel(listener: (tunnel: NodeTunnel) => void): void {
    this.#tellTunnel = listener;
  }

  /** False on a gap: the session has to be opened again. */
  receive(message: NetworkMessage): boolean {
    if (!this.#queue.receive(message)) return false;
    // Only a node that was told something has to notice that net was restarted.
    this.#stopWatching ??= this.#net.onBack(() => this.#netIsBack());
    this.#pump();
    return true;
  }

  /** Another cluster: its indexes mean nothing here. */
  forget(): void {
    this.#round += 1;
    this.#queue.clear();
    this.#appliedIndex = 0;
    this.#tunnel = undefined;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#stopWatching?.();
    this.#stopRetry?.();
  }

  #netIsBack(): void {
    this.#failures = 0;
    this.#stopRetry?.();
    this.#stopRetry = undefined;
    this.#lost();
  }

  #lost(): void {
    this.#queue.netLost();
    this.#pump();
  }

  #pump(): void {
    while (!this.#isDisposed && this.#stopRetry === undefined && this.#inFlight < IN_FLIGHT_MAX) {
      const message = this.#queue.next();
      if (message === undefined) return;
      if (message.isComplete) this.#round += 1;
      this.#send(message, this.#round);
    }
  }

  #send(message: NetworkMessage, round: number): void {
    this.#inFlight += 1;
    this.#net
      .setNetworks(message)
      .then(
        (reply) => this.#answered(reply, round),
        (error: unknown) => this.#failed(error, round),
      )
      .finally(() => {
        this.#inFlight -= 1;
        this.#pump();
        this.#checkHeld();
      });
  }

  #answered({ appliedIndex, needsComplete, tunnel }: NetworksReply, round: number): void {
    if (round !== this.#round) return;
    if (tunnel !== undefined && !sameSpec(tunnel, this.#tunnel)) {
      this.#tunnel = tunnel;
      this.#tellTunnel(tunnel);
    }
    if (needsComplete) {
      this.#queue.netLost();
      return;
    }
    if (appliedIndex >= this.#queue.index) this.#failures = 0;
    if (appliedIndex <= this.#appliedIndex) return;
    this.#appliedIndex = appliedIndex;
    for (const listener of this.#listeners) listener();
  }

  #failed(error: unknown, round: number): void {
    if (round !== this.#round || this.#stopRetry !== undefined || this.#isDisposed) return;
    if (this.#failures === 0) this.#logger.warn({ error }, "net did not take this node's networks");
    this.#retryLater();
  }

  /** Net took everything, but its kernel does not hold it: asked again, which also makes it try again. */
  #checkHeld(): void {
    const isQuiet = this.#inFlight === 0 && this.#stopRetry === undefined && !this.#isDisposed;
    if (!isQuiet || this.#appliedIndex >= this.#queue.index) return;
    if (this.#failures === 0)
      this.#logger.warn(
        { appliedIndex: this.#appliedIndex, index: this.#queue.index },
        "the kernel does not hold all of this node's networks",
      );
    this.#retryLater();
  }

  #retryLater(): void {
    this.#failures += 1;
    this.#queue.netLost();
    this.#stopRetry = this.#clock.setTimer(retryDelayMs(this.#failures), () => {
      this.#stopRetry = undefined;
      this.#pump();
    });
  }
}
