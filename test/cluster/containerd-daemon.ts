/** A containerd of the test's own: own root, state and socket under a temporary directory, gone afterwards. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hidingUnified } from "../../src/cli/playground/index.js";

/** Plugins that need kernel parts or services which tests do not have. */
const DISABLED = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
];

export class ContainerdDaemon {
  readonly dir: string;
  readonly socket: string;
  #process: ChildProcess | undefined;

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), "swarm-containerd-"));
    this.socket = join(this.dir, "containerd.sock");
    writeFileSync(
      join(this.dir, "config.toml"),
      [
        "version = 2",
        `root = "${join(this.dir, "root")}"`,
        `state = "${join(this.dir, "state")}"`,
        `disabled_plugins = ${JSON.stringify(DISABLED)}`,
        `[grpc]\n  address = "${this.socket}"`,
        `[ttrpc]\n  address = "${this.socket}.ttrpc"`,
      ].join("\n"),
    );
  }

  /** One sentence on what is missing here, or undefined. */
  static missing(): string | undefined {
    if (process.getuid?.() !== 0) return "needs root";
    for (const [program, name] of [
      ["/usr/bin/containerd", "containerd"],
      ["/usr/sbin/runc", "runc"],
      ["/usr/bin/crun", "crun"],
      ["/bin/busybox", "busybox-static"],
    ] as const)
      if (!existsSync(program)) return `needs the package ${name}`;
    return undefined;
  }

  async start(): Promise<void> {
    const log = openSync(join(this.dir, "log"), "a");
    const words = [...(await hidingUnified()), "/usr/bin/containerd", "-c"];
    const [command = "", ...args] = [...words, join(this.dir, "config.toml")];
    this.#process = spawn(command, args, { stdio: ["ignore", log, log] });
    for (let tries = 0; tries < 200; tries++) {
      if (existsSync(this.socket) && this.log().includes("successfully booted")) return;
      await sleep(50);
    }
    throw new Error(`containerd did not start:\n${this.log()}`);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    // The next start looks for this line anew.
    writeFileSync(join(this.dir, "log"), "");
  }

  log(): string {
    return existsSync(join(this.dir, "log")) ? readFileSync(join(this.dir, "log"), "utf8") : "";
  }

  /** Ends the daemon and unmounts what is mounted below its directory. Containers must have been removed. */
  async dispose(): Promise<void> {
    await this.kill();
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .filter((path) => path.startsWith(`${this.dir}/`))
      .reverse();
    for (const path of mounts) execFileSync("umount", ["-l", path]);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
