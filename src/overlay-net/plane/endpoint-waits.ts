import type { Clock } from "../../base/index.js";
import type { NetworkState } from "../core/network-state.js";

/** How long a container waits for the managers' word on where it is. */
export const ENDPOINT_WAIT_MS = 10_000;
/** Containers that wait at the same time. */
const WAITS_MAX = 4_000;

export class EndpointError extends Error {
  override readonly name = "EndpointError";
}

/** Containers may come before the managers' word that says their addresses. */
export class EndpointWaits {
  readonly #clock: Clock;
  readonly #checks = new Set<() => void>();
  #state: NetworkState | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  update(state: NetworkState): void {
    this.#state = state;
    for (const check of [...this.#checks]) check();
  }

  /** Resolves with the state that has all these endpoints. Rejects EndpointError after 10 s, or the signal's reason. */
  has(taskId: string, networkIds: readonly string[], signal?: AbortSignal): Promise<NetworkState> {
    const found = this.#complete(taskId, networkIds);
    if (found !== undefined) return Promise.resolve(found);
    if (this.#checks.size >= WAITS_MAX)
      return Promise.reject(new EndpointError(`${WAITS_MAX} containers wait for their addresses`));
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        this.#checks.delete(check);
        cancelTimer();
        signal?.removeEventListener("abort", onAbort);
        done();
      };
      const check = (): void => {
        const state = this.#complete(taskId, networkIds);
        if (state !== undefined) settle(() => resolve(state));
      };
      const onAbort = (): void => settle(() => reject(signal?.reason));
      const cancelTimer = this.#clock.setTimer(ENDPOINT_WAIT_MS, () =>
        settle(() => reject(this.#error(taskId, networkIds))),
      );
      this.#checks.add(check);
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted === true) onAbort();
    });
  }

  #complete(taskId: string, networkIds: readonly string[]): NetworkState | undefined {
    return this.#missing(taskId, networkIds).length === 0 ? this.#state : undefined;
  }

  #missing(taskId: string, networkIds: readonly string[]): readonly string[] {
    const state = this.#state;
    return networkIds.filter(
      (id) =>
        state?.networks.some((network) => network.id === id) !== true ||
        !state.endpoints.some((one) => one.networkId === id && one.taskId === taskId),
    );
  }

  #error(taskId: string, networkIds: readonly string[]): EndpointError {
    const missing = this.#missing(taskId, networkIds).join(", ");
    return new EndpointError(
      `the managers did not say within ${ENDPOINT_WAIT_MS / 1_000} s which address task ${taskId} has on network ${missing}; this node has their word up to index ${this.#state?.index ?? 0}`,
    );
  }
}
