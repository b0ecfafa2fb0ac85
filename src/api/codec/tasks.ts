/** Tasks ⇄ protobuf. Their spec travels once per transaction or snapshot, in a table beside them. */
import {
  NETWORK_PHASE,
  type NetworkPhase,
  type PortStatus,
  type Task,
  type TaskNetwork,
} from "../objects.js";
import type { GenericResource, PortProtocol, TaskSpec } from "../spec.js";
import type { swarm } from "../wire.js";
import { CodecError } from "./codec-error.js";
import {
  enumField,
  int32Field,
  taskStateField,
  textField,
  timeField,
  uint32Field,
  uintField,
} from "./fields.js";
import { optionalJson, portsJson, readPorts } from "./objects.js";
import { decodeSpec, encodeSpec, specText } from "./spec-interning.js";

type Wire = typeof swarm.objects;
type TaskMessage = Parameters<Wire["Task"]["encode"]>[0];
type PortStatusMessage = Parameters<Wire["PortStatus"]["encode"]>[0];
type TaskNetworkMessage = Parameters<Wire["TaskNetwork"]["encode"]>[0];
type Maybe<T> = T | null | undefined;

export const protocol = enumField<PortProtocol>(["tcp", "udp", "sctp"], "protocol");
const NO_PORT_STATUS: readonly PortStatus[] = Object.freeze([]);
const NO_RESOURCES: readonly GenericResource[] = Object.freeze([]);
const NO_BYTES = new Uint8Array();
/** What all tasks without networks share. */
export const NO_TASK_NETWORKS: readonly TaskNetwork[] = Object.freeze([]);
const NO_ALIASES: readonly string[] = Object.freeze([]);
const NETWORK_PHASES: ReadonlySet<number> = new Set(Object.values(NETWORK_PHASE));

/** Numbers specs in the order of first use, from 1; equal specs get one number. */
export class SpecTable {
  readonly #refs = new Map<string, number>();
  /** The same numbers by object, which saves printing specs that are not shared. */
  readonly #refOfObject = new Map<TaskSpec, number>();
  readonly #onNew: (bytes: Uint8Array) => void;

  /** `onNew` gets each spec's bytes before the message that refers to it is made. */
  constructor(onNew: (bytes: Uint8Array) => void) {
    this.#onNew = onNew;
  }

  readonly refOf = (spec: TaskSpec): number => {
    const known = this.#refOfObject.get(spec);
    if (known !== undefined) return known;
    const text = specText(spec);
    let ref = this.#refs.get(text);
    if (ref === undefined) {
      ref = this.#refs.size + 1;
      this.#refs.set(text, ref);
      this.#onNew(encodeSpec(spec));
    }
    this.#refOfObject.set(spec, ref);
    return ref;
  };
}

export function taskMessage(o: Task, specRef: (spec: TaskSpec) => number): TaskMessage {
  return {
    id: o.id,
    versionIndex: uintField(o.versionIndex, "version index"),
    createdAtMs: timeField(o.createdAtMs, "created at"),
    updatedAtMs: timeField(o.updatedAtMs, "updated at"),
    serviceId: o.serviceId,
    serviceName: o.serviceName,
    slot: uint32Field(o.slot, "slot"),
    nodeId: o.nodeId,
    specRef: specRef(o.spec),
    specVersion: uintField(o.specVersion, "spec version"),
    hostPortsJson: portsJson(o.hostPorts),
    desiredState: taskStateField(o.desiredState),
    state: taskStateField(o.state),
    statusAtMs: timeField(o.statusAtMs, "status at"),
    message: textField(o.message),
    err: textField(o.err),
    containerId: o.containerId,
    pid: uint32Field(o.pid, "pid"),
    exitCode: int32Field(o.exitCode, "exit code"),
    portStatus: portStatusMessages(o.portStatus),
    notBeforeMs: timeField(o.notBeforeMs, "not before"),
    jobIteration: uint32Field(o.jobIteration, "job iteration"),
    genericResourcesJson: resourcesJson(o.genericResources),
    networks: taskNetworkMessages(o.networks),
    networkPhase: networkPhaseField(o.networkPhase),
  };
}

/** `specs[ref - 1]` is the spec that `spec_ref` means. */
export function readTask(m: TaskMessage, specs: readonly TaskSpec[]): Task {
  if (!m.id) throw new CodecError("MISSING_FIELD", "task.id is missing");
  return {
    id: m.id,
    versionIndex: uintField(m.versionIndex, "version index"),
    createdAtMs: timeField(m.createdAtMs, "created at"),
    updatedAtMs: timeField(m.updatedAtMs, "updated at"),
    serviceId: m.serviceId ?? "",
    serviceName: m.serviceName ?? "",
    slot: m.slot ?? 0,
    nodeId: m.nodeId ?? "",
    spec: readTaskSpec(m, specs),
    specVersion: uintField(m.specVersion, "spec version"),
    hostPorts: readPorts(m.hostPortsJson, "task.host_ports_json"),
    desiredState: taskStateField(m.desiredState),
    state: taskStateField(m.state),
    statusAtMs: timeField(m.statusAtMs, "status at"),
    message: m.message ?? "",
    err: m.err ?? "",
    containerId: m.containerId ?? "",
    pid: m.pid ?? 0,
    exitCode: m.exitCode ?? 0,
    portStatus: readPortStatus(m.portStatus),
    notBeforeMs: timeField(m.notBeforeMs, "not before"),
    jobIteration: m.jobIteration ?? 0,
    genericResources: readResources(m.genericResourcesJson, "task.generic_resources_json"),
    networks: readTaskNetworks(m.networks),
    networkPhase: networkPhaseField(m.networkPhase),
  };
}

function readTaskSpec(m: TaskMessage, specs: readonly TaskSpec[]): TaskSpec {
  if (!m.specRef) {
    if (!m.specJson?.length) throw new CodecError("MISSING_FIELD", `task ${m.id} has no spec`);
    return decodeSpec<TaskSpec>(m.specJson, "task.spec_json");
  }
  const spec = specs[m.specRef - 1];
  if (spec === undefined)
    throw new CodecError(
      "OUT_OF_RANGE",
      `task ${m.id} refers to spec ${m.specRef} of ${specs.length}`,
    );
  return spec;
}

export function resourcesJson(resources: readonly GenericResource[]): Uint8Array {
  return resources.length === 0 ? NO_BYTES : encodeSpec(resources);
}

export function readResources(bytes: Maybe<Uint8Array>, what: string): readonly GenericResource[] {
  return optionalJson<readonly GenericResource[]>(bytes, what) ?? NO_RESOURCES;
}

export function portStatusMessages(ports: readonly PortStatus[]): PortStatusMessage[] {
  return ports.map((port) => ({
    protocol: protocol(port.protocol),
    targetPort: uint32Field(port.targetPort, "target port"),
    publishedPort: uint32Field(port.publishedPort, "published port"),
  }));
}

export function readPortStatus(m: Maybe<readonly PortStatusMessage[]>): readonly PortStatus[] {
  if (!m || m.length === 0) return NO_PORT_STATUS;
  return m.map((port) => ({
    protocol: protocol(port.protocol),
    targetPort: port.targetPort ?? 0,
    publishedPort: port.publishedPort ?? 0,
  }));
}

export function taskNetworkMessages(networks: readonly TaskNetwork[]): TaskNetworkMessage[] {
  return networks.map(({ networkId, address, address6, aliases }) => ({
    networkId,
    address,
    address6,
    aliases: [...aliases],
  }));
}

export function readTaskNetworks(m: Maybe<readonly TaskNetworkMessage[]>): readonly TaskNetwork[] {
  if (!m || m.length === 0) return NO_TASK_NETWORKS;
  return m.map((network) => ({
    networkId: network.networkId ?? "",
    address: network.address ?? "",
    address6: network.address6 ?? "",
    aliases: network.aliases?.length ? network.aliases : NO_ALIASES,
  }));
}

export function networkPhaseField(value: Maybe<number>): NetworkPhase {
  const phase = value ?? 0;
  if (!NETWORK_PHASES.has(phase))
    throw new CodecError("UNKNOWN_VALUE", `unknown network phase ${phase}`);
  return phase as NetworkPhase;
}
