/**
 * One leader after the other over one replicated store: leader loops, and what they propose on its way through a log. A leader that is
 * lost takes its memory along; each transaction it has in flight is committed before the next one starts, or never.
 */
import type { Change, Transaction } from "../api/index.js";
import { type Random, silentLogger, TaskGroup } from "../base/index.js";
import type { LeaderLoop } from "../manager/port.js";
import { type ClusterStore, LocalProposer, ProposeError, type Proposer } from "../store/index.js";
import type { FakeClock } from "./fake-clock.js";

const CHANGES_MAX = 10_000;
/** A disk at its usual pace. */
export const COMMIT_MAX_MS = 30;
const OVERLOADED_CHANCE = 0.05;

type Pending = { readonly run: () => void; readonly drop: () => void };
type Parts = {
  readonly clock: FakeClock;
  readonly store: ClusterStore;
  readonly random: Random;
  readonly loops: readonly { readonly name: string; readonly run: LeaderLoop }[];
  /** Proposals are refused now and then. */
  readonly isFaulty: () => boolean;
};

export class SimLeadership {
  readonly violations: string[] = [];
  /** Longest time that a commit takes: what a slow disk makes of it. */
  commitMaxMs = COMMIT_MAX_MS;
  /** Transactions proposed, by users and by leader loops. */
  proposedCount = 0;
  /** Called as a transaction is proposed, before it is on its way. */
  onPropose: () => void = () => undefined;
  readonly #parts: Parts;
  readonly #local: LocalProposer;
  readonly #pending = new Set<Pending>();
  #group: TaskGroup | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#local = new LocalProposer(parts.store);
  }

  get isLeading(): boolean {
    return this.#group !== undefined;
  }

  start(): void {
    const { loops, store, clock, random } = this.#parts;
    const group = new TaskGroup((name, error) =>
      this.violations.push(`the loop ${name} failed: ${String(error)}`),
    );
    this.#group = group;
    const { signal } = group;
    const proposer = this.#proposer();
    for (const loop of loops)
      group.run(loop.name, () =>
        loop.run({ store, proposer, clock, random, logger: silentLogger, signal }),
      );
  }

  /** `commits`: what becomes of the transactions in flight. */
  async stop(commits: () => boolean): Promise<void> {
    const group = this.#group;
    this.#group = undefined;
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const one of pending) {
      if (commits()) one.run();
      else one.drop();
    }
    await group?.[Symbol.asyncDispose]();
    for (const one of this.#pending) one.drop();
    this.#pending.clear();
  }

  /** Of whoever leads, for a user's operations; refuses while nobody does. */
  readonly userProposer: Proposer = {
    propose: (transaction) => {
      if (this.#group === undefined)
        return Promise.reject(new ProposeError("NOT_LEADER", "there is no leader"));
      this.proposedCount++;
      this.onPropose();
      return this.#propose(transaction);
    },
  };

  /** Past the leader and its disk. */
  commit(changes: readonly Change[]): void {
    this.#local
      .propose({
        requestId: "",
        atMs: this.#parts.clock.wallMs(),
        isClient: true,
        preconditions: [],
        changes,
        resultJson: "",
      })
      .catch((error: unknown) => this.violations.push(`not applied: ${String(error)}`));
  }

  #proposer(): Proposer {
    return {
      propose: (transaction) => {
        this.proposedCount++;
        this.onPropose();
        return this.#propose(transaction);
      },
    };
  }

  /** Takes a while, and fails now and then. */
  #propose(transaction: Transaction): ReturnType<Proposer["propose"]> {
    const { clock, random, isFaulty } = this.#parts;
    return new Promise((resolve, reject) => {
      if (transaction.changes.length > CHANGES_MAX)
        this.violations.push(`a transaction of ${transaction.changes.length} changes`);
      const pending: Pending = {
        run: () => {
          this.#local.propose(transaction).then(resolve, reject);
        },
        drop: () => {
          reject(new ProposeError("OUTCOME_UNKNOWN", "the leader was lost"));
        },
      };
      if (isFaulty() && random.float() < OVERLOADED_CHANCE) {
        reject(new ProposeError("OVERLOADED", "try again"));
        return;
      }
      this.#pending.add(pending);
      clock.setTimer(Math.floor(random.float() * this.commitMaxMs), () => {
        if (this.#pending.delete(pending)) pending.run();
      });
    });
  }
}
