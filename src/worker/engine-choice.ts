/** The engine that the node's settings name. The simulated one is never chosen by itself. */
import type { NodeConfig } from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import { createContainerdEngine, type Engine } from "./engine/index.js";

export function chooseEngine(
  config: NodeConfig,
  parts: { readonly clock: Clock; readonly random: Random; readonly logger: Logger },
): Engine {
  if (config.engine === "containerd") {
    return createContainerdEngine({
      address: config.containerdAddress,
      namespace: config.containerdNamespace,
      cgroupParent: config.cgroupParent,
      snapshotter: "overlayfs",
      tempDir: `${config.runDir}/worker-tmp`,
      ...parts,
    });
  }
  throw new Error("engine: simulated is not part of this build");
}
