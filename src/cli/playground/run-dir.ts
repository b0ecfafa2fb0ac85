import { mkdir, readFile, rm, statfs } from "node:fs/promises";
import type { Layout } from "./layout.js";
import { runTool, runToolUnless } from "./run-tool.js";

/** `f_type` of statfs(2) for tmpfs. */
const TMPFS = 0x01021994;

/** On a host /run is memory. Where it is a disk (small virtual machines, containers), the playground's part of it becomes memory. */
export async function makeRunDir(layout: Layout): Promise<void> {
  await mkdir(layout.runDir, { recursive: true, mode: 0o711 });
  if (layout.isSimulated || (await statfs(layout.runDir)).type === TMPFS) return;
  const flags = "mode=711,nosuid,nodev";
  await runTool("mount", ["-t", "tmpfs", "-o", flags, "swarm-playground", layout.runDir]);
}

export async function removeRunDir(layout: Layout): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  if (mounts.some((line) => line.split(" ")[4] === layout.runDir))
    await runToolUnless(/not mounted|no mount point/, "umount", ["-l", layout.runDir]);
  await rm(layout.runDir, { recursive: true, force: true });
}
