/** Objects as simulations need them. */
import type { Node, NodeState, Service, ServiceSpec } from "../api/index.js";

const NANO_PER_MS = 1e6;

export type ServiceWish = {
  readonly replicas: number;
  readonly image: string;
  readonly isStartFirst: boolean;
  readonly parallelism: number;
  readonly isPausing: boolean;
  readonly delayMs: number;
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
  };
}

export function simService(id: string, wish: ServiceWish): Service {
  return {
    ...META,
    id,
    spec: simSpec(id, wish),
    specVersion: 0,
    previousSpec: undefined,
    previousSpecVersion: 0,
    updateStatus: undefined,
    ports: [],
    registryAuth: "",
    previousRegistryAuth: "",
    jobIteration: 0,
    lastExecutionMs: 0,
    vips: [],
  };
}

export function simSpec(name: string, wish: ServiceWish): ServiceSpec {
  const config = {
    Parallelism: wish.parallelism,
    Delay: wish.delayMs * NANO_PER_MS,
    FailureAction: wish.isPausing ? "pause" : "continue",
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
    Mode: { Replicated: { Replicas: wish.replicas } },
    UpdateConfig: config,
    RollbackConfig: config,
  };
}
