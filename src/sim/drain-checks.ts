/** What no drain may ever do while nothing else goes wrong, checked on every applied entry of a simulation. */
import { type Service, TASK_STATE, type Task } from "../api/index.js";
import type { Store } from "../store/index.js";

export class DrainChecks {
  readonly violations: string[] = [];
  /** Running tasks of replicated services that were stopped, each after its replacement ran. */
  movedCount = 0;
  readonly #store: Store;

  /** All services are as they are to be. */
  constructor(store: Store) {
    this.#store = store;
    store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      for (const event of batch.events) {
        if (event.table !== "task" || event.kind !== "updated") continue;
        if (isRunning(event.old) && !isRunning(event.object)) this.#checkStopped(event.object);
      }
    });
  }

  /** After the last drain: nothing is left on nodes that are drained. */
  expectMoved(): void {
    for (const task of this.#store.tasks()) {
      const node = this.#store.node(task.nodeId);
      // One that was stopped before its node heard of it is a record only.
      const isRecord = task.desiredState > TASK_STATE.complete && task.state < TASK_STATE.assigned;
      const mayRun = task.state <= TASK_STATE.running && !isRecord;
      if (node?.spec.Availability === "drain" && mayRun)
        this.violations.push(`${task.serviceId}.${task.slot} is still on ${task.nodeId}`);
    }
  }

  #checkStopped(task: Task): void {
    const service = this.#store.service(task.serviceId);
    if (!service || !("Replicated" in service.spec.Mode)) return;
    this.movedCount++;
    const running = new Set(this.#runningOf(service).map(({ slot }) => slot));
    const wanted = service.spec.Mode.Replicated.Replicas;
    if (running.size < wanted)
      this.violations.push(
        `${service.id}: ${running.size} of ${wanted} run as ${task.nodeId} loses slot ${task.slot}`,
      );
  }

  #runningOf(service: Service): readonly Task[] {
    return this.#store.tasksByService(service.id).filter(isRunning);
  }
}

function isRunning(task: Task): boolean {
  return task.desiredState <= TASK_STATE.running && task.state === TASK_STATE.running;
}
