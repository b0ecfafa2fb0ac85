import type { Clock, Logger } from "../../base/index.js";
import { drift } from "../core/drift.js";
import { gwbridgePrefix6 } from "../core/gwbridge6.js";
import type { NetnsOperations, NetnsState } from "../core/kernel-model.js";
import { aliasPrefix, type NodeNames, networkAliasPrefix, sandboxPrefix } from "../core/names.js";
import type { Ownership } from "../core/ownership.js";
import { type NetnsPair, planNode } from "../core/planner.js";
import { KernelError, type NetnsKernel } from "../kernel/netns-kernel.js";

/** Namespaces observed at the same time. */
const OBSERVED_MAX = 16;

/** The kernel takes the links of a removed namespace away by itself, some time later; each one removed by us costs it some 20 ms. */
const DYING_MS = 10_000;

/** What could not be done, by namespace. */
export type Failures = ReadonlyMap<string, string>;
const NONE: Failures = new Map();

/** One namespace as it should be and as it is, and the differences in words. */
export type Finding = NetnsPair & { readonly lines: readonly string[] };

export type KernelProgrammerOptions = {
  readonly kernel: NetnsKernel;
  readonly names: NodeNames;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Containers' namespaces that are not wanted any more are removed here, not by whoever made them. */
  readonly removesContainers: boolean;
  /** What the operator is told of a failure. Default: what the kernel said. */
  readonly explain?: (error: unknown) => Promise<string>;
};

/** Brings the kernel to a desired state, and tells where it is not. Calls must not overlap; they reject KernelError. */
export class KernelProgrammer {
  readonly #kernel: NetnsKernel;
  readonly #names: NodeNames;
  readonly #prefix6: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #removesContainers: boolean;
  readonly #explain: (error: unknown) => Promise<string>;
  /** What is in the kernel, as far as it is known without looking. */
  readonly #programmed = new Map<string, NetnsState>();
  /** Ends of links in sandboxes whose container's namespace is being removed, and since when. */
  readonly #dying = new Map<string, number>();
  /** False until all is known that is wanted on this node: then nothing is taken away. */
  mayDelete = false;

  constructor(options: KernelProgrammerOptions) {
    this.#kernel = options.kernel;
    this.#names = options.names;
    this.#prefix6 = gwbridgePrefix6(options.names.nodeId);
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#removesContainers = options.removesContainers;
    this.#explain = options.explain ?? ((error) => Promise.resolve(messageOf(error)));
  }

  /**
   * From what was programmed last; a namespace that is not known yet is looked at first. When that fails, once more from what is there, a
   * namespace at a time, so that one that cannot be programmed does not keep the others back.
   */
  async program(desired: readonly NetnsState[]): Promise<Failures> {
    if (!this.#removesContainers) this.#letGo(desired);
    try {
      const plan = planNode(await this.#pairs(desired));
      await this.#kernel.execute([...this.#clearing(desired), ...plan]);
    } catch (error) {
      if (isLost(error)) throw error;
      this.#logger.warn({ error }, "networks: programming failed; looking at what is there");
      this.#programmed.clear();
      const failures = await this.#executeEach(planNode(await this.#pairs(desired)));
      this.#remember(desired, failures);
      return failures;
    }
    this.#remember(desired, NONE);
    return NONE;
  }

  /** Compares these namespaces; one that is not in `desired` should not be there, unless who made it also removes it. */
  async inspect(
    desired: ReadonlyMap<string, NetnsState>,
    netnsNames: readonly string[],
  ): Promise<readonly Finding[]> {
    // A container's is released between the moment that asked for this look and the look itself.
    const isLookedAt = (netns: string): boolean =>
      this.#removesContainers || desired.has(netns) || this.#rank(netns) !== 2;
    const ordered = netnsNames.filter(isLookedAt).sort((a, b) => this.#rank(a) - this.#rank(b));
    const observed = await this.#observe(ordered);
    return ordered.map((netns, i) => {
      const ownership = this.#ownershipOf(netns);
      const wanted = desired.get(netns);
      const pair = {
        netns,
        desired: wanted,
        observed: this.#living(observed[i], wanted),
        ownership,
      };
      return { ...pair, lines: this.#linesOf(pair) };
    });
  }

  /** Brings what was found to what is desired. */
  async repair(findings: readonly Finding[]): Promise<Failures> {
    const failures = await this.#executeEach(planNode(findings));
    for (const { netns, desired } of findings) {
      const isDone = desired !== undefined && !failures.has(netns);
      if (isDone) this.#programmed.set(netns, desired);
      else this.#programmed.delete(netns);
    }
    return failures;
  }

  /** Connections that lose their way; what cannot be ended ends by itself. */
  async endConnections(operations: readonly NetnsOperations[]): Promise<void> {
    if (operations.length === 0) return;
    const failures = await this.#executeAll(operations);
    if (failures.size > 0)
      this.#logger.warn({ failures: [...failures.values()] }, "networks: connections not ended");
  }

  /** Namespaces that are or should be ours: known ones, and sandboxes of an earlier life. */
  async netnsNames(desired: ReadonlyMap<string, NetnsState>): Promise<readonly string[]> {
    const sandboxes = await this.#kernel.list(sandboxPrefix(this.#names));
    return [...new Set([...desired.keys(), ...this.#programmed.keys(), ...sandboxes])];
  }

  /** Takes away everything of ours, whoever made it: also containers' links, which a process that still runs in them would keep. */
  async removeAll(): Promise<Failures> {
    const sandboxes = await this.#kernel.list(sandboxPrefix(this.#names));
    const netnsNames = ["", ...sandboxes];
    const observed = await this.#observe(netnsNames);
    const host = { aliasPrefix: aliasPrefix(this.#names), tablePrefix: this.#names.nftTable };
    const everything = { aliasPrefix: "", tablePrefix: "" };
    const pairs = netnsNames.map((netns, i) => ({
      netns,
      desired: undefined,
      observed: observed[i],
      ownership: { mayDelete: true, ...(netns === "" ? host : everything) },
    }));
    return this.#executeEach(planNode(pairs));
  }

  #linesOf({ desired, observed, ownership }: NetnsPair): readonly string[] {
    const lines = drift(desired, observed, ownership);
    return ownership.mayDelete ? lines : lines.filter((line) => !line.endsWith("should not exist"));
  }

  /** Containers that are gone: nothing is to be done in their namespaces, and the links into them go with these. */
  #letGo(desired: readonly NetnsState[]): void {
    const wanted = new Set(desired.map(({ netns }) => netns));
    const gone = [...this.#programmed.keys()].filter(
      (netns) => this.#rank(netns) === 2 && !wanted.has(netns),
    );
    const nowMs = this.#clock.nowMs();
    for (const [key, sinceMs] of [...this.#dying])
      if (nowMs - sinceMs > DYING_MS) this.#dying.delete(key);
    if (gone.length === 0) return;
    const isGone = new Set(gone);
    for (const netns of gone) this.#programmed.delete(netns);
    for (const state of [...this.#programmed.values()]) {
      const ends = state.links.filter(({ peer }) => peer !== undefined && isGone.has(peer.netns));
      if (ends.length === 0) continue;
      for (const { name } of ends) this.#dying.set(`${state.netns} ${name}`, nowMs);
      const links = state.links.filter((link) => !ends.includes(link));
      this.#programmed.set(state.netns, { ...state, links });
    }
  }

  /** Those of them that are in the way of new ones of the same name: a task may come back, or another get its address, before the kernel is done. */
  #clearing(desired: readonly NetnsState[]): readonly NetnsOperations[] {
    if (this.#dying.size === 0) return [];
    return desired.flatMap(({ netns, links }) => {
      const operations = links
        .filter(({ name }) => this.#dying.delete(`${netns} ${name}`))
        .map(({ name }) => ({ kind: "removeLink" as const, name }));
      const isThere = operations.length > 0 && this.#programmed.has(netns);
      return isThere ? [{ netns, operations }] : [];
    });
  }

  #living(
    observed: NetnsState | undefined,
    wanted: NetnsState | undefined,
  ): NetnsState | undefined {
    if (observed === undefined || this.#dying.size === 0) return observed;
    const names = new Set(wanted?.links.map(({ name }) => name));
    const isDying = (name: string) => {
      const sinceMs = this.#dying.get(`${observed.netns} ${name}`);
      const isYoung = sinceMs !== undefined && this.#clock.nowMs() - sinceMs <= DYING_MS;
      return isYoung && !names.has(name);
    };
    return { ...observed, links: observed.links.filter(({ name }) => !isDying(name)) };
  }

  async #pairs(desired: readonly NetnsState[]): Promise<readonly NetnsPair[]> {
    const unknown = desired.map(({ netns }) => netns).filter((name) => !this.#programmed.has(name));
    const observed = await this.#observe(unknown);
    const seen = new Map(unknown.map((name, i) => [name, observed[i]]));
    const wanted = new Set(desired.map(({ netns }) => netns));
    const gone = [...this.#programmed.values()].filter(({ netns }) => !wanted.has(netns));
    return [
      ...desired.map((state) => ({
        netns: state.netns,
        desired: state,
        observed: this.#programmed.get(state.netns) ?? seen.get(state.netns),
        ownership: this.#ownershipOf(state.netns),
      })),
      ...gone.map((state) => ({
        netns: state.netns,
        desired: undefined,
        observed: state,
        ownership: this.#ownershipOf(state.netns),
      })),
    ];
  }

  async #observe(netnsNames: readonly string[]): Promise<readonly (NetnsState | undefined)[]> {
    const found: (NetnsState | undefined)[] = [];
    for (let i = 0; i < netnsNames.length; i += OBSERVED_MAX) {
      const some = netnsNames.slice(i, i + OBSERVED_MAX);
      const prefix = (netns: string) => (this.#rank(netns) === 0 ? "" : this.#names.nftTable);
      found.push(...(await Promise.all(some.map((n) => this.#kernel.observe(n, prefix(n))))));
    }
    return found;
  }

  /** As below, and with one call when nothing fails: a hundred containers would wait for a hundred answers. */
  async #executeAll(plan: readonly NetnsOperations[]): Promise<Failures> {
    try {
      await this.#kernel.execute(plan);
      return NONE;
    } catch (error) {
      if (isLost(error)) throw error;
      return this.#executeEach(plan);
    }
  }

  /** In their order; after a failure the rest of that namespace is left out. */
  async #executeEach(plan: readonly NetnsOperations[]): Promise<Failures> {
    const failures = new Map<string, string>();
    for (const part of plan) {
      if (failures.has(part.netns)) continue;
      try {
        await this.#kernel.execute([part]);
      } catch (error) {
        if (isLost(error)) throw error;
        failures.set(part.netns, await this.#explain(error));
      }
    }
    return failures;
  }

  #remember(desired: readonly NetnsState[], failures: Failures): void {
    this.#programmed.clear();
    for (const state of desired) {
      if (!failures.has(state.netns)) this.#programmed.set(state.netns, state);
    }
  }

  /** The bridge, its ports and its table, whose names begin otherwise, are NodeNetwork's. */
  #ownershipOf(netns: string): Ownership {
    const { mayDelete } = this;
    if (this.#rank(netns) === 0) return { mayDelete, aliasPrefix: "", tablePrefix: "" };
    const aliases = netns === "" ? networkAliasPrefix(this.#names) : aliasPrefix(this.#names);
    const prefix6 = this.#prefix6;
    return { mayDelete, aliasPrefix: aliases, tablePrefix: `${this.#names.nftTable}_`, prefix6 };
  }

  /** Order of planning: sandboxes make the links, then the host, then containers. */
  #rank(netns: string): number {
    if (netns.startsWith(sandboxPrefix(this.#names))) return 0;
    return netns === "" ? 1 : 2;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The port to the kernel is closed for good. */
export function isLost(error: unknown): boolean {
  return error instanceof KernelError && error.code === "CLOSED";
}
