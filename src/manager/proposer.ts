import { RaftError, type RaftNode } from "raft-ts";
import { type ApplyOutcome, encodeTransaction, type Transaction } from "../api/index.js";
import { invariant } from "../base/index.js";
import { ProposeError, type ProposeErrorCode, type Proposer } from "../store/index.js";

/** One transaction = one Raft entry. Resolves once it is on a quorum's disks and applied here. */
export class RaftProposer implements Proposer {
  readonly #raft: RaftNode;

  constructor(raft: RaftNode) {
    this.#raft = raft;
  }

  async propose(
    transaction: Transaction,
    signal?: AbortSignal,
  ): Promise<{ readonly index: number; readonly resultJson: string }> {
    const outcome = await this.#commit(encodeTransaction(transaction), signal);
    if (outcome.kind === "rejected") {
      throw new ProposeError(
        "REJECTED",
        `transaction ${outcome.index} rejected: ${outcome.rejection.code}`,
        { rejection: outcome.rejection },
      );
    }
    return { index: outcome.index, resultJson: outcome.resultJson };
  }

  async #commit(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<ApplyOutcome> {
    try {
      const { result } = await this.#raft.propose(bytes, signal);
      invariant(isOutcome(result), "the store answers every entry with an outcome");
      return result;
    } catch (error) {
      if (error instanceof RaftError)
        throw new ProposeError(PROPOSE_CODE[error.code], error.message, { cause: error });
      // Aborted while it was under way: the entry may still commit.
      if (signal?.aborted) {
        throw new ProposeError("OUTCOME_UNKNOWN", "given up while it was being committed", {
          cause: error,
        });
      }
      throw error;
    }
  }
}

const PROPOSE_CODE = {
  NOT_LEADER: "NOT_LEADER",
  OUTCOME_UNKNOWN: "OUTCOME_UNKNOWN",
  OVERLOADED: "OVERLOADED",
  TOO_LARGE: "TOO_LARGE",
  TIMEOUT: "OUTCOME_UNKNOWN",
  MEMBERSHIP_REFUSED: "STOPPED",
  REMOVED: "STOPPED",
  STOPPED: "STOPPED",
  DISK_FAILED: "STOPPED",
  DAMAGED: "STOPPED",
  KEY_MISSING: "STOPPED",
} as const satisfies Record<RaftError["code"], ProposeErrorCode>;

function isOutcome(value: unknown): value is ApplyOutcome {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    (value.kind === "applied" || value.kind === "rejected")
  );
}
