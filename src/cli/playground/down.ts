import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { removeContainers } from "./containerd.js";
import { removeLan } from "./lan.js";
import type { Layout } from "./layout.js";
import { endProcesses, findProcesses } from "./processes.js";
import { removeRunDir } from "./run-dir.js";
import { readState } from "./state.js";

/** Daemons get this long to hand leadership over and to write their last frames. */
const STOP_GRACE_MS = 10_000;

/** Removes everything of the playground. Nothing there is success. Returns whether there was one. */
export async function down(layout: Layout, say: (line: string) => void): Promise<boolean> {
  const state = await readState(layout);
  const daemons = state?.nodes.map((node) => node.supervisor) ?? [];
  // Also what a damaged or lost state file does not name: their command lines carry our directories.
  const strays = (
    await Promise.all(
      (state?.nodes ?? []).map((node) => findProcesses(["--state-dir", node.stateDir])),
    )
  ).flat();
  const all = [...new Map([...daemons, ...strays].map((ref) => [ref.pid, ref])).values()];
  await endProcesses(all, STOP_GRACE_MS);
  if (all.length > 0) say(`${daemons.length} swarmd stopped`);
  if (!layout.isSimulated) {
    const namespaces = state?.nodes.map((node) => node.containerdNamespace) ?? [];
    await removeContainers(layout, state?.containerd, namespaces);
    const prefixes = (state?.nodes ?? [])
      .filter((node) => node.nodeId !== "")
      .map((node) => `swarm-${node.nodeId.slice(0, 8)}`)
      // Containers', and the sandboxes of overlay networks.
      .flatMap((prefix) => [`${prefix}-`, `${prefix}.net-`]);
    await removeLan(layout, prefixes, state?.forwardBefore);
    say("containers, namespaces and links removed");
  }
  await rm(layout.stateDir, { recursive: true, force: true });
  await removeRunDir(layout);
  // The simulated one has both below a directory of its own.
  if (layout.isSimulated) await rm(dirname(layout.runDir), { recursive: true, force: true });
  return state !== undefined;
}
