/** How much of a node is promised to tasks. */
import type { GenericResource, Node, Task } from "../api/index.js";
import { isHeld, NodeInfo } from "./node-info.js";

type Amounts = {
  readonly cpuNano: number;
  readonly memBytes: number;
  /** By kind, in order. */
  readonly generic: readonly GenericResource[];
};

export type Gauges = {
  readonly capacity: Amounts;
  /** Held by tasks that are assigned to running, wanted or not: what the scheduler counts. */
  readonly reserved: Amounts;
  /** Those tasks. */
  readonly taskCount: number;
};

/** `tasks`: all of the node. */
export function nodeGauges(node: Node, tasks: readonly Task[]): Gauges {
  const info = new NodeInfo(node.id);
  info.setNode(node);
  for (const task of tasks) if (isHeld(task)) info.account(task, 1);
  const kinds = info.generic.kinds();
  const amount = (Kind: string, Value: number): GenericResource => ({
    DiscreteResourceSpec: { Kind, Value },
  });
  return {
    capacity: {
      cpuNano: info.cpuTotalNano,
      memBytes: info.memTotalBytes,
      generic: kinds.map((kind) => amount(kind, info.generic.total(kind))),
    },
    reserved: {
      cpuNano: info.cpuReservedNano,
      memBytes: info.memReservedBytes,
      generic: kinds.map((kind) =>
        amount(kind, info.generic.total(kind) - info.generic.free(kind)),
      ),
    },
    taskCount: info.heldCount,
  };
}
