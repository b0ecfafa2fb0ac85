import { type MembershipChange, RaftError, type RaftNode } from "raft-ts";
import { ApiError, type Clock } from "../base/index.js";
import { ProposeError } from "../store/index.js";
import { decodeContext, encodeContext } from "./leadership.js";
import type { Membership } from "./port.js";

/** A change waits for the one before it: at most one is in flight (contracts §1). */
export const CHANGE_BUDGET_MS = 20_000;
/** A learner that has not caught up by then stays a learner; joining again continues. */
export const CATCH_UP_MAX_MS = 40_000;
const POLL_MS = 50;

type NewMember = { readonly memberId: string; readonly nodeId: string; readonly addr: string };

/** The Raft group as control sees it. Changes work on the leader only and are safe to repeat. */
export class RaftMembership implements Membership {
  readonly #raft: RaftNode;
  readonly #clock: Clock;

  constructor(raft: RaftNode, clock: Clock) {
    this.#raft = raft;
    this.#clock = clock;
  }

  members() {
    return this.#raft.status().members.flatMap((member) => {
      const context = decodeContext(member.context);
      if (context === undefined) return [];
      return [{ memberId: member.id, ...context, isLearner: member.isLearner }];
    });
  }

  reachable(): ReadonlySet<string> {
    const { id, progress } = this.#raft.status();
    const active = [...progress].filter(([, peer]) => peer.recentlyActive).map(([peer]) => peer);
    return new Set([id, ...active]);
  }

  leaderMemberId(): string | undefined {
    return this.#raft.status().leader;
  }

  /** Rejects with ApiError (Unavailable: join again), or ProposeError NOT_LEADER when leadership moves meanwhile. */
  async add(member: NewMember): Promise<void> {
    const signal = this.#clock.timeout(CATCH_UP_MAX_MS);
    // A node that lost its log comes back under a new member id: the old one will never answer again.
    for (const old of this.members()) {
      if (old.nodeId === member.nodeId && old.memberId !== member.memberId)
        await this.remove(old.memberId);
    }
    const context = encodeContext(member);
    const known = this.members().find((m) => m.memberId === member.memberId);
    if (known === undefined)
      await this.#change({ kind: "addLearner", id: member.memberId, context }, signal);
    else if (known.addr !== member.addr)
      await this.#change({ kind: "update", id: member.memberId, context }, signal);
    if (known !== undefined && !known.isLearner) return;
    await this.#caughtUp(member, signal);
    await this.#change({ kind: "promote", id: member.memberId }, signal);
  }

  async remove(memberId: string): Promise<void> {
    if (!this.members().some((member) => member.memberId === memberId)) return;
    await this.#change({ kind: "remove", id: memberId }, this.#clock.timeout(CHANGE_BUDGET_MS));
  }

  /** Resolves once the learner has the leader's log as of this call. */
  async #caughtUp(member: NewMember, signal: AbortSignal): Promise<void> {
    const target = this.#raft.status().commit;
    for (;;) {
      const status = this.#raft.status();
      if (status.role !== "leader") throw notLeader();
      const progress = status.progress.get(member.memberId);
      if (progress !== undefined && progress.match >= target) return;
      if (signal.aborted) {
        throw new ApiError(
          "Unavailable",
          `node ${member.nodeId} at ${member.addr} did not receive the cluster's log within ` +
            `${CATCH_UP_MAX_MS / 1000} s; check that its port is reachable and join again`,
        );
      }
      await this.#clock.sleep(POLL_MS);
    }
  }

  async #change(change: MembershipChange, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#raft.changeMembership(change, signal);
        return;
      } catch (error) {
        if (this.#isDone(change)) return;
        if (!(error instanceof RaftError)) throw error;
        if (error.code === "NOT_LEADER" || error.code === "OUTCOME_UNKNOWN") throw notLeader(error);
        const isBusy = error.code === "MEMBERSHIP_REFUSED" || error.code === "OVERLOADED";
        if (!isBusy || signal.aborted) {
          throw new ApiError(
            "FailedPrecondition",
            `membership change (${change.kind} of member ${change.id}) refused: ${error.message}`,
            { cause: error },
          );
        }
        await this.#clock.sleep(POLL_MS);
      }
    }
  }

  /** A change whose answer was lost may have happened. */
  #isDone(change: MembershipChange): boolean {
    const member = this.#raft.status().members.find((m) => m.id === change.id);
    switch (change.kind) {
      case "addLearner":
        return member !== undefined;
      case "promote":
        return member !== undefined && !member.isLearner;
      case "update":
        return member !== undefined && Buffer.from(member.context).equals(change.context);
      case "remove":
        return member === undefined;
    }
  }
}

/** The operation goes on with whoever leads next: every step is safe to repeat. */
function notLeader(cause?: unknown): ProposeError {
  return new ProposeError("NOT_LEADER", "leadership moved during the membership change", { cause });
}
