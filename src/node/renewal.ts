/** Keeps the node's certificate valid and its role true: renews in time, at once when told, and until it succeeds. */
import type { NodeIdentity, NodeRole, OwnRenewal } from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import { createCsr, isSignedBy, parseCertificate, renewalTimeMs } from "../manager/ca/index.js";
import { CaError, type CaPort, type IssueReply } from "./ca-client.js";
import { backOffMs, RENEWAL_BACK_OFF } from "./core/back-off.js";
import { expiredText } from "./core/local-state.js";
import type { NodeState } from "./node-state.js";

/** Lets the leader's change of role reach the manager that is asked (spec §5.3). */
const ROLE_CHANGE_PAUSE_MS = 500;
/** Longer waits look again in between: timers take at most 2^31 ms, and the wall clock may have been set. */
const WAIT_MAX_MS = 3_600_000;

export type RenewalParts = {
  readonly state: NodeState;
  readonly ca: CaPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** This node's own manager, which has the CA's key in its log. Rejects while it does not run, or with its refusal. */
  readonly ownManager: (request: OwnRenewal["request"]) => Promise<OwnRenewal["reply"]>;
  /** The certificate's end has come. */
  readonly onExpired: () => void;
};

export class Renewal {
  readonly #parts: RenewalParts;
  #cancelTimer: () => void = () => undefined;
  #cancelExpiry: () => void = () => undefined;
  /** The certificate the timer was set for, and when to renew it. */
  #plan:
    | { readonly certificatePem: string; readonly atMs: number; readonly endsMs: number }
    | undefined;
  /** A role the cluster announced; renewing goes on until the certificate has it. */
  #expectedRole: NodeRole | undefined;
  #isForced = false;
  #isRunning = false;
  #isStopped = false;
  #failureCount = 0;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  get isExpired(): boolean {
    return this.#plan !== undefined && this.#parts.clock.wallMs() >= this.#plan.endsMs;
  }

  /** To be called when the identity may have changed. */
  update(): void {
    const { identity } = this.#parts.state;
    if (identity?.certificatePem === this.#plan?.certificatePem) return;
    if (identity === undefined) {
      this.#plan = undefined;
      this.#expectedRole = undefined;
      this.#cancelTimer();
      this.#cancelExpiry();
      return;
    }
    const info = parseCertificate(identity.certificatePem);
    const atMs = renewalTimeMs(info, this.#parts.random.float());
    this.#plan = { certificatePem: identity.certificatePem, atMs, endsMs: info.notAfterMs };
    this.#watchEnd();
    if (!this.#isRunning) this.#waitUntilDue();
  }

  /** Renews now: the cluster says so, or this node's role may have changed. */
  now(expectedRole?: NodeRole): void {
    this.#isForced = true;
    if (expectedRole !== undefined) this.#expectedRole = expectedRole;
    if (!this.#isRunning) this.#after(ROLE_CHANGE_PAUSE_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
    this.#cancelExpiry();
  }

  /** Attempts may lie an hour apart by then: the end is told when it comes. */
  #watchEnd(): void {
    this.#cancelExpiry();
    if (this.#plan === undefined || this.#isStopped) return;
    const leftMs = Math.max(0, this.#plan.endsMs - this.#parts.clock.wallMs());
    this.#cancelExpiry = this.#parts.clock.setTimer(Math.min(leftMs, WAIT_MAX_MS), () => {
      if (!this.isExpired) {
        this.#watchEnd();
        return;
      }
      const { identity } = this.#parts.state;
      this.#parts.logger.warn(
        { nodeId: identity?.nodeId },
        expiredText(identity?.role ?? "worker"),
      );
      this.#parts.onExpired();
    });
  }

  #waitUntilDue(): void {
    if (this.#plan === undefined) return;
    this.#after(Math.max(0, this.#plan.atMs - this.#parts.clock.wallMs()));
  }

  #after(delayMs: number): void {
    this.#cancelTimer();
    if (this.#isStopped) return;
    this.#cancelTimer = this.#parts.clock.setTimer(Math.min(delayMs, WAIT_MAX_MS), () => {
      if (delayMs > WAIT_MAX_MS) this.#waitUntilDue();
      else void this.#attempt(); // reports its failures to the log and tries again
    });
  }

  async #attempt(): Promise<void> {
    const { identity } = this.#parts.state;
    if (identity === undefined || this.#isRunning) return;
    this.#isRunning = true;
    this.#isForced = false;
    try {
      const role = await this.#renew(identity);
      const isAsExpected = this.#expectedRole === undefined || this.#expectedRole === role;
      if (isAsExpected) this.#expectedRole = undefined;
      this.#failureCount = isAsExpected ? 0 : this.#failureCount + 1;
      this.#parts.logger.info({ nodeId: identity.nodeId, role }, "certificate renewed");
    } catch (error) {
      this.#failureCount += 1;
      if (error instanceof CaError && error.isRefused)
        await this.#parts.state.apply({ kind: "removedByCluster" });
      const fields = { nodeId: identity.nodeId, attempt: this.#failureCount, error: String(error) };
      this.#parts.logger.warn(fields, "certificate could not be renewed");
    } finally {
      this.#isRunning = false;
    }
    if (this.#isForced) this.#after(ROLE_CHANGE_PAUSE_MS);
    else if (this.#failureCount > 0) this.#after(backOffMs(RENEWAL_BACK_OFF, this.#failureCount));
    else this.#waitUntilDue();
  }

  /** A new key each time; the first manager that answers signs. Rejects with the last one's error. */
  async #renew(identity: NodeIdentity): Promise<NodeRole> {
    const { ca, random } = this.#parts;
    const { csrPem, privateKeyPem } = await createCsr();
    let lastError: unknown = new Error("this node knows no manager");
    if (this.isExpired && identity.role === "manager") {
      try {
        return await this.#renewByItself(identity, csrPem, privateKeyPem);
      } catch (error) {
        lastError = error;
      }
    }
    for (const { addr } of shuffled(identity.managers, random)) {
      let reply: IssueReply;
      try {
        reply = await ca.issue(addr, identity.rootBundlePem, identity, {
          csrPem,
          token: "",
          availability: "",
        });
      } catch (error) {
        lastError = error;
        if (error instanceof CaError && error.isRefused) break;
        continue;
      }
      return this.#take(identity, addr, { ...reply, privateKeyPem });
    }
    throw lastError;
  }

  /**
   * No manager takes calls from one whose certificate has expired, and where all of them have, none has a quorum. But each has the
   * CA's key: its own manager signs. Whoever was removed meanwhile is none the better for it, as managers look every caller up.
   */
  async #renewByItself(
    identity: NodeIdentity,
    csrPem: string,
    privateKeyPem: string,
  ): Promise<NodeRole> {
    const { logger, ownManager } = this.#parts;
    const reply = await ownManager({ csrPem });
    const role = await this.#take(identity, "of this node", { ...reply, privateKeyPem });
    logger.warn(
      { nodeId: identity.nodeId },
      "the certificate of this manager had expired: renewed with the key of the CA in its own log",
    );
    return role;
  }

  async #take(
    identity: NodeIdentity,
    from: string,
    given: OwnRenewal["reply"] & { readonly privateKeyPem: string },
  ): Promise<NodeRole> {
    const { state, clock } = this.#parts;
    const { certificatePem, privateKeyPem } = given;
    const info = parseCertificate(certificatePem);
    const rootBundlePem = given.rootBundlePem || identity.rootBundlePem;
    const isOurs = info.nodeId === identity.nodeId && info.clusterId === identity.clusterId;
    if (!isOurs || !isSignedBy(certificatePem, rootBundlePem, clock.wallMs()))
      throw new Error(`manager ${from} gave a certificate that is not for this node`);
    // The node may have left meanwhile.
    if (state.identity?.nodeId !== identity.nodeId) throw new Error("this node left the swarm");
    await state.setCredentials({ certificatePem, privateKeyPem, rootBundlePem });
    await state.apply({ kind: "roleIssued", role: info.role });
    return info.role;
  }
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, order: random.float() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
