/** swarmd itself: the membership, the children, the door. It decides nothing about the cluster (architecture §2). */
import { readFileSync } from "node:fs";
import { mkdir, statfs } from "node:fs/promises";
import {
  type LocalState,
  type ManagerStart,
  type NodeConfig,
  type NodeIdentity,
  type OwnRenewal,
  type RaftKeys,
  type ToChild,
} from "../api/index.js";
import { ApiError, type Clock, doorError, type Logger, type Random } from "../base/index.js";
import { parseUnlockKey } from "../manager/ca/index.js";
import type { CaPort } from "./ca-client.js";
import { Child, type ChildReport, type ProgramName } from "./child.js";
import { Condition } from "./condition.js";
import { localStateOf, type ManagerProblem } from "./core/local-state.js";
import { type FrontPlan, frontPlan, recoveryOf } from "./core/membership.js";
import { Door } from "./door.js";
import { Front } from "./front.js";
import { hostAddresses } from "./host-addresses.js";
import { Keeper } from "./keeper.js";
import type { SupervisorLimits } from "./limits.js";
import { Membership } from "./membership.js";
import type { MembershipHost } from "./membership-host.js";
import { NodeState } from "./node-state.js";
import { Renewal } from "./renewal.js";

export type SupervisorParts = {
  readonly config: NodeConfig;
  /** File of each child program. */
  readonly programs: Readonly<Record<ProgramName, string>>;
  readonly lockFd: number | undefined;
  readonly ca: CaPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: SupervisorLimits;
};

type Bootstrap = Extract<ManagerStart, { kind: "bootstrap" }>;

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #state: NodeState;
  readonly #door: Door;
  readonly #front: Front;
  readonly #net: Keeper;
  readonly #worker: Keeper;
  readonly #renewal: Renewal;
  readonly #membership: Membership;
  readonly #session = new Condition();
  readonly #managerReady = new Condition();
  #bootstrap: Bootstrap | undefined;
  #raftKeys: RaftKeys | undefined;
  /** How the manager that was launched last was started. */
  #managerStart: ManagerStart["kind"] | undefined;
  #managerProblem: ManagerProblem | undefined;
  #wantedFront: "rest" | "manager" = "rest";
  #reconciling: Promise<void> = Promise.resolve();
  #sentIdentity: NodeIdentity | undefined;
  #netNodeId: string | undefined;
  #sentState: LocalState | undefined;
  #isStopping = false;

  private constructor(parts: SupervisorParts, state: NodeState, door: Door) {
    this.#parts = parts;
    this.#state = state;
    this.#door = door;
    const { clock, logger, limits, random, ca } = parts;
    this.#front = new Front({
      launch: (name) => this.#launch(name),
      door,
      onManagerReady: () => {
        this.#onManagerReady();
      },
      onManagerProblem: (problem) => {
        this.#onManagerProblem(problem);
      },
      onRoleDoubt: () => {
        this.#renewal.now();
      },
      freeBytes: () => this.#freeBytes(),
      clock,
      logger,
      limits,
    });
    this.#net = this.#keeper("net");
    this.#worker = this.#keeper("worker");
    this.#renewal = new Renewal({
      state,
      ca,
      clock,
      random,
      logger,
      ownManager: async (request) =>
        // Our own program's answer.
        (await ask(
          this.#front.manager,
          "manager",
          "renewOwnCertificate",
          request,
        )) as OwnRenewal["reply"],
      onExpired: () => {
        this.#publish();
      },
    });
    this.#membership = new Membership(this.#host());
    state.onChange(() => {
      this.#onStateChange();
    });
  }

  /** Resolves when the children are started and the door is open. Rejects with an Error whose message says what to do. */
  static async start(parts: SupervisorParts): Promise<Supervisor> {
    const state = await NodeState.open(parts.config);
    const recovery = recoveryOf(state.record);
    if (recovery.kind === "wipe") await state.wipe(recovery.reason);
    await mkdir(parts.config.runDir, { recursive: true, mode: 0o755 });
    const door = await Door.open(parts.config.socket, parts);
    const supervisor = new Supervisor(parts, state, door);
    supervisor.#renewal.update();
    supervisor.#net.start();
    supervisor.#worker.start();
    // A manager is started by itself; `rest` stands in when it takes long.
    if (supervisor.#plan().program === "rest") supervisor.#front.wantRest();
    supervisor.#onStateChange();
    if (recovery.kind === "resumeJoin") supervisor.#membership.resumeJoin(recovery.attempt);
    return supervisor;
  }

  /** Planned stop: the manager first, so that it hands leadership over. Containers and networks stay. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#renewal.stop();
    this.#door.close();
    await this.#front.stop();
    await Promise.all([this.#worker.stop(), this.#net.stop()]);
  }

  #keeper(name: "net" | "worker"): Keeper {
    const { clock, logger, limits } = this.#parts;
    return new Keeper({
      launch: () => this.#launch(name),
      onLaunch: (child) => {
        if (name !== "worker") return;
        void child.exited.then(() => {
          this.#session.set(false);
        });
      },
      onProblem: () => undefined, // logged by the keeper
      onRoleDoubt: () => undefined,
      freeBytes: () => this.#freeBytes(),
      clock,
      logger,
      limits,
    });
  }

  #launch(name: ProgramName): Child {
    const { config, programs, lockFd, clock, logger, limits } = this.#parts;
    const child = Child.start({
      name,
      modulePath: programs[name],
      start: this.#startMessage(name),
      lockFd,
      clock,
      logger,
      limits,
      onReport: (report) => {
        this.#onReport(child, report);
      },
      onSocketRoom: () => {
        this.#door.drain();
      },
      onRequest: (op, body) => this.#membership.handle(op, body),
    });
    logger.debug({ child: name, stateDir: config.stateDir }, "child launched");
    return child;
  }

  #startMessage(name: ProgramName): Extract<ToChild, { kind: "start" }> {
    const base = {
      kind: "start",
      config: this.#parts.config,
      identity: this.#identityFor(name),
      localState: this.#localState(),
      bootId: bootId(),
    } as const;
    if (name !== "manager" || this.#raftKeys === undefined) return base;
    const plan = this.#plan();
    const start: ManagerStart =
      this.#bootstrap ?? (plan.program === "manager" ? { kind: plan.start } : { kind: "resume" });
    this.#managerStart = start.kind;
    return { ...base, manager: { start, raftKeys: this.#raftKeys } };
  }

  /** The networks of containers that run stay while the node is locked: `net` is told whose they are. */
  #identityFor(name: ProgramName): NodeIdentity | undefined {
    if (name === "manager") return this.#state.managerIdentity;
    return name === "net" ? this.#state.keylessIdentity : this.#state.identity;
  }

  #plan(): FrontPlan {
    return this.#state.isLocked ? { program: "rest" } : frontPlan(this.#state.record);
  }

  #onReport(child: Child, report: ChildReport): void {
    switch (report.kind) {
      case "ready":
        if (child.name === "rest" || child.name === "manager") this.#front.childReady(child);
        return;
      case "session":
        this.#session.set(report.isUp);
        this.#settle();
        return;
      case "nodeUpdate":
        void this.#onNodeUpdate(report); // logs its own failures
        return;
      case "failed":
        // A manager that lost its membership stays until it is retired, so that its connections end in order.
        if (report.reason === "demoted") this.#renewal.now("worker");
        if (report.reason === "removed") this.#renewal.now();
        return;
      case "unlockKey": {
        const { unlockKey } = report;
        const key = unlockKey === "" ? undefined : parseUnlockKey(unlockKey);
        void this.#applyQuietly(async () => {
          const { layOpen } = await this.#state.setUnlockKey(key);
          // Whoever has read the old key is none the wiser for it.
          if (layOpen) this.#renewal.now();
        });
        return;
      }
      case "removed":
        void this.#applyQuietly(() => this.#state.apply({ kind: "removedByCluster" }));
        return;
    }
  }

  async #onNodeUpdate(update: Extract<ChildReport, { kind: "nodeUpdate" }>): Promise<void> {
    const { identity } = this.#state;
    if (identity === undefined) return;
    await this.#applyQuietly(async () => {
      if (update.rootBundlePem !== "") await this.#state.setRoots(update.rootBundlePem);
      if (update.managers.length > 0)
        await this.#state.apply({ kind: "managersSeen", managers: update.managers });
    });
    if (update.role !== identity.role) this.#renewal.now(update.role);
    else if (update.forceRenew) this.#renewal.now();
  }

  async #applyQuietly(change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#parts.logger.error({ error: String(error) }, "node state could not be written");
    }
  }

  #onManagerReady(): void {
    this.#managerProblem = undefined;
    this.#managerReady.set(true);
    const isSole = this.#managerStart === "forceNewCluster";
    void this.#applyQuietly(() => this.#state.apply({ kind: "managerReady", isSole }));
    // No other manager answers one whose certificate has expired; from now on this one can.
    if (this.#renewal.isExpired) this.#renewal.now();
    this.#settle();
    this.#publish();
  }

  #onManagerProblem(problem: ManagerProblem): void {
    this.#managerProblem = problem;
    this.#managerReady.set(false);
    const { record } = this.#state;
    const isAwaited = record.kind === "member" && record.isForcingNewCluster === true;
    if (this.#bootstrap !== undefined || isAwaited) {
      const code = problem.reason === "addressInUse" ? "InvalidArgument" : "Unavailable";
      this.#managerReady.fail(doorError(code, problem.message));
    }
    this.#publish();
  }

  /** Joining is over once the node works as what it is. */
  #settle(): void {
    const { record } = this.#state;
    if (record.kind !== "member" || record.isSettled || !this.#session.holds) return;
    if (record.role === "manager" && !this.#managerReady.holds) return;
    void this.#applyQuietly(() => this.#state.apply({ kind: "settled" }));
  }

  #onStateChange(): void {
    this.#renewal.update();
    this.#publish();
    this.#queue(() => this.#reconcile());
  }

  /** One after the other. */
  #queue(change: () => Promise<void>): void {
    this.#reconciling = this.#reconciling.then(change).catch((error: unknown) => {
      this.#parts.logger.error({ error: String(error) }, "front could not be changed");
    });
  }

  /** Brings the front in line with the record; runs one at a time, after every change. */
  async #reconcile(): Promise<void> {
    if (this.#isStopping) return;
    const { record } = this.#state;
    if (this.#bootstrap !== undefined || this.#plan().program === "manager") {
      if (this.#wantedFront === "manager") {
        // A manager that ended for its certificate or role is started again when it has a new one.
        if (this.#isHeldFor("certificateExpired") && !this.#renewal.isExpired)
          this.#front.wantManager();
        return;
      }
      this.#raftKeys = await this.#state.raftKeys();
      this.#wantedFront = "manager";
      this.#front.wantManager();
      return;
    }
    await this.#releaseManager();
    if (record.kind === "member" && record.hasStaleLog) await this.#state.setAsideRaftLog();
  }

  async #releaseManager(): Promise<void> {
    if (this.#wantedFront !== "manager") return;
    this.#wantedFront = "rest";
    this.#managerReady.set(false);
    this.#managerProblem = undefined;
    await this.#front.releaseManager();
    this.#raftKeys = undefined;
  }

  async #restartManager(signal: AbortSignal): Promise<void> {
    let ready: Promise<void> | undefined;
    this.#queue(() => this.#releaseManager());
    this.#queue(() => {
      // From before it is started: it may end before anybody could ask.
      ready = this.#managerReady.wait(signal);
      ready.catch(() => undefined);
      return this.#reconcile();
    });
    await this.#reconciling;
    await ready;
  }

  #isHeldFor(reason: ManagerProblem["reason"]): boolean {
    return this.#managerProblem?.reason === reason && this.#front.manager === undefined;
  }

  /** Tells the children what they do not know yet. */
  #publish(): void {
    const { identity } = this.#state;
    const localState = this.#localState();
    const children = [this.#net.child, this.#worker.child, ...this.#front.children];
    if (!isSame(identity, this.#sentIdentity)) {
      this.#sentIdentity = identity;
      // A session of the cluster that was left must not count for the next one.
      if (identity === undefined) this.#session.set(false);
      for (const child of children) {
        // A manager that has no identity any more is being closed; `net` is told below.
        const isLeftOut =
          child?.name === "net" || (child?.name === "manager" && identity === undefined);
        if (!isLeftOut) child?.send({ kind: "identity", identity });
      }
    }
    const keyless = this.#state.keylessIdentity;
    if (keyless?.nodeId !== this.#netNodeId) {
      this.#netNodeId = keyless?.nodeId;
      this.#net.child?.send({ kind: "identity", identity: keyless });
    }
    if (!isSame(localState, this.#sentState)) {
      this.#sentState = localState;
      for (const child of children) child?.send({ kind: "localState", localState });
    }
  }

  #localState(): LocalState {
    return localStateOf(this.#state.record, {
      managerProblem: this.#managerProblem,
      isCertificateExpired: this.#renewal.isExpired,
      isLocked: this.#state.isLocked,
    });
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#parts.config.stateDir);
    return bavail * bsize;
  }

  #host(): MembershipHost {
    const { config, ca, clock, random, logger, limits } = this.#parts;
    return {
      config,
      state: this.#state,
      ca,
      clock,
      random,
      logger,
      limits,
      hostAddresses,
      setBootstrap: (start) => {
        this.#bootstrap = start;
      },
      restartManager: (signal) => this.#restartManager(signal),
      managerReady: (signal) => this.#managerReady.wait(signal),
      sessionUp: (signal) => this.#session.wait(signal),
      reconciled: async () => {
        // The latest change has queued itself; what it changes may queue more.
        let seen: Promise<void> | undefined;
        while (seen !== this.#reconciling) {
          seen = this.#reconciling;
          await seen;
        }
      },
      askWorker: (op) => ask(this.#worker.child, "worker", op, undefined),
      askNet: (op) => ask(this.#net.child, "net", op, undefined),
      askManager: (op) => ask(this.#front.manager, "manager", op, undefined),
      managerError: () => this.#managerProblem?.message ?? "",
    };
  }
}

function ask(child: Child | undefined, name: string, op: string, body: unknown): Promise<unknown> {
  if (child === undefined)
    return Promise.reject(new ApiError("Unavailable", `the ${name} program is not running`));
  return child.request(op, body);
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Changes with each start of the host; paths of nodes in different containers share it. */
function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
