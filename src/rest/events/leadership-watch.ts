/** Who leads and who answers, as events of the nodes. Observed by this manager alone: it is no state of the cluster, so not in the journal. */
import type { Node } from "../../api/index.js";
import type { Clock } from "../../base/index.js";
import type { ClusterApi } from "../../manager/index.js";
import type { ClusterEvent } from "./cluster-event.js";

/** Events kept for who asks with `since`. */
export const HISTORY_MAX = 256;
/** Looked at once in so many ticks of Raft. */
const LOOK_TICKS = 5;

type Seen = { readonly leader: string; readonly reachability: string };

export class LeadershipWatch {
  readonly #cluster: ClusterApi;
  readonly #clock: Clock;
  readonly #history: ClusterEvent[] = [];
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  readonly #unsubscribe: () => void;
  #seen: ReadonlyMap<string, Seen> = new Map();
  #tickCount = 0;

  constructor(cluster: ClusterApi, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#seen = this.#look();
    this.#unsubscribe = cluster.subscribeTicks(() => {
      this.#tickCount = (this.#tickCount + 1) % LOOK_TICKS;
      if (this.#tickCount === 0) this.#compare();
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

  #look(): ReadonlyMap<string, Seen> {
    const { store, reachabilityOf } = this.#cluster;
    const managers = store.nodes().filter((node) => node.manager !== undefined);
    return new Map(
      managers.map((node) => {
        const { isLeader, reachability } = reachabilityOf(node);
        return [node.id, { leader: String(isLeader), reachability }];
      }),
    );
  }

  #compare(): void {
    const before = this.#seen;
    this.#seen = this.#look();
    for (const [id, now] of this.#seen) {
      const was = before.get(id);
      const node = this.#cluster.store.node(id);
      const isSame = was?.leader === now.leader && was.reachability === now.reachability;
      if (was !== undefined && node !== undefined && !isSame) this.#tell(node, was, now);
    }
  }

  #tell(node: Node, was: Seen, now: Seen): void {
    const attributes: Record<string, string> = { name: node.description?.Hostname ?? "" };
    for (const key of ["leader", "reachability"] as const) {
      if (was[key] === now[key]) continue;
      attributes[`${key}.old`] = was[key];
      attributes[`${key}.new`] = now[key];
    }
    const event = {
      type: "node",
      action: "update",
      id: node.id,
      attributes,
      atMs: Math.floor(this.#clock.wallMs()),
    } as const;
    this.#history.push(event);
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
    for (const listener of this.#listeners) listener(event);
  }
}
