import { emptyNetns } from "./desired-parts.js";
import type { NetnsState } from "./kernel-model.js";
import { linkDifferences } from "./link-change.js";
import { type Ownership, ownPart } from "./ownership.js";
import { fdbText, missing, neighbourText } from "./planner.js";

/**
 * What was wrong in one namespace, a line each: for the log, a metric and `network verify`. Empty exactly when a plan that may delete has
 * nothing to do.
 */
export function drift(
  desired: NetnsState | undefined,
  observed: NetnsState | undefined,
  ownership: Ownership,
): readonly string[] {
  const where = (desired ?? observed)?.netns || "host";
  if (observed === undefined)
    return desired === undefined ? [] : [`${where}: namespace is missing`];
  if (desired === undefined && observed.netns !== "")
    return [`${where}: namespace should not exist`];
  const wanted = desired ?? emptyNetns(observed.netns);
  const seen = ownPart(observed, wanted, ownership);
  return [
    ...linkLines(wanted, seen),
    ...listLines("address", wanted.addresses, seen.addresses, (a) => `${a.address} on ${a.link}`),
    ...listLines(
      "route",
      wanted.routes,
      seen.routes,
      (r) => `${r.dst} (IPv${r.family}) via ${r.via || "nobody"} on ${r.link}, table ${r.table}`,
    ),
    ...listLines(
      "rule",
      wanted.rules,
      seen.rules,
      (r) => `IPv${r.family} mark ${r.fwmark}/${r.mask} to table ${r.table}`,
    ),
    ...listLines(
      "forwarding entry",
      wanted.fdb,
      seen.fdb,
      (e) => `${e.mac} to ${e.dst || "the device"} on ${e.link}`,
      fdbText,
    ),
    ...listLines(
      "neighbour",
      wanted.neighbours,
      seen.neighbours,
      (n) => `${n.address} at ${n.mac} on ${n.link}`,
      neighbourText,
    ),
    ...tableLines(wanted, seen),
    ...missing(wanted.sysctls, seen.sysctls).map(
      ({ key, value }) => `sysctl ${key} is not ${value}`,
    ),
  ].map((line) => `${where}: ${line}`);
}

function listLines<T extends object>(
  what: string,
  wanted: readonly T[],
  seen: readonly T[],
  text: (item: T) => string,
  identity?: (item: T) => string,
): readonly string[] {
  return [
    ...missing(wanted, seen, identity).map((item) => `${what} ${text(item)} is missing`),
    ...missing(seen, wanted, identity).map((item) => `${what} ${text(item)} should not exist`),
  ];
}

function linkLines(wanted: NetnsState, seen: NetnsState): readonly string[] {
  const byName = new Map(seen.links.map((link) => [link.name, link]));
  const names = new Set(wanted.links.map(({ name }) => name));
  return [
    ...wanted.links.flatMap((link) => {
      const present = byName.get(link.name);
      return present === undefined
        ? [`link ${link.name} is missing`]
        : linkDifferences(link, present).map((text) => `link ${link.name}: ${text}`);
    }),
    ...seen.links
      .filter(({ name }) => !names.has(name))
      .map(({ name }) => `link ${name} should not exist`),
  ];
}

function tableLines(wanted: NetnsState, seen: NetnsState): readonly string[] {
  const hashes = new Map(seen.tables.map(({ family, name, hash }) => [`${family} ${name}`, hash]));
  const names = new Set(wanted.tables.map(({ family, name }) => `${family} ${name}`));
  return [
    ...wanted.tables.flatMap(({ family, name, hash }) => {
      const present = hashes.get(`${family} ${name}`);
      if (present === hash) return [];
      return [`table ${family} ${name} ${present === undefined ? "is missing" : "differs"}`];
    }),
    ...[...hashes.keys()]
      .filter((key) => !names.has(key))
      .map((key) => `table ${key} should not exist`),
  ];
}
