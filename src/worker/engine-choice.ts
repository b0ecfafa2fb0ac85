/** The engine that the node's settings name. The simulated one is never chosen by itself. */
import { type NodeConfig, nodePaths } from "../api/index.js";
import { type Clock, type Logger, type Random, unreachable } from "../base/index.js";
import { createContainerdEngine, createSimulatedEngine, type Engine } from "./engine/index.js";

export function chooseEngine(
  config: NodeConfig,
  parts: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
): Engine {
  switch (config.engine) {
    case "containerd":
      return createContainerdEngine({
        address: config.containerdAddress,
        namespace: config.containerdNamespace,
        cgroupParent: config.cgroupParent,
        snapshotter: "overlayfs",
        tempDir: `${config.runDir}/worker-tmp`,
        runtime: config.runtime,
        ...parts,
      });
    case "simulated":
      return createSimulatedEngine({
        stateDir: `${nodePaths(config).workerDir}/simulated`,
        ...parts,
      });
    default:
      return unreachable(config.engine, "chooseEngine");
  }
}
