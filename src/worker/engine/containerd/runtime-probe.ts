/**
 * Whether a runtime program runs containers on this host: crun starts them in a third of runc's processor time, but refuses some
 * cgroup set-ups, and which containerd sees can differ from what this process sees. So one is run.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Connection } from "./connection.js";
import { orMissing } from "./rpc-error.js";
import { containersService, tasksService } from "./services.js";
import { type Any, containerd, jsonAny } from "./wire.js";

export const RUNTIME = "io.containerd.runc.v2";
const RUNC_OPTIONS_TYPE = "containerd.runc.v1.Options";
const SPEC_TYPE = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
const PROBE_ID = "runtime-probe";
const PROBE_TIMEOUT_MS = 10_000;
/** containerd's service may have directories that are not in our PATH. */
const SYSTEM_DIRS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/** What a program of the host needs to run; bound read-only into the probe's root. */
const HOST_DIRS = ["/bin", "/lib", "/lib64", "/usr"];

/** Options that make the shim run `program` instead of runc. */
export function runtimeOptions(program: string): Any {
  return {
    type_url: RUNC_OPTIONS_TYPE,
    value: containerd.runc.v1.Options.encode({ binaryName: program }).finish(),
  };
}

export function isInstalled(program: string): boolean {
  const dirs = [...(process.env["PATH"] ?? "").split(delimiter), ...SYSTEM_DIRS];
  return dirs.some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs `true` of the host in a container of its own. Rejects with what stands against it. */
export async function probeRuntime(
  connection: Connection,
  program: string,
  places: { readonly tempDir: string; readonly cgroupParent: string },
): Promise<void> {
  const root = join(places.tempDir, PROBE_ID);
  const id = PROBE_ID;
  await mkdir(root, { recursive: true, mode: 0o700 });
  await removeProbe(connection);
  try {
    const spec = jsonAny(SPEC_TYPE, JSON.stringify(probeSpec(places.cgroupParent)));
    await connection.call(containersService.create, {
      container: { id, runtime: { name: RUNTIME }, spec },
    });
    const within = { timeoutMs: PROBE_TIMEOUT_MS };
    await connection.call(
      tasksService.create,
      {
        containerId: id,
        rootfs: [{ type: "bind", source: root, options: ["rbind", "rw"] }],
        options: runtimeOptions(program),
      },
      within,
    );
    const exit = connection.call(tasksService.wait, { containerId: id }, within);
    exit.catch(() => undefined); // Awaited below, unless the start fails first.
    await connection.call(tasksService.start, { containerId: id }, within);
    const { exitStatus } = await exit;
    if (exitStatus !== 0) throw new Error(`a container run by ${program} ended with ${exitStatus}`);
  } finally {
    await removeProbe(connection).catch(() => undefined); // Tried again by the next probe.
    await rm(root, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function removeProbe(connection: Connection): Promise<void> {
  const target = { containerId: PROBE_ID };
  await orMissing(connection.call(tasksService.kill, { ...target, signal: 9, all: true })).catch(
    () => undefined, // Ended already; the delete below tells.
  );
  await orMissing(connection.call(tasksService.delete, target));
  await orMissing(connection.call(containersService.delete, { id: PROBE_ID }));
}

function probeSpec(cgroupParent: string): object {
  const binds = HOST_DIRS.filter((dir) => existsSync(dir)).map((dir) => ({
    destination: dir,
    type: "bind",
    source: dir,
    options: ["bind", "ro"],
  }));
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: ["true"],
      env: ["PATH=/usr/bin:/bin"],
      cwd: "/",
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs" },
      ...binds,
    ],
    linux: {
      namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
      cgroupsPath: `${cgroupParent.replace(/\/+$/, "")}/${PROBE_ID}`,
      resources: { pids: { limit: 16 } },
    },
  };
}
