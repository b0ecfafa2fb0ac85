import { unreachable } from "../../base/index.js";
import type { NodeDescription, TaskSpec } from "../spec.js";
import type { Change } from "../transaction.js";
import type { swarm } from "../wire.js";
import { CodecError } from "./codec-error.js";
import {
  int32Field,
  required,
  taskStateField,
  textField,
  timeField,
  uint32Field,
  uintField,
} from "./fields.js";
import {
  clusterMessage,
  configMessage,
  networkMessage,
  nodeMessage,
  nodeRole,
  nodeState,
  optionalJson,
  portsJson,
  raftMemberMessage,
  readCluster,
  readConfig,
  readNetwork,
  readNode,
  readPorts,
  readRaftMember,
  readSecret,
  readService,
  readSubnets,
  readUpdateStatus,
  readVips,
  secretMessage,
  serviceMessage,
  subnetMessages,
  updateStatusMessage,
  vipMessages,
} from "./objects.js";
import { tableName } from "./preconditions.js";
import { readRebalance, rebalanceMessage } from "./rebalance.js";
import { encodeSpec } from "./spec-interning.js";
import {
  networkPhaseField,
  portStatusMessages,
  readPortStatus,
  readResources,
  readTask,
  readTaskNetworks,
  resourcesJson,
  taskMessage,
  taskNetworkMessages,
} from "./tasks.js";

type Wire = typeof swarm.objects;
type ChangeMessage = Parameters<Wire["Change"]["encode"]>[0];
type TaskStatusMessage = Parameters<Wire["TaskStatus"]["encode"]>[0];
type NodeStatusMessage = Parameters<Wire["NodeStatus"]["encode"]>[0];
type NodeRoleMessage = Parameters<Wire["NodeRole"]["encode"]>[0];
type ChangeOf<K extends Change["kind"]> = Extract<Change, { kind: K }>;

export function changeMessage(change: Change, specRef: (spec: TaskSpec) => number): ChangeMessage {
  switch (change.kind) {
    case "putCluster":
      return { putCluster: clusterMessage(change.cluster) };
    case "putNode":
      return { putNode: nodeMessage(change.node) };
    case "putService":
      // Apply keeps the history itself: an entry that carried it would grow with every update.
      return { putService: serviceMessage({ ...change.service, history: [] }) };
    case "putTask":
      return { putTask: taskMessage(change.task, specRef) };
    case "putNetwork":
      return { putNetwork: networkMessage(change.network) };
    case "putSecret":
      return { putSecret: secretMessage(change.secret) };
    case "putConfig":
      return { putConfig: configMessage(change.config) };
    case "delete":
      return { delete: { table: tableName(change.table), id: change.id } };
    case "taskDesired":
      return {
        taskDesired: {
          taskId: change.taskId,
          desiredState: taskStateField(change.desiredState),
          notBeforeMs:
            change.notBeforeMs === undefined ? null : timeField(change.notBeforeMs, "not before"),
        },
      };
    case "taskAssign":
      return {
        taskAssign: {
          taskId: change.taskId,
          nodeId: change.nodeId,
          message: textField(change.message),
          genericResourcesJson: resourcesJson(change.genericResources ?? []),
        },
      };
    case "taskStatus":
      return { taskStatus: taskStatusMessage(change) };
    case "serviceUpdateStatus":
      return {
        serviceUpdateStatus: {
          serviceId: change.serviceId,
          specVersion: uintField(change.specVersion, "spec version"),
          updateStatus: change.updateStatus ? updateStatusMessage(change.updateStatus) : null,
        },
      };
    case "serviceRebalance":
      return {
        serviceRebalance: {
          serviceId: change.serviceId,
          specVersion: uintField(change.specVersion, "spec version"),
          rebalance: rebalanceMessage(change.rebalance),
        },
      };
    case "serviceRollBack":
      return {
        serviceRollBack: {
          serviceId: change.serviceId,
          specVersion: uintField(change.specVersion, "spec version"),
          message: textField(change.message),
        },
      };
    case "nodeStatus":
      return { nodeStatus: nodeStatusMessage(change) };
    case "nodeRole":
      return { nodeRole: nodeRoleMessage(change) };
    case "networkAllocated":
    case "serviceEndpoint":
    case "taskNetworks":
    case "taskNetworkPhase":
      return allocationMessage(change);
    default:
      return unreachable(change, "changeMessage");
  }
}

export function readChange(m: ChangeMessage, specs: readonly TaskSpec[]): Change {
  if (m.putCluster) return { kind: "putCluster", cluster: readCluster(m.putCluster) };
  if (m.putNode) return { kind: "putNode", node: readNode(m.putNode) };
  if (m.putService) return { kind: "putService", service: readService(m.putService) };
  if (m.putTask) return { kind: "putTask", task: readTask(m.putTask, specs) };
  if (m.putNetwork) return { kind: "putNetwork", network: readNetwork(m.putNetwork) };
  if (m.putSecret) return { kind: "putSecret", secret: readSecret(m.putSecret) };
  if (m.putConfig) return { kind: "putConfig", config: readConfig(m.putConfig) };
  if (m.delete) return { kind: "delete", table: tableName(m.delete.table), id: m.delete.id ?? "" };
  if (m.taskDesired) {
    const { taskId, desiredState, notBeforeMs } = m.taskDesired;
    return {
      kind: "taskDesired",
      taskId: taskId ?? "",
      desiredState: taskStateField(desiredState),
      ...(notBeforeMs != null && { notBeforeMs: timeField(notBeforeMs, "not before") }),
    };
  }
  if (m.taskAssign)
    return {
      kind: "taskAssign",
      taskId: m.taskAssign.taskId ?? "",
      nodeId: m.taskAssign.nodeId ?? "",
      message: m.taskAssign.message ?? "",
      ...(m.taskAssign.genericResourcesJson?.length && {
        genericResources: readResources(
          m.taskAssign.genericResourcesJson,
          "task_assign.generic_resources_json",
        ),
      }),
    };
  if (m.taskStatus) return { kind: "taskStatus", ...readTaskStatus(m.taskStatus) };
  if (m.serviceUpdateStatus)
    return {
      kind: "serviceUpdateStatus",
      serviceId: m.serviceUpdateStatus.serviceId ?? "",
      specVersion: uintField(m.serviceUpdateStatus.specVersion, "spec version"),
      updateStatus: readUpdateStatus(m.serviceUpdateStatus.updateStatus),
    };
  if (m.serviceRebalance)
    return {
      kind: "serviceRebalance",
      serviceId: m.serviceRebalance.serviceId ?? "",
      specVersion: uintField(m.serviceRebalance.specVersion, "spec version"),
      rebalance: readRebalance(required(m.serviceRebalance.rebalance, "service_rebalance")),
    };
  if (m.serviceRollBack)
    return {
      kind: "serviceRollBack",
      serviceId: m.serviceRollBack.serviceId ?? "",
      specVersion: uintField(m.serviceRollBack.specVersion, "spec version"),
      message: m.serviceRollBack.message ?? "",
    };
  if (m.nodeStatus) return readNodeStatus(m.nodeStatus);
  if (m.nodeRole) return readNodeRole(m.nodeRole);
  const allocation = readAllocation(m);
  if (allocation) return allocation;
  throw new CodecError("UNSUPPORTED_FORMAT", "a change of a kind this version does not know");
}

type Allocation = ChangeOf<
  "networkAllocated" | "serviceEndpoint" | "taskNetworks" | "taskNetworkPhase"
>;

function allocationMessage(change: Allocation): ChangeMessage {
  switch (change.kind) {
    case "networkAllocated":
      return {
        networkAllocated: {
          networkId: change.networkId,
          vni: uint32Field(change.vni, "vni"),
          subnets: subnetMessages(change.subnets),
          mtu: uint32Field(change.mtu, "mtu"),
        },
      };
    case "serviceEndpoint":
      return {
        serviceEndpoint: {
          serviceId: change.serviceId,
          specVersion: uintField(change.specVersion, "spec version"),
          vips: vipMessages(change.vips),
          portsJson: portsJson(change.ports),
        },
      };
    case "taskNetworks":
      return {
        taskNetworks: {
          taskId: change.taskId,
          networks: taskNetworkMessages(change.networks),
          message: textField(change.message),
        },
      };
    case "taskNetworkPhase":
      return {
        taskNetworkPhase: { taskId: change.taskId, phase: networkPhaseField(change.phase) },
      };
    default:
      return unreachable(change, "allocationMessage");
  }
}

function readAllocation(m: ChangeMessage): Allocation | undefined {
  if (m.networkAllocated) {
    const { networkId, vni, subnets, mtu } = m.networkAllocated;
    return {
      kind: "networkAllocated",
      networkId: networkId ?? "",
      vni: vni ?? 0,
      subnets: readSubnets(subnets),
      mtu: mtu ?? 0,
    };
  }
  if (m.serviceEndpoint) {
    const { serviceId, specVersion, vips, portsJson: ports } = m.serviceEndpoint;
    return {
      kind: "serviceEndpoint",
      serviceId: serviceId ?? "",
      specVersion: uintField(specVersion, "spec version"),
      vips: readVips(vips),
      ports: readPorts(ports, "service_endpoint.ports_json"),
    };
  }
  if (m.taskNetworks) {
    const { taskId, networks, message } = m.taskNetworks;
    return {
      kind: "taskNetworks",
      taskId: taskId ?? "",
      networks: readTaskNetworks(networks),
      message: message ?? "",
    };
  }
  if (m.taskNetworkPhase) {
    const { taskId, phase } = m.taskNetworkPhase;
    return { kind: "taskNetworkPhase", taskId: taskId ?? "", phase: networkPhaseField(phase) };
  }
  return undefined;
}

/** What an agent reports of a task: the same message in its session and in the log. */
export type TaskStatusReport = Omit<ChangeOf<"taskStatus">, "kind">;

export function taskStatusMessage(status: TaskStatusReport): TaskStatusMessage {
  return {
    taskId: status.taskId,
    state: taskStateField(status.state),
    atMs: timeField(status.atMs, "status at"),
    message: textField(status.message),
    err: textField(status.err),
    containerId: status.containerId,
    pid: uint32Field(status.pid, "pid"),
    exitCode: int32Field(status.exitCode, "exit code"),
    portStatus: portStatusMessages(status.portStatus),
  };
}

export function readTaskStatus(m: TaskStatusMessage): TaskStatusReport {
  return {
    taskId: m.taskId ?? "",
    state: taskStateField(m.state),
    atMs: timeField(m.atMs, "status at"),
    message: m.message ?? "",
    err: m.err ?? "",
    containerId: m.containerId ?? "",
    pid: m.pid ?? 0,
    exitCode: m.exitCode ?? 0,
    portStatus: readPortStatus(m.portStatus),
  };
}

function nodeStatusMessage(change: ChangeOf<"nodeStatus">): NodeStatusMessage {
  return {
    nodeId: change.nodeId,
    state: change.state === undefined ? null : nodeState(change.state),
    stateMessage: change.stateMessage === undefined ? null : textField(change.stateMessage),
    addr: change.addr ?? null,
    descriptionJson: change.description ? encodeSpec(change.description) : null,
    bootId: change.bootId ?? null,
  };
}

function readNodeStatus(m: NodeStatusMessage): ChangeOf<"nodeStatus"> {
  const description = optionalJson<NodeDescription>(m.descriptionJson, "description_json");
  return {
    kind: "nodeStatus",
    nodeId: m.nodeId ?? "",
    ...(m.state != null && { state: nodeState(m.state) }),
    ...(m.stateMessage != null && { stateMessage: m.stateMessage }),
    ...(m.addr != null && { addr: m.addr }),
    ...(description !== undefined && { description }),
    ...(m.bootId != null && { bootId: m.bootId }),
  };
}

function nodeRoleMessage(change: ChangeOf<"nodeRole">): NodeRoleMessage {
  return {
    nodeId: change.nodeId,
    role: change.role === undefined ? null : nodeRole(change.role),
    manager: change.manager ? raftMemberMessage(change.manager) : null,
    clearManager: change.manager === null,
  };
}

function readNodeRole(m: NodeRoleMessage): ChangeOf<"nodeRole"> {
  const manager = readRaftMember(m.manager);
  return {
    kind: "nodeRole",
    nodeId: m.nodeId ?? "",
    ...(m.role != null && { role: nodeRole(m.role) }),
    ...(m.clearManager ? { manager: null } : manager !== undefined && { manager }),
  };
}
