/** WireGuard of the kernel where it has it, else wireguard-go: both are configured by `wg`, and both end with their interface. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { type Clock, cidrsOverlap, parseCidr } from "../../base/index.js";
import { type PeerChanges, parseDump, peerSections } from "../core/wireguard/peers.js";
import { TUNNEL_RANGE } from "../core/wireguard/tunnel-address.js";
import { KernelError } from "../kernel/netns-kernel.js";
import { runTool, type ToolResult } from "../kernel/tools/run-tool.js";
import {
  type Implementation,
  type PresentTunnel,
  type TunnelDevice,
  TunnelError,
  type TunnelSettings,
} from "./tunnel-device.js";

const USERSPACE = "wireguard-go";
const TUN_DIR = "/dev/net";
/** wireguard-go has its interface and answers within this, or not at all. */
const START_WITHIN_MS = 5_000;
const START_POLL_MS = 50;
/** Keys never are arguments: `wg` reads them as a file, which a socket cannot be opened as. */
const WITH_INPUT = ["sh", "-c", 'cat | wg "$@"', "wg"];
/**
 * A program without this process's files: libraries in it open some that are inherited, and a socket in a namespace would keep that
 * alive as long as the program runs. bash, as not every shell can close a file by a number of two digits.
 */
const ALONE = [
  ...["bash", "-c"],
  'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -le 2 ] || eval "exec $fd>&-"; done; exec "$@"',
  "bash",
];
/** What a shell ends with when there is no such program. */
const NOT_FOUND = 127;
/** The end of what it says is kept for the operator. */
const WORDS_MAX = 500;
const NO_WG =
  "encrypted networks need wg (Debian package: wireguard-tools): install it on this node";
const NO_USERSPACE =
  "encrypted networks need WireGuard, which this node's kernel does not have: install wireguard-go (Debian package: wireguard-go) or a kernel with it";

/** What `ip -details -json address show` says of one link. */
type IpLink = {
  readonly ifalias?: string;
  readonly mtu?: number;
  readonly flags?: readonly string[];
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
  }[];
};

/** Of `ip -json route show`. */
export type IpRoute = { readonly dst: string; readonly dev?: string };

/** A wireguard-go; `failure` is "" when it has its interface. */
type Userspace = {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  readonly failure: string;
};

export class LinuxTunnelDevice implements TunnelDevice {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async look(link: string): Promise<PresentTunnel | undefined> {
    const { isOk, out } = await tool(
      ["ip", "-details", "-json", "address", "show", "dev", link],
      "",
    );
    const [found] = isOk ? (JSON.parse(out) as readonly IpLink[]) : [];
    if (found === undefined) return undefined;
    const dump = await wg(["show", link, "dump"]);
    if (!dump.isOk) return undefined;
    return {
      ...parseDump(dump.out),
      implementation: implementationOf(found.linkinfo?.info_kind),
      alias: found.ifalias ?? "",
      isUp: found.flags?.includes("UP") === true,
      mtu: found.mtu ?? 0,
      addresses: (found.addr_info ?? [])
        .filter(({ family }) => family === "inet")
        .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    };
  }

  async open(settings: TunnelSettings): Promise<void> {
    const { link, alias, address, port, mtu, privateKey } = settings;
    const present = await this.look(link);
    if (present === undefined) {
      await this.#checkWg();
      await this.remove(link);
      await checkRoutes();
      await this.#make(link);
    } else if (present.alias !== "" && present.alias !== alias) {
      throw new TunnelError(
        "FAILED",
        `there is an interface ${link} on this node that is not ours: remove it`,
      );
    }
    await must(["ip", "link", "set", "dev", link, "alias", alias, "mtu", `${mtu}`]);
    if (present === undefined || present.privateKey !== privateKey || present.port !== port) {
      const args = ["set", link, "listen-port", `${port}`, "private-key", "/dev/stdin"];
      await must([...WITH_INPUT, ...args], `${privateKey}\n`, `UDP port ${port} may be taken`);
    }
    for (const other of present?.addresses.filter((one) => one !== address) ?? [])
      await must(["ip", "address", "delete", other, "dev", link]);
    await must(["ip", "address", "replace", address, "dev", link]);
    // No address of its own where there is IPv6; where there is none, nothing to be done.
    await tool(["ip", "link", "set", "dev", link, "addrgenmode", "none"], "");
    await must(["ip", "link", "set", "dev", link, "up"], "", `UDP port ${port} may be taken`);
  }

  async setPeers(link: string, { removed, set }: PeerChanges): Promise<void> {
    if (removed.length > 0)
      await must(["wg", "set", link, ...removed.flatMap((key) => ["peer", key, "remove"])]);
    if (set.length > 0)
      await must([...WITH_INPUT, "addconf", link, "/dev/stdin"], peerSections(set));
  }

  async remove(link: string): Promise<void> {
    const { isOk } = await tool(["ip", "link", "show", "dev", link], "");
    if (isOk) await must(["ip", "link", "delete", "dev", link]);
  }

  async #checkWg(): Promise<void> {
    await wg(["--version"]);
  }

  async #make(link: string): Promise<void> {
    const { isOk, err } = await tool(["ip", "link", "add", "dev", link, "type", "wireguard"], "");
    if (isOk) return;
    if (!/unknown device type|not supported/i.test(err))
      throw new TunnelError("FAILED", `WireGuard interface ${link} could not be made: ${err}`);
    await this.#startUserspace(link);
  }

  /**
   * Begun again at once when it ends at its start. What it says is heard only from one that is not to stay, as a pipe would end it with
   * this process: should that one begin, it makes room.
   */
  async #startUserspace(link: string): Promise<void> {
    await makeTunNode();
    const first = await this.#runUserspace(link, "ignore");
    if (first.failure === "") return;
    if (first.failure === NO_USERSPACE) throw new TunnelError("MISSING", NO_USERSPACE);
    const heard = await this.#runUserspace(link, "pipe");
    if (heard.failure !== "") throw new TunnelError("FAILED", heard.failure);
    heard.child.kill("SIGTERM");
    await heard.ended;
    const last = await this.#runUserspace(link, "ignore");
    if (last.failure !== "") throw new TunnelError("FAILED", last.failure);
  }

  /** A session of its own: it lives on without this process, and ends with its interface. Resolves when it answers, or does not. */
  async #runUserspace(link: string, stderr: "ignore" | "pipe"): Promise<Userspace> {
    const [shell = "", ...args] = [...ALONE, USERSPACE, "--foreground", link];
    const stdio: StdioOptions = ["ignore", "ignore", stderr];
    const child = spawn(shell, args, { cwd: "/", detached: true, stdio });
    let words = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      words = `${words}${chunk.toString()}`.slice(-WORDS_MAX);
    });
    let failure = "";
    const ended = new Promise<void>((resolve) => {
      child.on("error", (error) => {
        failure = `${USERSPACE} could not be started: ${error.message}`;
        resolve();
      });
      child.on("close", (code, signal) => {
        const said = words.trim().replaceAll(/\s*\n\s*/g, "; ");
        const text = `${USERSPACE} ended with ${signal ?? code}: ${said || `is ${TUN_DIR}/tun usable?`}`;
        failure ||= code === NOT_FOUND ? NO_USERSPACE : text;
        resolve();
      });
    });
    child.unref();
    const deadlineMs = this.#clock.nowMs() + START_WITHIN_MS;
    while (!(await wg(["show", link, "dump"])).isOk) {
      if (failure !== "") break;
      if (this.#clock.nowMs() > deadlineMs) {
        failure = `${USERSPACE} did not answer within ${START_WITHIN_MS} ms`;
        child.kill("SIGKILL");
        break;
      }
      await this.#clock.sleep(START_POLL_MS);
    }
    return { child, ended, failure };
  }
}

/** A nearer route would lead packets to other nodes past the interface, where the guard drops them. */
async function checkRoutes(): Promise<void> {
  const { isOk, out } = await tool(["ip", "-json", "-4", "route", "show", "table", "main"], "");
  const routes = isOk ? (JSON.parse(out || "[]") as readonly IpRoute[]) : [];
  const taken = overlappingRoute(routes);
  if (taken !== undefined)
    throw new TunnelError(
      "FAILED",
      `encrypted networks need ${TUNNEL_RANGE}, but this node has a route to ${taken.dst} on ${taken.dev}: renumber that network`,
    );
}

export function overlappingRoute(routes: readonly IpRoute[]): IpRoute | undefined {
  const range = parseCidr(TUNNEL_RANGE);
  return routes.find(({ dst }) => {
    const cidr = parseCidr(dst.includes("/") ? dst : `${dst}/32`);
    return range !== undefined && cidr !== undefined && cidrsOverlap(range, cidr);
  });
}

function implementationOf(kind: string | undefined): Implementation {
  return kind === "wireguard" ? "kernel" : USERSPACE;
}

/** Left to wireguard-go to complain where the directory cannot be written. */
async function makeTunNode(): Promise<void> {
  await mkdir(TUN_DIR, { recursive: true }).catch(() => undefined);
  await tool(["sh", "-c", `[ -e ${TUN_DIR}/tun ] || mknod -m 600 ${TUN_DIR}/tun c 10 200`], "");
}

function wg(args: readonly string[]): Promise<ToolResult> {
  return tool(["wg", ...args], "");
}

async function tool(command: readonly string[], input: string): Promise<ToolResult> {
  try {
    return await runTool(command, input);
  } catch (cause) {
    if (!(cause instanceof KernelError)) throw cause;
    const isWg = cause.code === "MISSING" && command[0] === "wg";
    const code = cause.code === "MISSING" ? "MISSING" : "FAILED";
    throw new TunnelError(code, isWg ? NO_WG : cause.message, { cause });
  }
}

async function must(command: readonly string[], input = "", hint = ""): Promise<void> {
  const { isOk, err } = await tool(command, input);
  if (isOk) return;
  const shown = command[0] === "sh" ? ["wg", ...command.slice(WITH_INPUT.length)] : command;
  const text = `WireGuard: ${shown.join(" ")}: ${err}`;
  throw new TunnelError("FAILED", hint === "" ? text : `${text} (${hint})`);
}
