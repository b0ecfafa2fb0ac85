import type { LinkAddress, NetnsState } from "../../core/kernel-model.js";
import { decodeAddress, encodeDumpAddresses } from "./codec/address.js";
import { type DecodedLink, decodeLink, encodeDumpLinks } from "./codec/link.js";
import {
  decodeFdb,
  decodeNeighbour,
  encodeDumpFdb,
  encodeDumpNeighbours,
} from "./codec/neighbour.js";
import { decodeRoute, decodeRule, encodeDumpRoutes, encodeDumpRules } from "./codec/route.js";
import type { NamespaceHandle } from "./handles.js";

type Observed = Omit<NetnsState, "netns" | "sysctls" | "tables">;

/** One dump per kind; entries of links that went between two dumps are left out. */
export function observeNamespace({ route }: NamespaceHandle): Observed {
  const links = route.dump(encodeDumpLinks(), decodeLink);
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const onLinks = <T extends { readonly linkIndex: number }>(entries: readonly T[]) =>
    entries.flatMap(({ linkIndex, ...entry }) => {
      const link = names.get(linkIndex);
      return link === undefined ? [] : [{ ...entry, link }];
    });
  return {
    links: modelLinks(links, names),
    addresses: onLinks(route.dump(encodeDumpAddresses(), decodeAddress)).flatMap(
      ({ isLinkLocal, address, link }): readonly LinkAddress[] =>
        isLinkLocal ? [] : [{ address, link }],
    ),
    routes: onLinks(route.dump(encodeDumpRoutes(), decodeRoute)),
    rules: route.dump(encodeDumpRules(), decodeRule),
    fdb: onLinks(route.dump(encodeDumpFdb(), decodeFdb)),
    neighbours: onLinks(route.dump(encodeDumpNeighbours(), decodeNeighbour)),
  };
}

function modelLinks(links: readonly DecodedLink[], names: ReadonlyMap<number, string>) {
  return links.flatMap(({ kind, link, masterIndex }) =>
    kind === undefined ? [] : [{ ...link, kind, master: names.get(masterIndex) ?? "" }],
  );
}
