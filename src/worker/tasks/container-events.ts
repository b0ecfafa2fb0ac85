/** What happened to this node's containers lately: kept for those who ask late, told to those who listen. */
import type { Clock } from "../../base/index.js";
import { taskName } from "../core/task/types.js";
import { actionsOf, type ContainerEvent, endActions } from "../core/view/container-event.js";
import type { ExitStatus } from "../engine/port.js";
import { containerIdOf } from "./container-id.js";
import { containerLabels, type NodeFacts } from "./container-request.js";
import type { TaskRecord } from "./record-store.js";

/** As many as the Engine keeps. In memory: a restart of the worker forgets them, what it finds again is no event. */
export const EVENTS_KEPT_MAX = 256;

export class ContainerEvents {
  readonly #clock: Clock;
  readonly #node: () => NodeFacts;
  readonly #kept: ContainerEvent[] = [];
  readonly #listeners = new Set<(event: ContainerEvent) => void>();

  constructor(parts: { readonly clock: Clock; readonly node: () => NodeFacts }) {
    this.#clock = parts.clock;
    this.#node = parts.node;
  }

  /** Oldest first. */
  kept(): readonly ContainerEvent[] {
    return [...this.#kept];
  }

  subscribe(listener: (event: ContainerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells what a change of the record says of its container. */
  changed(before: TaskRecord, after: TaskRecord): void {
    for (const { action, more } of actionsOf(before, after)) this.note(after, action, more);
  }

  /** The container has ended; to be told once. */
  ended(record: TaskRecord, exit: ExitStatus): void {
    const actions = endActions(record.startedAtMs, exit);
    for (const { action, more } of actions) this.note(record, action, more);
  }

  note(
    { assignment }: TaskRecord,
    action: string,
    more: Readonly<Record<string, string>> = {},
  ): void {
    const node = this.#node();
    const image = assignment.spec.ContainerSpec.Image;
    const name = taskName(assignment, node.nodeId);
    const event = {
      action,
      containerId: containerIdOf(assignment.taskId),
      image,
      attributes: { ...containerLabels(assignment, node), ...more, image, name },
      atMs: this.#clock.wallMs(),
    };
    this.#kept.push(event);
    if (this.#kept.length > EVENTS_KEPT_MAX) this.#kept.shift();
    for (const listener of this.#listeners) listener(event);
  }
}
