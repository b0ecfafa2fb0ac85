import { mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { hidingUnified } from "./hiding-unified.js";
import type { Layout } from "./layout.js";
import {
  endProcesses,
  findProcesses,
  type ProcessRef,
  startDaemon,
  startTimeOf,
  waitFor,
} from "./processes.js";
import { runToolUnless } from "./run-tool.js";

const START_LIMIT_MS = 20_000;
const CGROUP_ROOT = "/sys/fs/cgroup";
/** Where containerd's shim tells runc and crun to keep what they know, by containerd namespace. */
const RUNTIME_ROOT = "/run/containerd/runc";

/** A containerd of the playground's own: own root, state and socket, so that the host's containers are never seen. */
export async function startContainerd(layout: Layout): Promise<ProcessRef> {
  const config = `version = 2
root = "${layout.stateDir}/containerd"
state = "${layout.runDir}/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${layout.containerdSocket}"
[ttrpc]
  address = "${layout.containerdSocket}.ttrpc"
[debug]
  level = "warn"
`;
  await mkdir(`${layout.stateDir}/containerd`, { recursive: true, mode: 0o711 });
  await mkdir(`${layout.runDir}/containerd`, { recursive: true, mode: 0o711 });
  const file = `${layout.stateDir}/containerd.toml`;
  await writeFile(file, config);
  const [command = "", ...args] = [...(await hidingUnified()), "containerd", "--config", file];
  const ref = startDaemon(command, args, `${layout.stateDir}/containerd.log`);
  await waitFor("containerd of the playground answers", START_LIMIT_MS, () =>
    accepts(layout.containerdSocket),
  );
  return ref;
}

function accepts(path: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(undefined));
  });
}

/** Ends every container of the playground, its shims and its daemon; unmounts and removes what they leave behind. */
export async function removeContainers(
  layout: Layout,
  daemon: ProcessRef | undefined,
  namespaces: readonly string[],
): Promise<void> {
  const shims = (await findProcesses(["-address", layout.containerdSocket])).filter(
    (ref) => ref.pid !== daemon?.pid,
  );
  await endProcesses(await processesInCgroups(layout.cgroupParent), 0);
  if (daemon !== undefined) await endProcesses([daemon], 5_000);
  await endProcesses(shims, 0);
  await unmountBelow([layout.runDir, layout.stateDir]);
  await removeCgroups(layout.cgroupParent);
  for (const name of namespaces)
    await rm(`${RUNTIME_ROOT}/${name}`, { recursive: true, force: true });
}

async function cgroupDirs(parent: string): Promise<string[]> {
  const roots = [
    CGROUP_ROOT,
    ...(await readdir(CGROUP_ROOT)).map((name) => `${CGROUP_ROOT}/${name}`),
  ];
  const dirs: string[] = [];
  const walk = async (dir: string): Promise<void> => {
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) return;
    for (const entry of entries) if (entry.isDirectory()) await walk(`${dir}/${entry.name}`);
    dirs.push(dir);
  };
  for (const root of roots) await walk(`${root}${parent}`);
  return dirs;
}

async function processesInCgroups(parent: string): Promise<ProcessRef[]> {
  const pids = new Set<number>();
  for (const dir of await cgroupDirs(parent)) {
    const text = await readFile(`${dir}/cgroup.procs`, "utf8").catch(() => "");
    for (const line of text.split("\n")) if (line !== "") pids.add(Number(line));
  }
  return [...pids].flatMap((pid) => {
    const startTime = startTimeOf(pid);
    return startTime === undefined ? [] : [{ pid, startTime }];
  });
}

async function removeCgroups(parent: string): Promise<void> {
  for (const dir of await cgroupDirs(parent)) {
    // Deepest first. A directory may be busy for a moment after its last process ended.
    await waitFor(`${dir} is removed`, 5_000, () =>
      rmdir(dir).then(
        () => true as const,
        (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? true : undefined),
      ),
    );
  }
}

async function unmountBelow(prefixes: readonly string[]): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => prefixes.some((prefix) => path.startsWith(`${prefix}/`)));
  for (const path of mounts.sort().reverse()) {
    await runToolUnless(/not mounted|no mount point/, "umount", ["-l", path]);
  }
}
