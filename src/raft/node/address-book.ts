import type { Membership } from "../core/entry.js";
import { findMember } from "../core/membership.js";
import type { Member, MemberId } from "../types.js";

const NO_CONTEXT = new Uint8Array(0);
/** Senders remembered before the membership names them. */
const HINTS_MAX = 64;

/** Finds the Member to send to: a current one, a former one, or one that introduced itself by a message. */
export class AddressBook {
  readonly #hints = new Map<MemberId, Member>();

  /** A leader introduces itself to a member that does not know the group yet. */
  introduce(id: MemberId, context: Uint8Array): void {
    if (context.length === 0 || this.#hints.size >= HINTS_MAX) return;
    this.#hints.set(id, { id, context: context.slice(), isLearner: false });
  }

  find(id: MemberId, membership: Membership): Member {
    return (
      findMember(membership, id) ??
      this.#hints.get(id) ??
      membership.removed.find((member) => member.id === id) ?? {
        id,
        context: NO_CONTEXT,
        isLearner: false,
      }
    );
  }
}
