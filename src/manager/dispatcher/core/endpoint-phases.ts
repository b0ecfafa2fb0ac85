/**
 * When all nodes of a task's networks know its endpoints, and when all have taken them out again (contracts §7). Nodes tell up to which
 * store index their kernel holds what they were told; a change made at an index is known where that number has reached it. Pure.
 */
import { NETWORK_PHASE, TASK_STATE, type Task } from "../../../api/index.js";

/** A node that does not answer is waited for this long, from the change on. */
export const ACKNOWLEDGE_MAX_MS = 2000;

/** The phase that a task is to get next. */
type Aim = typeof NETWORK_PHASE.announced | typeof NETWORK_PHASE.withdrawn;

type Waiting = {
  readonly aim: Aim;
  /** Store index of the change; 0: nobody was ever sent to the task, so nobody has to forget it. */
  readonly index: number;
  readonly deadlineMs: number;
  readonly networkIds: readonly string[];
  isBeingWritten: boolean;
};

/** The cluster at the moment of a decision. */
export type PhaseFacts = {
  readonly nowMs: number;
  /** Ready, and with a session of this dispatcher or not yet expected back. */
  readonly nodeIds: ReadonlySet<string>;
  /** "all": every node has it (ingress). "none": it was deleted under its last tasks. */
  readonly reachOf: (networkId: string) => "members" | "all" | "none";
};

export type PhaseDecisions = {
  readonly writes: readonly { readonly taskId: string; readonly phase: Aim }[];
  /** Nodes that were waited for in vain, sorted. */
  readonly lateNodeIds: readonly string[];
};

const NOTHING: PhaseDecisions = { writes: [], lateNodeIds: [] };

export class EndpointPhases {
  readonly #waiting = new Map<string, Waiting>();
  /** Network → node → how many endpoints it has there. */
  readonly #members = new Map<string, Map<string, number>>();
  /** Node → highest index that its kernel holds. */
  readonly #applied = new Map<string, number>();

  /** A term begins, or the store was restored. Of older changes only the task's last write is known; that is late enough. */
  reset(tasks: readonly Task[], nowMs: number): void {
    this.#waiting.clear();
    this.#members.clear();
    for (const task of tasks) this.observe(undefined, task, task.versionIndex, nowMs);
  }

  /** One change of a task, at store index `index`. */
  observe(old: Task | undefined, now: Task | undefined, index: number, nowMs: number): void {
    if (old !== undefined) this.#count(old, -1);
    if (now !== undefined) this.#count(now, 1);
    const { id, networks } = now ?? old ?? { id: "", networks: [] };
    if (networks.length === 0) return;
    const aim = now === undefined ? undefined : aimOf(now);
    if (aim === undefined) this.#waiting.delete(id);
    else if (this.#waiting.get(id)?.aim !== aim) {
      // At the start of a term it is not known whether connections went there: they may have.
      const isUnused = aim === NETWORK_PHASE.withdrawn && old !== undefined && !wasBackend(old);
      this.#waiting.set(id, {
        aim,
        index: isUnused ? 0 : index,
        deadlineMs: nowMs + ACKNOWLEDGE_MAX_MS,
        networkIds: networks.map(({ networkId }) => networkId),
        isBeingWritten: false,
      });
    }
  }

  /** A node told its number; the highest counts. Whether that may decide something. */
  applied(nodeId: string, index: number): boolean {
    if (index <= (this.#applied.get(nodeId) ?? 0)) return false;
    this.#applied.set(nodeId, index);
    return this.#waiting.size > 0;
  }

  /** The node comes anew, perhaps with a kernel that knows nothing: it tells its number again. */
  forget(nodeId: string): void {
    this.#applied.delete(nodeId);
  }

  /** What to write now; it is not decided again before `failed`, or the task's next phase is seen. */
  decide(facts: PhaseFacts): PhaseDecisions {
    if (this.#waiting.size === 0) return NOTHING;
    const known = new Map<string, number>();
    const knownUpTo = (networkId: string): number => {
      const index = known.get(networkId) ?? this.#knownUpTo(networkId, facts);
      known.set(networkId, index);
      return index;
    };
    const writes: { readonly taskId: string; readonly phase: Aim }[] = [];
    const late = new Set<string>();
    for (const [taskId, one] of this.#waiting) {
      if (one.isBeingWritten) continue;
      const missing = one.networkIds.filter((id) => knownUpTo(id) < one.index);
      if (missing.length > 0 && facts.nowMs < one.deadlineMs) continue;
      for (const networkId of missing)
        for (const nodeId of this.#neededOn(networkId, facts))
          if (this.#appliedBy(nodeId) < one.index) late.add(nodeId);
      one.isBeingWritten = true;
      writes.push({ taskId, phase: one.aim });
    }
    return writes.length === 0 ? NOTHING : { writes, lateNodeIds: [...late].sort() };
  }

  /** They were not written. */
  failed(taskIds: Iterable<string>): void {
    for (const taskId of taskIds) {
      const one = this.#waiting.get(taskId);
      if (one !== undefined) one.isBeingWritten = false;
    }
  }

  /** When to decide again though nothing happens. */
  nextDeadlineMs(): number | undefined {
    let earliest: number | undefined;
    for (const { deadlineMs, isBeingWritten } of this.#waiting.values())
      if (!isBeingWritten) earliest = Math.min(earliest ?? deadlineMs, deadlineMs);
    return earliest;
  }

  #count(task: Task, by: 1 | -1): void {
    if (!hasEndpoints(task)) return;
    for (const { networkId } of task.networks) {
      const nodes = this.#members.get(networkId) ?? new Map<string, number>();
      this.#members.set(networkId, nodes);
      const count = (nodes.get(task.nodeId) ?? 0) + by;
      if (count > 0) nodes.set(task.nodeId, count);
      else nodes.delete(task.nodeId);
      if (nodes.size === 0) this.#members.delete(networkId);
    }
  }

  /** Lowest number of the nodes that have the network; without any, everything is known to all of them. */
  #knownUpTo(networkId: string, facts: PhaseFacts): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const nodeId of this.#neededOn(networkId, facts))
      lowest = Math.min(lowest, this.#appliedBy(nodeId));
    return lowest;
  }

  *#neededOn(networkId: string, facts: PhaseFacts): Iterable<string> {
    const reach = facts.reachOf(networkId);
    if (reach === "none") return;
    if (reach === "all") yield* facts.nodeIds;
    else
      for (const nodeId of this.#members.get(networkId)?.keys() ?? [])
        if (facts.nodeIds.has(nodeId)) yield nodeId;
  }

  #appliedBy(nodeId: string): number {
    return this.#applied.get(nodeId) ?? 0;
  }
}

/** As `endpointEntries` of the node's view: from its assignment to its end. Of a global service it has its node before that. */
function hasEndpoints({ nodeId, networks, state }: Task): boolean {
  const isOnNode = nodeId !== "" && state >= TASK_STATE.assigned && state < TASK_STATE.complete;
  return isOnNode && networks.length > 0;
}

function aimOf(task: Task): Aim | undefined {
  if (!hasEndpoints(task)) return undefined;
  if (isStopHeld(task)) return NETWORK_PHASE.withdrawn;
  const isWanted = task.desiredState <= TASK_STATE.complete;
  return isWanted && task.networkPhase < NETWORK_PHASE.announced
    ? NETWORK_PHASE.announced
    : undefined;
}

/** Connections were sent there. Not to tasks of jobs, nor to one that was to stop before it ran. */
function wasBackend({ state, desiredState, networkPhase }: Task): boolean {
  return (
    state === TASK_STATE.running &&
    desiredState === TASK_STATE.running &&
    networkPhase === NETWORK_PHASE.announced
  );
}

/**
 * A planned stop is kept from the agent until nobody is sent to the task any more. One that does not run, or runs and was never
 * announced, can go at once.
 */
export function isStopHeld({ networks, desiredState, state, networkPhase }: Task): boolean {
  return (
    networks.length > 0 &&
    desiredState >= TASK_STATE.shutdown &&
    state === TASK_STATE.running &&
    networkPhase === NETWORK_PHASE.announced
  );
}
