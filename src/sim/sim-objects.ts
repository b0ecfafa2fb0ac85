/** Objects as simulations need them. */
import {
  isJob,
  type JobSchedule,
  type Node,
  type NodeState,
  type Service,
  type ServiceMode,
  type ServiceSpec,
} from "../api/index.js";
import { unreachable } from "../base/index.js";
import { newJobFields } from "../manager/control/index.js";

const NANO_PER_MS = 1e6;
/** So short that it is met now and then. */
const PROGRESS_DEADLINE_MS = 20_000;

export type SimMode = "replicated" | "global" | "job" | "globalJob" | "scheduled";

export type ServiceWish = {
  readonly mode: SimMode;
  readonly replicas: number;
  readonly image: string;
  readonly isStartFirst: boolean;
  readonly parallelism: number;
  readonly isPausing: boolean;
  readonly delayMs: number;
  /** Counts for replicated services. */
  readonly rebalance?: "manual" | "auto";
};

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

export function simNode(
  id: string,
  state: NodeState,
  availability: Node["spec"]["Availability"],
): Node {
  return {
    ...META,
    id,
    spec: { Labels: {}, Role: "worker", Availability: availability },
    role: "worker",
    description: {
      Hostname: id,
      Platform: { Architecture: "x86_64", OS: "linux" },
      Resources: { NanoCPUs: 8e9, MemoryBytes: 2 ** 34 },
      Engine: { EngineVersion: "1", Plugins: [] },
      EngineKind: "simulated",
    },
    state,
    stateMessage: "",
    addr: "10.0.0.1",
    manager: undefined,
    nodeIndex: 1,
    bootId: "",
    downSinceMs: 0,
    drainSinceMs: 0,
  };
}

export function simService(id: string, wish: ServiceWish, nowMs: number): Service {
  const spec = simSpec(id, wish);
  return {
    ...META,
    id,
    spec,
    specVersion: 0,
    previousSpec: undefined,
    previousSpecVersion: 0,
    updateStatus: undefined,
    ports: [],
    registryAuth: "",
    previousRegistryAuth: "",
    vips: [],
    ...newJobFields(spec, nowMs),
  };
}

export function simSpec(name: string, wish: ServiceWish): ServiceSpec {
  // Of those that react to failures every other one goes back by itself.
  const onFailure = wish.replicas % 2 === 0 ? "pause" : "rollback";
  const config = {
    Parallelism: wish.parallelism,
    Delay: wish.delayMs * NANO_PER_MS,
    FailureAction: wish.isPausing ? onFailure : "continue",
    ProgressDeadline: PROGRESS_DEADLINE_MS * NANO_PER_MS,
    Order: wish.isStartFirst ? "start-first" : "stop-first",
  } as const;
  return {
    Name: name,
    Labels: {},
    TaskTemplate: {
      ContainerSpec: { Image: wish.image },
      RestartPolicy: { Delay: 1000 * NANO_PER_MS },
      ForceUpdate: 0,
      Runtime: "container",
    },
    Mode: modeOf(wish),
    ...(wish.rebalance && wish.mode === "replicated" ? { Rebalance: wish.rebalance } : {}),
    ...(isJob(modeOf(wish)) ? {} : { UpdateConfig: config, RollbackConfig: config }),
  };
}

export function simModeOf({ spec: { Mode: mode }, schedule }: Service): SimMode {
  if (schedule) return "scheduled";
  if ("Replicated" in mode) return "replicated";
  if ("Global" in mode) return "global";
  return "ReplicatedJob" in mode ? "job" : "globalJob";
}

/** The counts of a scheduled job stay, as a change of its spec starts no run that they would belong to. */
function modeOf({ mode, replicas, parallelism }: ServiceWish): ServiceMode {
  switch (mode) {
    case "replicated":
      return { Replicated: { Replicas: replicas } };
    case "global":
      return { Global: {} };
    case "globalJob":
      return { GlobalJob: {} };
    case "job":
      return { ReplicatedJob: { MaxConcurrent: 1 + parallelism, TotalCompletions: replicas } };
    case "scheduled":
      return { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 4, Schedule: EVERY_MINUTE } };
    default:
      return unreachable(mode, "modeOf");
  }
}

const EVERY_MINUTE: JobSchedule = {
  Expression: "* * * * *",
  TimeZone: "UTC",
  MissedWindow: 30_000 * NANO_PER_MS,
  Concurrency: "allow",
};
