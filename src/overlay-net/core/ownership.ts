import { HOST_MESH_TABLE, TASK_MESH_TABLE } from "./ingress-identity.js";
import type { Link, NetnsState, Route, Rule } from "./kernel-model.js";
import { withRevisions } from "./rulesets/nft-table.js";

/** What is ours in a namespace. In a sandbox everything is: both prefixes "". */
export type Ownership = {
  /** False until all is known that is wanted here: then nothing is taken away. */
  readonly mayDelete: boolean;
  readonly aliasPrefix: string;
  readonly tablePrefix: string;
  /**
   * IPv6 addresses that begin so, and default routes through one of them, are ours on links that are not: the bridge's side of a node whose
   * bridge somebody else keeps. Absent: there are none.
   */
  readonly prefix6?: string;
};

const OUR_ROUTE_TABLES: ReadonlySet<number> = new Set([HOST_MESH_TABLE, TASK_MESH_TABLE]);
const MAIN_TABLE = 254;

/** The part of what was seen that is ours to judge; the rest is nobody's business here. */
export function ownPart(
  observed: NetnsState,
  wanted: NetnsState,
  { aliasPrefix, tablePrefix, prefix6 }: Ownership,
): NetnsState {
  const isOfPrefix = (address: string) => prefix6 !== undefined && address.startsWith(prefix6);
  const wantedNames = new Set(wanted.links.map(({ name }) => name));
  // Without any alias: one of ours whose making was cut short.
  const isOurLink = ({ alias, name }: Link) =>
    alias.startsWith(aliasPrefix) || (alias === "" && wantedNames.has(name));
  const links = observed.links.filter(isOurLink);
  const isOurs = new Set(links.map(({ name }) => name));
  const vxlan = new Set(links.filter(({ kind }) => kind === "vxlan").map(({ name }) => name));
  const macs = new Set(links.map(({ mac }) => mac));
  return {
    netns: observed.netns,
    links,
    addresses: observed.addresses.filter(
      ({ link, address }) =>
        (isOurs.has(link) && !/^fe[89ab]/i.test(address)) || isOfPrefix(address),
    ),
    routes: observed.routes.filter(
      (route) => (isOurs.has(route.link) || isOfPrefix(route.via)) && isOurRoute(route),
    ),
    rules: observed.rules.filter(isOurRule),
    // The wanted list itself, as after planning from one desired state to the next, is ours. Entries for local ports are the bridge's own.
    fdb:
      observed.fdb === wanted.fdb
        ? wanted.fdb
        : observed.fdb.filter(({ link, mac }) => vxlan.has(link) && !macs.has(mac)),
    neighbours:
      observed.neighbours === wanted.neighbours
        ? wanted.neighbours
        : observed.neighbours.filter(({ link }) => isOurs.has(link)),
    tables: withRevisions(observed.tables.filter(({ name }) => name.startsWith(tablePrefix))),
    sysctls: observed.sysctls,
  };
}

/** Routes that come with an address are the kernel's, others on our links the container's. */
function isOurRoute({ dst, table }: Route): boolean {
  return OUR_ROUTE_TABLES.has(table) || (dst === "default" && table === MAIN_TABLE);
}

/** Rules carry no owner's mark; ours lead to tables of ours. */
function isOurRule({ table }: Rule): boolean {
  return OUR_ROUTE_TABLES.has(table);
}
