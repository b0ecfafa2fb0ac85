/** The operations `raft.join` and `raft.leave`: leader only, each step safe to repeat. */
import type { Operation, ResultOf } from "../api/index.js";
import { ApiError, type Clock } from "../base/index.js";
import { ProposeError, type Proposer, type Store } from "../store/index.js";
import type { Membership } from "./port.js";

/** How long the leader tries to reach a new manager's address (spec §5.4). */
export const REACHABILITY_CHECK_MS = 5000;

type Join = Extract<Operation, { kind: "raft.join" }>;
type Leave = Extract<Operation, { kind: "raft.leave" }>;
type Call = { readonly callerNodeId: string; readonly signal: AbortSignal };
type Parts = {
  readonly membership: Membership;
  readonly store: Store;
  readonly proposer: Proposer;
  readonly clock: Clock;
  readonly selfMemberId: string;
  /** Hands leadership to another member. */
  readonly handOver: (signal: AbortSignal) => Promise<void>;
  /** Resolves when a manager of this cluster answers at the address; rejects otherwise. */
  readonly probe: (addr: string, timeoutMs: number, signal: AbortSignal) => Promise<void>;
};

export type RaftHandlers = {
  readonly "raft.join": (
    operation: Join,
    call: Call,
  ) => Promise<{ readonly index: number; readonly result: ResultOf<"raft.join"> }>;
  readonly "raft.leave": (
    operation: Leave,
    call: Call,
  ) => Promise<{ readonly index: number; readonly result: ResultOf<"raft.leave"> }>;
};

export function createRaftHandlers(parts: Parts): RaftHandlers {
  return {
    "raft.join": (operation, call) => join(parts, operation, call),
    "raft.leave": (operation, call) => leave(parts, operation, call),
  };
}

async function join(
  { membership, store, proposer, clock, probe }: Parts,
  operation: Join,
  call: Call,
): Promise<{ readonly index: number; readonly result: ResultOf<"raft.join"> }> {
  const { nodeId, memberId, addr } = operation;
  onlyItself("raft.join", nodeId, call);
  if (memberId === "" || memberId.length > 64)
    throw new ApiError("InvalidArgument", `raft.join: field memberId is malformed: ${memberId}`);
  const node = store.node(nodeId);
  if (node === undefined) throw new ApiError("NotFound", `node ${nodeId} is not in the cluster`);
  if (node.role !== "manager" || node.spec.Role !== "manager") {
    throw new ApiError(
      "FailedPrecondition",
      `node ${nodeId} is not a manager; promote it first ("docker node promote ${nodeId}")`,
    );
  }
  if (/^(0\.0\.0\.0|\[?::\]?):/.test(addr)) {
    throw new ApiError(
      "InvalidArgument",
      `a manager needs an address that others can reach, not ${addr}; set --advertise-addr`,
    );
  }
  try {
    await probe(addr, REACHABILITY_CHECK_MS, call.signal);
  } catch (error) {
    throw new ApiError(
      "FailedPrecondition",
      `could not connect to the prospective manager at ${addr} within ${REACHABILITY_CHECK_MS / 1000} s; ` +
        "check its --advertise-addr and firewall (port 2377/tcp)",
      { cause: error },
    );
  }
  await membership.add({ memberId, nodeId, addr });
  const { index } = await proposer.propose({
    requestId: "",
    atMs: clock.wallMs(),
    isClient: false,
    preconditions: [{ kind: "exists", table: "node", id: nodeId }],
    changes: [{ kind: "nodeRole", nodeId, manager: { memberId, addr } }],
    resultJson: "",
    requester: { nodeId, door: "node", actor: operation.kind },
  });
  const members = membership.members().map((m) => ({
    memberId: m.memberId,
    nodeId: m.nodeId,
    addr: m.addr,
  }));
  return { index, result: { members } };
}

/** `leave --force` on a manager: it asks to be removed before it stops, while there is a quorum to do so. */
async function leave(
  { membership, store, proposer, clock, selfMemberId, handOver }: Parts,
  operation: Leave,
  call: Call,
): Promise<{ readonly index: number; readonly result: ResultOf<"raft.leave"> }> {
  const { nodeId } = operation;
  onlyItself("raft.leave", nodeId, call);
  const members = membership.members();
  const own = members.filter((member) => member.nodeId === nodeId);
  if (own.length > 0 && members.length === own.length) {
    throw new ApiError(
      "FailedPrecondition",
      "attempting to remove the last manager of the swarm: leaving ends the cluster",
    );
  }
  if (own.some((member) => member.memberId === selfMemberId)) {
    await handOver(call.signal);
    throw new ProposeError("NOT_LEADER", "leadership was handed over; the next leader goes on");
  }
  for (const member of own) await membership.remove(member.memberId);
  if (store.node(nodeId)?.manager === undefined) return { index: store.index, result: {} };
  const { index } = await proposer.propose({
    requestId: "",
    atMs: clock.wallMs(),
    isClient: false,
    preconditions: [],
    changes: [{ kind: "nodeRole", nodeId, manager: null }],
    resultJson: "",
    requester: { nodeId, door: "node", actor: operation.kind },
  });
  return { index, result: {} };
}

/** Membership is a matter between a node and the leader: no other node may ask for it. */
function onlyItself(kind: string, nodeId: string, call: Call): void {
  if (call.callerNodeId !== "" && call.callerNodeId !== nodeId) {
    throw new ApiError(
      "PermissionDenied",
      `${kind}: node ${call.callerNodeId} cannot ask for node ${nodeId}`,
    );
  }
}
