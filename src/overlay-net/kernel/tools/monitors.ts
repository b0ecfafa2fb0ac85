import type { ChildProcess } from "node:child_process";
import { type FSWatcher, readFileSync, statfsSync, statSync, watch as watchFile } from "node:fs";
import { KernelError, NETNS_DIR, netnsPath } from "../netns-kernel.js";
import { commandIn, startTool } from "./run-tool.js";

/** Three processes each: the tools know no other way to hear of changes at once. */
const WATCHED_NAMESPACES_MAX = 64;
/** Ends with this process, however that ends: a monitor that stays would keep its namespace. */
const UNTIL_WE_END = ["setpriv", "--pdeathsig", "KILL"];
const MONITORS = [
  ["ip", "monitor", "all"],
  ["bridge", "monitor", "fdb"],
  ["nft", "monitor"],
];
/** Entries that age or are being resolved: no change of what anybody configured. */
const TRANSIENT = /^(?!.*Deleted).*(REACHABLE|STALE|DELAY|PROBE|INCOMPLETE|FAILED)\s*$/;
/** How long a monitor may take until it listens. */
const START_MAX_MS = 5_000;
const START_PROBE_MS = 5;
/** A name appears before the namespace is mounted on it. */
const ARM_AGAIN_DELAY_MS = 100;
const NSFS_MAGIC = 0x6e73_6673;

type Watch = {
  readonly onChange: Set<(netns: string) => void>;
  identity: string | undefined;
  monitors: readonly ChildProcess[];
  starting: Promise<void>;
};

/** Monitor processes in watched namespaces. They end before a namespace is removed: each keeps it alive. */
export class Monitors {
  readonly #watches = new Map<string, Watch>();
  #directory: FSWatcher | undefined;
  #armTimer: NodeJS.Timeout | undefined;

  /** Resolves once every monitor listens. Rejects KernelError BUSY. */
  async watch(netns: string, onChange: (netns: string) => void): Promise<() => void> {
    this.#directory ??= watchFile(NETNS_DIR, () => {
      this.#directoryChanged();
    });
    const isFull = !this.#watches.has(netns) && this.#watches.size >= WATCHED_NAMESPACES_MAX;
    if (isFull)
      throw new KernelError("BUSY", `${WATCHED_NAMESPACES_MAX} namespaces are watched, the most`);
    const watch: Watch = this.#watches.get(netns) ?? {
      onChange: new Set(),
      identity: undefined,
      monitors: [],
      starting: Promise.resolve(),
    };
    this.#watches.set(netns, watch);
    const watcher = (changed: string): void => {
      onChange(changed);
    };
    watch.onChange.add(watcher);
    await this.#arm(netns, watch);
    return () => {
      watch.onChange.delete(watcher);
      if (watch.onChange.size > 0 || this.#watches.get(netns) !== watch) return;
      stop(watch);
      this.#watches.delete(netns);
    };
  }

  /** Ends the monitors in a namespace that is to be removed; resolves when they have. */
  async release(netns: string): Promise<void> {
    const watch = this.#watches.get(netns);
    if (watch === undefined) return;
    const ended = watch.monitors.map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) resolve();
          else child.once("exit", () => resolve());
        }),
    );
    stop(watch);
    await Promise.all(ended);
  }

  /** A namespace was made. */
  async arm(netns: string): Promise<void> {
    const watch = this.#watches.get(netns);
    if (watch !== undefined) await this.#arm(netns, watch);
  }

  close(): void {
    this.#directory?.close();
    clearTimeout(this.#armTimer);
    for (const watch of this.#watches.values()) stop(watch);
    this.#watches.clear();
  }

  #directoryChanged(): void {
    const armAll = (): void => {
      // A namespace that went again meanwhile is reported by the directory once more.
      for (const [netns, watch] of this.#watches) this.#arm(netns, watch).catch(() => undefined);
    };
    armAll();
    this.#armTimer ??= setTimeout(() => {
      this.#armTimer = undefined;
      armAll();
    }, ARM_AGAIN_DELAY_MS);
  }

  #arm(netns: string, watch: Watch): Promise<void> {
    const identity = namespaceIdentity(netns);
    if (watch.identity === identity) return watch.starting;
    const isFirst = watch.identity === undefined && watch.monitors.length === 0;
    stop(watch);
    watch.identity = identity;
    const report = (): void => {
      for (const each of watch.onChange) each(netns);
    };
    if (!isFirst || identity !== undefined) report();
    if (identity === undefined) return Promise.resolve();
    const monitors = MONITORS.map((command) =>
      startTool([...UNTIL_WE_END, ...commandIn(netns, command)]),
    );
    watch.monitors = monitors;
    for (const child of monitors) listen(child, report);
    watch.starting = Promise.all(monitors.map(untilListening)).then(() => undefined);
    return watch.starting;
  }
}

function stop(watch: Watch): void {
  for (const child of watch.monitors) child.kill("SIGKILL");
  watch.monitors = [];
  watch.identity = undefined;
}

function listen(child: ChildProcess, report: () => void): void {
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = chunk.toString("utf8").split("\n");
    if (lines.some((line) => line.trim() !== "" && !TRANSIENT.test(line))) report();
  });
  child.stderr?.resume();
  // It ends with its namespace or with `close`; one that cannot start is found by untilListening.
  child.on("error", () => undefined);
}

/** Until the process has a netlink socket with multicast groups: its port number is the process id. */
async function untilListening(child: ChildProcess): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_MAX_MS; waitedMs += START_PROBE_MS) {
    if (child.killed || isListening(child.pid ?? 0)) return;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => {
      setTimeout(resolve, START_PROBE_MS);
    });
  }
  throw new KernelError("FAILED", `${child.spawnargs.join(" ")} does not listen`);
}

/** proc(5), /proc/pid/net/netlink: address, family, port, groups in hexadecimal. */
function isListening(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/net/netlink`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(
        ([, , port, groups = "0"]) => Number(port) === pid && Number.parseInt(groups, 16) !== 0,
      );
  } catch {
    return false;
  }
}

/** Tells one namespace from a later one of the same name; undefined when it is not there. */
export function namespaceIdentity(netns: string): string | undefined {
  try {
    const path = netnsPath(netns);
    if (netns !== "" && statfsSync(path).type !== NSFS_MAGIC) return undefined;
    return String(statSync(path).ino);
  } catch {
    return undefined;
  }
}
