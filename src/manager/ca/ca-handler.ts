/** The control operation `ca.issue`: admits new nodes by token and renews the certificates of known ones. Leader only. */
import type { Cluster, Node, Operation, ResultOf, Transaction } from "../../api/index.js";
import { ApiError, type Clock, type Random } from "../../base/index.js";
import { ProposeError, type Proposer, type StoreView } from "../../store/index.js";
import { signCertificate } from "./issue.js";
import { roleOfToken } from "./join-token.js";
import { NodeIndexes } from "./node-indexes.js";

export type IssueOperation = Extract<Operation, { kind: "ca.issue" }>;
export type IssueOutcome = { readonly index: number; readonly result: ResultOf<"ca.issue"> };
export type IssueCall = { readonly requestId: string; readonly signal?: AbortSignal };
/**
 * Rejects with ApiError: InvalidArgument (bad token or request), PermissionDenied (removed node), FailedPrecondition
 * (no cluster yet); ProposeError passes through, as from every operation.
 */
export type CaHandler = (operation: IssueOperation, call: IssueCall) => Promise<IssueOutcome>;

/** A certificate takes about 10 ms of a core: more requests than this at once are asked to come again. */
export const CONCURRENT_ISSUES_MAX = 256;

export function createCaHandler(parts: {
  readonly store: StoreView;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly random: Random;
}): CaHandler {
  const indexes = new NodeIndexes();
  let inFlightCount = 0;
  return async (operation, call) => {
    if (inFlightCount >= CONCURRENT_ISSUES_MAX) {
      throw new ApiError("ResourceExhausted", "too many nodes ask for certificates; try again");
    }
    inFlightCount += 1;
    try {
      const cluster = parts.store.cluster();
      if (cluster === undefined)
        throw new ApiError("FailedPrecondition", "the cluster has not been created yet");
      return operation.nodeId === ""
        ? await admit(parts, indexes, cluster, operation, call)
        : await renew(parts, cluster, operation);
    } finally {
      inFlightCount -= 1;
    }
  };
}

type Parts = Parameters<typeof createCaHandler>[0];

async function admit(
  parts: Parts,
  indexes: NodeIndexes,
  cluster: Cluster,
  operation: IssueOperation,
  call: IssueCall,
): Promise<IssueOutcome> {
  const role = roleOfToken(cluster.joinTokens, operation.token);
  if (role === undefined) {
    throw new ApiError(
      "InvalidArgument",
      "A valid join token is necessary to join this cluster: this one is unknown or was rotated; " +
        'show the current one with "swarm join-token worker" or "swarm join-token manager" on a manager',
    );
  }
  const first = call.requestId === "" ? undefined : parts.store.storedResult(call.requestId);
  if (first !== undefined) return parseOutcome(first);

  const nodeId = operation.newNodeId;
  const certificatePem = await issue(parts, cluster, operation.csrPem, nodeId, role);
  const result: ResultOf<"ca.issue"> = {
    nodeId,
    role,
    certificatePem,
    rootBundlePem: cluster.rootCertPem,
  };
  const nodeIndex = indexes.take(parts.store.nodes());
  try {
    const committed = await parts.proposer.propose(
      admission(
        parts.clock.wallMs(),
        call.requestId,
        newNode(nodeId, role, nodeIndex, operation),
        result,
      ),
      call.signal,
    );
    indexes.release(nodeIndex);
    return parseOutcome(committed);
  } catch (error) {
    // An unknown outcome may still put the node there with this number: it stays taken until the next leader looks.
    const isUnknown = error instanceof ProposeError && error.code === "OUTCOME_UNKNOWN";
    if (!isUnknown) indexes.release(nodeIndex);
    throw error;
  }
}

async function renew(
  parts: Parts,
  cluster: Cluster,
  operation: IssueOperation,
): Promise<IssueOutcome> {
  const { nodeId } = operation;
  const node = parts.store.node(nodeId);
  const isDenied = cluster.deniedNodes.some((denied) => denied.nodeId === nodeId);
  if (node === undefined || isDenied) {
    throw new ApiError("PermissionDenied", `node ${nodeId} was removed from the swarm`);
  }
  const certificatePem = await issue(parts, cluster, operation.csrPem, nodeId, node.role);
  return {
    index: parts.store.index,
    result: { nodeId, role: node.role, certificatePem, rootBundlePem: cluster.rootCertPem },
  };
}

function issue(
  parts: Parts,
  cluster: Cluster,
  csrPem: string,
  nodeId: string,
  role: Node["role"],
): Promise<string> {
  return signCertificate({
    root: { certificatePem: cluster.rootCertPem, privateKeyPem: cluster.rootKeyPem },
    csrPem,
    nodeId,
    clusterId: cluster.id,
    role,
    nowMs: parts.clock.wallMs(),
    nodeCertExpiryNs: cluster.spec.CAConfig.NodeCertExpiry,
    random: parts.random,
  });
}

function newNode(
  nodeId: string,
  role: Node["role"],
  nodeIndex: number,
  operation: IssueOperation,
): Node {
  return {
    id: nodeId,
    versionIndex: 0,
    clientIndex: 0,
    createdAtMs: 0,
    updatedAtMs: 0,
    spec: { Labels: {}, Role: role, Availability: operation.availability },
    role,
    description: undefined,
    state: "unknown",
    stateMessage: "",
    addr: "",
    manager: undefined,
    nodeIndex,
    bootId: "",
    downSinceMs: 0,
    drainSinceMs: 0,
  };
}

function admission(
  atMs: number,
  requestId: string,
  node: Node,
  result: ResultOf<"ca.issue">,
): Transaction {
  return {
    requestId,
    atMs,
    isClient: true,
    preconditions: [{ kind: "absent", table: "node", id: node.id }],
    changes: [{ kind: "putNode", node }],
    resultJson: JSON.stringify(result),
    requester: { nodeId: node.id, door: "node", actor: "ca.issue" },
  };
}

/** What is stored under a requestId was written by `admission`: its form is ours. */
function parseOutcome(stored: {
  readonly index: number;
  readonly resultJson: string;
}): IssueOutcome {
  return { index: stored.index, result: JSON.parse(stored.resultJson) as ResultOf<"ca.issue"> };
}
