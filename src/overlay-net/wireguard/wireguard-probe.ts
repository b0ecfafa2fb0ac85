/** What this node could encrypt with, whether it is on an encrypted network or not: the managers place tasks of such networks by it. */
import type { NodeDescription } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import { KernelError } from "../kernel/netns-kernel.js";
import { runTool, type ToolResult } from "../kernel/tools/run-tool.js";

export type WireGuard = NonNullable<NodeDescription["WireGuard"]>;

/** Where there was none it may have been installed. */
export const LOOK_AGAIN_MS = 30_000;

type Run = (command: readonly string[]) => Promise<ToolResult>;

export type WireGuardProbeOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly find?: () => Promise<WireGuard | undefined>;
};

/** Looks when it is asked, in the background, until it has found one: nobody who asks has to wait. */
export class WireGuardProbe {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #find: () => Promise<WireGuard | undefined>;
  #found: WireGuard | undefined;
  #lookedAtMs: number | undefined;

  constructor({ clock, logger, find = () => findWireGuard() }: WireGuardProbeOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#find = find;
  }

  /** As of the last look; undefined: not known. */
  get found(): WireGuard | undefined {
    const isSettled = this.#found !== undefined && this.#found !== "none";
    const nowMs = this.#clock.nowMs();
    const isDue = this.#lookedAtMs === undefined || nowMs - this.#lookedAtMs >= LOOK_AGAIN_MS;
    if (!isSettled && isDue) void this.look(); // reports its own failures
    return this.#found;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    this.#lookedAtMs = this.#clock.nowMs();
    try {
      this.#found = await this.#find();
    } catch (error) {
      this.#logger.warn({ error }, "it is not known whether there is WireGuard on this node");
    }
  }
}

/** undefined: what the tools say is neither yes nor no. Rejects KernelError FAILED. */
export async function findWireGuard(run: Run = runTool): Promise<WireGuard | undefined> {
  if (!(await isThere(run, ["wg", "--version"]))) return "none";
  // In a namespace that ends with the process: nobody on the host sees the interface.
  const make = ["unshare", "--net", "ip", "link", "add", "dev", "wg0", "type", "wireguard"];
  const made = await run(make);
  if (made.isOk) return "kernel";
  if (await isThere(run, ["sh", "-c", "command -v wireguard-go"])) return "wireguard-go";
  return /unknown device type|not supported/i.test(made.err) ? "none" : undefined;
}

async function isThere(run: Run, command: readonly string[]): Promise<boolean> {
  try {
    return (await run(command)).isOk;
  } catch (error) {
    if (error instanceof KernelError && error.code === "MISSING") return false;
    throw error;
  }
}
