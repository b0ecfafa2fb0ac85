/** Objects ⇄ their protobuf messages. Decoding checks what it reads; specs come out shared and frozen. */
import type {
  Cluster,
  Config,
  Meta,
  Network,
  Node,
  NodeState,
  ScheduleState,
  Secret,
  Service,
  SpecRevision,
  Subnet,
  UpdateState,
  UpdateStatus,
  VirtualIp,
} from "../objects.js";
import type {
  ClusterSpec,
  ConfigSpec,
  NetworkSpec,
  NodeDescription,
  NodeRole,
  NodeSpec,
  PortConfig,
  SecretSpec,
  ServiceSpec,
} from "../spec.js";
import type { swarm } from "../wire.js";
import { CodecError } from "./codec-error.js";
import { enumField, required, textField, timeField, uint32Field, uintField } from "./fields.js";
import { readRebalance, rebalanceMessage } from "./rebalance.js";
import { decodeSpec, encodeSpec } from "./spec-interning.js";

type Wire = typeof swarm.objects;
type ClusterMessage = Parameters<Wire["Cluster"]["encode"]>[0];
type NodeMessage = Parameters<Wire["Node"]["encode"]>[0];
type ServiceMessage = Parameters<Wire["Service"]["encode"]>[0];
type NetworkMessage = Parameters<Wire["Network"]["encode"]>[0];
type SecretMessage = Parameters<Wire["Secret"]["encode"]>[0];
type ConfigMessage = Parameters<Wire["Config"]["encode"]>[0];
type MetaMessage = Parameters<Wire["Meta"]["encode"]>[0];
type UpdateStatusMessage = Parameters<Wire["UpdateStatus"]["encode"]>[0];
type SubnetMessage = Parameters<Wire["Subnet"]["encode"]>[0];
type VirtualIpMessage = Parameters<Wire["VirtualIp"]["encode"]>[0];
type ScheduleStateMessage = Parameters<Wire["ScheduleState"]["encode"]>[0];
type SpecRevisionMessage = Parameters<Wire["SpecRevision"]["encode"]>[0];
type RaftMemberMessage = Parameters<Wire["RaftMember"]["encode"]>[0];
type Maybe<T> = T | null | undefined;

export const nodeRole = enumField<NodeRole>(["worker", "manager"], "node role");
export const nodeState = enumField<NodeState>(
  ["unknown", "down", "ready", "disconnected"],
  "node state",
);
const updateState = enumField<UpdateState>(
  ["updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"],
  "update state",
);

const NO_BYTES = new Uint8Array(0);
const NO_PORTS: readonly PortConfig[] = Object.freeze([]);
const NO_VIPS: readonly VirtualIp[] = Object.freeze([]);
const NO_SUBNETS: readonly Subnet[] = Object.freeze([]);

function metaMessage(o: Meta): MetaMessage {
  return {
    id: o.id,
    versionIndex: uintField(o.versionIndex, "version index"),
    clientIndex: uintField(o.clientIndex, "client index"),
    createdAtMs: timeField(o.createdAtMs, "created at"),
    updatedAtMs: timeField(o.updatedAtMs, "updated at"),
  };
}

function readMeta(m: Maybe<MetaMessage>, what: string): Meta {
  const meta = required(m, `${what}.meta`);
  if (!meta.id) throw new CodecError("MISSING_FIELD", `${what}.meta.id is missing`);
  return {
    id: meta.id,
    versionIndex: uintField(meta.versionIndex, "version index"),
    clientIndex: uintField(meta.clientIndex, "client index"),
    createdAtMs: timeField(meta.createdAtMs, "created at"),
    updatedAtMs: timeField(meta.updatedAtMs, "updated at"),
  };
}

export function clusterMessage(o: Cluster): ClusterMessage {
  return {
    meta: metaMessage(o),
    specJson: encodeSpec(o.spec),
    rootCertPem: o.rootCertPem,
    rootKeyPem: o.rootKeyPem,
    workerToken: o.joinTokens.worker,
    managerToken: o.joinTokens.manager,
    defaultAddrPool: [...o.defaultAddrPool],
    subnetSize: uint32Field(o.subnetSize, "subnet size"),
    dataPathPort: uint32Field(o.dataPathPort, "data path port"),
    deniedNodes: o.deniedNodes.map((denied) => ({
      nodeId: denied.nodeId,
      untilMs: timeField(denied.untilMs, "denied until"),
    })),
    unlockKey: o.unlockKey ?? "",
  };
}

export function readCluster(m: ClusterMessage): Cluster {
  return {
    ...readMeta(m.meta, "cluster"),
    spec: decodeSpec<ClusterSpec>(required(m.specJson, "cluster.spec_json"), "cluster.spec_json"),
    rootCertPem: m.rootCertPem ?? "",
    rootKeyPem: m.rootKeyPem ?? "",
    joinTokens: { worker: m.workerToken ?? "", manager: m.managerToken ?? "" },
    defaultAddrPool: [...(m.defaultAddrPool ?? [])],
    subnetSize: m.subnetSize ?? 0,
    dataPathPort: m.dataPathPort ?? 0,
    deniedNodes: (m.deniedNodes ?? []).map((denied) => ({
      nodeId: denied.nodeId ?? "",
      untilMs: timeField(denied.untilMs, "denied until"),
    })),
    ...(m.unlockKey && { unlockKey: m.unlockKey }),
  };
}

export function raftMemberMessage(member: NonNullable<Node["manager"]>): RaftMemberMessage {
  return { memberId: member.memberId, addr: member.addr };
}

export function readRaftMember(m: Maybe<RaftMemberMessage>): Node["manager"] {
  return m ? { memberId: m.memberId ?? "", addr: m.addr ?? "" } : undefined;
}

export function nodeMessage(o: Node): NodeMessage {
  return {
    meta: metaMessage(o),
    specJson: encodeSpec(o.spec),
    role: nodeRole(o.role),
    descriptionJson: o.description ? encodeSpec(o.description) : NO_BYTES,
    state: nodeState(o.state),
    stateMessage: textField(o.stateMessage),
    addr: o.addr,
    manager: o.manager ? raftMemberMessage(o.manager) : null,
    nodeIndex: uint32Field(o.nodeIndex, "node index"),
    bootId: o.bootId,
    downSinceMs: timeField(o.downSinceMs, "down since"),
    drainSinceMs: timeField(o.drainSinceMs, "drain since"),
  };
}

export function readNode(m: NodeMessage): Node {
  return {
    ...readMeta(m.meta, "node"),
    spec: decodeSpec<NodeSpec>(required(m.specJson, "node.spec_json"), "node.spec_json"),
    role: nodeRole(m.role),
    description: optionalJson<NodeDescription>(m.descriptionJson, "node.description_json"),
    state: nodeState(m.state),
    stateMessage: m.stateMessage ?? "",
    addr: m.addr ?? "",
    manager: readRaftMember(m.manager),
    nodeIndex: m.nodeIndex ?? 0,
    bootId: m.bootId ?? "",
    downSinceMs: timeField(m.downSinceMs, "down since"),
    drainSinceMs: timeField(m.drainSinceMs, "drain since"),
  };
}

export function updateStatusMessage(status: UpdateStatus): UpdateStatusMessage {
  return {
    state: updateState(status.state),
    startedAtMs: timeField(status.startedAtMs, "started at"),
    completedAtMs: timeField(status.completedAtMs, "completed at"),
    message: textField(status.message),
  };
}

export function readUpdateStatus(m: Maybe<UpdateStatusMessage>): UpdateStatus | undefined {
  if (!m) return undefined;
  return {
    state: updateState(m.state),
    startedAtMs: timeField(m.startedAtMs, "started at"),
    completedAtMs: timeField(m.completedAtMs, "completed at"),
    message: m.message ?? "",
  };
}

export function serviceMessage(o: Service): ServiceMessage {
  return {
    meta: metaMessage(o),
    specJson: encodeSpec(o.spec),
    specVersion: uintField(o.specVersion, "spec version"),
    previousSpecJson: o.previousSpec ? encodeSpec(o.previousSpec) : NO_BYTES,
    previousSpecVersion: uintField(o.previousSpecVersion, "previous spec version"),
    updateStatus: o.updateStatus ? updateStatusMessage(o.updateStatus) : null,
    portsJson: portsJson(o.ports),
    registryAuth: o.registryAuth,
    previousRegistryAuth: o.previousRegistryAuth,
    jobIteration: uint32Field(o.jobIteration, "job iteration"),
    lastExecutionMs: timeField(o.lastExecutionMs, "last execution"),
    vips: vipMessages(o.vips),
    schedule: o.schedule ? scheduleMessage(o.schedule) : null,
    rebalance: o.rebalance ? rebalanceMessage(o.rebalance) : null,
    history: (o.history ?? []).map(revisionMessage),
    specBy: o.specBy ?? "",
  };
}

function scheduleMessage(state: ScheduleState): ScheduleStateMessage {
  return {
    nextTickMs: timeField(state.nextTickMs, "next tick"),
    lastTickMs: timeField(state.lastTickMs, "last tick"),
    missedCount: uint32Field(state.missedCount, "missed count"),
    skippedCount: uint32Field(state.skippedCount, "skipped count"),
    runs: state.runs.map((run) => uint32Field(run, "run")),
  };
}

function readSchedule(m: Maybe<ScheduleStateMessage>): ScheduleState | undefined {
  if (!m) return undefined;
  return {
    nextTickMs: timeField(m.nextTickMs, "next tick"),
    lastTickMs: timeField(m.lastTickMs, "last tick"),
    missedCount: m.missedCount ?? 0,
    skippedCount: m.skippedCount ?? 0,
    runs: [...(m.runs ?? [])],
  };
}

export function readService(m: ServiceMessage): Service {
  const history = (m.history ?? []).map(readRevision);
  return {
    ...readMeta(m.meta, "service"),
    spec: decodeSpec<ServiceSpec>(required(m.specJson, "service.spec_json"), "service.spec_json"),
    specVersion: uintField(m.specVersion, "spec version"),
    previousSpec: optionalJson<ServiceSpec>(m.previousSpecJson, "service.previous_spec_json"),
    previousSpecVersion: uintField(m.previousSpecVersion, "previous spec version"),
    updateStatus: readUpdateStatus(m.updateStatus),
    ports: readPorts(m.portsJson, "service.ports_json"),
    registryAuth: m.registryAuth ?? "",
    previousRegistryAuth: m.previousRegistryAuth ?? "",
    jobIteration: m.jobIteration ?? 0,
    lastExecutionMs: timeField(m.lastExecutionMs, "last execution"),
    vips: readVips(m.vips),
    schedule: readSchedule(m.schedule),
    rebalance: m.rebalance ? readRebalance(m.rebalance) : undefined,
    ...(history.length > 0 && { history }),
    ...(m.specBy && { specBy: m.specBy }),
  };
}

function revisionMessage(revision: SpecRevision): SpecRevisionMessage {
  return {
    version: uintField(revision.version, "revision"),
    atMs: timeField(revision.atMs, "revision at"),
    specJson: encodeSpec(revision.spec),
    registryAuth: revision.registryAuth,
    by: revision.by,
    isAutomatic: revision.isAutomatic,
  };
}

function readRevision(m: SpecRevisionMessage): SpecRevision {
  return {
    version: uintField(m.version, "revision"),
    atMs: timeField(m.atMs, "revision at"),
    spec: decodeSpec<ServiceSpec>(required(m.specJson, "revision.spec_json"), "revision.spec_json"),
    registryAuth: m.registryAuth ?? "",
    by: m.by ?? "",
    isAutomatic: m.isAutomatic ?? false,
  };
}

export function networkMessage(o: Network): NetworkMessage {
  return {
    meta: metaMessage(o),
    specJson: encodeSpec(o.spec),
    predefined: o.predefined,
    vni: uint32Field(o.vni, "vni"),
    subnets: subnetMessages(o.subnets),
    mtu: uint32Field(o.mtu, "mtu"),
  };
}

export function readNetwork(m: NetworkMessage): Network {
  return {
    ...readMeta(m.meta, "network"),
    spec: decodeSpec<NetworkSpec>(required(m.specJson, "network.spec_json"), "network.spec_json"),
    predefined: m.predefined ?? false,
    vni: m.vni ?? 0,
    subnets: readSubnets(m.subnets),
    mtu: m.mtu ?? 0,
  };
}

export function subnetMessages(subnets: readonly Subnet[]): SubnetMessage[] {
  return subnets.map(({ subnet, gateway, ipRange }) => ({ subnet, gateway, ipRange }));
}

export function readSubnets(m: Maybe<readonly SubnetMessage[]>): readonly Subnet[] {
  if (!m || m.length === 0) return NO_SUBNETS;
  return m.map(({ subnet, gateway, ipRange }) => ({
    subnet: subnet ?? "",
    gateway: gateway ?? "",
    ipRange: ipRange ?? "",
  }));
}

export function vipMessages(vips: readonly VirtualIp[]): VirtualIpMessage[] {
  return vips.map(({ networkId, address, address6 }) => ({ networkId, address, address6 }));
}

export function readVips(m: Maybe<readonly VirtualIpMessage[]>): readonly VirtualIp[] {
  if (!m || m.length === 0) return NO_VIPS;
  return m.map(({ networkId, address, address6 }) => ({
    networkId: networkId ?? "",
    address: address ?? "",
    address6: address6 ?? "",
  }));
}

export function secretMessage(o: Secret): SecretMessage {
  return { meta: metaMessage(o), specJson: encodeSpec(o.spec) };
}

export function readSecret(m: SecretMessage): Secret {
  return {
    ...readMeta(m.meta, "secret"),
    spec: decodeSpec<SecretSpec>(required(m.specJson, "secret.spec_json"), "secret.spec_json"),
  };
}

export function configMessage(o: Config): ConfigMessage {
  return { meta: metaMessage(o), specJson: encodeSpec(o.spec) };
}

export function readConfig(m: ConfigMessage): Config {
  return {
    ...readMeta(m.meta, "config"),
    spec: decodeSpec<ConfigSpec>(required(m.specJson, "config.spec_json"), "config.spec_json"),
  };
}

/** A list of ports as bytes; the empty list costs nothing. */
export function portsJson(ports: readonly PortConfig[]): Uint8Array {
  return ports.length === 0 ? NO_BYTES : encodeSpec(ports);
}

export function readPorts(bytes: Maybe<Uint8Array>, what: string): readonly PortConfig[] {
  return optionalJson<readonly PortConfig[]>(bytes, what) ?? NO_PORTS;
}

export function optionalJson<T extends object>(
  bytes: Maybe<Uint8Array>,
  what: string,
): T | undefined {
  return bytes && bytes.length > 0 ? decodeSpec<T>(bytes, what) : undefined;
}
