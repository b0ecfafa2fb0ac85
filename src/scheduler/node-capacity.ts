/** What a node offers, to be taken task by task: for those who check anew whether what runs there still fits. */
import type { Node, Task } from "../api/index.js";
import { GenericStock } from "./generic-resources.js";
import { amountText, bytesText, cpuText } from "./quantities.js";
import { reservationsOf } from "./task-needs.js";

export class NodeCapacity {
  #cpuNano: number;
  #memBytes: number;
  readonly #generic = new GenericStock();

  constructor(node: Node) {
    const resources = node.description?.Resources;
    this.#cpuNano = resources?.NanoCPUs ?? 0;
    this.#memBytes = resources?.MemoryBytes ?? 0;
    this.#generic.setTotal(resources?.GenericResources ?? []);
  }

  /** Takes all that the task holds, or nothing and says what is missing. What it did not reserve is not looked at. */
  take(task: Task): string | undefined {
    const { cpuNano, memBytes } = reservationsOf(task.spec);
    if (cpuNano > 0 && cpuNano > this.#cpuNano)
      return `CPUs: reserved ${cpuText(cpuNano)}, ${cpuText(this.#cpuNano)} left`;
    if (memBytes > 0 && memBytes > this.#memBytes)
      return `memory: reserved ${bytesText(memBytes)}, ${bytesText(this.#memBytes)} left`;
    if (!this.#generic.covers(task.genericResources))
      return `${task.genericResources.map(amountText).join(", ")} no longer there`;
    this.#cpuNano -= cpuNano;
    this.#memBytes -= memBytes;
    this.#generic.account(task.genericResources, 1);
    return undefined;
  }
}
