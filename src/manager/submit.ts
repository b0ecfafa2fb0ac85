/** Reads and writes of the cluster as any manager offers them (contracts §2). */
import type { Operation, OperationKind, ResultOf } from "../api/index.js";
import { ApiError, type Clock, newId, type Random } from "../base/index.js";
import { ProposeError, type Store, type StoreView } from "../store/index.js";
import type { OperationCall, OperationExecutor } from "./port.js";
import { RpcError } from "./rpc/index.js";

/** What a manager call may take in all (spec §1.3). */
export const BUDGET_MS = 20_000;
/** A forward without an answer for this long (the longest election timeout) is abandoned and tried again. */
export const REPLY_TIMEOUT_MS = 1200;
/** Reachability check, catching up and promotion of a new member take their time. */
export const JOIN_REPLY_TIMEOUT_MS = 60_000;
/** Pause before the next attempt when nothing tells that it will go better; a change of leader ends it early. */
export const RETRY_PAUSE_MS = 100;

export const NO_LEADER_TEXT =
  "The swarm does not have a leader. It's possible that too few managers are online. " +
  "Make sure more than half of the managers are online.";

export const OVER_TEXT =
  "This node is not a swarm manager any more. Run the command on a manager, or promote this node.";

/** What the leader's Submit answers. */
export type ForwardReply =
  | { readonly kind: "done"; readonly index: number; readonly resultJson: string }
  | { readonly kind: "failed"; readonly error: ApiError }
  | { readonly kind: "notLeader"; readonly leaderAddr: string };

/** The rest of the manager, as this file needs it. */
export type SubmitPort = {
  readonly isLeader: boolean;
  readonly term: number;
  /** No leader known for more than a second. */
  readonly isLeaderless: boolean;
  /** This manager has stopped taking part: it was removed, demoted or is ending. */
  readonly isOver: boolean;
  leader(): { readonly nodeId: string; readonly addr: string } | undefined;
  subscribe(listener: () => void): () => void;
  /** Linearizable read point; rejects without a leader. */
  readBarrier(signal: AbortSignal): Promise<unknown>;
  /** Rejects with RpcError. */
  forward(
    addr: string,
    operation: Operation,
    call: {
      readonly requestId: string;
      readonly timeoutMs: number;
      readonly signal: AbortSignal;
      readonly client: string;
    },
  ): Promise<ForwardReply>;
};

export class Submitter {
  readonly #port: SubmitPort;
  readonly #nodeId: string;
  readonly #executor: OperationExecutor;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(parts: {
    /** Of this manager: who asks, as far as the journal is concerned. */
    readonly nodeId: string;
    readonly port: SubmitPort;
    readonly executor: OperationExecutor;
    readonly store: Store;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.#nodeId = parts.nodeId;
    this.#port = parts.port;
    this.#executor = parts.executor;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  /** Resolves when the local store has reached a point no older than the call. */
  read(signal?: AbortSignal): Promise<StoreView> {
    return this.#withinBudget(signal, async (attempt) => {
      try {
        await this.#port.readBarrier(attempt);
        return { value: this.#store };
      } catch (error) {
        if (signal?.aborted) throw cancelled(error);
        return "again";
      }
    });
  }

  /** Exactly once: every attempt carries the same requestId. `client` is what the caller at this manager's door calls itself. One
   * who may ask several managers gives a `requestId` of its own. */
  submit<K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    signal?: AbortSignal,
    client = "",
    requestId = newId(this.#random),
  ): Promise<ResultOf<K>> {
    const kind: OperationKind = operation.kind;
    const isLong = kind === "raft.join";
    return this.#withinBudget(
      signal,
      async (attempt): Promise<Attempt<ResultOf<K>>> =>
        this.#port.isLeader
          ? this.#runHere<K>(operation, {
              requestId,
              callerNodeId: "",
              signal: attempt,
              requester: { nodeId: this.#nodeId, door: "rest", actor: client },
            })
          : this.#runThere<K>(operation, { requestId, client, isLong }, attempt),
      isLong ? JOIN_REPLY_TIMEOUT_MS : BUDGET_MS,
    );
  }

  async #runHere<K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    call: OperationCall,
  ): Promise<Attempt<ResultOf<K>>> {
    try {
      const { result } = await this.#executor.execute<K>(operation, call);
      return { value: result };
    } catch (error) {
      if (mayBeRetried(error)) return "again";
      throw asApiError(error);
    }
  }

  async #runThere<K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    call: { readonly requestId: string; readonly client: string; readonly isLong: boolean },
    attempt: AbortSignal,
  ): Promise<Attempt<ResultOf<K>>> {
    const { requestId, client, isLong } = call;
    const leader = this.#port.leader();
    if (leader === undefined) return "again";
    // A new term means that the leader we ask may be none any more: its answer could take for ever.
    const newTerm = new AbortController();
    const term = this.#port.term;
    const unsubscribe = this.#port.subscribe(() => {
      if (this.#port.term !== term) newTerm.abort(new Error("a new term has begun"));
    });
    try {
      const reply = await this.#port.forward(leader.addr, operation, {
        requestId,
        client,
        timeoutMs: isLong ? JOIN_REPLY_TIMEOUT_MS : REPLY_TIMEOUT_MS,
        signal: AbortSignal.any([attempt, newTerm.signal]),
      });
      if (reply.kind === "notLeader") return "again";
      if (reply.kind === "failed") throw reply.error;
      await applied(this.#store, reply.index, attempt);
      // The leader runs the same program and answers this kind with this result.
      return { value: JSON.parse(reply.resultJson) as ResultOf<K> };
    } catch (error) {
      if (error instanceof RpcError && error.isTransport) return "again";
      throw asApiError(error);
    } finally {
      unsubscribe();
    }
  }

  async #withinBudget<T>(
    signal: AbortSignal | undefined,
    attempt: (signal: AbortSignal) => Promise<Attempt<T>>,
    budgetMs: number = BUDGET_MS,
  ): Promise<T> {
    const budget = new AbortController();
    const stopTimer = this.#clock.setTimer(budgetMs, () => {
      budget.abort(new Error(`no answer within ${budgetMs} ms`));
    });
    const both = signal === undefined ? budget.signal : AbortSignal.any([signal, budget.signal]);
    try {
      for (;;) {
        if (signal?.aborted) throw cancelled(signal.reason);
        if (budget.signal.aborted)
          throw new ApiError("DeadlineExceeded", "context deadline exceeded");
        if (this.#port.isOver) throw new ApiError("Unavailable", OVER_TEXT);
        if (this.#port.isLeaderless) throw new ApiError("Unknown", NO_LEADER_TEXT);
        const outcome = await attempt(both);
        if (outcome !== "again") return outcome.value;
        await this.#pause(both);
      }
    } finally {
      stopTimer();
    }
  }

  /** Waits a little, or until leader or term change. */
  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stopTimer();
        unsubscribe();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const stopTimer = this.#clock.setTimer(RETRY_PAUSE_MS, done);
      const unsubscribe = this.#port.subscribe(done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }
}

type Attempt<T> = "again" | { readonly value: T };

/** Resolves once the store has applied `index`: what was written through the leader is then readable here. */
export function applied(store: Store, index: number, signal: AbortSignal): Promise<void> {
  if (store.index >= index) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
    };
    const onAbort = (): void => {
      finish();
      // The write is done; only this manager lags. Said as what it is.
      reject(
        new ApiError("DeadlineExceeded", `written (index ${index}), but this manager lags behind`),
      );
    };
    const unsubscribe = store.subscribe((batch) => {
      if (batch.index < index) return;
      finish();
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** Errors after which the same operation with the same requestId goes to whoever leads now. */
export function mayBeRetried(error: unknown): boolean {
  return (
    error instanceof ProposeError &&
    (error.code === "NOT_LEADER" || error.code === "OUTCOME_UNKNOWN" || error.code === "OVERLOADED")
  );
}

export function asApiError(error: unknown): unknown {
  if (error instanceof ProposeError) {
    const code = error.code === "TOO_LARGE" ? "InvalidArgument" : "Unavailable";
    return new ApiError(code, error.message, { cause: error });
  }
  if (error instanceof RpcError) {
    return new ApiError(
      error.grpcCode === 7 ? "PermissionDenied" : "Internal",
      `the leader refused the call: ${error.message}`,
      { cause: error },
    );
  }
  return error;
}

function cancelled(cause: unknown): ApiError {
  return new ApiError("Cancelled", "the call was cancelled", { cause });
}
