/** Whose Raft messages are taken. Pure. */

export type StreamClaim = {
  readonly fromMember: string;
  readonly toMember: string;
  /** Verified node id of the caller, a manager of this cluster by its certificate. */
  readonly nodeId: string;
};

export type GroupView = {
  readonly selfMemberId: string;
  /** Current members as this node knows them; empty while it is joining. */
  readonly members: readonly { readonly memberId: string; readonly nodeId: string }[];
  /** Members that this process saw removed. */
  readonly removed: ReadonlySet<string>;
};

export type StreamDecision =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly reason: "wrong address" | "wrong node" | "removed" }
  /**
   * Not a member as far as this node knows, which may have been away while it was added: refusing it could cut this node off
   * from the one that has the log. A read barrier tells: when that succeeds and the member is still unknown, it is none.
   */
  | { readonly kind: "unknown" };

export function checkStream(claim: StreamClaim, group: GroupView): StreamDecision {
  if (claim.toMember !== group.selfMemberId) return { kind: "refused", reason: "wrong address" };
  const member = group.members.find((m) => m.memberId === claim.fromMember);
  if (member !== undefined) {
    return member.nodeId === claim.nodeId
      ? { kind: "accepted" }
      : { kind: "refused", reason: "wrong node" };
  }
  if (group.removed.has(claim.fromMember)) return { kind: "refused", reason: "removed" };
  // A joining node has no members: whoever the leader is, it introduces itself.
  return group.members.length === 0 ? { kind: "accepted" } : { kind: "unknown" };
}
