/** Connections of one namespace: which there are, how many are open, and ending some of them. */
import type { ConntrackFilter } from "../../core/kernel-model.js";
import { ipBytes, ipText } from "../addresses.js";
import { KernelError } from "../netns-kernel.js";
import {
  type Connection,
  decodeConnection,
  decodeConnectionCount,
  encodeCountConnections,
  encodeDumpConnections,
  encodeEndConnection,
  matchesFilter,
} from "./codec/netfilter.js";
import type { NamespaceHandle } from "./handles.js";
import { ackText, ERRNO, errnoCode } from "./kernel-errno.js";

const { ENOENT } = ERRNO;

/** An idle namespace is asked for its number alone. */
export function connectionsOf({ netfilter }: NamespaceHandle): readonly Connection[] {
  const { answer } = netfilter.query(encodeCountConnections());
  if (answer !== undefined && decodeConnectionCount(answer.payload) === 0) return [];
  return netfilter.dump(encodeDumpConnections(), decodeConnection);
}

/** Answered from one of these addresses, and not over yet. */
export function countOpenFlows(handle: NamespaceHandle, addresses: readonly string[]): number {
  const own = new Set(addresses.map((address) => ipText(ipBytes(address))));
  return connectionsOf(handle).filter(({ isOpen, replySrc }) => isOpen && own.has(replySrc)).length;
}

/** Ends those that match; ones that went meanwhile are no error. */
export function endConnections(
  { netfilter }: NamespaceHandle,
  connections: readonly Connection[],
  filter: ConntrackFilter,
): void {
  const wanted = canonical(filter);
  const matching = connections.filter((connection) => matchesFilter(connection, wanted));
  const isFatal = (_: number, { errno }: { errno: number }): boolean =>
    errno !== 0 && errno !== ENOENT;
  const acks = netfilter.request(matching.map(encodeEndConnection), isFatal);
  const failed = acks.find((ack) => isFatal(0, ack));
  if (failed !== undefined) throw new KernelError(errnoCode(failed.errno), ackText(failed));
}

function canonical(filter: ConntrackFilter): ConntrackFilter {
  const { originalDst, replySrc } = filter;
  return {
    ...filter,
    ...(originalDst !== undefined && { originalDst: ipText(ipBytes(originalDst)) }),
    ...(replySrc !== undefined && { replySrc: ipText(ipBytes(replySrc)) }),
  };
}
