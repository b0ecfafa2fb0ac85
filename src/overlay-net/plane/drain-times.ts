import { DRAIN_DEFAULT_MS, type NetworkState } from "../core/network-state.js";

/**
 * How long the stop of each of this node's tasks may be held for its connections. A task outlives its service's entry when the service is
 * removed: what was said last counts then.
 */
export class DrainTimes {
  #byTask: ReadonlyMap<string, number> = new Map();

  update({ nodeId, endpoints, services }: NetworkState): void {
    const byService = new Map(
      services.map(({ serviceId, drainMs }) => [serviceId, drainMs ?? DRAIN_DEFAULT_MS]),
    );
    const byTask = new Map<string, number>();
    for (const { taskId, serviceId, nodeId: at } of endpoints) {
      const drainMs = byService.get(serviceId) ?? this.#byTask.get(taskId);
      if (at === nodeId && drainMs !== undefined) byTask.set(taskId, drainMs);
    }
    this.#byTask = byTask;
  }

  of(taskId: string): number {
    return this.#byTask.get(taskId) ?? DRAIN_DEFAULT_MS;
  }
}
