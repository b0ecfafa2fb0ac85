/** One stream between an agent and the dispatcher: messages take a while, stay in order, and are lost with the stream. */
import type { swarm } from "../api/index.js";
import type { Random } from "../base/index.js";
import type { Dispatcher } from "../manager/dispatcher/index.js";
import { FakeCall } from "../manager/testing/fake-call.js";
import type { FakeClock } from "./fake-clock.js";

type AgentMessage = swarm.dispatcher.AgentMessage;
export type FromAgent = swarm.dispatcher.IAgentMessage;
export type ToAgent = swarm.dispatcher.IDispatcherMessage;

export type LinkParts = {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly dispatcher: Dispatcher;
  readonly nodeId: string;
  /** Longest time that a message takes now. */
  readonly delayMaxMs: () => number;
  readonly onMessage: (message: ToAgent) => void;
  readonly onEnd: () => void;
};

export class SimLink {
  readonly #parts: LinkParts;
  readonly #call: SimCall;
  #isDead = false;
  /** When the last message of each direction arrives. */
  #toAgentAtMs = 0;
  #fromAgentAtMs = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#call = new SimCall(
      (message) => {
        this.#toAgentAtMs = this.#deliver(this.#toAgentAtMs, () => parts.onMessage(message));
      },
      () => {
        this.#toAgentAtMs = this.#deliver(this.#toAgentAtMs, () => {
          this.break();
          parts.onEnd();
        });
      },
    );
    const { nodeId, dispatcher } = parts;
    const peer = { nodeId, clusterId: "c1", role: "worker" } as const;
    dispatcher.accept(this.#call.asCall, { peer, remoteIp: ipOf(nodeId) });
  }

  send(message: FromAgent): void {
    this.#fromAgentAtMs = this.#deliver(this.#fromAgentAtMs, () => {
      // The sender sets the one field that the receiver looks for.
      this.#call.receive(message as AgentMessage);
    });
  }

  /** Nothing goes through any more, and neither end is told; the dispatcher's finds out after `noticedMs`. */
  cut(noticedMs: number): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#parts.clock.setTimer(noticedMs, () => this.#call.cancel());
  }

  /** Both ends know at once. */
  break(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#call.cancel();
  }

  /** Returns when: after all that was sent before. */
  #deliver(afterMs: number, action: () => void): number {
    const { clock, random, delayMaxMs } = this.#parts;
    const atMs = Math.max(afterMs, clock.nowMs() + Math.floor(random.float() * delayMaxMs()));
    clock.setTimer(atMs - clock.nowMs(), () => {
      if (!this.#isDead) action();
    });
    return atMs;
  }
}

class SimCall extends FakeCall<AgentMessage, ToAgent> {
  readonly #onWrite: (message: ToAgent) => void;
  readonly #onEnd: () => void;

  constructor(onWrite: (message: ToAgent) => void, onEnd: () => void) {
    super();
    this.#onWrite = onWrite;
    this.#onEnd = onEnd;
    this.on("error", onEnd);
  }

  override write(message: ToAgent): boolean {
    this.#onWrite(message);
    return true;
  }

  override end(): void {
    super.end();
    this.#onEnd();
  }
}

export function ipOf(nodeId: string): string {
  return `10.9.0.${nodeId.replace(/\D/g, "")}`;
}
