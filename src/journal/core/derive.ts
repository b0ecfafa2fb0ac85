/** Changes of the store → journal entries. Pure, so that every manager derives the same ones from the same log. */
import {
  type Cluster,
  type Node,
  type Service,
  TASK_STATE,
  type Task,
  type TaskState,
} from "../../api/index.js";
import { unreachable } from "../../base/index.js";
import type { BatchOrigin, StoreEvent } from "../../store/index.js";
import { cut, FieldDiff } from "./diff.js";
import type { JournalEntry } from "./entry.js";

export type Change = {
  readonly index: number;
  /** Place of the event in its batch. */
  readonly seq: number;
  readonly event: StoreEvent;
  readonly origin: BatchOrigin | undefined;
};

const STATE_NAMES: ReadonlyMap<TaskState, string> = new Map(
  Object.entries(TASK_STATE).map(([name, state]) => [state, name]),
);
const ACTIONS = { created: "create", updated: "update", removed: "remove" } as const;
/** Names are the user's; longer ones are only found in objects that no validation saw. */
const NAME_LENGTH_MAX = 128;

export function entryOf({ index, seq, event, origin }: Change): JournalEntry {
  const { name, outcome, ...task } = described(event);
  const diff = new FieldDiff();
  compare(diff, event);
  const object = event.kind === "removed" ? event.old : event.object;
  return {
    index,
    seq,
    atMs: origin?.atMs ?? 0,
    type: event.table,
    action: ACTIONS[event.kind],
    id: object.id,
    name: cut(name, NAME_LENGTH_MAX),
    who: origin?.requester ?? { nodeId: "", door: "system", actor: "" },
    ...task,
    old: diff.old,
    new: diff.new,
    moreFields: diff.moreFields,
    outcome: cut(outcome),
  };
}

type Described = {
  readonly name: string;
  readonly outcome: string;
  readonly serviceId?: string;
  readonly nodeId?: string;
};

function described(event: StoreEvent): Described {
  const isRemoved = event.kind === "removed";
  switch (event.table) {
    case "task": {
      const task = isRemoved ? event.old : event.object;
      return {
        name: `${task.serviceName}.${task.slot === 0 ? task.nodeId : task.slot}`,
        outcome: isRemoved ? "" : taskOutcome(task),
        serviceId: task.serviceId,
        ...(task.nodeId !== "" && { nodeId: task.nodeId }),
      };
    }
    case "service": {
      const service = isRemoved ? event.old : event.object;
      return { name: service.spec.Name, outcome: isRemoved ? "" : serviceOutcome(service) };
    }
    case "node": {
      const node = isRemoved ? event.old : event.object;
      const name = node.description?.Hostname ?? "";
      return { name, outcome: isRemoved ? "" : withReason(node.state, node.stateMessage) };
    }
    case "cluster":
    case "network":
    case "secret":
    case "config":
      return { name: (isRemoved ? event.old : event.object).spec.Name, outcome: "" };
    default:
      return unreachable(event, "described");
  }
}

function taskOutcome(task: Task): string {
  const name = STATE_NAMES.get(task.state) ?? String(task.state);
  if (task.state < TASK_STATE.complete) return withReason(name, task.err);
  const exit = task.exitCode === 0 ? name : `${name} (exit ${task.exitCode})`;
  return withReason(exit, task.err);
}

function serviceOutcome({ updateStatus }: Service): string {
  return updateStatus === undefined ? "" : withReason(updateStatus.state, updateStatus.message);
}

function withReason(what: string, reason: string): string {
  return reason === "" ? what : `${what}: ${reason}`;
}

function compare(diff: FieldDiff, event: StoreEvent): void {
  switch (event.table) {
    case "task":
      return compareTasks(diff, before(event), after(event));
    case "service":
      return compareServices(diff, before(event), after(event));
    case "node":
      return compareNodes(diff, before(event), after(event));
    case "cluster":
      return compareClusters(diff, before(event), after(event));
    case "network":
    case "secret":
    case "config": {
      // The payload of secrets and configs is not among the shown fields: "changed" is all that is ever told of it.
      const old = event.kind === "created" ? undefined : event.old;
      diff.compare("", old?.spec, event.kind === "removed" ? undefined : event.object.spec);
      return;
    }
    default:
      return unreachable(event, "compare");
  }
}

function before<T>(event: { readonly kind: string; readonly old?: T }): T | undefined {
  return event.old;
}

function after<T>(event: { readonly kind: string; readonly object?: T }): T | undefined {
  return event.object;
}

/** By hand: tasks are most of all events. A new one says its image and what is wanted, its spec is the service's. */
function compareTasks(diff: FieldDiff, old: Task | undefined, task: Task | undefined): void {
  const field = (path: string, from: string | undefined, to: string | undefined): void => {
    const [was, is] = [from === "" ? undefined : from, to === "" ? undefined : to];
    if (was !== is) diff.changed(path, was, is);
  };
  field("ActualState", stateName(old?.state), stateName(task?.state));
  field("DesiredState", stateName(old?.desiredState), stateName(task?.desiredState));
  field("NodeID", old?.nodeId, task?.nodeId);
  field("Message", old?.message, task?.message);
  field("Error", old?.err, task?.err);
  if (old?.exitCode !== task?.exitCode) field("Container.ExitCode", exitCode(old), exitCode(task));
  if (old?.spec !== task?.spec) {
    const image = (of: Task | undefined): string | undefined => of?.spec.ContainerSpec.Image;
    field("TaskTemplate.ContainerSpec.Image", image(old), image(task));
  }
}

function stateName(state: TaskState | undefined): string | undefined {
  return state === undefined ? undefined : STATE_NAMES.get(state);
}

/** 0 says something only once a container has ended. */
function exitCode(task: Task | undefined): string | undefined {
  if (task === undefined) return undefined;
  return task.exitCode !== 0 || task.state >= TASK_STATE.complete ? `${task.exitCode}` : undefined;
}

function compareServices(
  diff: FieldDiff,
  old: Service | undefined,
  service: Service | undefined,
): void {
  diff.compare("", old?.spec, service?.spec);
  diff.compare("UpdateStatus.State", old?.updateStatus?.state, service?.updateStatus?.state);
  diff.compare("UpdateStatus.Message", old?.updateStatus?.message, service?.updateStatus?.message);
  const [from, to] = [old?.rebalance, service?.rebalance];
  diff.compare("RebalanceStatus.State", from?.state, to?.state);
  diff.compare("RebalanceStatus.Message", from?.message || undefined, to?.message || undefined);
  diff.compare("RebalanceStatus.Moved", from?.movedCount, to?.movedCount);
  diff.compare("RebalanceStatus.Moving", from?.moves.length, to?.moves.length);
}

function compareNodes(diff: FieldDiff, old: Node | undefined, node: Node | undefined): void {
  diff.compare("Spec", old?.spec, node?.spec);
  diff.compare("Role", old?.role, node?.role);
  diff.compare("State", old?.state, node?.state);
  diff.compare("Message", old?.stateMessage || undefined, node?.stateMessage || undefined);
  diff.compare("Addr", old?.addr || undefined, node?.addr || undefined);
  diff.compare("ManagerAddr", old?.manager?.addr, node?.manager?.addr);
}

function compareClusters(
  diff: FieldDiff,
  old: Cluster | undefined,
  cluster: Cluster | undefined,
): void {
  diff.compare("", old?.spec, cluster?.spec);
  // Not among the shown fields either: that they were rotated is what counts.
  diff.compare("JoinTokens.Worker", old?.joinTokens.worker, cluster?.joinTokens.worker);
  diff.compare("JoinTokens.Manager", old?.joinTokens.manager, cluster?.joinTokens.manager);
  diff.compare("UnlockKey", old?.unlockKey, cluster?.unlockKey);
  diff.compare("RootCertificate", old?.rootCertPem, cluster?.rootCertPem);
}
