/**
 * Disaster recovery: what a member's stored state becomes when the others are lost for good and it goes on as the only one of its
 * group. Nobody agrees to it, so it is for an operator to decide; that is why no message and no timer leads here.
 */
import { indexPlus, toTerm } from "../ids.js";
import type { LogIndex, Member, MemberId } from "../types.js";
import type { Entry, Membership } from "./entry.js";
import { applyChange, findMember, isRemoved, isVoter, voterIds } from "./membership.js";
import type { StoredState } from "./raft-core.js";
import type { CoreConfig } from "./state.js";

/**
 * Empty entries that follow. The lost members may have committed entries that this one never saw, and indexes of those were given
 * out, as versions of objects and of what was sent. The log leaps over them, so that no number means two things.
 */
export const LEAP_ENTRIES = 10_000;

export type Alone =
  /** It is the group's only member already: nothing is to be changed. */
  | { readonly kind: "unchanged" }
  /** It never was a whole member: its log is nothing to go on with. */
  | { readonly kind: "refused"; readonly why: string }
  | {
      readonly kind: "rewritten";
      readonly stored: StoredState;
      /** To be written in one piece with `stored.hardState`; they replace whatever follows the last committed entry. */
      readonly added: readonly Entry[];
      readonly lost: readonly Member[];
      /** Entries that this member had and did not know to be committed. */
      readonly droppedCount: number;
    };

/**
 * The removal of all others, committed in a term of this member's own, after everything it knows to be committed. Former members
 * are remembered, so that they are told when they come back.
 */
export function continueAlone(
  stored: StoredState,
  id: MemberId,
  codec: Pick<CoreConfig, "encodeChange" | "decodeChange">,
): Alone {
  const { membership, commit } = committedPart(stored, id, codec);
  const why = refusal(membership, id);
  if (why !== undefined) return { kind: "refused", why };
  const lost = membership.members.filter((member) => member.id !== id);
  if (lost.length === 0) return { kind: "unchanged" };

  const term = toTerm(stored.hardState.term + 1);
  const last = indexPlus(stored.base, stored.entries.length);
  const added: Entry[] = lost.map((member, at) => {
    const data = codec.encodeChange({ kind: "remove", id: member.id });
    return { index: indexPlus(commit, at + 1), term, kind: "membership", data };
  });
  for (let i = indexPlus(commit, lost.length + 1); i <= last + LEAP_ENTRIES; i = indexPlus(i, 1))
    added.push({ index: i, term, kind: "empty", data: new Uint8Array(0) });
  const kept = stored.entries.filter((entry) => entry.index <= commit);
  const end = indexPlus(commit, added.length);
  return {
    kind: "rewritten",
    stored: {
      ...stored,
      entries: [...kept, ...added],
      hardState: { term, vote: id, commit: end },
    },
    added,
    lost,
    droppedCount: last - commit,
  };
}

function committedPart(
  { snapshot, entries, hardState }: StoredState,
  id: MemberId,
  codec: Pick<CoreConfig, "decodeChange">,
): { readonly membership: Membership; readonly commit: LogIndex } {
  let { membership } = snapshot;
  let commit = snapshot.index;
  for (const entry of entries) {
    if (entry.index <= snapshot.index) continue;
    // What the only voter has on its disk is committed, whether or not that was written down.
    const isOnlyVoter = isVoter(membership, id) && voterIds(membership).length === 1;
    if (entry.index > hardState.commit && !isOnlyVoter) break;
    commit = entry.index;
    if (entry.kind === "membership")
      membership = applyChange(membership, codec.decodeChange(entry.data));
  }
  return { membership, commit };
}

function refusal(membership: Membership, id: MemberId): string | undefined {
  if (isRemoved(membership, id)) return "it was removed from the group";
  const own = findMember(membership, id);
  if (own === undefined) return "it has not received the group's log yet";
  return own.isLearner
    ? "it was still receiving the group's log when the others were lost"
    : undefined;
}
