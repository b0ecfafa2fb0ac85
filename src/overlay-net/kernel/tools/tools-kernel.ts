import { createHash } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import type {
  KernelOperation,
  Link,
  NetnsOperations,
  NetnsState,
  Sysctl,
  VethPeer,
} from "../../core/kernel-model.js";
import { AddressError } from "../addresses.js";
import {
  KernelError,
  NETNS_DIR,
  type NetnsKernel,
  type NetnsKernelErrorCode,
  netnsText,
  operationError,
  sysctlPath,
  sysctlValue,
} from "../netns-kernel.js";
import {
  observedTables,
  type TableTrust,
  TableTrusts,
  tableKey,
  tablesNamed,
} from "../table-trust.js";
import {
  countOpenFlows,
  endConnectionsCommands,
  entryLine,
  type Line,
  listFlowsCommands,
  makeLinkLine,
  setLinkLines,
} from "./commands.js";
import { Monitors, namespaceIdentity } from "./monitors.js";
import { OBSERVE_SCRIPT, parseObservation, parseTables } from "./observe.js";
import { commandIn, runTool, type ToolResult } from "./run-tool.js";

const TOOLS = [
  ["ip", "-V"],
  ["bridge", "-V"],
  ["nft", "-v"],
  ["conntrack", "-V"],
  ["nsenter", "-V"],
  ["setpriv", "-V"],
];
/** Digits of a hash that a number holds exactly. */
const GENERATION_HEX_DIGITS = 12;
/** Reads the named files below /proc/sys, each after its key; those that are not there are left out. */
const READ_SYSCTLS =
  'for key; do [ -r "/proc/sys/$key" ] && echo "$key $(cat "/proc/sys/$key")"; done; true';

type Waiting = { readonly operation: KernelOperation; readonly line: Line };

/** The kernel by iproute2, nft and conntrack: for hosts without a build of koffi or without libnftables. Slower by a factor of ten. */
export class ToolsKernel implements NetnsKernel {
  readonly kind = "tools";
  readonly #monitors = new Monitors();
  readonly #sysctlKeys = new Map<string, Set<string>>();
  readonly #trusts = new TableTrusts();
  #isClosed = false;

  /** Rejects KernelError MISSING naming the package of a tool that is not installed. */
  static async open(): Promise<ToolsKernel> {
    for (const command of TOOLS) await runTool(command);
    mkdirSync(NETNS_DIR, { recursive: true, mode: 0o755 });
    return new ToolsKernel();
  }

  async observe(netns: string, tablePrefix: string): Promise<NetnsState | undefined> {
    this.#checkOpen();
    if (namespaceIdentity(netns) === undefined) return undefined;
    const printed = await runTool(commandIn(netns, ["sh", "-c", OBSERVE_SCRIPT]));
    if (!printed.isOk && namespaceIdentity(netns) === undefined) return undefined;
    if (!printed.isOk)
      throw new KernelError(codeOf(printed.err), `${netnsText(netns)}: observe: ${printed.err}`);
    const { tables: looks, ...observed } = parseObservation(printed.out, tablePrefix);
    const trust = this.#trusts.of(netns, namespaceIdentity(netns) ?? "");
    trust.compare(looks, true);
    const sysctls = await this.#readSysctls(netns);
    return { netns, ...observed, tables: observedTables(looks, trust), sysctls };
  }

  async execute(batch: readonly NetnsOperations[]): Promise<void> {
    this.#checkOpen();
    for (const { netns, operations } of batch) {
      const waiting: Waiting[] = [];
      for (const operation of operations) {
        try {
          await this.#execute(netns, operation, waiting);
        } catch (error) {
          throw named(netns, operation, error);
        }
      }
      await flush(netns, waiting);
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    this.#checkOpen();
    return readdirSync(NETNS_DIR)
      .filter((name) => name.startsWith(prefix))
      .sort();
  }

  /** The tools do not show the kernel's number: a hash of the ruleset with its handles, without counters, changes as often. */
  async nftGeneration(netns: string): Promise<number> {
    this.#checkOpen();
    checkThere(netns);
    const hash = createHash("sha256")
      .update(await rulesetOf(netns))
      .digest("hex");
    return Number.parseInt(hash.slice(0, GENERATION_HEX_DIGITS), 16);
  }

  async openFlows(netns: string, addresses: readonly string[]): Promise<number> {
    this.#checkOpen();
    checkThere(netns);
    let count = 0;
    for (const command of listFlowsCommands(addresses)) {
      const { isOk, out, err } = await runTool(commandIn(netns, command));
      if (!isOk) throw new KernelError(codeOf(err), `${netnsText(netns)}: ${oneLine(err)}`);
      count += countOpenFlows(out, addresses);
    }
    return count;
  }

  async watch(netns: string, onChange: (netns: string) => void): Promise<() => void> {
    this.#checkOpen();
    return await this.#monitors.watch(netns, onChange);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#monitors.close();
  }

  /** Adds to the waiting lines, or runs them and then something that is no line. */
  async #execute(netns: string, operation: KernelOperation, waiting: Waiting[]): Promise<void> {
    const line = entryLine(netns, operation);
    if (line !== undefined) {
      waiting.push({ operation, line });
      return;
    }
    await flush(netns, waiting.splice(0));
    switch (operation.kind) {
      case "addNetns":
        return await this.#addNetns(netns);
      case "removeNetns":
        return await this.#removeNetns(netns, operation.isLazy === true);
      case "addLink":
        return await this.#addLink(netns, operation, operation.link, operation.peer);
      case "setLink":
        checkThere(netns);
        return await runLines(netns, operation, setLinkLines(netns, operation.link));
      case "nft":
        checkThere(netns);
        return await this.#nft(netns, operation.script);
      case "setSysctl":
        checkThere(netns);
        return await this.#setSysctl(netns, operation.sysctl);
      case "endConnections":
        checkThere(netns);
        for (const command of endConnectionsCommands(operation.filter))
          await endConnections(netns, command);
        return;
      default:
        return;
    }
  }

  async #addNetns(netns: string): Promise<void> {
    if (netns === "" || namespaceIdentity(netns) !== undefined) return;
    await check(["ip", "netns", "add", netns]);
    await check(commandIn(netns, ["ip", "link", "set", "dev", "lo", "up"]));
    await this.#monitors.arm(netns);
  }

  async #removeNetns(netns: string, isLazy: boolean): Promise<void> {
    this.#trusts.forget(netns);
    if (netns === "") throw new KernelError("INVALID", "the host's namespace cannot be removed");
    await this.#monitors.release(netns);
    this.#sysctlKeys.delete(netns);
    const observed = await this.observe(netns, "");
    if (observed === undefined) return;
    for (const { name } of isLazy ? [] : observed.links)
      await flush(netns, [
        ...[{ kind: "removeLink", name } as const].flatMap((operation) => {
          const line = entryLine(netns, operation);
          return line === undefined ? [] : [{ operation, line }];
        }),
      ]);
    await check(["ip", "netns", "del", netns]);
  }

  /** Making is the only step that cannot be repeated: a name that is taken is looked at. */
  async #addLink(
    netns: string,
    operation: KernelOperation,
    link: Link,
    peer: VethPeer | undefined,
  ): Promise<void> {
    checkThere(netns);
    if (peer !== undefined) checkThere(peer.netns);
    const { command, line, netns: where } = makeLinkLine(netns, link, peer);
    const made = await runTool(commandIn(where, [...command, "-batch", "-"]), `${line}\n`);
    if (!made.isOk) await this.#checkSame(netns, link, peer, made.err);
    await runLines(netns, operation, setLinkLines(netns, link));
    if (peer !== undefined)
      await runLines(peer.netns, operation, setLinkLines(peer.netns, peer.link));
  }

  async #checkSame(
    netns: string,
    link: Link,
    peer: VethPeer | undefined,
    said: string,
  ): Promise<void> {
    const existing = (await this.observe(netns, ""))?.links.find(({ name }) => name === link.name);
    if (existing === undefined)
      throw new KernelError(codeOf(said), `${oneLine(said)}${await this.#holder(link, said)}`);
    const isSameVxlan =
      existing.vxlan?.vni === link.vxlan?.vni && existing.vxlan?.port === link.vxlan?.port;
    if (existing.kind !== link.kind || !isSameVxlan)
      throw new KernelError(
        "EXISTS",
        `a ${existing.kind} of that name is in ${netnsText(netns)}, with another kind, VNI or port: remove it first`,
      );
    const other = peer && (await this.observe(peer.netns, ""));
    if (peer !== undefined && !other?.links.some(({ name }) => name === peer.link.name))
      throw new KernelError(
        "EXISTS",
        `it exists, but its peer is not ${peer.link.name} in ${netnsText(peer.netns)}: remove it first`,
      );
  }

  /** Who has the VNI: the kernel says only that somebody has. */
  async #holder({ vxlan }: Link, said: string): Promise<string> {
    if (vxlan === undefined || !/already exists|File exists/.test(said)) return "";
    for (const netns of ["", ...(await this.list(""))]) {
      const holder = (await this.observe(netns, ""))?.links.find(
        (link) => link.vxlan?.vni === vxlan.vni && link.vxlan.port === vxlan.port,
      );
      if (holder !== undefined)
        return `; VNI ${vxlan.vni} on port ${vxlan.port} is that of ${holder.name} in ${netnsText(netns)}`;
    }
    return `; VNI ${vxlan.vni} on port ${vxlan.port} is that of a link in a namespace without a name, which a process or an open socket keeps`;
  }

  async #nft(netns: string, script: string): Promise<void> {
    const trust = this.#trusts.of(netns, namespaceIdentity(netns) ?? "");
    // What others did before must not look like ours afterwards.
    await compareKnown(netns, trust);
    const { isOk, err } = await runTool(commandIn(netns, ["nft", "-f", "-"]), script);
    if (!isOk) throw new KernelError(/not permitted/.test(err) ? "NOT_PERMITTED" : "INVALID", err);
    for (const key of tablesNamed(script)) trust.wrote(key);
    // At once: what others do to it from now on is not ours.
    await compareKnown(netns, trust);
  }

  async #setSysctl(netns: string, { key, value }: Sysctl): Promise<void> {
    const path = sysctlPath(key);
    if (path === undefined)
      throw new KernelError(
        "INVALID",
        `"${key}" is no key below net/: others belong to no namespace`,
      );
    const write = ["sh", "-c", 'printf %s "$2" > "$1"', "sh", path, value];
    const { isOk, err } = await runTool(commandIn(netns, write));
    if (!isOk) throw new KernelError(/nonexistent/.test(err) ? "NOT_FOUND" : codeOf(err), err);
    const keys = this.#sysctlKeys.get(netns) ?? new Set();
    this.#sysctlKeys.set(netns, keys.add(key));
  }

  async #readSysctls(netns: string): Promise<readonly Sysctl[]> {
    const keys = [...(this.#sysctlKeys.get(netns) ?? [])];
    if (keys.length === 0) return [];
    const { out } = await runTool(commandIn(netns, ["sh", "-c", READ_SYSCTLS, "sh", ...keys]));
    return out
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [key = "", ...values] = line.split(" ");
        return { key, value: sysctlValue(values.join(" ")) };
      });
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new KernelError("CLOSED", "the kernel port is closed");
  }
}

/**
 * FDB and neighbour entries do not need each other: a run of them is sorted by tool, as every change of tool is a process. Thousands
 * come mixed, for each remote endpoint two of one tool and one of the other.
 */
function sortedByTool(waiting: readonly Waiting[]): readonly Waiting[] {
  const sorted: Waiting[] = [];
  let run: Waiting[] = [];
  const endRun = (): void => {
    const isBridge = ({ line }: Waiting): boolean => line.command[0] === "bridge";
    sorted.push(...run.filter(isBridge), ...run.filter((each) => !isBridge(each)));
    run = [];
  };
  for (const each of waiting) {
    if (/Fdb$|Neighbour$/.test(each.operation.kind)) {
      run.push(each);
      continue;
    }
    endRun();
    sorted.push(each);
  }
  endRun();
  return sorted;
}

/** Runs lines of several operations, those of one tool together. Throws KernelError naming the operation of the line that failed. */
async function flush(netns: string, lines: readonly Waiting[]): Promise<void> {
  const waiting = sortedByTool(lines);
  if (waiting.length > 0) checkThere(netns, waiting[0]?.operation);
  for (let at = 0; at < waiting.length; ) {
    const command = waiting[at]?.line.command.join(" ") ?? "";
    const end = waiting.findIndex((each, i) => i >= at && each.line.command.join(" ") !== command);
    const group = waiting.slice(at, end === -1 ? waiting.length : end);
    at += await runGroup(netns, group);
  }
}

/** Runs lines until one fails; returns how many are done with. One that was not to be done counts. */
async function runGroup(netns: string, group: readonly Waiting[]): Promise<number> {
  const [first] = group;
  if (first === undefined) return 0;
  const input = group.map(({ line }) => `${line.line}\n`).join("");
  const result = await runTool(
    commandIn(first.line.netns, [...first.line.command, "-batch", "-"]),
    input,
  );
  if (result.isOk) return group.length;
  const number = Number(/Command failed -:(\d+)/.exec(result.err)?.[1] ?? 1);
  const failed = group[number - 1] ?? first;
  if (failed.line.harmless?.test(result.err) === true) return number;
  throw operationError(codeOf(result.err), netns, failed.operation, toolText(failed.line, result));
}

async function rulesetOf(netns: string): Promise<string> {
  const printed = await runTool(commandIn(netns, ["nft", "-s", "-a", "list", "ruleset"]));
  if (printed.isOk) return printed.out;
  throw new KernelError(codeOf(printed.err), `${netnsText(netns)}: nft list: ${printed.err}`);
}

async function compareKnown(netns: string, trust: TableTrust): Promise<void> {
  if (trust.isEmpty) return;
  const tables = parseTables(await rulesetOf(netns));
  trust.keepOnly(new Set(tables.map(tableKey)));
  trust.compare(
    tables.filter((table) => trust.has(tableKey(table))),
    true,
  );
}

async function runLines(
  netns: string,
  operation: KernelOperation,
  lines: readonly Line[],
): Promise<void> {
  await flush(
    netns,
    lines.map((line) => ({ operation, line })),
  );
}

/** The bare text of iproute2 often names neither link nor value: its line does. */
function toolText({ command, line }: Line, { err }: ToolResult): string {
  return `${oneLine(err.replace(/Command failed -:\d+/, ""))} (${command.join(" ")} ${line})`;
}

async function check(command: readonly string[]): Promise<void> {
  const { isOk, err } = await runTool(command);
  if (!isOk) throw new KernelError(codeOf(err), `${command.join(" ")}: ${oneLine(err)}`);
}

/** conntrack ends with 1 when nothing matched. */
async function endConnections(netns: string, command: readonly string[]): Promise<void> {
  const { isOk, err } = await runTool(commandIn(netns, command));
  if (!isOk && !/0 flow entries have been deleted/.test(err))
    throw new KernelError(codeOf(err), oneLine(err));
}

function checkThere(netns: string, operation?: KernelOperation): void {
  if (namespaceIdentity(netns) !== undefined) return;
  const text = `${netnsText(netns)} does not exist`;
  throw operation === undefined
    ? new KernelError("NOT_FOUND", text)
    : operationError("NOT_FOUND", netns, operation, text);
}

function codeOf(said: string): NetnsKernelErrorCode {
  if (/not permitted|permission denied/i.test(said)) return "NOT_PERMITTED";
  if (/File exists|already exists/.test(said)) return "EXISTS";
  if (/Address already in use/.test(said)) return "IN_USE";
  if (/Cannot find device|Device does not exist|No such (device|file)|does not exist/.test(said))
    return "NOT_FOUND";
  if (/Unknown device type|not supported/i.test(said)) return "MISSING";
  return /Invalid argument|invalid/i.test(said) ? "INVALID" : "FAILED";
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, "; ");
}

function named(netns: string, operation: KernelOperation, error: unknown): unknown {
  if (error instanceof AddressError)
    return operationError("INVALID", netns, operation, error.message, { cause: error });
  if (!(error instanceof KernelError)) return error;
  if (error.message.startsWith(`${netnsText(netns)}: `)) return error;
  return operationError(error.code, netns, operation, error.message, { cause: error });
}
