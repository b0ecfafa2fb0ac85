import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EngineClient } from "../client.js";
import type { Layout, NodePlan } from "./layout.js";
import { isAlive, type ProcessRef, startDaemon, waitFor } from "./processes.js";

const SWARMD = fileURLToPath(new URL("../../node/main.js", import.meta.url));
const ANSWER_LIMIT_MS = 30_000;
const LAST_LINES = 5;

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
export function nodeAnswers(node: NodePlan): Promise<Info> {
  return waitFor(whatIsAwaited(node), ANSWER_LIMIT_MS, () => infoOf(node));
}

/** As nodeAnswers; "ended" when the process is gone. */
export function answersOrEnds(
  node: NodePlan,
  supervisor: ProcessRef,
): Promise<"answers" | "ended"> {
  return waitFor<"answers" | "ended">(whatIsAwaited(node), ANSWER_LIMIT_MS, async () => {
    if ((await infoOf(node)) !== undefined) return "answers";
    return isAlive(supervisor) ? undefined : "ended";
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}; it has logged last:\n${await lastWords(node)}`);
  });
}

function whatIsAwaited(node: NodePlan): string {
  return `swarmd of ${node.name} answers (log: ${node.logFile})`;
}

function infoOf(node: NodePlan): Promise<Info | undefined> {
  return new EngineClient(node.socket).call<Info>("GET", "/info").catch(() => undefined);
}

/** The end of what it has logged, for a message. */
export async function lastWords(node: NodePlan): Promise<string> {
  const log = await readFile(node.logFile, "utf8").catch(() => "");
  return log.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
}
