/** What may never happen to tasks, slots, jobs and ticks, checked on every applied entry of a simulation. */
import { containerTaskOf, isGlobal, type Service, TASK_STATE, type Task } from "../api/index.js";
import type { Store } from "../store/index.js";

/** The nodes as they are, whatever the managers know. */
export type NodeTruth = {
  /** It was reachable all the time lately, so what runs there could have been stopped. */
  isSteady(nodeId: string): boolean;
  hasContainer(nodeId: string, taskId: string): boolean;
};

export class TaskChecks {
  readonly violations: string[] = [];
  readonly #store: Store;
  readonly #nodes: NodeTruth;
  /** Services that were ever updated start-first: two tasks may run in a slot for a while. */
  readonly #overlapping = new Set<string>();
  /** Services with one task per node, deleted ones too: their tasks go on for a while. */
  readonly #global = new Set<string>();
  /** Tasks that were on a node when it was drained, or are moved to an emptier one: they may run beside their replacements. */
  readonly #leaving = new Set<string>();

  constructor(store: Store, nodes: NodeTruth) {
    this.#store = store;
    this.#nodes = nodes;
    store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      for (const event of batch.events) {
        if (event.table === "node" && event.kind !== "removed") this.#noteDrain(event.object.id);
        if (event.table === "task" && event.kind !== "removed")
          this.#checkTask(event.object, event.kind === "updated" ? event.old : undefined);
        if (event.table === "task" && event.kind === "created") this.#checkJob(event.object);
        if (event.table === "service" && event.kind !== "removed") this.#noteOrder(event.object);
        if (event.table === "service" && event.kind === "created")
          if (isGlobal(event.object.spec.Mode)) this.#global.add(event.object.id);
        if (event.table === "service" && event.kind !== "removed")
          for (const { taskId } of event.object.rebalance?.moves ?? []) this.#leaving.add(taskId);
        if (event.table === "service" && event.kind === "updated")
          this.#checkTick(event.old, event.object);
      }
    });
  }

  /** Tells slots of a service apart: runs of a job have their own, and where there is one task per node it is the node. */
  slotKey(task: Task): string {
    const place = this.#global.has(task.serviceId) ? task.nodeId : task.slot;
    return `${task.jobIteration}/${place}`;
  }

  /** Two tasks of the slot may run for a while: one comes, one goes. */
  mayOverlap(task: Task): boolean {
    return this.#overlapping.has(task.serviceId) || this.#leaving.has(task.id);
  }

  #noteOrder({ id, spec }: Service): void {
    if (spec.UpdateConfig?.Order === "start-first") this.#overlapping.add(id);
  }

  #noteDrain(nodeId: string): void {
    if (this.#store.node(nodeId)?.spec.Availability !== "drain") return;
    for (const task of this.#store.tasksByNode(nodeId)) this.#leaving.add(task.id);
  }

  #checkTask(task: Task, old: Task | undefined): void {
    const say = (what: string): void => {
      this.violations.push(`${describe(task)}: ${what}`);
    };
    if (old) {
      if (old.nodeId !== "" && old.nodeId !== task.nodeId) say(`left ${old.nodeId}`);
      if (task.state < old.state) say(`state went back from ${old.state}`);
      if (task.desiredState < old.desiredState) say(`desired went back from ${old.desiredState}`);
    }
    // It fills no slot.
    if (containerTaskOf(task) !== undefined) return;
    if (this.#store.node(task.nodeId)?.spec.Availability === "drain") this.#leaving.add(task.id);
    const inSlot = this.#store
      .tasksBySlot(task.serviceId, task.slot)
      .filter((other) => this.slotKey(other) === this.slotKey(task));
    const running = inSlot.filter(
      (t) =>
        (t.desiredState === TASK_STATE.running || t.desiredState === TASK_STATE.complete) &&
        t.state === TASK_STATE.running,
    );
    const hasStarted =
      task.state === TASK_STATE.running &&
      old?.state !== TASK_STATE.running &&
      // Elsewhere it may be told late of what it was to do, and tell late of what it did.
      this.#nodes.isSteady(task.nodeId);
    if (hasStarted && !this.#overlapping.has(task.serviceId))
      for (const other of inSlot)
        if (other.id !== task.id && !this.#leaving.has(other.id) && this.#hasSteadyContainer(other))
          say(`started while ${describe(other)} was still there`);
    if (running.length > 2) say(`${running.length} run in its slot`);
    const isBesideLeaving = running.some((each) => this.#leaving.has(each.id));
    if (running.length === 2 && !isBesideLeaving && !this.#overlapping.has(task.serviceId))
      say("two run in its slot");
  }

  /** Slots of a run never exceed its completions, tasks that go on never its concurrency. */
  #checkJob(made: Task): void {
    const service = this.#store.service(made.serviceId);
    const mode = service?.spec.Mode;
    // One that was on its way when the next run began is removed again.
    if (made.jobIteration !== service?.jobIteration || !mode || !("ReplicatedJob" in mode)) return;
    const { MaxConcurrent, TotalCompletions } = mode.ReplicatedJob;
    const ofRun = this.#store
      .tasksByService(made.serviceId)
      .filter((task) => task.jobIteration === made.jobIteration);
    const going = ofRun.filter(
      (task) => task.desiredState <= TASK_STATE.complete && task.state < TASK_STATE.complete,
    );
    if (made.slot >= TotalCompletions)
      this.violations.push(`${describe(made)}: only ${TotalCompletions} completions are wanted`);
    if (going.length > MaxConcurrent)
      this.violations.push(`${describe(made)}: ${going.length} go on, ${MaxConcurrent} may`);
  }

  /** A tick starts one run, and a later tick a later one. */
  #checkTick(old: Service, service: Service): void {
    const [before, after] = [old.schedule, service.schedule];
    if (!before || !after || before.lastTickMs === after.lastTickMs) return;
    if (after.lastTickMs < before.lastTickMs || service.jobIteration !== old.jobIteration + 1)
      this.violations.push(`${service.id}: the tick of ${after.lastTickMs} starts more than a run`);
    if (after.lastTickMs < before.nextTickMs)
      this.violations.push(`${service.id}: the tick of ${after.lastTickMs} was decided before`);
  }

  /** Its container runs where it could have been stopped first. */
  #hasSteadyContainer(task: Task): boolean {
    return (
      task.desiredState < TASK_STATE.remove &&
      this.#nodes.isSteady(task.nodeId) &&
      this.#nodes.hasContainer(task.nodeId, task.id)
    );
  }
}

export function describe(task: Task): string {
  return `${task.serviceId}.${task.slot}.${task.id.slice(0, 4)} (${task.desiredState}/${task.state} on ${task.nodeId})`;
}
