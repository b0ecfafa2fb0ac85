/** Who may call what. Pure: one table, deny by default (contracts §3). */
import type { Cluster, Node, NodeRole } from "../../api/index.js";

/** What a verified client certificate says. Undefined peer: no certificate, or one that does not verify (expired, not valid yet, of another CA). */
export type Peer = {
  readonly nodeId: string;
  readonly clusterId: string;
  /** From the OU. */
  readonly role: NodeRole;
};

export type MethodAccess =
  /** No certificate needed; one that is there is still checked by the handler before it is used. */
  | { readonly certificate: "optional" }
  /**
   * A certificate of this cluster with one of these OUs. `store: "manager"`: the node's stored role must be manager too;
   * "node": it must be a known node; "handler": the method looks at the store itself, because its answer depends on it.
   */
  | {
      readonly certificate: "required";
      readonly ou: readonly NodeRole[];
      readonly store: "node" | "manager" | "handler";
    };

const ANY_NODE: readonly NodeRole[] = ["worker", "manager"];
const MANAGER_ONLY: readonly NodeRole[] = ["manager"];

/** Every method served on 2377. What is not here is refused. */
export const METHOD_ACCESS: ReadonlyMap<string, MethodAccess> = new Map<string, MethodAccess>([
  ["/swarm.ca.Ca/GetRoot", { certificate: "optional" }],
  ["/swarm.ca.Ca/Issue", { certificate: "optional" }],
  // A removed node must be told "Removed" and a demoted one its new role, so the session decides by itself.
  [
    "/swarm.dispatcher.Dispatcher/Session",
    { certificate: "required", ou: ANY_NODE, store: "handler" },
  ],
  [
    "/swarm.dispatcher.Dispatcher/Connect",
    { certificate: "required", ou: ANY_NODE, store: "node" },
  ],
  [
    "/swarm.dispatcher.Dispatcher/Disconnect",
    { certificate: "required", ou: ANY_NODE, store: "node" },
  ],
  ["/swarm.tunnel.Tunnel/Open", { certificate: "required", ou: ANY_NODE, store: "node" }],
  [
    "/swarm.control.Control/Submit",
    { certificate: "required", ou: MANAGER_ONLY, store: "manager" },
  ],
  [
    "/swarm.control.Control/RequestTunnel",
    { certificate: "required", ou: MANAGER_ONLY, store: "manager" },
  ],
  [
    "/swarm.control.Control/NodeUsages",
    { certificate: "required", ou: MANAGER_ONLY, store: "manager" },
  ],
  [
    "/swarm.control.Control/ReadJournal",
    { certificate: "required", ou: MANAGER_ONLY, store: "manager" },
  ],
  // A manager that is just joining has an empty store: the stream checks Raft's own member list.
  ["/swarm.control.Raft/Stream", { certificate: "required", ou: MANAGER_ONLY, store: "handler" }],
]);

/** The part of the store that decides. */
export type AuthView = {
  cluster(): Cluster | undefined;
  node(id: string): Node | undefined;
};

export type AuthDecision =
  | { readonly kind: "allowed" }
  /** `mayBeStale`: this manager's store could simply lag; look again after a read barrier. */
  | { readonly kind: "refused"; readonly reason: string; readonly mayBeStale: boolean };

/** TLS tells these apart from a verified certificate only, not from each other. */
export const NO_VALID_CERTIFICATE =
  "a certificate of this cluster is required: none came, or one that has expired, is not valid yet, or was signed by another CA; " +
  "if this is a node of the cluster, check its clock and its certificate";

const ALLOWED: AuthDecision = { kind: "allowed" };

export function authorize(
  path: string,
  peer: Peer | undefined,
  clusterId: string,
  view: AuthView,
): AuthDecision {
  const access = METHOD_ACCESS.get(path);
  if (access === undefined) return refused(`method ${path} is not served`);
  if (access.certificate === "optional") return ALLOWED;
  if (peer === undefined) return refused(NO_VALID_CERTIFICATE);
  if (peer.clusterId !== clusterId)
    return refused(`the certificate belongs to another cluster: ${peer.clusterId}`);
  if (!access.ou.includes(peer.role))
    return refused(`the certificate of node ${peer.nodeId} is for role ${peer.role}`);
  if (access.store === "handler") return ALLOWED;
  return standing(peer.nodeId, access.store, view);
}

/** The node's place in the cluster by the store: unknown, removed and deny-listed nodes have none. */
export function standing(nodeId: string, wanted: "node" | "manager", view: AuthView): AuthDecision {
  if (isDenied(nodeId, view)) return refused(`node ${nodeId} was removed from the cluster`);
  const node = view.node(nodeId);
  if (node === undefined)
    return { kind: "refused", reason: `node ${nodeId} is unknown`, mayBeStale: true };
  if (wanted === "manager" && node.role !== "manager")
    return { kind: "refused", reason: `node ${nodeId} is not a manager`, mayBeStale: true };
  return ALLOWED;
}

/** Whether the node was removed and its certificate may still be valid. */
export function isDenied(nodeId: string, view: AuthView): boolean {
  return view.cluster()?.deniedNodes.some((denied) => denied.nodeId === nodeId) ?? false;
}

/** Reads the subject of a verified certificate: O = cluster, OU = role, CN = node id. */
export function peerOfSubject(subject: unknown): Peer | undefined {
  if (typeof subject !== "object" || subject === null) return undefined;
  const { O: clusterId, OU: ou, CN: nodeId } = subject as Record<"O" | "OU" | "CN", unknown>;
  const role = ou === "swarm-manager" ? "manager" : ou === "swarm-worker" ? "worker" : undefined;
  if (typeof clusterId !== "string" || typeof nodeId !== "string" || role === undefined)
    return undefined;
  return { nodeId, clusterId, role };
}

function refused(reason: string): AuthDecision {
  return { kind: "refused", reason, mayBeStale: false };
}
