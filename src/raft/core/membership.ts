import type { Member, MemberId, MembershipChange } from "../types.js";
import type { Membership } from "./entry.js";

/** Former members remembered for "removed" notices; the oldest is forgotten first. */
export const REMOVED_MAX = 512;
export const MEMBER_ID_MAX_CHARS = 64;
export const MEMBER_CONTEXT_MAX_BYTES = 4096;

/** A change as logged. `bootstrap` is the first entry of a group: its only voter. */
export type LoggedChange =
  | MembershipChange
  | { readonly kind: "bootstrap"; readonly id: MemberId; readonly context: Uint8Array };

export const EMPTY_MEMBERSHIP: Membership = { members: [], removed: [] };

export function findMember(membership: Membership, id: MemberId): Member | undefined {
  return membership.members.find((member) => member.id === id);
}

export function isVoter(membership: Membership, id: MemberId): boolean {
  return membership.members.some((member) => member.id === id && !member.isLearner);
}

export function isRemoved(membership: Membership, id: MemberId): boolean {
  return membership.removed.some((member) => member.id === id);
}

export function voterIds(membership: Membership): MemberId[] {
  return membership.members.filter((member) => !member.isLearner).map((member) => member.id);
}

export function quorumOf(voterCount: number): number {
  return Math.floor(voterCount / 2) + 1;
}

/**
 * Why the change makes no sense for this membership, or undefined. The leader asks before it logs the change;
 * it never logs two at once, so the answer still holds when the entry commits.
 */
export function membershipObjection(
  membership: Membership,
  change: LoggedChange,
): string | undefined {
  const known = findMember(membership, change.id);
  if (change.id.length === 0 || change.id.length > MEMBER_ID_MAX_CHARS) return "bad member id";
  if ("context" in change && change.context.length > MEMBER_CONTEXT_MAX_BYTES)
    return "context too large";
  switch (change.kind) {
    case "bootstrap":
      return membership.members.length === 0 ? undefined : "the group exists";
    case "addLearner":
      if (isRemoved(membership, change.id)) return `${change.id} was removed and cannot return`;
      return known === undefined ? undefined : `${change.id} is a member`;
    case "promote":
      if (known === undefined) return `${change.id} is not a member`;
      return known.isLearner ? undefined : `${change.id} is a voter`;
    case "update":
      return known === undefined ? `${change.id} is not a member` : undefined;
    case "remove":
      if (known === undefined) return `${change.id} is not a member`;
      return known.isLearner || voterIds(membership).length > 1
        ? undefined
        : `${change.id} is the last voter`;
  }
}

/** The membership after the change; unchanged if it makes no sense (the same on every replica). */
export function applyChange(membership: Membership, change: LoggedChange): Membership {
  if (membershipObjection(membership, change) !== undefined) return membership;
  const others = membership.members.filter((member) => member.id !== change.id);
  const known = findMember(membership, change.id);
  switch (change.kind) {
    case "bootstrap":
      return {
        ...membership,
        members: [{ id: change.id, context: change.context, isLearner: false }],
      };
    case "addLearner":
      return withMember(membership, others, {
        id: change.id,
        context: change.context,
        isLearner: true,
      });
    case "promote":
      return known === undefined
        ? membership
        : withMember(membership, others, { ...known, isLearner: false });
    case "update":
      return known === undefined
        ? membership
        : withMember(membership, others, { ...known, context: change.context });
    case "remove":
      return {
        members: others,
        removed:
          known === undefined
            ? membership.removed
            : [...membership.removed, known].slice(-REMOVED_MAX),
      };
  }
}

function withMember(membership: Membership, others: readonly Member[], member: Member): Membership {
  const members = [...others, member].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { ...membership, members };
}
