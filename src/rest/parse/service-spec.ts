/**
 * ServiceSpec from a request body. The result is canonical: zero values left out, the Engine's fill-ins put in, so that a spec that
 * was read and posted back unchanged is stored byte for byte as before and restarts nothing.
 */
import type {
  EndpointSpec,
  JobSchedule,
  NetworkAttachmentSpec,
  PortConfig,
  ServiceMode,
  ServiceSpec,
  TaskSpec,
  UpdateConfig,
} from "../../api/index.js";
import { doorError } from "../../base/index.js";
import { containerSpec, driver, genericResource } from "./container-spec.js";
import {
  type Decoder,
  duration,
  float,
  int64,
  list,
  mapped,
  oneOf,
  passedOn,
  pointer,
  struct,
  text,
  textList,
  textMap,
  uint32,
  uint64,
  unsupported,
} from "./decoder.js";

const networkTarget = mapped(
  struct("NetworkAttachmentConfig", { Target: text, Aliases: textList, DriverOpts: textMap }),
  (raw) => ({ ...raw, Target: raw.Target ?? "" }),
);

const placementPreference = mapped(
  struct("PlacementPreference", { Spread: struct("SpreadOver", { SpreadDescriptor: text }) }),
  (raw) => ({ Spread: { SpreadDescriptor: raw.Spread?.SpreadDescriptor ?? "" } }),
);

const restartPolicy = mapped(
  struct("RestartPolicy", {
    Condition: oneOf(
      ["none", "on-failure", "any"],
      (value) => `invalid RestartCondition: "${value}"`,
    ),
    Delay: pointer(duration),
    MaxAttempts: pointer(uint64),
    Window: pointer(duration),
  }),
  (raw) => ({ ...raw, Condition: raw.Condition ?? "any", MaxAttempts: raw.MaxAttempts ?? 0 }),
);

const taskSpec: Decoder<TaskSpec> = mapped(
  struct("TaskSpec", {
    ContainerSpec: containerSpec,
    PluginSpec: passedOn,
    // Whatever it holds: no client may give one, and control says so by name.
    NetworkAttachmentSpec: passedOn as Decoder<NetworkAttachmentSpec>,
    Resources: struct("ResourceRequirements", {
      Limits: struct("Limit", { NanoCPUs: int64, MemoryBytes: int64, Pids: int64 }),
      Reservations: struct("Resources", {
        NanoCPUs: int64,
        MemoryBytes: int64,
        GenericResources: list(genericResource),
      }),
      SwapBytes: pointer(int64),
      MemorySwappiness: pointer(int64),
    }),
    RestartPolicy: restartPolicy,
    Placement: struct("Placement", {
      Constraints: textList,
      Preferences: list(placementPreference),
      MaxReplicas: uint64,
      Platforms: list(struct("Platform", { Architecture: text, OS: text })),
    }),
    Networks: list(networkTarget),
    LogDriver: driver,
    ForceUpdate: uint64,
    Runtime: oneOf(
      ["container", "plugin", "attachment"],
      (value) => `unsupported runtime: "${value}"`,
    ),
  }),
  (raw) => ({
    ...raw,
    ContainerSpec: raw.ContainerSpec ?? { Image: "" },
    ForceUpdate: raw.ForceUpdate ?? 0,
    Runtime: raw.Runtime ?? "container",
  }),
);

/** Ours. Control fills in the defaults; an empty one takes the schedule away. */
const jobSchedule = mapped(
  struct("JobSchedule", {
    Expression: text,
    TimeZone: text,
    MissedWindow: duration,
    Concurrency: oneOf(
      ["forbid", "replace", "allow"],
      (value) => `invalid Schedule.Concurrency: "${value}": use forbid, replace or allow`,
    ),
  }),
  (raw) => raw as JobSchedule,
);

const serviceMode: Decoder<ServiceMode> = mapped(
  struct("ServiceMode", {
    Replicated: struct("ReplicatedService", { Replicas: pointer(uint64) }),
    Global: struct("GlobalService", {}),
    ReplicatedJob: struct("ReplicatedJob", {
      MaxConcurrent: pointer(uint64),
      TotalCompletions: pointer(uint64),
      Schedule: jobSchedule,
    }),
    GlobalJob: struct("GlobalJob", { Schedule: unsupported() }),
  }),
  (raw) => {
    if (Object.keys(raw).length > 1) {
      throw doorError("InvalidArgument", "must specify only one service mode");
    }
    if (raw.Global !== undefined) return { Global: {} };
    if (raw.GlobalJob !== undefined) return { GlobalJob: {} };
    if (raw.ReplicatedJob !== undefined) {
      const { MaxConcurrent: concurrentCount = 1, TotalCompletions, Schedule } = raw.ReplicatedJob;
      return {
        ReplicatedJob: {
          MaxConcurrent: concurrentCount,
          TotalCompletions: TotalCompletions ?? concurrentCount,
          ...(Schedule === undefined ? {} : { Schedule }),
        },
      };
    }
    return { Replicated: { Replicas: raw.Replicated?.Replicas ?? 1 } };
  },
);

const updateConfig: Decoder<UpdateConfig> = mapped(
  struct("UpdateConfig", {
    Parallelism: uint64,
    Delay: duration,
    FailureAction: oneOf(
      ["pause", "continue", "rollback"],
      (value) => `unrecognized update failure action ${value}`,
    ),
    Monitor: duration,
    MaxFailureRatio: float,
    Order: oneOf(["stop-first", "start-first"], (value) => `unrecognized update order ${value}`),
    ProgressDeadline: duration,
  }),
  (raw) => ({
    ...raw,
    Parallelism: raw.Parallelism ?? 0,
    FailureAction: raw.FailureAction ?? "pause",
    MaxFailureRatio: raw.MaxFailureRatio ?? 0,
    Order: raw.Order ?? "stop-first",
  }),
);

const port: Decoder<PortConfig> = mapped(
  struct("PortConfig", {
    Name: text,
    Protocol: oneOf(
      ["tcp", "udp", "sctp"],
      (value) => `invalid protocol value "${value}" of a published port`,
    ),
    TargetPort: uint32,
    PublishedPort: uint32,
    PublishMode: oneOf(["ingress", "host"], (value) => `invalid PublishMode: "${value}"`),
  }),
  (raw) => ({
    ...raw,
    Protocol: raw.Protocol ?? "tcp",
    TargetPort: raw.TargetPort ?? 0,
    PublishMode: raw.PublishMode ?? "ingress",
  }),
);

const endpointSpec: Decoder<EndpointSpec> = mapped(
  struct("EndpointSpec", {
    Mode: oneOf(["vip", "dnsrr"], (value) => `invalid ResolutionMode: "${value}"`),
    Ports: list(port),
    DrainTime: pointer(duration),
    Options: textMap,
  }),
  (raw) => ({ ...raw, Mode: raw.Mode ?? "vip" }),
);

const serviceSpec: Decoder<ServiceSpec> = mapped(
  struct("ServiceSpec", {
    Name: text,
    Labels: textMap,
    TaskTemplate: taskSpec,
    Mode: serviceMode,
    UpdateConfig: updateConfig,
    RollbackConfig: updateConfig,
    Networks: list(networkTarget),
    EndpointSpec: endpointSpec,
    Rebalance: oneOf(
      ["off", "manual", "auto"],
      (value) => `invalid Rebalance: "${value}": use off, manual or auto`,
    ),
  }),
  ({ Networks: legacyNetworks, ...raw }) => {
    const template = raw.TaskTemplate ?? taskSpec.zero;
    // The old place for networks: docker-py's low-level call still uses it.
    const useLegacy = legacyNetworks !== undefined && template.Networks === undefined;
    return {
      ...raw,
      Name: raw.Name ?? "",
      Labels: raw.Labels ?? {},
      TaskTemplate: useLegacy ? { ...template, Networks: legacyNetworks } : template,
      Mode: raw.Mode ?? serviceMode.zero,
    };
  },
);

export function parseServiceSpec(body: unknown): ServiceSpec {
  return body === undefined || body === null ? serviceSpec.zero : serviceSpec.decode(body, "");
}
