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
import type { NetlinkSocket } from "./netlink-socket.js";

type Observed = Omit<NetnsState, "netns" | "sysctls" | "tables">;

/** One dump per kind; entries of links that went between two dumps are left out. */
export function observeNamespace({ route }: NamespaceHandle): Observed {
  const links = route.dump(encodeDumpLinks()).map(decodeLink);
  const names = new Map(links.map(({ index, name }) => [index, name]));
  const onLinks = <T extends { readonly linkIndex: number }>(entries: readonly T[]) =>
    entries.flatMap(({ linkIndex, ...entry }) => {
      const link = names.get(linkIndex);
      return link === undefined ? [] : [{ ...entry, link }];
    });
  return {
    links: modelLinks(links, names),
    addresses: onLinks(decoded(route, encodeDumpAddresses(), decodeAddress)).flatMap(
      ({ isLinkLocal, address, link }): readonly LinkAddress[] =>
        isLinkLocal ? [] : [{ address, link }],
    ),
    routes: onLinks(decoded(route, encodeDumpRoutes(), decodeRoute)),
    rules: decoded(route, encodeDumpRules(), decodeRule),
    fdb: onLinks(decoded(route, encodeDumpFdb(), decodeFdb)),
    neighbours: onLinks(decoded(route, encodeDumpNeighbours(), decodeNeighbour)),
  };
}

function decoded<T>(
  socket: NetlinkSocket,
  request: Buffer,
  decode: (payload: Buffer) => T | undefined,
): readonly T[] {
  return socket
    .dump(request)
    .map(decode)
    .filter((entry) => entry !== undefined);
}

function modelLinks(links: readonly DecodedLink[], names: ReadonlyMap<number, string>) {
  return links.flatMap(({ kind, link, masterIndex }) =>
    kind === undefined ? [] : [{ ...link, kind, master: names.get(masterIndex) ?? "" }],
  );
}
