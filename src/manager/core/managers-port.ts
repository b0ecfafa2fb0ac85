import type { Node, PortProtocol } from "../../api/index.js";

/** Managers may listen elsewhere than on the usual port. Why nobody can publish this port then, naming one of them; or undefined. */
export function managersPort(
  protocol: PortProtocol,
  port: number,
  nodes: readonly Node[],
): string | undefined {
  if (protocol !== "tcp") return undefined;
  const holder = nodes.find(({ manager }) => manager?.addr.endsWith(`:${port}`) === true);
  if (holder === undefined) return undefined;
  const name = holder.description?.Hostname ?? holder.id;
  return `port ${port}/tcp is where the manager on ${name} listens`;
}
