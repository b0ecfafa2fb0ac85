/** Extensions of the Engine API: verdicts, plans and gauges of the scheduler as JSON. */
import type { GenericResource } from "../../api/index.js";
import type { FieldChange, PlannedTask } from "../../manager/core/index.js";
import type { NodeUsage } from "../../manager/index.js";
import type { Gauges, NodeVerdict, Refusal, Why, WhyNode } from "../../scheduler/index.js";
import type { StoreView } from "../../store/index.js";
import { formatTime } from "./time.js";

function presentRefusal({ filter, text, fix }: Refusal) {
  return { Filter: filter, Text: text, Fix: fix };
}

function presentVerdict({ nodeId, hostname, refusals }: NodeVerdict) {
  return {
    NodeID: nodeId,
    Hostname: hostname,
    Fits: refusals.length === 0,
    Refusals: refusals.map(presentRefusal),
  };
}

export function presentWhy(subject: { readonly id: string; readonly name: string }, why: Why) {
  return {
    ID: subject.id,
    Name: subject.name,
    Summary: why.summary,
    Waiting: why.waitingCount,
    Nodes: why.nodes.map(presentVerdict),
    ...(why.fix === undefined ? {} : { Fix: why.fix }),
  };
}

export function presentWhyNode(
  subject: { readonly id: string; readonly name: string },
  why: WhyNode,
) {
  return {
    ID: subject.id,
    Name: subject.name,
    Summary: why.summary,
    Services: why.services.map((service) => ({
      ID: service.serviceId,
      Name: service.serviceName,
      Waiting: service.waitingCount,
      Fits: service.refusals.length === 0,
      Refusals: service.refusals.map(presentRefusal),
    })),
  };
}

function presentAmounts(amounts: {
  readonly cpuNano: number;
  readonly memBytes: number;
  readonly generic: readonly GenericResource[];
}) {
  return {
    NanoCPUs: amounts.cpuNano,
    MemoryBytes: amounts.memBytes,
    ...(amounts.generic.length === 0 ? {} : { GenericResources: amounts.generic }),
  };
}

/** `Used` is left out while it is not known: the node has not told it lately, or cannot measure. */
export function presentGauges({ capacity, reserved, taskCount }: Gauges, usage?: NodeUsage) {
  return {
    Capacity: presentAmounts(capacity),
    Reserved: presentAmounts(reserved),
    ...(usage === undefined
      ? {}
      : {
          Used: {
            NanoCPUs: usage.cpuNano,
            MemoryBytes: usage.memBytes,
            At: formatTime(usage.atMs),
          },
        }),
    Tasks: taskCount,
  };
}

/** `index`: the version of the service that the plan was made from, 0 when there is none yet. */
export function presentPlan(
  plan: {
    readonly index: number;
    readonly changes: readonly FieldChange[];
    readonly tasks: readonly PlannedTask[];
  },
  view: Pick<StoreView, "node">,
) {
  const hostname = (id: string): string => {
    const node = view.node(id);
    return node?.spec.Name || node?.description?.Hostname || id;
  };
  return {
    Index: plan.index,
    HasChanges: plan.changes.length > 0,
    Changes: plan.changes.map(({ path, old, next }) => ({
      Path: path,
      ...(old === undefined ? {} : { Old: old }),
      ...(next === undefined ? {} : { New: next }),
    })),
    Tasks: plan.tasks.map((task) => ({
      Action: task.action,
      ...(task.slot === 0 ? {} : { Slot: task.slot }),
      ...(task.taskId === "" ? {} : { ID: task.taskId }),
      ...(task.nodeId === "" ? {} : { NodeID: task.nodeId, Hostname: hostname(task.nodeId) }),
      ...(task.toNodeId === ""
        ? {}
        : { ToNodeID: task.toNodeId, ToHostname: hostname(task.toNodeId) }),
      ...(task.reason === "" ? {} : { Reason: task.reason }),
    })),
  };
}
