/**
 * A cluster may hold a million tasks, so their memory counts: every stored task is built by one literal (one hidden class, flat),
 * shares its spec, and points to the strings of its service and node instead of owning copies as decoded.
 */
import type { Task } from "../api/index.js";

/** Longer texts are rarely repeated. */
const POOLED_LENGTH_MAX = 64;
const POOL_SIZE_MAX = 1000;

/** One copy of each short text that many tasks carry ("started", "task: non-zero exit (1)"). */
export class TextPool {
  readonly #texts = new Map<string, string>();

  share(text: string): string {
    if (text.length === 0 || text.length > POOLED_LENGTH_MAX) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= POOL_SIZE_MAX) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}

/** A copy of `task` with some fields replaced and common texts shared; the shape is the same for all. */
export function taskWith(task: Task, set: Partial<Task>, texts: TextPool): Task {
  return {
    id: task.id,
    versionIndex: set.versionIndex ?? task.versionIndex,
    createdAtMs: set.createdAtMs ?? task.createdAtMs,
    updatedAtMs: set.updatedAtMs ?? task.updatedAtMs,
    serviceId: set.serviceId ?? task.serviceId,
    serviceName: set.serviceName ?? task.serviceName,
    slot: set.slot ?? task.slot,
    nodeId: set.nodeId ?? task.nodeId,
    spec: set.spec ?? task.spec,
    specVersion: set.specVersion ?? task.specVersion,
    hostPorts: set.hostPorts ?? task.hostPorts,
    desiredState: set.desiredState ?? task.desiredState,
    state: set.state ?? task.state,
    statusAtMs: set.statusAtMs ?? task.statusAtMs,
    message: texts.share(set.message ?? task.message),
    err: texts.share(set.err ?? task.err),
    // Every report of a task names its container anew, as often as one comes.
    containerId:
      set.containerId === task.containerId
        ? task.containerId
        : (set.containerId ?? task.containerId),
    pid: set.pid ?? task.pid,
    exitCode: set.exitCode ?? task.exitCode,
    portStatus: set.portStatus ?? task.portStatus,
    notBeforeMs: set.notBeforeMs ?? task.notBeforeMs,
    jobIteration: set.jobIteration ?? task.jobIteration,
    genericResources: set.genericResources ?? task.genericResources,
    networks: set.networks ?? task.networks,
    networkPhase: set.networkPhase ?? task.networkPhase,
  };
}

/** Set by the entry that stores a task. */
export type TaskMeta = Pick<Task, "versionIndex" | "createdAtMs" | "updatedAtMs">;

/** The same task, as of `meta`, with strings that exist already in place of its own. */
export function sharedTask(
  task: Task,
  meta: TaskMeta,
  known: {
    readonly serviceId: string | undefined;
    readonly serviceName: string | undefined;
    readonly nodeId: string | undefined;
    readonly texts: TextPool;
  },
): Task {
  const set = {
    versionIndex: meta.versionIndex,
    createdAtMs: meta.createdAtMs,
    updatedAtMs: meta.updatedAtMs,
    serviceId: known.serviceId ?? task.serviceId,
    // The service may have been renamed since; the task keeps the name it was made with.
    serviceName: known.serviceName === task.serviceName ? known.serviceName : task.serviceName,
    nodeId: known.nodeId ?? task.nodeId,
  };
  return taskWith(task, set, known.texts);
}
