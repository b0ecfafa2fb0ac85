/** Whether a task finds a place while the one it is to replace still has its own: what start-first needs. */
import type { Node, Task } from "../api/index.js";
import { explainNoNode, failingFilter, passesStatic } from "./filters.js";
import { isHeld, NodeInfo } from "./node-info.js";
import { needsOf, type TaskNeeds } from "./task-needs.js";

export type RoomView = {
  nodes(): readonly Node[];
  tasksByNode(nodeId: string): readonly Task[];
};

/** Looks at the nodes as of its first question; to be made anew for each plan. */
export class RoomBeside {
  readonly #view: RoomView;
  #infos: readonly NodeInfo[] | undefined;

  constructor(view: RoomView) {
    this.#view = view;
  }

  /**
   * The scheduler's sentence when no node can take the task beside `old`, but one could in place of it. undefined when there is
   * room, and also when there would be none either way: then stopping `old` would only cost what runs.
   */
  lack(task: Task, old: readonly Task[]): string | undefined {
    const needs = needsOf(task);
    if (!isLimited(needs)) return undefined;
    const infos = this.#nodes().filter((info) => task.nodeId === "" || task.nodeId === info.id);
    let isFreedByOld = false;
    for (const info of infos) {
      if (failingFilter(needs, info) === undefined) return undefined;
      isFreedByOld ||= fitsWithout(needs, info, old);
    }
    return isFreedByOld ? explainNoNode(needs, infos) : undefined;
  }

  #nodes(): readonly NodeInfo[] {
    this.#infos ??= this.#view.nodes().map((node) => {
      const info = new NodeInfo(node.id);
      info.setNode(node);
      for (const task of this.#view.tasksByNode(node.id)) if (isHeld(task)) info.account(task, 1);
      return info;
    });
    return this.#infos;
  }
}

/**
 * How many tasks like this one the cluster can hold at the same time by host-mode ports and replicas per node, and on how many
 * nodes; undefined when neither limits it.
 */
export function placesFor(
  task: Pick<Task, "spec" | "hostPorts">,
  nodes: readonly Node[],
): { readonly count: number; readonly nodeCount: number } | undefined {
  const needs = needsOf({ serviceId: "", specVersion: 0, ...task });
  if (needs.hostPorts.length === 0 && needs.maxReplicas === 0) return undefined;
  const perNode = needs.hostPorts.length > 0 ? 1 : needs.maxReplicas;
  let nodeCount = 0;
  for (const node of nodes) {
    const info = new NodeInfo(node.id);
    info.setNode(node);
    if (info.isReady() && passesStatic(needs, info)) nodeCount++;
  }
  return { count: nodeCount * perNode, nodeCount };
}

/** Anything a second task could want that the first one has. */
function isLimited(needs: TaskNeeds): boolean {
  return (
    needs.hostPorts.length > 0 ||
    needs.maxReplicas > 0 ||
    needs.cpuNano > 0 ||
    needs.memBytes > 0 ||
    needs.generic.length > 0
  );
}

function fitsWithout(needs: TaskNeeds, info: NodeInfo, old: readonly Task[]): boolean {
  const here = old.filter((task) => task.nodeId === info.id && isHeld(task));
  if (here.length === 0) return false;
  for (const task of here) info.account(task, -1);
  const fits = failingFilter(needs, info) === undefined;
  for (const task of here) info.account(task, 1);
  return fits;
}
