/** What no rollout may ever do, checked on every applied entry of a simulation, from the store's events alone. */
import { type Service, TASK_STATE, type Task } from "../api/index.js";
import type { Store, StoreEvent } from "../store/index.js";

/** A transaction that was planned before a change of the user, or of a node, may be applied this much later. */
const IN_FLIGHT_MS = 35;
const NANO_PER_MS = 1e6;

type ServiceEvent = Extract<StoreEvent, { table: "service"; kind: "updated" }>;
type TaskEvent = Extract<StoreEvent, { table: "task"; kind: "created" | "updated" }>;

export class RolloutChecks {
  readonly violations: string[] = [];
  /** Rollouts that ended, by how. */
  readonly ends = new Map<string, number>();
  readonly #store: Store;
  readonly #wallMs: () => number;
  readonly #inFlightMs: () => number;
  /** Slots that a rollout has begun with and whose new task has not arrived: the new tasks, by service. */
  readonly #underWay = new Map<string, Set<string>>();
  readonly #changedAtMs = new Map<string, number>();
  /** When the store heard of a task's end, which its agent may have seen a while before. */
  readonly #endedAtMs = new Map<string, number>();
  /** Tasks that were told to stop for another reason than a rollout: what comes after them fills an empty slot. */
  readonly #lost = new Set<string>();
  /** Tasks that were told to stop in the transaction that is looked at. */
  #givenUp: ReadonlySet<string> = new Set();

  constructor(store: Store, wallMs: () => number, inFlightMs = () => IN_FLIGHT_MS) {
    this.#store = store;
    this.#wallMs = wallMs;
    this.#inFlightMs = inFlightMs;
    store.subscribe((batch) => {
      if (batch.kind === "changes") this.#check(batch.events);
    });
  }

  #check(events: readonly StoreEvent[]): void {
    this.#givenUp = new Set(
      events.flatMap((event) =>
        event.table === "task" &&
        event.kind === "updated" &&
        isWanted(event.old) &&
        !isWanted(event.object)
          ? [event.object.id]
          : [],
      ),
    );
    for (const event of events) {
      if (event.table === "node" && event.kind !== "removed") this.#touch(event.object.id);
      else if (event.table === "service" && event.kind === "updated") this.#checkService(event);
      else if (event.table === "task" && event.kind === "created") this.#checkCreated(event);
      else if (event.table === "task" && event.kind === "updated") {
        const { object: task, old } = event;
        if (task.state > TASK_STATE.running && old.state <= TASK_STATE.running)
          this.#endedAtMs.set(task.id, this.#wallMs());
        if (this.#givenUp.has(task.id) && !this.#isSound(old)) this.#lost.add(task.id);
        this.#checkStopped(event);
      }
    }
    for (const [serviceId, ids] of this.#underWay) this.#checkParallelism(serviceId, ids);
  }

  #checkService({ object, old }: ServiceEvent): void {
    const isClients = object.clientIndex === object.versionIndex;
    if (isClients) {
      this.#touch(object.id);
      // What was begun under other settings does not count.
      this.#underWay.get(object.id)?.clear();
    }
    const before = old.updateStatus?.state;
    const after = object.updateStatus?.state;
    if (before === after) return;
    if (before?.endsWith("paused") && !isClients)
      this.violations.push(`${object.id}: ${before} became ${after ?? "none"} by itself`);
    if (after !== undefined && after !== "updating")
      this.ends.set(after, (this.ends.get(after) ?? 0) + 1);
    if (after?.endsWith("completed")) this.#checkCompleted(object);
  }

  /** "Completed" says that all tasks of the spec run, or did when it was said: it may be on its way while one fails. */
  #checkCompleted(service: Service): void {
    if (this.#isFresh(service.id)) return;
    const running = new Set(
      this.#store
        .tasksByService(service.id)
        .filter((task) => isRunning(task) || this.#endedJustNow(task))
        .filter((task) => isOfSpec(task, service))
        .map((task) => task.slot),
    );
    const { Mode } = service.spec;
    const wanted = "Replicated" in Mode ? Mode.Replicated.Replicas : running.size;
    if (running.size < wanted)
      this.violations.push(`${service.id}: completed with ${running.size} of ${wanted} running`);
  }

  /** A new task in place of, or beside, a good one of another spec: a step of a rollout. */
  #checkCreated({ object: task }: TaskEvent): void {
    const service = this.#store.service(task.serviceId);
    if (!service || this.#isFresh(service.id) || !isOfSpec(task, service)) return;
    const others = this.#othersInSlot(task)
      // What scaling down removes is no predecessor: the slot is a new one.
      .filter((other) => other.desiredState < TASK_STATE.remove)
      .sort((a, b) => b.createdAtMs - a.createdAtMs);
    // A newer one may have been given up before: one that an update beside it had begun.
    const left = others.find((other) => isWanted(other) || this.#givenUp.has(other.id));
    const replaced = left ?? others[0];
    if (!replaced || isOfSpec(replaced, service) || !this.#isSound(replaced)) return;
    if (!left && this.#lost.has(replaced.id)) return;
    // Beside one that is wanted elsewhere: a drain's step, even if a newer spec took the place of the task that it had begun with.
    if (others.some((other) => isWanted(other) && !this.#isSound(other))) return;
    // The restart of one that a rollout before this one began, and that was lost before it ran.
    if (others.some((other) => this.#givenUp.has(other.id) && isOfSpec(other, service))) return;
    const state = service.updateStatus?.state;
    if (state?.endsWith("paused"))
      this.violations.push(`${service.id}: slot ${task.slot} was begun while ${state}`);
    const ids = this.#underWay.get(service.id) ?? new Set<string>();
    this.#underWay.set(service.id, ids.add(task.id));
  }

  /** start-first: a good old task goes only when the new one runs, or another of the slot that an update before this one began. */
  #checkStopped(event: TaskEvent): void {
    if (event.kind !== "updated") return;
    const { object: task, old } = event;
    const service = this.#store.service(task.serviceId);
    if (!service || this.#isFresh(service.id) || orderOf(service) !== "start-first") return;
    const isTold = isWanted(old) && task.desiredState === TASK_STATE.shutdown;
    if (!isTold || task.state !== TASK_STATE.running || isOfSpec(task, service)) return;
    if (!this.#isSound(task)) return;
    const isReplaced = this.#othersInSlot(task).some(
      (other) => isRunning(other) || this.#endedJustNow(other),
    );
    if (!isReplaced)
      this.violations.push(`${service.id}: slot ${task.slot} was stopped before its new task ran`);
  }

  /** A global service has a slot per node. */
  #othersInSlot({ id, serviceId, slot, nodeId }: Task): Task[] {
    return this.#store
      .tasksBySlot(serviceId, slot)
      .filter((other) => other.id !== id && (slot !== 0 || other.nodeId === nodeId));
  }

  #checkParallelism(serviceId: string, ids: Set<string>): void {
    const service = this.#store.service(serviceId);
    const status = service?.updateStatus;
    // A new spec is its own rollout: what the one before had begun does not count, under whatever settings.
    if (status?.state !== "updating" && status?.state !== "rollback_started") {
      ids.clear();
      return;
    }
    const config = status.state.startsWith("rollback")
      ? service?.spec.RollbackConfig
      : service?.spec.UpdateConfig;
    for (const id of ids) {
      const task = this.#store.task(id);
      const deadlineMs = (config?.ProgressDeadline ?? 600_000 * NANO_PER_MS) / NANO_PER_MS;
      const isPending =
        service !== undefined &&
        task !== undefined &&
        isWanted(task) &&
        task.state < TASK_STATE.running &&
        isOfSpec(task, service) &&
        task.createdAtMs >= status.startedAtMs &&
        this.#wallMs() < task.createdAtMs + deadlineMs;
      if (!isPending) ids.delete(id);
    }
    const limit = config?.Parallelism ?? 1;
    if (limit > 0 && ids.size > limit)
      this.violations.push(`${serviceId}: ${ids.size} slots at once, parallelism ${limit}`);
  }

  /** What was decided while it ran may be applied a moment later. */
  #endedJustNow(task: Task): boolean {
    const agoMs = this.#wallMs() - (this.#endedAtMs.get(task.id) ?? Number.NEGATIVE_INFINITY);
    return agoMs < this.#inFlightMs();
  }

  #touch(id: string): void {
    this.#changedAtMs.set(id, this.#wallMs());
  }

  #isFresh(id: string): boolean {
    return (
      this.#wallMs() - (this.#changedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < this.#inFlightMs()
    );
  }

  /** Nothing but a rollout is a reason to replace it. */
  #isSound(task: Task): boolean {
    const node = this.#store.node(task.nodeId);
    return (
      task.state <= TASK_STATE.running &&
      node?.state === "ready" &&
      node.spec.Availability === "active" &&
      !this.#isFresh(node.id)
    );
  }
}

function isRunning(task: Task): boolean {
  return isWanted(task) && task.state === TASK_STATE.running;
}

function isWanted(task: Task): boolean {
  return task.desiredState <= TASK_STATE.running;
}

function isOfSpec(task: Task, service: Service): boolean {
  return (
    task.spec.ContainerSpec.Image === service.spec.TaskTemplate.ContainerSpec.Image &&
    task.spec.ForceUpdate === service.spec.TaskTemplate.ForceUpdate
  );
}

function orderOf(service: Service): string {
  const isRollback = service.updateStatus?.state.startsWith("rollback") === true;
  const config = isRollback ? service.spec.RollbackConfig : service.spec.UpdateConfig;
  return config?.Order ?? "stop-first";
}
