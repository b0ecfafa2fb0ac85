/** What no rebalancing may ever do, checked on every applied entry of a simulation. */
import { type Service, TASK_STATE, type Task } from "../api/index.js";
import type { Store } from "../store/index.js";

/** Moves under way of services whose updates have no limit. */
const MOVES_MAX = 32;
/** What a drain that was called off, or a node that was lost, leaves behind is tidied up within this time. */
const TIDY_MS = 5000;

export class RebalanceChecks {
  readonly violations: string[] = [];
  /** Tasks that were stopped, each after its replacement ran. */
  movedCount = 0;
  readonly #store: Store;
  readonly #nowMs: () => number;
  /** Of any node. */
  #nodeChangedAtMs = 0;

  constructor(store: Store, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
    store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      const services = new Set<string>();
      for (const event of batch.events) {
        if (event.table === "node") this.#nodeChangedAtMs = nowMs();
        if (event.table === "service" && event.kind !== "removed") services.add(event.object.id);
        if (event.table !== "task" || event.kind === "removed") continue;
        services.add(event.object.serviceId);
        if (event.kind === "updated" && isWanted(event.old) && !isWanted(event.object))
          this.#checkStopped(event.object);
      }
      for (const id of services) {
        const service = store.service(id);
        if (service) this.#checkService(service);
      }
    });
  }

  /**
   * In the end: nodes of services that rebalance by themselves differ by one task at most, as all nodes can take all tasks. A rollout
   * that is paused for good keeps its service as it is.
   */
  expectEven(): void {
    for (const { id, spec, updateStatus } of this.#store.services()) {
      if (spec.Rebalance !== "auto" || updateStatus?.state.endsWith("paused")) continue;
      const counts = this.#store.nodes().map((node) => {
        const ofNode = this.#store.tasksByNode(node.id);
        return ofNode.filter((task) => task.serviceId === id && isWanted(task)).length;
      });
      if (Math.max(...counts) - Math.min(...counts) > 1)
        this.violations.push(
          `${id} is at rest with ${counts.join(", ")} tasks on its nodes: ${updateStatus?.state}`,
        );
    }
  }

  /** At most as many moves as may be at once, and none while a rollout has the slots. */
  #checkService({ id, spec, rebalance, updateStatus }: Service): void {
    if (!rebalance || !("Replicated" in spec.Mode)) return;
    const parallelism = spec.UpdateConfig?.Parallelism ?? 1;
    const atOnce = parallelism === 0 ? MOVES_MAX : Math.min(parallelism, MOVES_MAX);
    const tasks = this.#store.tasksByService(id).filter(isWanted);
    // Those that began when more were allowed come to their end.
    const going = rebalance.moves.filter(({ newTaskId }) =>
      tasks.some((task) => task.id === newTaskId && task.specVersion === this.#versionOf(id)),
    );
    if (going.length > atOnce)
      this.violations.push(`${id}: ${going.length} moves are under way, ${atOnce} may`);
    // Moves are the only surge of a service that is not updated and whose nodes stay as they are.
    const isQuiet =
      updateStatus === undefined &&
      this.#nowMs() > this.#nodeChangedAtMs + TIDY_MS &&
      this.#store.nodes().every(isActive);
    const surge = tasks.length - new Set(tasks.map(({ slot }) => slot)).size;
    if (isQuiet && rebalance.state === "moving" && surge > rebalance.moves.length)
      this.violations.push(`${id}: ${surge} slots have two tasks, ${rebalance.moves.length} move`);
  }

  #versionOf(serviceId: string): number | undefined {
    return this.#store.service(serviceId)?.specVersion;
  }

  /** A task that is moved goes after its replacement runs; what ended of itself is no move's doing. */
  #checkStopped(task: Task): void {
    const service = this.#store.service(task.serviceId);
    const move = service?.rebalance?.moves.find(({ taskId }) => taskId === task.id);
    if (!move || task.state !== TASK_STATE.running || task.desiredState !== TASK_STATE.shutdown)
      return;
    if (!isActive(this.#store.node(task.nodeId))) return;
    const fresh = this.#store.task(move.newTaskId);
    if (fresh?.state === TASK_STATE.running) this.movedCount++;
    else
      this.violations.push(
        `${task.serviceId}.${task.slot} left ${task.nodeId} before its new task ran`,
      );
  }
}

function isActive(node: ReturnType<Store["node"]>): boolean {
  return node?.state === "ready" && node.spec.Availability === "active";
}

function isWanted(task: Task): boolean {
  return task.desiredState <= TASK_STATE.complete;
}
