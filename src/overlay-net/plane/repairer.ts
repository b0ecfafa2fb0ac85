import type { Logger } from "../../base/index.js";
import {
  type BridgeFault,
  type BridgeLinks,
  bridgeFaults,
  endpointFaults,
  lasting,
} from "../core/bridge-faults.js";
import type { DesiredInput } from "../core/cluster-lookup.js";
import type { NetnsState } from "../core/kernel-model.js";
import { ownEndpoints } from "../core/local-facts.js";
import { type NodeNames, sandboxNetns, sandboxPrefix } from "../core/names.js";
import { tablesOfOwnSockets } from "../core/own-sockets.js";
import type { Failures, Finding, KernelProgrammer } from "./kernel-programmer.js";

/** Namespaces looked at in one piece; changes of the managers get in between. */
const PORTION_MAX = 16;
/** Differences of one look that are logged. */
const LOGGED_MAX = 20;

/** The bridge, containers' links to it and its table: kept elsewhere, looked at and mended from here. */
export interface NodeBridge {
  /** Digest of its table as it should be; undefined while it is being changed. */
  readonly rulesDigest: string | undefined;
  readonly links: BridgeLinks;
  repairRules(): Promise<void>;
  /** The bridge, and the endpoints of these namespaces. Rejects when something is left. */
  repairLinks(netnsNames: readonly string[]): Promise<void>;
}

/** A finding with what is wrong of the bridge's part in that namespace. */
type Checked = Finding & { readonly faults: readonly BridgeFault[] };

/** As swarm.net.Drift. */
export type Found = {
  readonly networkId: string;
  /** "" is the host's own. */
  readonly netns: string;
  readonly what: string;
  readonly isRepaired: boolean;
};

/** Compares the kernel with what was programmed, and repairs it. Calls must not overlap with each other or with programming. */
export class Repairer {
  readonly #programmer: KernelProgrammer;
  readonly #names: NodeNames;
  readonly #bridge: NodeBridge | undefined;
  readonly #logger: Logger;
  #desired: ReadonlyMap<string, NetnsState> = new Map();
  #input: DesiredInput | undefined;
  driftCount = 0;

  constructor(
    programmer: KernelProgrammer,
    names: NodeNames,
    bridge: NodeBridge | undefined,
    logger: Logger,
  ) {
    this.#programmer = programmer;
    this.#names = names;
    this.#bridge = bridge;
    this.#logger = logger;
  }

  /** What the kernel should hold from now on. */
  expect(input: DesiredInput, desired: readonly NetnsState[]): void {
    this.#input = input;
    this.#desired = byNetns(desired);
  }

  /**
   * After a start, before the kernel is programmed: what is not as it should be. Settings count as unknown then, and nobody has changed
   * what led to sockets of the process before.
   */
  async logDrift(
    { local }: Pick<DesiredInput, "local">,
    desired: readonly NetnsState[],
  ): Promise<void> {
    const wanted = byNetns(desired);
    const own = tablesOfOwnSockets(this.#names, local);
    const isOwn = (line: string, netns: string): boolean =>
      own.get(netns)?.some((table) => line.endsWith(`: table inet ${table} differs`)) === true;
    const findings = await this.#programmer.inspect(
      wanted,
      await this.#programmer.netnsNames(wanted),
    );
    const lines = findings.flatMap(({ netns, lines: found }) =>
      found.filter((line) => !line.includes(": sysctl ") && !isOwn(line, netns)),
    );
    this.driftCount += lines.length;
    this.#log(lines, "networks: what is not as it should be at the start");
  }

  netnsNames(): Promise<readonly string[]> {
    return this.#programmer.netnsNames(this.#desired);
  }

  portions(netnsNames: readonly string[]): readonly (readonly string[])[] {
    const count = Math.ceil(netnsNames.length / PORTION_MAX);
    return Array.from({ length: count }, (_, i) =>
      netnsNames.slice(i * PORTION_MAX, (i + 1) * PORTION_MAX),
    );
  }

  /** Looks, and repairs what is found. */
  async repair(netnsNames: readonly string[]): Promise<Failures> {
    const findings = await this.#inspect(netnsNames);
    const lines = findings.flatMap((one) => one.lines);
    if (lines.length === 0) return new Map();
    this.driftCount += lines.length;
    this.#log(lines, "networks: repairing what is not as it should be");
    const failures = await this.#mend(findings);
    if (failures.size > 0)
      this.#logger.error({ failures: [...failures.values()] }, "networks: not repaired");
    return failures;
  }

  /** Of these networks, of all when none is named. */
  async verify(networkIds: readonly string[], isRepair: boolean): Promise<readonly Found[]> {
    const names = await this.#namesOf(networkIds);
    const before = await this.#inspect(names);
    const wrong = before.filter(({ lines }) => lines.length > 0);
    if (wrong.length === 0) return [];
    if (isRepair) await this.#mend(before);
    const after = isRepair ? await this.#inspect(names) : before;
    const left = new Set(after.flatMap(({ lines }) => lines));
    const found = wrong.flatMap(({ netns, lines }) =>
      lines.map((what) => ({
        networkId: this.#networkOf(netns, what),
        netns,
        what,
        isRepaired: isRepair && !left.has(what),
      })),
    );
    this.driftCount += found.length;
    return found;
  }

  /** With what is wrong of the bridge's part, unless that changed meanwhile. */
  async #inspect(netnsNames: readonly string[]): Promise<readonly Checked[]> {
    const rulesDigest = this.#bridge?.rulesDigest;
    const before = this.#bridge?.links;
    const findings = await this.#programmer.inspect(this.#desired, netnsNames);
    const digest = rulesDigest === this.#bridge?.rulesDigest ? rulesDigest : undefined;
    const after = this.#bridge?.links;
    const links = before === undefined || after === undefined ? undefined : lasting(before, after);
    return findings.map((one) => {
      const faults = links === undefined ? [] : faultsOf(one, links);
      const table = one.netns === "" && digest !== undefined ? this.#tableLines(one, digest) : [];
      return { ...one, lines: [...one.lines, ...faults.map(({ text }) => text), ...table], faults };
    });
  }

  #tableLines({ observed }: Finding, digest: string): readonly string[] {
    const { nftTable } = this.#names;
    const present = observed?.tables.find(({ name }) => name === nftTable);
    if (present?.hash === digest) return [];
    return [`${this.#bridgeTableText} ${present === undefined ? "is missing" : "differs"}`];
  }

  get #bridgeTableText(): string {
    return `host: table inet ${this.#names.nftTable}`;
  }

  /** Together with the namespaces at the other ends of links: a pair that is made anew needs both. */
  async #mend(findings: readonly Checked[]): Promise<Failures> {
    const wrong = findings.filter(({ lines }) => lines.length > 0);
    const known = new Set(wrong.map(({ netns }) => netns));
    const others = this.#related(known).filter((netns) => !known.has(netns));
    const more = await this.#inspect(others);
    const all = [...wrong, ...more].sort((a, b) => this.#rank(a.netns) - this.#rank(b.netns));
    const left = await this.#mendLinks(all.flatMap(({ faults }) => faults));
    const host = all.find(({ netns }) => netns === "");
    const isTableWrong = host?.lines.some((line) => line.startsWith(`${this.#bridgeTableText} `));
    if (isTableWrong === true) await this.#bridge?.repairRules();
    return new Map([...left, ...(await this.#programmer.repair(all))]);
  }

  async #mendLinks(faults: readonly BridgeFault[]): Promise<Failures> {
    if (faults.length === 0) return new Map();
    const netnsNames = new Set(faults.map(({ netns }) => netns).filter((netns) => netns !== ""));
    try {
      await this.#bridge?.repairLinks([...netnsNames]);
      return new Map();
    } catch (error) {
      return new Map([["", error instanceof Error ? error.message : String(error)]]);
    }
  }

  #related(netnsNames: ReadonlySet<string>): readonly string[] {
    if (this.#input === undefined) return [];
    const { local, state } = this.#input;
    const ingress = state.networks.find(({ isIngress }) => isIngress)?.id;
    const pairs = local.attachments.flatMap((one) =>
      ownEndpoints(one).map(
        ({ networkId }) => [one.netns, sandboxNetns(this.#names, networkId)] as const,
      ),
    );
    if (ingress !== undefined) pairs.push(["", sandboxNetns(this.#names, ingress)]);
    const sandboxes = new Set(pairs.filter(([one]) => netnsNames.has(one)).map(([, box]) => box));
    const ends = pairs.filter(([, box]) => netnsNames.has(box) || sandboxes.has(box));
    const all = new Set([...sandboxes, ...ends.map(([one]) => one)]);
    return [...all].filter((netns) => this.#desired.has(netns));
  }

  async #namesOf(networkIds: readonly string[]): Promise<readonly string[]> {
    if (networkIds.length === 0) return this.netnsNames();
    const wanted = new Set(networkIds);
    const input = this.#input;
    const containers = (input?.local.attachments ?? []).filter((one) =>
      ownEndpoints(one).some(({ networkId }) => wanted.has(networkId)),
    );
    const hasIngress = input?.state.networks.some((one) => one.isIngress && wanted.has(one.id));
    return [
      ...networkIds.map((id) => sandboxNetns(this.#names, id)),
      ...(hasIngress === true ? [""] : []),
      ...containers.map(({ netns }) => netns),
    ];
  }

  /** Of a container: the network of the interface that is named, else its first one. */
  #networkOf(netns: string, what: string): string {
    const prefix = sandboxPrefix(this.#names);
    if (netns.startsWith(prefix)) return netns.slice(prefix.length);
    const container = this.#input?.local.attachments.find((one) => one.netns === netns);
    if (container === undefined) return "";
    const link = /\beth\d+\b/.exec(what)?.[0] ?? "";
    const own = ownEndpoints(container);
    return (own.find((one) => one.link === link) ?? own[0])?.networkId ?? "";
  }

  #rank(netns: string): number {
    if (netns.startsWith(sandboxPrefix(this.#names))) return 0;
    return netns === "" ? 1 : 2;
  }

  #log(lines: readonly string[], text: string): void {
    if (lines.length === 0) return;
    this.#logger.warn({ count: lines.length, found: lines.slice(0, LOGGED_MAX) }, text);
  }
}

/** A namespace that is not there has nothing that could be mended. */
function faultsOf({ netns, observed }: Finding, links: BridgeLinks): readonly BridgeFault[] {
  if (observed === undefined) return [];
  if (netns === "") return bridgeFaults(links, observed);
  const endpoint = links.endpoints.find((one) => one.netns === netns);
  return endpoint === undefined ? [] : endpointFaults(links, endpoint, observed);
}

function byNetns(desired: readonly NetnsState[]): ReadonlyMap<string, NetnsState> {
  return new Map(desired.map((state) => [state.netns, state]));
}
