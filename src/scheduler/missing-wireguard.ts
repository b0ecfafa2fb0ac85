/**
 * Encrypted networks and nodes that have nothing to encrypt with: a task of such a network would wait there for good. A node that does not
 * say what it has, as one of an earlier version, is taken for one that has it.
 */
import { isEncrypted, type Network, type Node } from "../api/index.js";

/** Name by network id. */
export type EncryptedNetworks = ReadonlyMap<string, string>;

const NONE: EncryptedNetworks = new Map();

/** Those of the networks whose tasks the node cannot take. */
export function notEncrypting(
  node: Node | undefined,
  networks: Iterable<Network>,
): EncryptedNetworks {
  if (node?.description?.WireGuard !== "none") return NONE;
  const encrypted = [...networks].filter(({ spec }) => isEncrypted(spec));
  return new Map(encrypted.map(({ id, spec }) => [id, spec.Name]));
}
