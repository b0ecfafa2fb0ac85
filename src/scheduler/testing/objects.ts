/** Makes whole objects from the few fields that a test is about. */
import type {
  Availability,
  Labels,
  Network,
  Node,
  NodeState,
  Task,
  TaskSpec,
} from "../../api/index.js";
import { TASK_STATE } from "../../api/index.js";

export function makeSpec(fields: Partial<TaskSpec>): TaskSpec {
  return {
    ContainerSpec: { Image: "busybox" },
    ForceUpdate: 0,
    Runtime: "container",
    ...fields,
  };
}

export type NodeFields = {
  readonly labels?: Labels;
  readonly engineLabels?: Labels;
  readonly availability?: Availability;
  readonly state?: NodeState;
  readonly role?: "manager" | "worker";
  readonly arch?: string;
  readonly cpus?: number;
  readonly memBytes?: number;
  readonly generic?: NonNullable<Node["description"]>["Resources"]["GenericResources"];
  readonly plugins?: readonly { readonly Type: string; readonly Name: string }[];
  readonly downSinceMs?: number;
  /** CIDR of its own bridge. */
  readonly bridge?: string;
  readonly wireGuard?: "kernel" | "wireguard-go" | "none" | undefined;
};

export function makeNode(id: string, fields: NodeFields = {}): Node {
  return {
    id,
    versionIndex: 1,
    clientIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    spec: {
      Labels: fields.labels ?? {},
      Role: fields.role ?? "worker",
      Availability: fields.availability ?? "active",
    },
    role: fields.role ?? "worker",
    description: {
      Hostname: id,
      Platform: { Architecture: fields.arch ?? "x86_64", OS: "linux" },
      Resources: {
        NanoCPUs: (fields.cpus ?? 4) * 1e9,
        MemoryBytes: fields.memBytes ?? 8 * 2 ** 30,
        ...(fields.generic ? { GenericResources: fields.generic } : {}),
      },
      Engine: {
        EngineVersion: "1",
        ...(fields.engineLabels ? { Labels: fields.engineLabels } : {}),
        Plugins: fields.plugins ?? [],
      },
      EngineKind: "simulated",
      ...(fields.bridge ? { Bridge: fields.bridge } : {}),
      ...(fields.wireGuard ? { WireGuard: fields.wireGuard } : {}),
    },
    state: fields.state ?? "ready",
    stateMessage: "",
    addr: "10.0.0.1",
    manager: undefined,
    nodeIndex: 1,
    bootId: "boot",
    downSinceMs: fields.downSinceMs ?? 0,
    drainSinceMs: 0,
  };
}

const PLAIN_SPEC = makeSpec({});

export function makeTask(id: string, fields: Partial<Task> = {}): Task {
  return {
    id,
    versionIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    serviceId: "web",
    serviceName: "web",
    slot: 1,
    nodeId: "",
    spec: PLAIN_SPEC,
    specVersion: 1,
    hostPorts: [],
    desiredState: TASK_STATE.running,
    state: TASK_STATE.pending,
    statusAtMs: 0,
    message: "",
    err: "",
    containerId: "",
    pid: 0,
    exitCode: 0,
    portStatus: [],
    notBeforeMs: 0,
    jobIteration: 0,
    genericResources: [],
    networks: [],
    networkPhase: 0,
    ...fields,
  };
}

export function makeNetwork(id: string, ...subnets: readonly string[]): Network {
  return {
    ...{ id, versionIndex: 1, clientIndex: 1, createdAtMs: 0, updatedAtMs: 0 },
    spec: { Name: id, Labels: {}, Driver: "overlay", Scope: "swarm" },
    predefined: false,
    vni: subnets.length === 0 ? 0 : 4097,
    subnets: subnets.map((subnet) => ({ subnet, gateway: "", ipRange: "" })),
    mtu: 1450,
  };
}

export function makeEncrypted(network: Network): Network {
  return { ...network, spec: { ...network.spec, Options: { encrypted: "" } } };
}
