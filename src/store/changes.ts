/**
 * What each change does to the tables. Whole-object puts set version and times; the narrow changes touch their own fields only
 * and do nothing when the object is gone, when they would go backwards, or when they say nothing new.
 */
import {
  type Change,
  type Cluster,
  containerTaskOf,
  keptPorts,
  type Meta,
  type Network,
  type Node,
  type ObjectOf,
  type Service,
  sameSpec,
  TASK_STATE,
  type TableName,
  type Task,
} from "../api/index.js";
import { unreachable } from "../base/index.js";
import type { StoreEvent } from "./port.js";
import { rolledBack } from "./roll-back.js";
import { historyOf } from "./spec-history.js";
import type { Tables } from "./tables.js";

/** The entry a change belongs to. */
export type Stamp = {
  readonly index: number;
  readonly atMs: number;
  readonly isClient: boolean;
};

type ChangeOf<K extends Change["kind"]> = Extract<Change, { kind: K }>;

/** Applies one change; returns what happened, undefined for nothing. Never throws for a decoded change. */
export function applyChange(tables: Tables, change: Change, stamp: Stamp): StoreEvent | undefined {
  switch (change.kind) {
    case "putCluster": {
      const old = tables.cluster.get(change.cluster.id);
      const cluster: Cluster = { ...change.cluster, ...putMeta(change.cluster, old, stamp) };
      tables.cluster.put(cluster);
      return putEvent("cluster", cluster, old);
    }
    case "putNode": {
      const old = tables.node.get(change.node.id);
      const node: Node = { ...change.node, ...putMeta(change.node, old, stamp) };
      tables.node.put(node);
      return putEvent("node", node, old);
    }
    case "putService":
      return putService(tables, change.service, stamp);
    case "putTask": {
      const old = tables.task.get(change.task.id);
      const meta = { ...touched(stamp), createdAtMs: old?.createdAtMs ?? stamp.atMs };
      return putEvent("task", tables.putTask(change.task, meta), old);
    }
    case "putNetwork": {
      const old = tables.network.get(change.network.id);
      const network = { ...change.network, ...putMeta(change.network, old, stamp) };
      tables.network.put(network);
      return putEvent("network", network, old);
    }
    case "putSecret": {
      const old = tables.secret.get(change.secret.id);
      const secret = { ...change.secret, ...putMeta(change.secret, old, stamp) };
      tables.secret.put(secret);
      return putEvent("secret", secret, old);
    }
    case "putConfig": {
      const old = tables.config.get(change.config.id);
      const config = { ...change.config, ...putMeta(change.config, old, stamp) };
      tables.config.put(config);
      return putEvent("config", config, old);
    }
    case "delete": {
      const old = tables.get(change.table, change.id);
      if (!old) return undefined;
      tables.remove(change.table, change.id, stamp.atMs);
      return event({ table: change.table, kind: "removed", old });
    }
    case "taskDesired":
      return taskDesired(tables, change, stamp);
    case "taskAssign":
      return taskAssign(tables, change, stamp);
    case "taskStatus":
      return taskStatus(tables, change, stamp);
    case "serviceUpdateStatus":
      return serviceUpdateStatus(tables, change, stamp);
    case "serviceRebalance":
      return serviceRebalance(tables, change, stamp);
    case "serviceRollBack":
      return serviceRollBack(tables, change, stamp);
    case "nodeStatus":
      return nodeStatus(tables, change, stamp);
    case "nodeRole":
      return nodeRole(tables, change, stamp);
    case "networkAllocated":
      return networkAllocated(tables, change, stamp);
    case "serviceEndpoint":
      return serviceEndpoint(tables, change, stamp);
    case "taskNetworks":
      return taskNetworks(tables, change, stamp);
    case "taskNetworkPhase":
      return taskNetworkPhase(tables, change, stamp);
    default:
      return unreachable(change, "applyChange");
  }
}

function putMeta(object: Meta, old: Meta | undefined, stamp: Stamp): Meta {
  return {
    id: object.id,
    versionIndex: stamp.index,
    clientIndex: stamp.isClient || !old ? stamp.index : old.clientIndex,
    createdAtMs: old?.createdAtMs ?? stamp.atMs,
    updatedAtMs: stamp.atMs,
  };
}

/** `specVersion: 0` means "this entry": the writer cannot know its own log index. */
function putService(tables: Tables, service: Service, stamp: Stamp): StoreEvent {
  const old = tables.service.get(service.id);
  const meta = putMeta(service, old, stamp);
  // An automatic rollback is no client write, yet a client that read the spec before it must not undo it unknowingly.
  const isNewSpec = !old || !sameSpec(old.spec, service.spec);
  const stored: Service = {
    ...service,
    ...meta,
    clientIndex: isNewSpec ? stamp.index : meta.clientIndex,
    specVersion: service.specVersion === 0 ? stamp.index : service.specVersion,
    // A writer sends the ports of its spec; what was chosen for those left open stays.
    ports: old ? keptPorts(service.ports, old.ports) : service.ports,
    history: historyOf(old, { ...service, isAutomatic: false }, tables.specHistoryLimit, stamp),
  };
  tables.service.put(stored);
  return putEvent("service", stored, old);
}

function serviceRollBack(
  tables: Tables,
  change: ChangeOf<"serviceRollBack">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.service.get(change.serviceId);
  if (!old?.previousSpec || old.specVersion !== change.specVersion) return undefined;
  const service = rolledBack(old, old.previousSpec, change.message, tables, stamp);
  tables.service.put(service);
  return putEvent("service", service, old);
}

function taskDesired(
  tables: Tables,
  change: ChangeOf<"taskDesired">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.task.get(change.taskId);
  if (!old || change.desiredState < old.desiredState) return undefined;
  const notBeforeMs = change.notBeforeMs ?? old.notBeforeMs;
  if (change.desiredState === old.desiredState && notBeforeMs === old.notBeforeMs) return undefined;
  return updateTask(tables, old, { desiredState: change.desiredState, notBeforeMs }, stamp);
}

/** Also confirms a task that was made for this very node (global services). */
function taskAssign(
  tables: Tables,
  change: ChangeOf<"taskAssign">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.task.get(change.taskId);
  const node = tables.node.get(change.nodeId);
  if (!old || !node) return undefined;
  if (old.nodeId !== "" && old.nodeId !== change.nodeId) return undefined;
  const isWanted = old.desiredState <= TASK_STATE.complete;
  if (!isWanted || old.state >= TASK_STATE.assigned) return undefined;
  const { message, genericResources } = change;
  // The reason why it had to wait is not to stay with it on its node.
  const set = {
    nodeId: node.id,
    message,
    err: "",
    state: TASK_STATE.assigned,
    statusAtMs: stamp.atMs,
    ...(genericResources && { genericResources }),
  };
  return updateTask(tables, old, set, stamp);
}

function taskStatus(
  tables: Tables,
  change: ChangeOf<"taskStatus">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.task.get(change.taskId);
  if (!old || change.state < old.state) return undefined;
  // How it ended is known: a job's completion may arrive while its node is being removed.
  if (change.state === TASK_STATE.orphaned && old.state >= TASK_STATE.complete) return undefined;
  const isSame =
    change.state === old.state &&
    change.message === old.message &&
    change.err === old.err &&
    change.containerId === old.containerId &&
    change.pid === old.pid &&
    change.exitCode === old.exitCode &&
    sameSpec(change.portStatus, old.portStatus);
  if (isSame) return undefined;
  const set = {
    state: change.state,
    statusAtMs: change.atMs,
    message: change.message,
    err: change.err,
    containerId: change.containerId,
    pid: change.pid,
    exitCode: change.exitCode,
    portStatus: change.portStatus,
  };
  return updateTask(tables, old, set, stamp);
}

function serviceUpdateStatus(
  tables: Tables,
  change: ChangeOf<"serviceUpdateStatus">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.service.get(change.serviceId);
  if (!old || old.specVersion !== change.specVersion) return undefined;
  if (sameSpec(old.updateStatus, change.updateStatus)) return undefined;
  const service: Service = { ...old, ...touched(stamp), updateStatus: change.updateStatus };
  tables.service.put(service);
  return putEvent("service", service, old);
}

function serviceRebalance(
  tables: Tables,
  { serviceId, specVersion, rebalance }: ChangeOf<"serviceRebalance">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.service.get(serviceId);
  if (!old || old.specVersion !== specVersion) return undefined;
  const service: Service = { ...old, ...touched(stamp), rebalance };
  tables.service.put(service);
  return putEvent("service", service, old);
}

function nodeStatus(
  tables: Tables,
  change: ChangeOf<"nodeStatus">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.node.get(change.nodeId);
  if (!old) return undefined;
  const state = change.state ?? old.state;
  const isDown = state === "down";
  const set = {
    state,
    stateMessage: change.stateMessage ?? old.stateMessage,
    addr: change.addr ?? old.addr,
    description: change.description ?? old.description,
    bootId: change.bootId ?? old.bootId,
    downSinceMs: !isDown ? 0 : old.state === "down" ? old.downSinceMs : stamp.atMs,
  };
  const isSame =
    set.state === old.state &&
    set.stateMessage === old.stateMessage &&
    set.addr === old.addr &&
    set.bootId === old.bootId &&
    set.downSinceMs === old.downSinceMs &&
    sameSpec(set.description, old.description);
  if (isSame) return undefined;
  const node: Node = { ...old, ...touched(stamp), ...set };
  tables.node.put(node);
  return putEvent("node", node, old);
}

function nodeRole(
  tables: Tables,
  change: ChangeOf<"nodeRole">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.node.get(change.nodeId);
  if (!old) return undefined;
  const role = change.role ?? old.role;
  const manager = change.manager === undefined ? old.manager : (change.manager ?? undefined);
  if (role === old.role && sameSpec(manager, old.manager)) return undefined;
  const node: Node = { ...old, ...touched(stamp), role, manager };
  tables.node.put(node);
  return putEvent("node", node, old);
}

function networkAllocated(
  tables: Tables,
  change: ChangeOf<"networkAllocated">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.network.get(change.networkId);
  const { vni, subnets, mtu } = change;
  if (!old) return undefined;
  // Of one that is allocated the MTU alone can change: all else is in use.
  const isOther = old.vni !== vni || !sameSpec(old.subnets, subnets);
  if (old.vni !== 0 && (isOther || old.mtu === mtu)) return undefined;
  const network: Network = { ...old, ...touched(stamp), vni, subnets, mtu };
  tables.network.put(network);
  return putEvent("network", network, old);
}

function serviceEndpoint(
  tables: Tables,
  change: ChangeOf<"serviceEndpoint">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.service.get(change.serviceId);
  if (!old || old.specVersion !== change.specVersion) return undefined;
  const { vips, ports } = change;
  if (sameSpec(old.vips, vips) && sameSpec(old.ports, ports)) return undefined;
  const service: Service = { ...old, ...touched(stamp), vips, ports };
  tables.service.put(service);
  return putEvent("service", service, old);
}

function taskNetworks(
  tables: Tables,
  change: ChangeOf<"taskNetworks">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.task.get(change.taskId);
  if (!old || old.state !== TASK_STATE.new) return undefined;
  const { networks, message } = change;
  // An attachment has its node from the start, and needs nothing of it that a scheduler would look for.
  const state = containerTaskOf(old) === undefined ? TASK_STATE.pending : TASK_STATE.assigned;
  const set = { networks, message, err: "", state, statusAtMs: stamp.atMs };
  return updateTask(tables, old, set, stamp);
}

function taskNetworkPhase(
  tables: Tables,
  change: ChangeOf<"taskNetworkPhase">,
  stamp: Stamp,
): StoreEvent | undefined {
  const old = tables.task.get(change.taskId);
  if (!old || change.phase <= old.networkPhase) return undefined;
  return updateTask(tables, old, { networkPhase: change.phase }, stamp);
}

function updateTask(tables: Tables, old: Task, set: Partial<Task>, stamp: Stamp): StoreEvent {
  return putEvent("task", tables.updateTask(old, { ...set, ...touched(stamp) }), old);
}

function touched(stamp: Stamp): { versionIndex: number; updatedAtMs: number } {
  return { versionIndex: stamp.index, updatedAtMs: stamp.atMs };
}

function putEvent<K extends TableName>(
  table: K,
  object: ObjectOf[K],
  old: ObjectOf[K] | undefined,
): StoreEvent {
  return old
    ? event({ table, kind: "updated", object, old })
    : event({ table, kind: "created", object });
}

/** TypeScript cannot follow a table's name to its object type through a union; the callers above keep them together. */
function event(fields: {
  table: TableName;
  kind: StoreEvent["kind"];
  object?: ObjectOf[TableName];
  old?: ObjectOf[TableName];
}): StoreEvent {
  return fields as StoreEvent;
}
