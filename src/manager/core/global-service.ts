/** One global service: on each node that takes it a living task of the current spec. The slot is the node. */
import { type Node, TASK_STATE, type Task } from "../../api/index.js";
import { nodeFit } from "./node-fit.js";
import { careForSlot, desired, fillSlot, hasEndedForGood } from "./restart.js";
import { planUpdate } from "./rolling-update.js";
import type { ServiceContext } from "./service-context.js";
import { isWanted, type Slot, tasksByNode } from "./task-slot.js";

/** `nodes` are all of the cluster. Returns whether the service needs a look at every change of its tasks. */
export function planGlobal(
  context: ServiceContext,
  nodes: readonly Node[],
  tasks: readonly Task[],
): boolean {
  const updatable: Slot[] = [];
  const kept: Slot[] = [];
  const changed = new Set<number>();
  for (const slot of nodeSlots(nodes, tasks)) {
    const node = context.nodeOf(slot.nodeId);
    const fit = nodeFit(context.service, node);
    if (fit === "ends") {
      if (!endSlot(context, slot, node)) return true;
      continue;
    }
    const care = careForSlot(context, slot);
    if (care === "noRoom") return true;
    if (care === "changed") changed.add(slot.number);
    else if (fit === "takes" && isEmpty(context, slot)) {
      if (!fillSlot(context, slot)) return true;
      changed.add(slot.number);
    }
    (fit === "takes" ? updatable : kept).push(slot);
  }
  return planUpdate(context, updatable, changed, kept);
}

/** Of every node of the cluster, and of those that are gone and left tasks. */
export function nodeSlots(nodes: readonly Node[], tasks: readonly Task[]): Slot[] {
  const byNode = tasksByNode(tasks);
  const slots: Slot[] = [];
  for (const { id } of nodes) {
    slots.push({ number: slots.length, nodeId: id, iteration: 0, tasks: byNode.get(id) ?? [] });
    byNode.delete(id);
  }
  for (const [nodeId, left] of byNode)
    slots.push({ number: slots.length, nodeId, iteration: 0, tasks: left });
  return slots;
}

/** Stops what is wanted there. Of a node that was removed nothing is kept, history neither. */
export function endSlot(context: ServiceContext, slot: Slot, node: Node | undefined): boolean {
  const to = node ? TASK_STATE.shutdown : TASK_STATE.remove;
  return slot.tasks.every(
    (task) => (node && !isWanted(task)) || context.plan.add(desired(task, to)),
  );
}

function isEmpty(context: ServiceContext, slot: Slot): boolean {
  const newest = slot.tasks.at(-1);
  if (!newest) return true;
  if (slot.tasks.some(isWanted)) return false;
  // A rollback starts anew what had ended for good under the spec that failed.
  const { updateStatus, specVersion } = context.service;
  if (updateStatus?.state === "rollback_started" && newest.specVersion !== specVersion) return true;
  return !hasEndedForGood(slot);
}
