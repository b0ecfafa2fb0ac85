/** Which services to look at when: the orchestrators of all modes, the restart supervisor and the updater in one, per service. */
import { isGlobal, type Node, type Service, TASK_STATE, type Task } from "../../api/index.js";
import { newId, type Random } from "../../base/index.js";
import type { StoreEvent, StoreView } from "../../store/index.js";
import { DirtySet } from "./dirty-set.js";
import { planGlobal } from "./global-service.js";
import { planGlobalJob, planReplicatedJob } from "./job-service.js";
import type { Plan } from "./plan.js";
import { REACH_BY_PHASE, type Reach } from "./reach.js";
import type { Reconciler } from "./reconciler.js";
import { planReplicated } from "./replicated-service.js";
import { desired } from "./restart.js";
import type { ServiceContext } from "./service-context.js";
import { isWanted, nodeFate } from "./task-slot.js";
import { UpdateMemory } from "./update-memory.js";
import { WakeTimes } from "./wake-times.js";

/**
 * Restarts, scaling and updates of a service touch the same slots. One planner makes them in one go from one state, so they cannot
 * get into each other's way.
 */
export class ServiceReconciler implements Reconciler {
  readonly #newTaskId: () => string;
  readonly #dirty = new DirtySet<string>();
  readonly #wakes = new WakeTimes<string>();
  /** Services under update: every change of their tasks matters. */
  readonly #updating = new Set<string>();
  /** Services with one task per node: every change of a node matters to them. */
  readonly #global = new Set<string>();
  /** Services that rebalance by themselves: a change of a node may call for it. */
  readonly #auto = new Set<string>();
  readonly #memory = new UpdateMemory();

  readonly #reach: Reach;

  constructor(random: Random, reach: Reach = REACH_BY_PHASE) {
    this.#newTaskId = () => newId(random);
    this.#reach = reach;
  }

  reset(view: StoreView): void {
    this.#dirty.clear();
    this.#wakes.clear();
    this.#updating.clear();
    this.#memory.clear();
    this.#global.clear();
    this.#auto.clear();
    for (const service of view.services()) {
      this.#dirty.mark(service.id);
      this.#noteKind(service);
    }
    for (const task of view.tasks())
      if (!view.service(task.serviceId)) this.#dirty.mark(task.serviceId);
  }

  observe(events: readonly StoreEvent[], view: StoreView, nowMs: number): void {
    for (const event of events) {
      if (event.table === "service") {
        this.#dirty.mark(event.kind === "removed" ? event.old.id : event.object.id);
        if (event.kind !== "removed") this.#noteKind(event.object);
        else {
          this.#global.delete(event.old.id);
          this.#auto.delete(event.old.id);
        }
      } else if (event.table === "task") {
        if (event.kind === "created") this.#taskCreated(event.object, nowMs);
        else if (event.kind === "updated") {
          this.#taskUpdated(event.old, event.object, nowMs);
          // An assignment that was on its way when its node went down, or was drained.
          const isNew = event.old.nodeId !== event.object.nodeId;
          if (isNew && nodeFate(event.object, (id) => view.node(id)) !== "fine")
            this.#dirty.mark(event.object.serviceId);
        } else this.#taskRemoved(event.old);
      } else if (event.table === "node") {
        if (event.kind === "updated" && !concernsTasks(event.old, event.object)) continue;
        const id = event.kind === "removed" ? event.old.id : event.object.id;
        for (const task of view.tasksByNode(id)) this.#dirty.mark(task.serviceId);
        // Each of them may want a task on the node now, or want it no more.
        for (const serviceId of this.#global) this.#dirty.mark(serviceId);
        for (const serviceId of this.#auto) this.#dirty.mark(serviceId);
      }
    }
  }

  plan(view: StoreView, plan: Plan): void {
    for (const id of this.#wakes.takeDue(plan.nowMs)) this.#dirty.mark(id);
    this.#dirty.take((id) => {
      // Containers outside services are nobody's to replace or to remove.
      if (id === "") return true;
      const service = view.service(id);
      if (service) this.#planService(view, service, plan);
      else this.#removeTasks(view, id, plan);
      return !plan.isCut;
    });
    this.#wakes.tell(plan);
  }

  settled(isApplied: boolean): void {
    this.#dirty.settle(isApplied);
  }

  #noteKind({ id, spec }: Service): void {
    if (isGlobal(spec.Mode)) this.#global.add(id);
    if (spec.Rebalance === "auto") this.#auto.add(id);
    else this.#auto.delete(id);
  }

  #planService(view: StoreView, service: Service, plan: Plan): void {
    const context = {
      service,
      nodeOf: (id: string) => view.node(id),
      newTaskId: this.#newTaskId,
      memory: this.#memory,
      plan,
      room: view,
      reach: this.#reach,
      wakeAt: (atMs: number) => this.#wakes.set(service.id, atMs),
    };
    this.#wakes.delete(service.id);
    if (planMode(context, view)) this.#updating.add(service.id);
    else if (!plan.isCut) this.#forget(service.id);
  }

  #removeTasks(view: StoreView, serviceId: string, plan: Plan): void {
    this.#forget(serviceId);
    for (const task of view.tasksByService(serviceId)) {
      if (task.desiredState >= TASK_STATE.remove) continue;
      if (!plan.add(desired(task, TASK_STATE.remove))) return;
    }
  }

  #forget(serviceId: string): void {
    this.#updating.delete(serviceId);
    this.#memory.forgetService(serviceId);
  }

  #taskCreated(task: Task, nowMs: number): void {
    this.#dirty.mark(task.serviceId);
    if (this.#updating.has(task.serviceId)) this.#memory.observe(task, nowMs);
  }

  #taskUpdated(old: Task, task: Task, nowMs: number): void {
    const isUpdating = this.#updating.has(task.serviceId);
    if (isUpdating) this.#memory.observe(task, nowMs);
    const hasEnded = task.state > TASK_STATE.running && old.state <= TASK_STATE.running;
    if (
      hasEnded ||
      old.desiredState !== task.desiredState ||
      (isUpdating && (old.state !== task.state || old.networkPhase !== task.networkPhase))
    )
      this.#dirty.mark(task.serviceId);
  }

  #taskRemoved(old: Task): void {
    this.#memory.forgetTask(old);
    // History that the reaper deletes matters to nobody.
    if (isWanted(old)) this.#dirty.mark(old.serviceId);
  }
}

/** Returns whether the service needs a look at every change of its tasks. */
function planMode(context: ServiceContext, view: StoreView): boolean {
  const { id, spec } = context.service;
  const tasks = view.tasksByService(id);
  const { Mode: mode } = spec;
  if ("Replicated" in mode) return planReplicated(context, mode.Replicated.Replicas, tasks);
  if ("Global" in mode) return planGlobal(context, view.nodes(), tasks);
  if ("ReplicatedJob" in mode) planReplicatedJob(context, mode.ReplicatedJob, tasks);
  else planGlobalJob(context, view.nodes(), tasks);
  return false;
}

/** Whether the tasks of a node may have to move, or its constraints are met by others now. */
function concernsTasks(old: Node, node: Node): boolean {
  return (
    old.state !== node.state ||
    old.spec !== node.spec ||
    old.role !== node.role ||
    old.addr !== node.addr ||
    old.description !== node.description
  );
}
