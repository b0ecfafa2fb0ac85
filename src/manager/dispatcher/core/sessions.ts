/** Which nodes live: sessions, heartbeats, and the grace a new leader gives. Pure (contracts §5). */

/** A node is down this many heartbeat periods after its last one: 5 s by default. */
export const MISSED_PERIODS_MAX = 5;
/** What a new leader gives each node that was not down to appear. */
export const APPEAR_GRACE_MS = 10_000;
/** Sessions of one dispatcher. */
export const SESSIONS_MAX = 20_000;
/** Registrations of one node within REGISTRATION_WINDOW_MS; more are asked to wait. */
export const REGISTRATIONS_MAX = 20;
export const REGISTRATION_WINDOW_MS = 8000;
/** Deadlines are looked at this often. A look that comes later than twice that was held up together with the heartbeats it judges. */
export const CHECK_PERIOD_MS = 250;

type Session = {
  /** "" for a node that a new leader waits for. */
  readonly sessionId: string;
  /** What the node was told last: its next heartbeat comes after this, whatever holds for the cluster by then. */
  toldPeriodMs: number;
  /** Its last heartbeat, or the registration before the first. */
  heardAtMs: number;
  deadlineMs: number;
  /** Past its deadline and reported as such; a late heartbeat revives it. */
  isExpired: boolean;
};

export type Registration =
  | { readonly kind: "registered"; readonly replaced: string | undefined }
  | { readonly kind: "refused"; readonly reason: string };

export type Beat = "live" | "revived" | "unknown";

function graceOf(periodMs: number): number {
  return periodMs * MISSED_PERIODS_MAX;
}

export class NodeSessions {
  readonly #sessions = new Map<string, Session>();
  readonly #registrations = new Map<string, number[]>();
  #periodMs: number;
  #checkedAtMs: number;

  /** `heartbeatPeriodMs` is the cluster's setting. */
  constructor(nowMs: number, heartbeatPeriodMs: number) {
    this.#checkedAtMs = nowMs;
    this.#periodMs = heartbeatPeriodMs;
  }

  /** A shorter one holds for a node from the heartbeat on that is answered with it; a longer one at once: it asks for patience. */
  setPeriod(heartbeatPeriodMs: number): void {
    const isLonger = heartbeatPeriodMs > this.#periodMs;
    this.#periodMs = heartbeatPeriodMs;
    if (!isLonger) return;
    for (const session of this.#sessions.values()) {
      const patientMs = session.heardAtMs + graceOf(heartbeatPeriodMs);
      session.deadlineMs = Math.max(session.deadlineMs, patientMs);
    }
  }

  /** A new leader's knowledge: each node that is not down has a while to appear, and `detourMs` more. Writes nothing. */
  expect(nodeIds: readonly string[], nowMs: number, detourMs = 0): void {
    for (const nodeId of nodeIds) {
      if (this.#sessions.has(nodeId)) continue;
      const deadlineMs = nowMs + detourMs + Math.max(APPEAR_GRACE_MS, graceOf(this.#periodMs));
      const toldPeriodMs = this.#periodMs;
      const heardAtMs = nowMs;
      const fresh = { sessionId: "", toldPeriodMs, heardAtMs, deadlineMs, isExpired: false };
      this.#sessions.set(nodeId, fresh);
    }
  }

  /** A newer session of a node replaces the older one: the agent lost it, even if we did not notice. */
  register(nodeId: string, sessionId: string, nowMs: number): Registration {
    if (!this.#mayRegister(nodeId, nowMs))
      return { kind: "refused", reason: "too many registrations; wait a few seconds" };
    const old = this.#sessions.get(nodeId);
    if (old === undefined && this.#sessions.size >= SESSIONS_MAX)
      return { kind: "refused", reason: `this manager serves ${SESSIONS_MAX} nodes at most` };
    const toldPeriodMs = this.#periodMs;
    const deadlineMs = nowMs + graceOf(toldPeriodMs);
    const fresh = { sessionId, toldPeriodMs, heardAtMs: nowMs, deadlineMs, isExpired: false };
    this.#sessions.set(nodeId, fresh);
    const replaced = old === undefined || old.sessionId === "" ? undefined : old.sessionId;
    return { kind: "registered", replaced };
  }

  /** "revived": the node had been reported down; it never stopped its tasks, so it need not register again. */
  heartbeat(nodeId: string, sessionId: string, nowMs: number): Beat {
    const session = this.#sessions.get(nodeId);
    if (session === undefined || session.sessionId !== sessionId) return "unknown";
    session.heardAtMs = nowMs;
    session.deadlineMs = nowMs + graceOf(Math.max(session.toldPeriodMs, this.#periodMs));
    session.toldPeriodMs = this.#periodMs;
    if (!session.isExpired) return "live";
    session.isExpired = false;
    return "revived";
  }

  /** The node leaves on purpose, or is gone from the cluster. */
  forget(nodeId: string): void {
    this.#sessions.delete(nodeId);
    this.#registrations.delete(nodeId);
  }

  isCurrent(nodeId: string, sessionId: string): boolean {
    return this.#sessions.get(nodeId)?.sessionId === sessionId;
  }

  /** It has a session whose heartbeats come. */
  isLive(nodeId: string): boolean {
    const session = this.#sessions.get(nodeId);
    return session !== undefined && session.sessionId !== "" && !session.isExpired;
  }

  /** Nodes whose deadline has passed since the last look, sorted by id. */
  expire(nowMs: number): readonly string[] {
    const lateMs = nowMs - this.#checkedAtMs - 2 * CHECK_PERIOD_MS;
    this.#checkedAtMs = nowMs;
    // This process stood still: the heartbeats of that time wait in its sockets and are not judged before they are read.
    if (lateMs > 0)
      for (const session of this.#sessions.values()) {
        session.heardAtMs += lateMs;
        session.deadlineMs += lateMs;
      }
    const expired: string[] = [];
    for (const [nodeId, session] of this.#sessions) {
      if (session.isExpired || nowMs < session.deadlineMs) continue;
      session.isExpired = true;
      expired.push(nodeId);
    }
    return expired.sort();
  }

  #mayRegister(nodeId: string, nowMs: number): boolean {
    const recent = (this.#registrations.get(nodeId) ?? []).filter(
      (atMs) => nowMs - atMs < REGISTRATION_WINDOW_MS,
    );
    this.#registrations.set(nodeId, recent);
    if (recent.length >= REGISTRATIONS_MAX) return false;
    recent.push(nowMs);
    return true;
  }
}
