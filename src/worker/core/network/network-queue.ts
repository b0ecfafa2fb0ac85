/**
 * What the net process has to be told next of the node's networks. Keeps all that the managers said, so that a net process which was
 * restarted, or lost something, gets the whole without anybody asking the managers. Pure.
 */
import {
  applyDelta,
  type NetworkDelta,
  type NetworkState,
} from "../../../overlay-net/core/index.js";

export type NetworkMessage = {
  readonly isComplete: boolean;
  readonly appliesTo: number;
  readonly resultsIn: number;
  /** JSON of a NetworkState when complete, of a NetworkDelta otherwise. */
  readonly body: Uint8Array;
};

/** Differences kept beside the whole; more are put into it. */
export const DELTAS_MAX = 256;
/** More of them waiting for net than this are sent as the whole. */
export const WAITING_MAX = 32;

export class NetworkQueue {
  #whole: NetworkMessage | undefined;
  /** What came after it, oldest first. */
  #deltas: NetworkMessage[] = [];
  /** Of them, how many net was told. */
  #toldCount = 0;
  #mustTellWhole = false;

  /** Store index up to which the managers have told; 0: nothing. */
  get index(): number {
    return this.#deltas.at(-1)?.resultsIn ?? this.#whole?.resultsIn ?? 0;
  }

  /** False on a gap: something in between was lost. */
  receive(message: NetworkMessage): boolean {
    if (message.isComplete) {
      this.#whole = message;
      this.#deltas = [];
      this.#toldCount = 0;
      this.#mustTellWhole = true;
      return true;
    }
    if (this.#whole === undefined || message.appliesTo !== this.index) return false;
    this.#deltas.push(message);
    if (this.#deltas.length > DELTAS_MAX) this.#fold();
    return true;
  }

  /** undefined: net was told everything. What it returns counts as told. */
  next(): NetworkMessage | undefined {
    if (this.#whole === undefined) return undefined;
    if (this.#mustTellWhole || this.#deltas.length - this.#toldCount > WAITING_MAX) {
      this.#fold();
      this.#mustTellWhole = false;
      return this.#whole;
    }
    const delta = this.#deltas[this.#toldCount];
    if (delta !== undefined) this.#toldCount += 1;
    return delta;
  }

  /** Net knows nothing any more, or not what it was told last. */
  netLost(): void {
    this.#mustTellWhole = true;
  }

  /** Another cluster. */
  clear(): void {
    this.#whole = undefined;
    this.#deltas = [];
    this.#toldCount = 0;
    this.#mustTellWhole = false;
  }

  #fold(): void {
    const whole = this.#whole;
    if (whole === undefined || this.#deltas.length === 0) return;
    // What net was not told of it, it can only be told with the whole now.
    if (this.#toldCount < this.#deltas.length) this.#mustTellWhole = true;
    let state = parse<NetworkState>(whole.body);
    for (const { body } of this.#deltas) state = applyDelta(state, parse<NetworkDelta>(body));
    const body = new TextEncoder().encode(JSON.stringify(state));
    this.#whole = { isComplete: true, appliesTo: 0, resultsIn: this.index, body };
    this.#deltas = [];
    this.#toldCount = 0;
  }
}

function parse<T>(body: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(body)) as T;
}
