/** What the conformance suite is made of besides its cases. */
import type { KernelOperation, NetnsState } from "../../core/kernel-model.js";

/** Calls back of a watch. */
export class Changes {
  readonly #quietMs: number;
  #last = Date.now();
  #waiting: ((netns: string) => void) | undefined;

  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  readonly note = (netns: string): void => {
    this.#last = Date.now();
    this.#waiting?.(netns);
  };

  /** Until nothing came for a while: what comes then is of the change to come. */
  async quiet(): Promise<void> {
    this.#last = Date.now();
    while (Date.now() - this.#last < this.#quietMs) await delay(this.#quietMs / 4);
  }

  /** The next, or undefined when none comes in time. Counts from the call. */
  next(withinMs: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve(undefined);
      }, withinMs);
      this.#waiting = (netns) => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve(netns);
      };
    });
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** The removal of what an operation added. */
export function reverse(operation: KernelOperation): KernelOperation[] {
  switch (operation.kind) {
    case "addAddress":
      return [{ ...operation, kind: "removeAddress" }];
    case "replaceRoute":
      return [{ ...operation, kind: "removeRoute" }];
    case "addRule":
      return [{ ...operation, kind: "removeRule" }];
    case "replaceFdb":
      return [{ ...operation, kind: "removeFdb" }];
    case "replaceNeighbour":
      return [{ ...operation, kind: "removeNeighbour" }];
    default:
      return [];
  }
}

/** One of each kind: the first. */
export function entryRemovals(where: "box" | "inside", operations: readonly KernelOperation[]) {
  const removals = operations
    .flatMap(reverse)
    .map((operation) => ({ kind: kindText(operation), where, operation }));
  return removals.filter(
    (removal, i) => removals.findIndex((other) => other.kind === removal.kind) === i,
  );
}

function kindText(operation: KernelOperation): string {
  if (operation.kind === "removeFdb")
    return operation.entry.dst === "" ? "bridge FDB entry" : "VXLAN FDB entry";
  return operation.kind.replace("remove", "").toLowerCase();
}

/** Without loopback's own addresses, lists in one order. */
export function comparable(state: NetnsState): NetnsState {
  const sorted = <T>(entries: readonly T[]): T[] =>
    entries
      .map((entry) => ({ text: JSON.stringify(entry, sortedKeys(entry)), entry }))
      .sort((a, b) => (a.text < b.text ? -1 : 1))
      .map(({ entry }) => entry);
  return {
    netns: state.netns,
    links: [...state.links].sort((a, b) => (a.name < b.name ? -1 : 1)),
    addresses: sorted(state.addresses.filter(({ link }) => link !== "lo")),
    routes: sorted(state.routes),
    rules: sorted(state.rules),
    fdb: sorted(state.fdb),
    neighbours: sorted(state.neighbours),
    tables: sorted(state.tables),
    sysctls: sorted(state.sysctls),
  };
}

function sortedKeys(entry: unknown): string[] {
  return Object.keys(entry as object).sort();
}
