import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EngineClient } from "../client.js";
import type { Layout, NodePlan } from "./layout.js";
import { type ProcessRef, startDaemon, waitFor } from "./processes.js";

const SWARMD = fileURLToPath(new URL("../../node/main.js", import.meta.url));
const ANSWER_LIMIT_MS = 30_000;

export type Info = {
  readonly Swarm: {
    readonly LocalNodeState: string;
    readonly NodeID: string;
    readonly ControlAvailable: boolean;
    readonly Error: string;
  };
};

/** Starts one swarmd in its host's network namespace. */
export async function startNode(layout: Layout, node: NodePlan): Promise<ProcessRef> {
  await mkdir(node.stateDir, { recursive: true, mode: 0o711 });
  await mkdir(node.runDir, { recursive: true, mode: 0o711 });
  const flags = [
    // As the service's unit does.
    "--max-semi-space-size=2",
    SWARMD,
    ...["--hostname", node.name],
    ...["--state-dir", node.stateDir],
    ...["--run-dir", node.runDir],
    ...["--socket", node.socket],
    ...["--advertise-addr", node.addr],
    ...["--cgroup-parent", `${layout.cgroupParent}/${node.name}`],
    ...["--containerd-namespace", node.containerdNamespace],
    ...(layout.isSimulated
      ? ["--engine", "simulated", "--listen-addr", `${node.addr}:2377`]
      : ["--containerd-address", layout.containerdSocket]),
  ];
  if (layout.isSimulated) return startDaemon(process.execPath, flags, node.logFile);
  return startDaemon(
    "nsenter",
    [`--net=/run/netns/${node.netns}`, process.execPath, ...flags],
    node.logFile,
  );
}

/** Waits until the node's API answers. */
export function nodeAnswers(node: NodePlan, limitMs = ANSWER_LIMIT_MS): Promise<Info> {
  const client = new EngineClient(node.socket);
  return waitFor(`swarmd of ${node.name} answers (log: ${node.logFile})`, limitMs, () =>
    client.call<Info>("GET", "/info").catch(() => undefined),
  );
}
