import { spawn } from "node:child_process";
import { readdir, readFile, readlink, statfs, unlink, writeFile } from "node:fs/promises";
import { makeEndpoint } from "./endpoint-operations.js";
import { type NetnsKernel, KernelError as NetnsKernelError } from "./netns-kernel.js";
import { type Endpoint, type Kernel, KernelError } from "./port.js";

const NETNS_DIR = "/run/netns";
/** statfs(2) of a namespace. */
const NSFS_MAGIC = 0x6e73_6673;
/** A tool that takes longer is stuck. */
const TOOL_TIMEOUT_MS = 10_000;
/** Most bytes of a tool's output that are kept. */
const OUTPUT_MAX_BYTES = 4 * 1024 * 1024;

/** Runs one tool to its end. Rejects KernelError with what it printed. */
function runTool(command: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: TOOL_TIMEOUT_MS,
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (out.length < OUTPUT_MAX_BYTES) out += chunk.toString("utf8");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      if (err.length < 64 * 1024) err += chunk.toString("utf8");
    });
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const isMissing = cause.code === "ENOENT";
      reject(
        new KernelError(
          isMissing ? "TOOL_MISSING" : "FAILED",
          isMissing
            ? `${command} is not installed (Debian package: ${packageOf(command)})`
            : cause.message,
          { cause },
        ),
      );
    });
    child.on("close", (code, signal) => {
      if (code === 0) {
        resolve(out);
        return;
      }
      const text = err.trim() || `ended with ${code ?? signal}`;
      const isRefused = /not permitted|permission denied/i.test(text);
      reject(
        new KernelError(
          isRefused ? "NOT_PERMITTED" : "FAILED",
          `${command} ${args.join(" ")}: ${text}`,
        ),
      );
    });
    // A tool that ends early closes its input: its exit status tells the story, not EPIPE.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}

function packageOf(command: string): string {
  return command === "nft" ? "nftables" : "iproute2";
}

function isMissing(error: unknown): boolean {
  const text = error instanceof KernelError ? error.message : "";
  return /No such|Cannot find device|does not exist/i.test(text);
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function ignoreExisting(error: unknown): undefined {
  if (!(error instanceof KernelError && /File exists/.test(error.message))) throw error;
}

function outsideLines({ hostLink, alias, bridge }: Endpoint): readonly string[] {
  return [
    `link set dev ${hostLink} alias ${alias} master ${bridge} up`,
    `link set dev ${hostLink} type bridge_slave isolated on`,
  ];
}

function insideLines({ address, gateway }: Endpoint): readonly string[] {
  return [
    `addr replace ${address} dev eth0`,
    "link set dev eth0 up",
    `route replace default via ${gateway} dev eth0 proto static`,
  ];
}

/** A name is a file first, and leads to a namespace once that is mounted on it. */
async function isNamespace(path: string): Promise<boolean> {
  try {
    return (await statfs(path)).type === NSFS_MAGIC;
  } catch (error) {
    ignoreGone(error);
    return false;
  }
}

function ignoreGone(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

type Route = { readonly dst?: string; readonly dev?: string };
type LinkAddress = {
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
  }[];
};

/**
 * iproute2 and nft by process: a few per container, batched, and none for its endpoint once somebody else makes it. Runs in the netns that
 * swarmd was started in.
 */
export class IpKernel implements Kernel {
  readonly kind = "ip";
  /** Tools that answered once: they are not asked again. */
  readonly #found = new Set<string>();
  /** Makes endpoints, once there is one. */
  #netns: NetnsKernel | undefined;

  /** From now on no process is started for an endpoint: starting two of them is most of the time that a container waits for its own. */
  makeEndpointsBy(kernel: NetnsKernel): void {
    this.#netns = kernel;
  }

  async routes(exceptLink: string): Promise<readonly string[]> {
    const routes = JSON.parse(
      (await runTool("ip", ["-j", "-4", "route", "show"])) || "[]",
    ) as Route[];
    return routes
      .filter(
        (route) => route.dev !== exceptLink && route.dst !== undefined && route.dst !== "default",
      )
      .map((route) => route.dst ?? "");
  }

  async bridgeSubnet(bridge: string): Promise<string | undefined> {
    const text = await runTool("ip", ["-j", "-4", "addr", "show", "dev", bridge]).catch(
      ignoreMissing,
    );
    if (text === undefined) return undefined;
    const links = JSON.parse(text || "[]") as LinkAddress[];
    const info = links[0]?.addr_info?.find((entry) => entry.family === "inet");
    return info === undefined ? undefined : `${info.local}/${info.prefixlen}`;
  }

  async ensureBridge(
    bridge: string,
    alias: string,
    gatewayWithLength: string,
    mac: string,
  ): Promise<void> {
    if ((await this.bridgeSubnet(bridge)) === undefined) {
      const make = ["link", "add", "name", bridge, "address", mac, "type", "bridge"];
      await runTool("ip", make).catch(ignoreExisting);
    }
    const batch = [
      `link set dev ${bridge} alias ${alias}`,
      `addr replace ${gatewayWithLength} dev ${bridge}`,
      `link set dev ${bridge} up`,
    ];
    await runTool("ip", ["-batch", "-"], `${batch.join("\n")}\n`);
    await writeFile("/proc/sys/net/ipv4/ip_forward", "1");
    // Lets 127.0.0.1:<published port> on this host be translated to a container.
    await writeFile(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "1");
  }

  async removeBridge(bridge: string): Promise<void> {
    await runTool("ip", ["link", "del", "dev", bridge]).catch(ignoreMissing);
  }

  async addNetns(name: string): Promise<void> {
    await runTool("ip", ["netns", "add", name]).catch((error: unknown) => {
      if (!(error instanceof KernelError && /File exists/.test(error.message))) throw error;
    });
    await this.#inside(name, ["link set dev lo up"]);
  }

  async addEndpoint(endpoint: Endpoint): Promise<void> {
    if (this.#netns !== undefined) return makeEndpoint(this.#netns, endpoint);
    try {
      await this.#makeEndpoint(endpoint);
    } catch (error) {
      if (!(error instanceof KernelError && /File exists/.test(error.message))) throw error;
      // A half-made pair of an earlier attempt: creating is the only step that cannot be repeated.
      await runTool("ip", ["link", "del", "dev", endpoint.hostLink]).catch(ignoreMissing);
      await this.removeNetns(endpoint.netns);
      await this.#makeEndpoint(endpoint);
    }
  }

  async repairEndpoint(endpoint: Endpoint): Promise<void> {
    try {
      await this.#mendEndpoint(endpoint);
    } catch (error) {
      if (!isMissing(error)) throw error;
      // The host's end is there, but leads elsewhere.
      await runTool("ip", ["link", "del", "dev", endpoint.hostLink]).catch(ignoreMissing);
      await this.#mendEndpoint(endpoint);
    }
  }

  async #mendEndpoint(endpoint: Endpoint): Promise<void> {
    const { hostLink, netns } = endpoint;
    await runTool("ip", [
      ...["link", "add", "name", hostLink, "type", "veth"],
      ...["peer", "name", "eth0", "address", endpoint.mac, "netns", netns],
    ]).catch(ignoreExisting);
    await runTool("ip", ["-batch", "-"], `${outsideLines(endpoint).join("\n")}\n`);
    await this.#inside(netns, [
      `link set dev eth0 address ${endpoint.mac}`,
      ...insideLines(endpoint),
    ]);
  }

  /** Two processes in all: starting them is most of the cost of an attachment. */
  async #makeEndpoint(endpoint: Endpoint): Promise<void> {
    const outside = [
      `netns add ${endpoint.netns}`,
      `link add name ${endpoint.hostLink} type veth peer name eth0 address ${endpoint.mac} netns ${endpoint.netns}`,
      ...outsideLines(endpoint),
    ];
    await runTool("ip", ["-batch", "-"], `${outside.join("\n")}\n`);
    await this.#inside(endpoint.netns, ["link set dev lo up", ...insideLines(endpoint)]);
  }

  async setAliases(aliases: ReadonlyMap<string, string>): Promise<void> {
    const lines = [...aliases].map(([link, alias]) => `link set dev ${link} alias ${alias}\n`);
    await runTool("ip", ["-force", "-batch", "-"], lines.join("")).catch(ignoreMissing);
  }

  async aliases(bridge: string): Promise<ReadonlyMap<string, string>> {
    const text = await runTool("ip", ["-j", "link", "show", "master", bridge]).catch(ignoreMissing);
    const links = JSON.parse(text || "[]") as { ifname: string; ifalias?: string }[];
    return new Map(links.map(({ ifname, ifalias }) => [ifname, ifalias ?? ""]));
  }

  async removeNetns(name: string): Promise<void> {
    if (this.#netns !== undefined && (await removed(this.#netns, name))) return;
    await runTool("ip", ["netns", "del", name]).catch(ignoreMissing);
  }

  netnsPath(name: string): string {
    return `${NETNS_DIR}/${name}`;
  }

  async nameHostNetns(name: string): Promise<string> {
    await runTool("ip", ["netns", "attach", name, String(process.pid)]).catch((error: unknown) => {
      if (!(error instanceof KernelError && /File exists/.test(error.message))) throw error;
    });
    return this.netnsPath(name);
  }

  async addressIn(netns: string): Promise<string | undefined> {
    const text = await runTool("nsenter", [
      `--net=${NETNS_DIR}/${netns}`,
      ...["ip", "-j", "-4", "addr", "show", "dev", "eth0"],
    ]).catch(ignoreMissing);
    const links = JSON.parse(text || "[]") as LinkAddress[];
    return links[0]?.addr_info?.find((entry) => entry.family === "inet")?.local;
  }

  async listNetns(prefix: string): Promise<readonly string[]> {
    const names = await readdir(NETNS_DIR).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const ours = names.filter((name) => name.startsWith(prefix));
    const isThere = await Promise.all(ours.map((name) => isNamespace(this.netnsPath(name))));
    return ours.filter((_, i) => isThere[i]).sort();
  }

  async clearNames(prefix: string): Promise<readonly string[]> {
    const names = await readdir(NETNS_DIR).catch(() => []);
    const cleared: string[] = [];
    for (const name of names.filter((one) => one.startsWith(prefix))) {
      const path = this.netnsPath(name);
      if (await isNamespace(path)) continue;
      await unlink(path).catch(ignoreGone);
      cleared.push(name);
    }
    return cleared.sort();
  }

  async applyRuleset(text: string): Promise<void> {
    await runTool("nft", ["-f", "-"], text);
  }

  async removeTable(table: string): Promise<void> {
    await this.applyRuleset(`table inet ${table} { }\ndelete table inet ${table}\n`);
  }

  async probe(containerdPid: number | undefined): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const command of ["ip", "nft"].filter((tool) => !this.#found.has(tool))) {
      await runTool(command, ["-V"]).then(
        () => this.#found.add(command),
        (error: unknown) => problems.push(error instanceof Error ? error.message : String(error)),
      );
    }
    if (containerdPid !== undefined && !(await sharesMounts(containerdPid))) {
      problems.push(
        `containerd (pid ${containerdPid}) runs in a mount namespace that does not see ${NETNS_DIR}: start it without a private mount namespace (systemd: MountFlags=shared, PrivateMounts=no)`,
      );
    }
    return problems;
  }

  async #inside(netns: string, lines: readonly string[]): Promise<void> {
    await runTool(
      "nsenter",
      [`--net=${NETNS_DIR}/${netns}`, "ip", "-batch", "-"],
      `${lines.join("\n")}\n`,
    );
  }
}

/** False when that kernel port cannot: it is closed, or lost. */
async function removed(kernel: NetnsKernel, netns: string): Promise<boolean> {
  try {
    await kernel.execute([{ netns, operations: [{ kind: "removeNetns", isLazy: true }] }]);
    return true;
  } catch (error) {
    if (!(error instanceof NetnsKernelError)) throw error;
    return false;
  }
}

/** Whether mounts that we make under /run/netns reach that process. */
async function sharesMounts(pid: number): Promise<boolean> {
  const [ours, theirs] = await Promise.all([
    readlink("/proc/self/ns/mnt"),
    readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined),
  ]);
  if (theirs === undefined || ours === theirs) return true;
  return receivesMounts(await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => ""));
}

/**
 * Whether a process with this mountinfo gets what others mount under /run/netns: as a peer ("shared:") or as a slave ("master:", what a
 * service manager makes of a private mount namespace); proc(5).
 */
export function receivesMounts(mountinfo: string): boolean {
  return mountinfo
    .split("\n")
    .some((line) => line.includes(` ${NETNS_DIR}`) && /\b(?:shared|master):/.test(line));
}
