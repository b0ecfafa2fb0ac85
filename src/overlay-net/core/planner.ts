/**
 * From observed to desired kernel state. Within a node: what closes doors first, then links and what frames need, then the tables that
 * send connections there; taking away goes the other way round. So no table ever names a backend that cannot be reached.
 */

import { emptyNetns } from "./desired-parts.js";
import type {
  FdbEntry,
  KernelOperation,
  Link,
  Neighbour,
  NetnsOperations,
  NetnsState,
  NftTable,
} from "./kernel-model.js";
import { linkChange } from "./link-change.js";
import { type Ownership, ownPart } from "./ownership.js";
import { makeScript, removeScript, revisionName, updateScript } from "./rulesets/nft-table.js";

/** One namespace's operations by when they are due, seen over the whole node. */
type Stages = Readonly<Record<StageName, readonly KernelOperation[]>>;
const STAGES = [
  "make",
  "guard",
  "links",
  "reach",
  "publish",
  "withdraw",
  "unreach",
  "clear",
] as const;
type StageName = (typeof STAGES)[number];

/** The table that is loaded before the links that it guards. */
const GUARD_SUFFIX = "_guard";

/**
 * Operations that lead one namespace to its desired state, in order. undefined as desired: it should not be; as observed: it is not
 * there. Planning on the result gives nothing. Links are made anew only when what differs cannot be set.
 */
export function planChanges(
  desired: NetnsState | undefined,
  observed: NetnsState | undefined,
  ownership: Ownership,
): readonly KernelOperation[] {
  const stages = planStages({ desired, observed, ownership }, NO_NAMES, new Map());
  return STAGES.flatMap((stage) => stages[stage]);
}

export type NetnsPair = {
  readonly netns: string;
  readonly desired: NetnsState | undefined;
  readonly observed: NetnsState | undefined;
  readonly ownership: Ownership;
};

/**
 * The same over all namespaces of a node. Pairs come in the order in which links are made: sandboxes, the host, containers; a veth pair is
 * made by the end that comes first.
 */
export function planNode(pairs: readonly NetnsPair[]): readonly NetnsOperations[] {
  const scripts: Scripts = new Map();
  const byNetns = new Map(pairs.map((pair) => [pair.netns, pair]));
  const planned = pairs.map((pair) => ({
    netns: pair.netns,
    stages: planStages(pair, astray(pair.desired, byNetns), scripts),
  }));
  const reversed = [...planned].reverse();
  return STAGES.flatMap((stage) =>
    // Containers lose their way out before their peers' sandboxes lose the entries.
    (stage === "unreach" || stage === "clear" ? reversed : planned)
      .map(({ netns, stages }) => ({ netns, operations: stages[stage] }))
      .filter(({ operations }) => operations.length > 0),
  );
}

const NO_STAGES: Stages = {
  make: [],
  guard: [],
  links: [],
  reach: [],
  publish: [],
  withdraw: [],
  unreach: [],
  clear: [],
};

/** Scripts by the digests they lead from and to: containers on the same networks need the same one. */
type Scripts = Map<string, string>;

const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Links of pairs whose other end is not where it should be: until the kernel has cleared the namespace of a container that is gone, such a
 * link is there and leads into that one.
 */
function astray(
  desired: NetnsState | undefined,
  pairs: ReadonlyMap<string, NetnsPair>,
): ReadonlySet<string> {
  const lost = (desired?.links ?? []).filter(({ peer }) => {
    const other = peer === undefined ? undefined : pairs.get(peer.netns);
    if (peer === undefined || other === undefined) return false;
    return other.observed?.links.some(({ name }) => name === peer.link.name) !== true;
  });
  return lost.length === 0 ? NO_NAMES : new Set(lost.map(({ name }) => name));
}

function planStages(
  { desired, observed, ownership }: Omit<NetnsPair, "netns">,
  lost: ReadonlySet<string>,
  scripts: Scripts,
): Stages {
  const nothing = NO_STAGES;
  const netns = desired?.netns ?? observed?.netns ?? "";
  if (desired === undefined && netns !== "") {
    const isKept = observed === undefined || !ownership.mayDelete;
    return isKept ? nothing : { ...nothing, clear: [{ kind: "removeNetns" }] };
  }
  const isSame =
    desired !== undefined && observed !== undefined && haveSameLists(desired, observed);
  if (isSame && lost.size === 0) {
    const { guard, load, remove } = planTables(desired.tables, observed.tables, false, scripts);
    return { ...nothing, guard, publish: load, withdraw: ownership.mayDelete ? remove : [] };
  }
  const wanted = desired ?? emptyNetns(netns);
  const seen = ownPart(observed ?? emptyNetns(netns), wanted, ownership);
  const links = planLinks(wanted, seen, lost, ownership.mayDelete);
  // What is on a link that is made anew went with the old one.
  const left = withoutLinks(seen, links.replaced);
  const hasNewLink = wanted.links.some(
    (link) => !left.links.some(({ name }) => name === link.name),
  );
  const tables = planTables(wanted.tables, left.tables, hasNewLink, scripts);
  const take = ownership.mayDelete;
  return {
    make: observed === undefined && netns !== "" ? [{ kind: "addNetns" }] : links.early,
    guard: tables.guard,
    links: links.operations,
    reach: [...planSettings(wanted, left), ...planEntries(wanted, left)],
    publish: tables.load,
    withdraw: take ? tables.remove : [],
    unreach: take ? planEntryRemovals(wanted, left) : [],
    clear: take ? links.removals : [],
  };
}

type LinkPlan = {
  /** What stands in the way, in this namespace or for an end that another one makes here. */
  readonly early: readonly KernelOperation[];
  readonly operations: readonly KernelOperation[];
  readonly removals: readonly KernelOperation[];
  readonly replaced: ReadonlySet<string>;
};

function planLinks(
  wanted: NetnsState,
  seen: NetnsState,
  lost: ReadonlySet<string>,
  mayDelete: boolean,
): LinkPlan {
  const byName = new Map(seen.links.map((link) => [link.name, link]));
  const operations: KernelOperation[] = [];
  const replaced = new Set<string>();
  // A bridge must be there before its ports.
  const ordered = [...wanted.links].sort((a, b) => rank(a) - rank(b));
  for (const { peer, ...link } of ordered) {
    const present = byName.get(link.name);
    const isMade = present !== undefined && !lost.has(link.name);
    const change = isMade ? linkChange(link, present) : "make";
    if (change === "none" || (change === "make" && present !== undefined && !mayDelete)) continue;
    if (change === "set") {
      operations.push({ kind: "setLink", link });
      continue;
    }
    if (present !== undefined) replaced.add(link.name);
    const isMadeHere = link.kind !== "veth" || peer !== undefined;
    if (isMadeHere)
      operations.push({ kind: "addLink", link, ...(peer === undefined ? {} : { peer }) });
  }
  const names = new Set(wanted.links.map(({ name }) => name));
  const removals = seen.links
    .filter(({ name }) => !names.has(name))
    .sort((a, b) => rank(b) - rank(a))
    .map(({ name }) => ({ kind: "removeLink" as const, name }));
  const early = [...replaced].map((name) => ({ kind: "removeLink" as const, name }));
  return { early, operations, removals, replaced };
}

function rank(link: Link): number {
  return link.kind === "bridge" ? 0 : 1;
}

function withoutLinks(state: NetnsState, gone: ReadonlySet<string>): NetnsState {
  if (gone.size === 0) return state;
  const stays = ({ link }: { readonly link: string }) => !gone.has(link);
  return {
    ...state,
    links: state.links.filter(({ name }) => !gone.has(name)),
    addresses: state.addresses.filter(stays),
    routes: state.routes.filter(stays),
    fdb: state.fdb.filter(stays),
    neighbours: state.neighbours.filter(stays),
  };
}

function planSettings(wanted: NetnsState, seen: NetnsState): readonly KernelOperation[] {
  const values = new Map(seen.sysctls.map(({ key, value }) => [key, value]));
  return wanted.sysctls
    .filter(({ key, value }) => values.get(key) !== value)
    .map((sysctl) => ({ kind: "setSysctl", sysctl }));
}

function planEntries(wanted: NetnsState, seen: NetnsState): readonly KernelOperation[] {
  return [
    ...missing(wanted.addresses, seen.addresses).map(
      (address) => ({ kind: "addAddress", address }) as const,
    ),
    ...missing(wanted.routes, seen.routes).map(
      (route) => ({ kind: "replaceRoute", route }) as const,
    ),
    ...missing(wanted.rules, seen.rules).map((rule) => ({ kind: "addRule", rule }) as const),
    ...missing(wanted.fdb, seen.fdb, fdbText).map(
      (entry) => ({ kind: "replaceFdb", entry }) as const,
    ),
    ...missing(wanted.neighbours, seen.neighbours, neighbourText).map(
      (entry) => ({ kind: "replaceNeighbour", entry }) as const,
    ),
  ];
}

/** What a replace overwrote is not removed again. */
function planEntryRemovals(wanted: NetnsState, seen: NetnsState): readonly KernelOperation[] {
  return [
    ...unwanted(
      seen.routes,
      wanted.routes,
      ({ dst, family, table }) => `${dst} ${family} ${table}`,
    ).map((route) => ({ kind: "removeRoute", route }) as const),
    ...missing(seen.rules, wanted.rules).map((rule) => ({ kind: "removeRule", rule }) as const),
    ...unwanted(seen.fdb, wanted.fdb, ({ link, mac, dst }) => `${link} ${mac} ${dst === ""}`).map(
      (entry) => ({ kind: "removeFdb", entry }) as const,
    ),
    ...unwanted(seen.neighbours, wanted.neighbours, (n) => `${n.link} ${n.address}`).map(
      (entry) => ({ kind: "removeNeighbour", entry }) as const,
    ),
    ...missing(seen.addresses, wanted.addresses).map(
      (address) => ({ kind: "removeAddress", address }) as const,
    ),
  ];
}

type TablePlan = Readonly<Record<"guard" | "load" | "remove", readonly KernelOperation[]>>;

/** A chain at a device goes with the device, while its table stays: after a new link such tables are loaded again. */
function planTables(
  wanted: readonly NftTable[],
  seen: readonly NftTable[],
  hasNewLink: boolean,
  scripts: Scripts,
): TablePlan {
  const key = ({ family, name }: NftTable) => `${family} ${name}`;
  const byKey = new Map(seen.map((table) => [key(table), table]));
  const isWanted = new Set(wanted.map(key));
  const loads = wanted.flatMap((table) => {
    const present = byKey.get(key(table));
    const isLost = table.family === "netdev" && hasNewLink;
    if (present?.hash === table.hash && !isLost) return [];
    const isNew =
      present === undefined && !byKey.has(key({ ...table, name: revisionName(table.name) }));
    const known = present === undefined || isLost ? { ...table, text: "" } : present;
    return [
      { name: table.name, operation: nft(scriptFor(isNew ? undefined : known, table, scripts)) },
    ];
  });
  return {
    guard: loads.filter(({ name }) => name.endsWith(GUARD_SUFFIX)).map((one) => one.operation),
    load: loads.filter(({ name }) => !name.endsWith(GUARD_SUFFIX)).map((one) => one.operation),
    remove: seen
      .filter((table) => !isWanted.has(key(table)))
      .map((table) => nft(removeScript(table))),
  };
}

/** `from`: undefined where there is none. */
function scriptFor(from: NftTable | undefined, to: NftTable, scripts: Scripts): string {
  const before = from === undefined ? "none" : from.text === "" ? "unknown" : from.hash;
  const key = `${to.family} ${to.name} ${before} ${to.hash}`;
  const script = scripts.get(key) ?? (from === undefined ? makeScript(to) : updateScript(from, to));
  scripts.set(key, script);
  return script;
}

/** As between two desired states of a container whose own facts did not change. */
function haveSameLists(a: NetnsState, b: NetnsState): boolean {
  return (
    a.links === b.links &&
    a.addresses === b.addresses &&
    a.routes === b.routes &&
    a.rules === b.rules &&
    a.fdb === b.fdb &&
    a.neighbours === b.neighbours &&
    a.sysctls === b.sysctls
  );
}

function nft(script: string): KernelOperation {
  return { kind: "nft", script };
}

/** Those of `list` that `others` does not have. `textOf`: the same for equal values. */
export function missing<T extends object>(
  list: readonly T[],
  others: readonly T[],
  textOf: (item: T) => string = identity,
): readonly T[] {
  if (list === others || others.length === 0) return list === others ? [] : list;
  return missingBy(list, others, textOf);
}

/** Those of `list` whose place nobody in `wanted` takes. */
function unwanted<T extends object>(
  list: readonly T[],
  wanted: readonly T[],
  place: (item: T) => string,
): readonly T[] {
  return list === wanted || list.length === 0 ? [] : missingBy(list, wanted, place);
}

/** Nothing is read of the thousands that no change touched, nor of thousands that are new where all of the others stay. */
function missingBy<T extends object>(
  list: readonly T[],
  others: readonly T[],
  textOf: (item: T) => string,
): readonly T[] {
  const [rest, otherRest] = unshared(list, others);
  if (rest.length === 0 || otherRest.length === 0) return rest;
  const known = new Set(otherRest.map(textOf));
  return rest.filter((item) => !known.has(textOf(item)));
}

/**
 * What each of two lists has of its own, told by the objects. Most changes leave the ends of a list as they are, and only the shorter of
 * what is left is kept in a set: an object that was in one takes up more memory ever after.
 */
function unshared<T extends object>(a: readonly T[], b: readonly T[]): readonly [T[], T[]] {
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from++;
  let end = 0;
  const endMax = Math.min(a.length, b.length) - from;
  while (end < endMax && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const restA = a.slice(from, a.length - end);
  const restB = b.slice(from, b.length - end);
  if (restA.length > restB.length) {
    const [ofB, ofA] = apart(restB, restA);
    return [ofA, ofB];
  }
  return apart(restA, restB);
}

function apart<T extends object>(few: readonly T[], many: readonly T[]): readonly [T[], T[]] {
  const onlyFew = new Set(few);
  const shared = new Set<T>();
  const onlyMany = many.filter((item) => {
    if (!onlyFew.has(item)) return true;
    shared.add(item);
    return false;
  });
  for (const item of shared) onlyFew.delete(item);
  return [[...onlyFew], onlyMany];
}

/** The same for equal values, whatever the order of their fields. */
function identity(value: object): string {
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, field]) => String(field)).join(" ");
}

/** There are tens of thousands of them: `identity` would take a quarter of a second. */
export function fdbText({ link, mac, dst }: FdbEntry): string {
  return `${mac} ${dst} ${link}`;
}

export function neighbourText({ link, address, mac }: Neighbour): string {
  return `${address} ${mac} ${link}`;
}
