/** The one way to change the cluster: every operation of `src/api/operations.ts`, run on the leader. */
import type { Operation, OperationKind } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import type { OperationExecutor } from "../port.js";
import { type ClusterDeps, updateCluster } from "./cluster-operations.js";
import { removeContainer, runContainer } from "./container-operations.js";
import { connectContainer, disconnectContainer } from "./network-connections.js";
import { createNetwork, removeNetwork } from "./network-operations.js";
import type { NodeDeps } from "./node-operations.js";
import { removeNode, updateNode } from "./node-operations.js";
import { rebalanceService } from "./rebalance-operation.js";
import type { Call, Outcome } from "./run-operation.js";
import {
  createService,
  removeService,
  rollBackService,
  type ServiceDeps,
  updateService,
} from "./service-operations.js";

/** Runs operations of one kind. */
export type OperationHandler<K extends OperationKind> = (
  operation: Extract<Operation, { kind: K }>,
  call: Call,
) => Promise<Outcome<K>>;

/** Kinds that are run elsewhere (certificates, Raft membership). */
export type ForeignKind = "ca.issue" | "raft.join" | "raft.leave";

export type ControlDeps = ServiceDeps &
  NodeDeps &
  ClusterDeps & {
    readonly handlers: { readonly [K in ForeignKind]: OperationHandler<K> };
  };

/** Operations that wait for their turn at the membership guards, or for that of connections. */
const WAITING_MAX = 64;

export function createControl(deps: ControlDeps): OperationExecutor {
  const turns = new Turns();
  const connections = new Turns();
  const handlers: { readonly [K in OperationKind]: OperationHandler<K> } = {
    "service.create": (operation, call) => createService(deps, operation, call),
    "service.update": (operation, call) => updateService(deps, operation, call),
    "service.rollback": (operation, call) => rollBackService(deps, operation, call),
    "service.rebalance": (operation, call) => rebalanceService(deps, operation, call),
    "service.remove": (operation, call) => removeService(deps, operation, call),
    "network.create": (operation, call) => createNetwork(deps, operation, call),
    "network.remove": (operation, call) => removeNetwork(deps, operation, call),
    "container.run": (operation, call) => runContainer(deps, operation, call),
    "container.remove": (operation, call) => removeContainer(deps, operation, call),
    // Two at once for one container and network would both find it not connected.
    "network.connect": (operation, call) =>
      connections.take(() => connectContainer(deps, operation, call)),
    "network.disconnect": (operation, call) => disconnectContainer(deps, operation, call),
    "node.update": (operation, call) => turns.take(() => updateNode(deps, operation, call)),
    "node.remove": (operation, call) => turns.take(() => removeNode(deps, operation, call)),
    "cluster.update": (operation, call) => updateCluster(deps, operation, call),
    ...deps.handlers,
  };
  return {
    execute<K extends OperationKind>(
      operation: Extract<Operation, { kind: K }>,
      call: Call,
    ): Promise<Outcome<K>> {
      // The table is keyed by kind; TypeScript cannot tie the two ends of a union together.
      const handler = handlers[operation.kind as K] as OperationHandler<K>;
      return handler(operation, call);
    },
  };
}

/**
 * One at a time: two managers, say, demoted at once would each find a quorum in the other. What is judged here is committed
 * before the next one looks.
 */
class Turns {
  #last: Promise<unknown> = Promise.resolve();
  #waitingCount = 0;

  async take<T>(run: () => Promise<T>): Promise<T> {
    if (this.#waitingCount >= WAITING_MAX)
      throw new ApiError("ResourceExhausted", "too many changes of this kind at once; try again");
    this.#waitingCount++;
    const before = this.#last;
    const mine = before.then(run, run);
    // The next one waits for the end of this one, however it ends.
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waitingCount--;
    }
  }
}
