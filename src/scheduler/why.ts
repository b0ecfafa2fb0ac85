/** Why tasks wait, or where they could go: the scheduler's filters asked about every node, for people. Pure. */
import { type Node, type Service, TASK_STATE, type Task } from "../api/index.js";
import type { StoreView } from "../store/index.js";
import { NodeTable } from "./node-table.js";
import { needsOf } from "./task-needs.js";
import { type NodeVerdict, nearest, type Refusal, verdictOf } from "./verdict.js";

export type WhyView = Pick<
  StoreView,
  "nodes" | "tasks" | "networks" | "service" | "tasksByService"
>;

/** Of a task or service: what every node says to it. */
export type Why = {
  /** One sentence. */
  readonly summary: string;
  /** Tasks that wait for a node. */
  readonly waitingCount: number;
  /** In the order of names; empty when there is nothing to place. */
  readonly nodes: readonly NodeVerdict[];
  /** What would let the next task run, at the least expense; undefined when it can, or no fix is known. */
  readonly fix: string | undefined;
};

/** Of a node: what it says to each service with waiting tasks. */
export type WhyNode = {
  readonly summary: string;
  readonly services: readonly {
    readonly serviceId: string;
    readonly serviceName: string;
    readonly waitingCount: number;
    readonly refusals: readonly Refusal[];
  }[];
};

/** What a task waits for, or that it does not wait. */
export function whyTask(view: WhyView, task: Task): Why {
  if (!isWaiting(task))
    return { summary: settled(task), waitingCount: 0, nodes: [], fix: undefined };
  const why = judge(view, task, tableOf(view));
  return { ...why, waitingCount: 1, summary: `waits for a node${because(task.err)}` };
}

/** About the first task of the service that waits; without one, about a further task of its spec. */
export function whyService(view: WhyView, service: Service, probe: Task): Why {
  const tasks = view.tasksByService(service.id);
  const waiting = tasks.filter(isWaiting);
  const running = tasks.filter((task) => task.state === TASK_STATE.running).length;
  const why = judge(view, waiting[0] ?? probe, tableOf(view));
  const summary =
    waiting.length === 0
      ? `${running} running, none waits for a node; a further task ${why.isPlaceable ? "could run" : "would have to wait"}`
      : `${running} running, ${waiting.length} waiting for a node${because(waiting[0]?.err ?? "")}`;
  return { ...why, summary, waitingCount: waiting.length };
}

/** What the node says to the first waiting task of every service that has one. */
export function whyNode(view: WhyView, node: Node): WhyNode {
  const info = tableOf(view).info(node.id);
  const first = new Map<string, { task: Task; count: number }>();
  for (const task of view.tasks()) {
    if (!isWaiting(task) || (task.nodeId !== "" && task.nodeId !== node.id)) continue;
    const known = first.get(task.serviceId);
    if (known) known.count++;
    else first.set(task.serviceId, { task, count: 1 });
  }
  const services = info
    ? [...first.values()].map(({ task, count }) => ({
        serviceId: task.serviceId,
        serviceName: task.serviceName,
        waitingCount: count,
        refusals: verdictOf(needsOf(task), info, task.serviceName).refusals,
      }))
    : [];
  const { Availability } = node.spec;
  const refused = services.filter(({ refusals }) => refusals.length > 0).length;
  const active = info?.activeCount ?? 0;
  return {
    summary:
      `${node.state}, ${Availability}, ${active} task${active === 1 ? "" : "s"}; ` +
      (services.length === 0
        ? "no service waits for a node"
        : `refuses ${refused} of ${services.length} services that wait for a node`),
    services,
  };
}

function judge(
  view: WhyView,
  task: Task,
  table: NodeTable,
): Omit<Why, "summary" | "waitingCount"> & { readonly isPlaceable: boolean } {
  const needs = needsOf(task);
  const name = view.service(task.serviceId)?.spec.Name ?? task.serviceName;
  const nodes: NodeVerdict[] = [];
  for (const info of table.infos())
    if (info.node && (task.nodeId === "" || task.nodeId === info.id))
      nodes.push(verdictOf(needs, info, name));
  nodes.sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
  const isPlaceable = nodes.some(({ refusals }) => refusals.length === 0);
  const best = isPlaceable ? undefined : nearest([...nodes]);
  const fix = best?.refusals.map((refusal) => refusal.fix).join("; and ");
  return { nodes, fix, isPlaceable };
}

function tableOf(view: WhyView): NodeTable {
  const table = new NodeTable();
  for (const network of view.networks()) table.setNetwork(network);
  for (const node of view.nodes()) table.setNode(node);
  for (const task of view.tasks()) table.add(task);
  return table;
}

function isWaiting(task: Task): boolean {
  return task.state <= TASK_STATE.pending && task.desiredState <= TASK_STATE.complete;
}

function settled(task: Task): string {
  if (task.desiredState > TASK_STATE.complete) return "is not wanted any more";
  return task.state > TASK_STATE.running ? "has ended" : "has its node already";
}

function because(text: string): string {
  return text === "" ? "" : `: ${text}`;
}
