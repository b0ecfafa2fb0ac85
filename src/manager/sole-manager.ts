/** The transaction after `--force-new-cluster`: the nodes of the lost managers are workers from here on. Pure. */
import type { Node, Transaction } from "../api/index.js";

/**
 * Undefined when nothing is to be written. Nodes keep their ids, labels, availability and tasks; one that comes back with its old
 * certificate is refused as a manager and learns its new role. The one manager left is made one for good, should it have been
 * about to be demoted.
 */
export function soleManagerTransaction(
  nodes: readonly Node[],
  selfNodeId: string,
  atMs: number,
): Transaction | undefined {
  const changed = nodes.flatMap((node) => {
    const next = node.id === selfNodeId ? asManager(node) : asWorker(node);
    return next === node ? [] : [{ node: next, index: node.versionIndex }];
  });
  if (changed.length === 0) return undefined;
  return {
    requestId: "",
    atMs,
    isClient: false,
    preconditions: changed.map(({ node, index }) => ({
      kind: "versionIs",
      table: "node",
      id: node.id,
      index,
    })),
    changes: changed.map(({ node }) => ({ kind: "putNode", node })),
    resultJson: "",
    requester: { nodeId: selfNodeId, door: "system", actor: "force-new-cluster" },
  };
}

function asWorker(node: Node): Node {
  const isWorker =
    node.role === "worker" && node.spec.Role === "worker" && node.manager === undefined;
  if (isWorker) return node;
  return { ...node, role: "worker", manager: undefined, spec: { ...node.spec, Role: "worker" } };
}

function asManager(node: Node): Node {
  if (node.role === "manager" && node.spec.Role === "manager") return node;
  return { ...node, role: "manager", spec: { ...node.spec, Role: "manager" } };
}
