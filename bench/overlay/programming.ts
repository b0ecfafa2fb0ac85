/** What the net process needs for what it is asked: times of its calls, as its worker sees them. */
import {
  BACKENDS_EACH,
  backend,
  type Content,
  PLAIN,
  SERVICE_COUNT,
  stateFor,
  taskOf,
} from "./cluster-state.js";
import type { NetProcess } from "./net-process.js";

/** Milliseconds of one call. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await call();
  return performance.now() - start;
}

/** Attaches local tasks one after the other. */
export async function attachSome(
  net: NetProcess,
  from: number,
  count: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = from; i < from + count; i++)
    times.push(await timed(() => net.attach(taskOf("local", i), [PLAIN])));
  return times;
}

export async function releaseSome(
  net: NetProcess,
  from: number,
  count: number,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = from; i < from + count; i++)
    times.push(await timed(() => net.release(taskOf("local", i))));
  return times;
}

const NOTHING = { set: [], removed: [] };

/** What one net process was told, and differences to it. */
export class Told {
  readonly #net: NetProcess;
  #content: Content;

  constructor(net: NetProcess, content: Content) {
    this.#net = net;
    this.#content = content;
  }

  /** All of it. Returns the milliseconds until the kernel held it. */
  async complete(change: Partial<Content> = {}): Promise<number> {
    this.#content = { ...this.#content, ...change, index: this.#content.index + 1 };
    const state = stateFor(this.#net.host, this.#content);
    return await timed(() => this.#net.complete(state));
  }

  /** Backends go and come again, one at a time, each time in the containers' rules when the call returns. */
  async backendChanges(count: number): Promise<readonly number[]> {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const one = backend((i >> 1) % (SERVICE_COUNT * BACKENDS_EACH));
      const entry = { ...one, isBackend: i % 2 === 1 };
      times.push(await timed(() => this.#endpoints([entry])));
    }
    return times;
  }

  async #endpoints(set: readonly object[]): Promise<void> {
    const before = this.#content.index;
    this.#content = { ...this.#content, index: before + 1 };
    await this.#net.difference(before, {
      index: before + 1,
      ...{ networks: NOTHING, services: NOTHING, nodes: NOTHING },
      endpoints: { set, removed: [] },
    } as { readonly index: number });
  }
}
