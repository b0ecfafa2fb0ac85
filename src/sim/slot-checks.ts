/** Slots of replicated services: never more than replicas, never more tasks in one than a surge allows, none left to a node that is down. */
import { type Service, TASK_STATE, type Task } from "../api/index.js";
import type { Store, StoreEvent } from "../store/index.js";
import { describe, type TaskChecks } from "./task-checks.js";

/** After its node went down, a task is told to stop within this time, as long as somebody leads. */
const REPLACE_MAX_MS = 5_000;

type Surroundings = {
  readonly wallMs: () => number;
  /** A leader has worked undisturbed for this long. */
  readonly leadsForMs: () => number;
  /** A transaction that was planned before a change may be applied this much later. */
  readonly inFlightMs: () => number;
};

export class SlotChecks {
  readonly violations: string[] = [];
  readonly #store: Store;
  readonly #tasks: TaskChecks;
  readonly #around: Surroundings;
  readonly #changedAtMs = new Map<string, number>();

  constructor(store: Store, tasks: TaskChecks, around: Surroundings) {
    this.#store = store;
    this.#tasks = tasks;
    this.#around = around;
    store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      for (const event of batch.events) this.#note(event);
      for (const event of batch.events)
        if (event.table === "task" && event.kind === "created") this.#checkCreated(event.object);
    });
  }

  /** Once per step. */
  look(): void {
    const { leadsForMs, inFlightMs, wallMs } = this.#around;
    if (leadsForMs() < REPLACE_MAX_MS || inFlightMs() > REPLACE_MAX_MS) return;
    for (const node of this.#store.nodes()) {
      if (node.state !== "down" || wallMs() - node.downSinceMs < REPLACE_MAX_MS) continue;
      for (const task of this.#store.tasksByNode(node.id))
        if (replicasOf(this.#store.service(task.serviceId)) !== undefined && isCounted(task))
          this.violations.push(`${describe(task)} still counts, and its node is down`);
    }
  }

  /** Of a user's change, and of a rollback that began by itself. */
  #note(event: StoreEvent): void {
    if (event.table !== "service" || event.kind !== "updated") return;
    if (event.object.spec !== event.old.spec)
      this.#changedAtMs.set(event.object.id, this.#around.wallMs());
  }

  #checkCreated(task: Task): void {
    const replicas = replicasOf(this.#store.service(task.serviceId));
    if (replicas === undefined || this.#isFresh(task.serviceId) || !isCounted(task)) return;
    const counted = this.#store.tasksByService(task.serviceId).filter(isCounted);
    const inSlot = counted.filter(({ slot }) => slot === task.slot);
    const slots = new Set(counted.map(({ slot }) => slot));
    // What is left of a scale-down goes on its way; a slot that is new must be one of the wanted ones.
    if (inSlot.length === 1 && slots.size > replicas)
      this.violations.push(`${describe(task)}: ${slots.size} slots, ${replicas} replicas`);
    const isSurge = inSlot.some((other) => this.#tasks.mayOverlap(other));
    const most = isSurge ? 2 : 1;
    if (inSlot.length > most)
      this.violations.push(`${describe(task)}: ${inSlot.length} tasks in its slot, ${most} may be`);
  }

  #isFresh(serviceId: string): boolean {
    const changedAtMs = this.#changedAtMs.get(serviceId) ?? Number.NEGATIVE_INFINITY;
    return this.#around.wallMs() - changedAtMs < this.#around.inFlightMs();
  }
}

/** It fills its slot, or is to. */
function isCounted(task: Task): boolean {
  return task.desiredState <= TASK_STATE.running && task.state <= TASK_STATE.running;
}

function replicasOf(service: Service | undefined): number | undefined {
  if (!service || !("Replicated" in service.spec.Mode)) return undefined;
  return service.spec.Mode.Replicated.Replicas;
}
