/** What nodes say their containers use. Nobody stores it: a new leader hears of it with the first heartbeats. */
import type { swarm } from "../../api/index.js";
import type { NodeUsage } from "../port.js";

/** Nodes tell it every 10 s; older than this it says nothing about now. */
const USAGE_AGE_MAX_MS = 30_000;

export class NodeUsages {
  /** One per node that has a session. */
  readonly #byNode = new Map<string, NodeUsage>();

  /** What is no count is not taken: numbers of a node are shown, not trusted. */
  put(nodeId: string, { cpuNano, memBytes }: swarm.dispatcher.INodeUsage, atMs: number): void {
    const usage = { nodeId, cpuNano: cpuNano ?? 0, memBytes: memBytes ?? 0, atMs };
    if (isCount(usage.cpuNano) && isCount(usage.memBytes)) this.#byNode.set(nodeId, usage);
  }

  forget(nodeId: string): void {
    this.#byNode.delete(nodeId);
  }

  /** What is not out of date; the rest is forgotten. */
  recent(nowMs: number): readonly NodeUsage[] {
    for (const [nodeId, { atMs }] of this.#byNode)
      if (atMs < nowMs - USAGE_AGE_MAX_MS) this.#byNode.delete(nodeId);
    return [...this.#byNode.values()];
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
