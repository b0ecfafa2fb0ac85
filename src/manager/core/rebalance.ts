/**
 * When tasks of a replicated service begin to move to emptier nodes, and when that is over. Decided anew each time from tasks, nodes
 * and what the service says of moves before. See docs/adr/0014.
 */
import {
  type Change,
  type RebalanceState,
  sameSpec,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { NodeGates, SETTLING_MS } from "./rebalance-gates.js";
import { isRollingOut, type MovesUnderWay } from "./rebalance-moves.js";
import { waitsForOthers } from "./restart.js";
import { balanceOf } from "./service-balance.js";
import type { ServiceContext } from "./service-context.js";
import { isWanted, type Slot } from "./task-slot.js";
import { makeTask } from "./task-template.js";

/** Moves of a service under way at the same time, whatever its update parallelism. */
const MOVES_MAX = 32;
/** Moves of a service that begin by themselves within a minute. */
const AUTO_MOVES_PER_MINUTE = 10;
/** Moves in a row that come to nothing before it is given up. */
const FAILED_MOVES_MAX = 3;
const MINUTE_MS = 60_000;

export type RebalanceTurn = {
  readonly context: ServiceContext;
  /** Those that stay. */
  readonly slots: readonly Slot[];
  /** Slots that something is done to in this turn. */
  readonly changed: ReadonlySet<number>;
  readonly underWay: MovesUnderWay;
  /** A rollout or a drain of the service goes on. */
  readonly isBusy: boolean;
};

/** Begins moves, and writes down where it stands. Returns whether every change of the service's tasks matters. */
export function planRebalance(turn: RebalanceTurn): boolean {
  const { context, slots, underWay } = turn;
  const { service, plan } = context;
  const mode = service.spec.Rebalance ?? "off";
  const going = underWay.state?.state === "moving" ? underWay.state : undefined;
  if (!going && mode !== "auto") return false;
  const state = going ?? newRebalance(plan.nowMs, false, failuresBefore(context));
  const isPermitted = mode === "auto" || (mode === "manual" && state.isManual);
  const obstacle = isRollingOut(context, slots)
    ? "the service is being updated"
    : !isPermitted
      ? "rebalancing was turned off"
      : state.failedCount >= FAILED_MOVES_MAX
        ? `${state.failedCount} moves in a row failed, the last one: ${state.message}`
        : undefined;
  if (obstacle !== undefined) {
    if (!going) return false;
    const isOver = going.moves.length === 0;
    return write(context, isOver ? ended(context, going, "stopped", obstacle) : going) && !isOver;
  }
  if (turn.isBusy || isSettling(turn, state)) return going ? write(context, going) : false;
  const capacity = capacityOf(context, state);
  if (capacity < 1) return write(context, state);
  return begin(turn, state, capacity, going !== undefined);
}

/** As it is when it begins; `failedCount`: moves that had failed before. */
export function newRebalance(nowMs: number, isManual: boolean, failedCount = 0): RebalanceState {
  return {
    state: "moving",
    isManual,
    startedAtMs: nowMs,
    endedAtMs: 0,
    movedCount: 0,
    failedCount,
    imbalanceBefore: 0,
    imbalanceAfter: 0,
    message: "",
    moves: [],
    begunAtMs: [],
  };
}

/**
 * Begins as many moves as may be under way, each with a task made for its new node. Without one it is over, unless a node is to be
 * waited for.
 */
function begin(
  { context, slots, changed, underWay }: RebalanceTurn,
  state: RebalanceState,
  capacity: number,
  isGoing: boolean,
): boolean {
  const { service, plan, room } = context;
  const gates = new NodeGates(context, slots, !state.isManual);
  const balance = balanceOf(room, { ...service, rebalance: state }, slots, {
    mayUse: (slot) => !changed.has(slot.number) && !underWay.slots.has(slot.number),
    mayTake: (node) => gates.mayTake(node),
    mayGive: (node) => gates.isSettled(node),
  });
  const imbalanceBefore = isGoing ? state.imbalanceBefore : balance.imbalance;
  const puts: Change[] = [];
  const moves = [...state.moves];
  while (puts.length < capacity) {
    const move = balance.next();
    if (!move) break;
    const slot = slots.find(({ number }) => number === move.task.slot);
    if (!slot) break;
    const task = newTask(context, slot, move.task, move.toNodeId);
    puts.push({ kind: "putTask", task });
    moves.push({ taskId: move.task.id, newTaskId: task.id, atMs: plan.nowMs });
  }
  gates.wake();
  if (moves.length === 0 && !gates.isHeldUp) {
    if (!isGoing) return false;
    const over = ended(context, state, "completed", "");
    write(context, { ...over, imbalanceAfter: balance.imbalance });
    return false;
  }
  if (puts.length === 0) return isGoing ? write(context, state) : false;
  const begunAtMs = state.isManual
    ? []
    : [...recentOf(context, state), ...puts.map(() => plan.nowMs)];
  return write(context, { ...state, imbalanceBefore, moves, begunAtMs }, puts);
}

/** In the slot of the old one, for one node: where the scheduler would put it by itself may be another by then. */
function newTask(context: ServiceContext, slot: Slot, old: Task, nodeId: string): Task {
  const { plan, service } = context;
  plan.dateFrom(old.createdAtMs + 1);
  const task = makeTask(service, {
    id: context.newTaskId(),
    place: { number: slot.number, nodeId: "", iteration: 0 },
    desiredState: waitsForOthers(context, slot) ? TASK_STATE.ready : TASK_STATE.running,
    notBeforeMs: 0,
    nowMs: plan.nowMs,
  });
  return { ...task, nodeId };
}

/** Of what begins by itself: the service has just changed, or not all of its tasks run. */
function isSettling(
  { context, slots, changed, underWay }: RebalanceTurn,
  state: RebalanceState,
): boolean {
  if (state.isManual) return false;
  const { service, plan } = context;
  const specAtMs = service.history?.at(-1)?.atMs ?? service.createdAtMs;
  const sinceMs = Math.max(specAtMs, service.updateStatus?.completedAtMs ?? 0);
  const isWhole =
    changed.size === 0 &&
    slots.length === replicasOf(service) &&
    slots.every((slot) => underWay.slots.has(slot.number) || runs(slot));
  if (isWhole && sinceMs + SETTLING_MS <= plan.nowMs) return false;
  context.wakeAt(Math.max(sinceMs, isWhole ? 0 : plan.nowMs) + SETTLING_MS);
  return true;
}

function runs(slot: Slot): boolean {
  return slot.tasks.some((task) => isWanted(task) && task.state === TASK_STATE.running);
}

function replicasOf({ spec: { Mode } }: ServiceContext["service"]): number {
  return "Replicated" in Mode ? Mode.Replicated.Replicas : 0;
}

/** Moves that may begin now. */
function capacityOf(context: ServiceContext, state: RebalanceState): number {
  const given = context.service.spec.UpdateConfig?.Parallelism ?? 1;
  const atOnce = given === 0 ? MOVES_MAX : Math.min(given, MOVES_MAX);
  const free = Math.min(atOnce - state.moves.length, context.plan.room - 1);
  if (state.isManual) return free;
  const recent = recentOf(context, state);
  const left = AUTO_MOVES_PER_MINUTE - recent.length;
  if (left < 1) context.wakeAt((recent[0] ?? 0) + MINUTE_MS);
  return Math.min(free, left);
}

function recentOf({ plan }: ServiceContext, { begunAtMs }: RebalanceState): readonly number[] {
  return begunAtMs.filter((atMs) => atMs > plan.nowMs - MINUTE_MS);
}

/** Failures of the last time count on until the service or a node has changed: else it would fail for ever. */
function failuresBefore({ service, room }: ServiceContext): number {
  const last = service.rebalance;
  if (!last || last.failedCount === 0) return 0;
  const specAtMs = service.history?.at(-1)?.atMs ?? service.createdAtMs;
  const hasChanged =
    specAtMs > last.endedAtMs || room.nodes().some((node) => node.updatedAtMs > last.endedAtMs);
  return hasChanged ? 0 : last.failedCount;
}

function ended(
  { plan }: ServiceContext,
  state: RebalanceState,
  how: "completed" | "stopped",
  message: string,
): RebalanceState {
  return { ...state, state: how, endedAtMs: plan.nowMs, message };
}

/** One unit with what it tells of. Returns true: it goes on. */
function write(
  { service, plan }: ServiceContext,
  rebalance: RebalanceState,
  puts: readonly Change[] = [],
): boolean {
  if (puts.length === 0 && sameSpec(service.rebalance, rebalance)) return true;
  const { id: serviceId, specVersion } = service;
  plan.add(...puts, { kind: "serviceRebalance", serviceId, specVersion, rebalance });
  return true;
}
