/** The last cluster events of this manager's own log, and who listens to new ones. */
import type { Clock } from "../../base/index.js";
import type { Store } from "../../store/index.js";
import { type ClusterEvent, clusterEvent } from "./cluster-event.js";

/** Docker keeps 256 per daemon. */
export const HISTORY_MAX = 1_000;

export class EventLog {
  readonly #history: ClusterEvent[] = [];
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  readonly #unsubscribe: () => void;

  constructor(store: Store, clock: Clock) {
    this.#unsubscribe = store.subscribe((batch) => {
      if (batch.kind === "restored") return;
      for (const change of batch.events) {
        const event = clusterEvent(change, clock.wallMs());
        if (event !== undefined) this.#add(event);
      }
    });
  }

  /** Oldest first. */
  history(): readonly ClusterEvent[] {
    return [...this.#history];
  }

  listen(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }

  #add(event: ClusterEvent): void {
    this.#history.push(event);
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
    for (const listener of this.#listeners) listener(event);
  }
}
