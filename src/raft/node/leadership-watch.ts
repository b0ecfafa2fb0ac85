import type { RaftCore } from "../core/raft-core.js";
import type { LogIndex, MemberId, RaftEvent, Term } from "../types.js";

/** Turns the core's state into `leadership` events and the time without a leader. */
export class LeadershipWatch {
  #leader: MemberId | undefined;
  #term: Term | undefined;
  #isLeader = false;
  #leaderlessSinceMs: number | undefined;

  constructor(nowMs: number) {
    this.#leaderlessSinceMs = nowMs;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  leaderlessMs(nowMs: number): number {
    return this.#leaderlessSinceMs === undefined ? 0 : nowMs - this.#leaderlessSinceMs;
  }

  /**
   * Called after every change; returns the event to publish, if any. This node counts as leader only once
   * it has applied the entry that began its term, hence everything that was acknowledged before.
   */
  observe(core: RaftCore, applied: LogIndex, nowMs: number): RaftEvent | undefined {
    if (core.leader !== undefined) this.#leaderlessSinceMs = undefined;
    else this.#leaderlessSinceMs ??= nowMs;
    const start = core.termStartIndex;
    const isLeader = start !== undefined && applied >= start;
    const { leader, term } = core;
    if (leader === this.#leader && term === this.#term && isLeader === this.#isLeader)
      return undefined;
    this.#leader = leader;
    this.#term = term;
    this.#isLeader = isLeader;
    return { kind: "leadership", isLeader, leader, term };
  }
}
