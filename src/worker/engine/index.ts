export { type ContainerdEngineOptions, createContainerdEngine } from "./containerd/engine.js";
export {
  type ContainerRequest,
  type ContainerState,
  type Engine,
  EngineError,
  type EngineErrorCode,
  type EngineEvent,
  type ExecResult,
  type ExitStatus,
  type ImageConfig,
  type ImageInfo,
  type PullProgress,
  type RegistryAuth,
} from "./port.js";
export { signalNumber } from "./signals.js";
export {
  createSimulatedEngine,
  type SimulatedEngine,
  type SimulatedEngineOptions,
} from "./simulated/engine.js";
