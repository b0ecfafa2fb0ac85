/** The membership requests of the fronts: one at a time, answered as the Engine API does (spec §1.3, §2.2). */
import { type ApiError, doorError } from "../base/index.js";
import { parseUnlockKey } from "../manager/ca/index.js";
import type {
  InitRequest,
  JoinRequest,
  LeaveReply,
  LeaveRequest,
  UnlockRequest,
} from "../rest/index.js";
import {
  alreadyMember,
  busy,
  invalidUnlockKey,
  leaveNeedsForce,
  notLocked,
  notMember,
} from "./core/errors.js";
import type { JoinAttempt, Member } from "./core/membership.js";
import { forceNewCluster } from "./force.js";
import { initSwarm } from "./init.js";
import { answerJoin, parseJoin, runJoin } from "./join.js";
import type { MembershipHost } from "./membership-host.js";

type Op = "init" | "join" | "leave" | "unlock";
type JoinUnderWay = { readonly controller: AbortController; readonly done: Promise<void> };

export class Membership {
  readonly #host: MembershipHost;
  #isBusy = false;
  #join: JoinUnderWay | undefined;

  constructor(host: MembershipHost) {
    this.#host = host;
  }

  /** Bodies come from our own front, which has parsed them (src/rest/membership-bodies.ts). Rejects with ApiError. */
  async handle(op: Op, body: unknown): Promise<unknown> {
    if (op === "unlock") return this.#unlock((body as UnlockRequest).UnlockKey);
    const isForced = op === "init" && (body as InitRequest).ForceNewCluster;
    // A member must not be told to leave first: it would erase what is to be saved.
    if (this.#isBusy)
      throw op === "leave" || isForced ? busy() : alreadyMemberOr(this.#host, busy());
    this.#isBusy = true;
    try {
      switch (op) {
        case "init":
          if (isForced) return await forceNewCluster(this.#host, body as InitRequest);
          this.#assertInactive();
          return await initSwarm(this.#host, body as InitRequest);
        case "join":
          this.#assertInactive();
          return await this.#startJoin(parseJoin(this.#host, body as JoinRequest));
        case "leave":
          return await this.#leave((body as LeaveRequest).force);
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** Goes on with an attempt that the last process began. */
  resumeJoin(attempt: JoinAttempt): void {
    this.#run(attempt).done.catch(() => {
      // Logged and written to the record by the attempt itself.
    });
  }

  async #startJoin(attempt: JoinAttempt): Promise<void> {
    await this.#host.state.apply({ kind: "joinStarted", attempt });
    await answerJoin(this.#host, this.#run(attempt).done);
  }

  #run(attempt: JoinAttempt): JoinUnderWay {
    const controller = new AbortController();
    const done = runJoin(this.#host, attempt, controller.signal);
    const join = { controller, done };
    this.#join = join;
    done
      .catch(() => undefined) // told to the client, or to the log
      .finally(() => {
        if (this.#join === join) this.#join = undefined;
      });
    return join;
  }

  async #unlock(text: string): Promise<unknown> {
    const { state, limits, clock, logger } = this.#host;
    if (!state.isLocked) throw notLocked();
    if (!(await state.unlock(parseUnlockKey(text)))) throw invalidUnlockKey();
    logger.info({}, "unlocked");
    try {
      await this.#host.managerReady(clock.timeout(limits.membershipMs));
    } catch {
      logger.warn({}, "unlocked, but the manager is not ready yet");
    }
    return {};
  }

  async #leave(isForced: boolean): Promise<LeaveReply> {
    const { state } = this.#host;
    const wasJoining = this.#join !== undefined;
    if (this.#join !== undefined) {
      this.#join.controller.abort(
        doorError("Unavailable", "the node left before it had joined the swarm"),
      );
      await this.#join.done.catch(() => undefined);
    }
    const { record } = state;
    switch (record.kind) {
      case "inactive":
        // A join that was aborted just now has wiped itself.
        if (!wasJoining) throw notMember();
        await state.apply({ kind: "errorSeen" });
        return { warnings: [] };
      case "initializing":
        throw busy();
      case "member":
        if (record.role === "manager" && !record.isRemoved && !isForced)
          throw leaveNeedsForce(record.managers.length);
        return this.#leaveAsMember(record, isForced);
      default:
        return this.#forget([]);
    }
  }

  async #leaveAsMember(record: Member, isForced: boolean): Promise<LeaveReply> {
    const { logger } = this.#host;
    const warnings: string[] = [];
    const tryStep = async (what: string, step: () => Promise<unknown>): Promise<void> => {
      try {
        await step();
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        logger.warn({ error: why }, what);
        warnings.push(`${what}: ${why}`);
        if (!isForced) {
          const text = `${what}: ${why}. Use \`--force\` to leave all the same`;
          throw doorError("Unavailable", text, { cause: error });
        }
      }
    };
    await tryStep("the node's tasks could not all be stopped", () =>
      this.#host.askWorker("leaveCluster"),
    );
    if (record.role === "manager" && record.managers.length > 1 && !record.isRemoved) {
      await tryStep(
        "the managers could not remove this one from their group; demote and remove it there",
        () => this.#host.askManager("leaveRaft"),
      );
    }
    return this.#forget(warnings);
  }

  async #forget(warnings: readonly string[]): Promise<LeaveReply> {
    const { state } = this.#host;
    await state.apply({ kind: "wipeStarted", reason: "" });
    await this.#host.reconciled();
    await state.wipe("");
    return { warnings: [...warnings, ...(await this.#awaitNetworksGone())] };
  }

  /** Whoever stops the node right after it left finds nothing of it on the host. Otherwise its next start removes that. */
  async #awaitNetworksGone(): Promise<string[]> {
    try {
      await this.#host.askNet("removeNetworks");
      return [];
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const what = "the node's networks are not removed yet";
      this.#host.logger.warn({ error: why }, what);
      return [`${what}: ${why}`];
    }
  }

  #assertInactive(): void {
    if (this.#host.state.record.kind !== "inactive") throw alreadyMember();
  }
}

function alreadyMemberOr(host: MembershipHost, otherwise: ApiError): ApiError {
  return host.state.record.kind === "member" ? alreadyMember() : otherwise;
}
