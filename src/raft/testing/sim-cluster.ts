import { RaftError } from "../errors.js";
import { openRaftOn } from "../node/open-raft.js";
import type { MemberId, RaftClock, RaftNode, RaftOptions } from "../types.js";
import type { SeededRandom } from "./seeded-random.js";
import { SimChecks, SimMachine } from "./sim-checks.js";
import { SimDisk } from "./sim-disk.js";
import type { SimWorld } from "./sim-world.js";

export type SimFaults = {
  loss: number;
  duplicate: number;
  delayMs: number;
};

type Member = {
  readonly id: MemberId;
  readonly disk: SimDisk;
  /** Counts starts: callbacks of an earlier run are void. */
  run: number;
  node: RaftNode | undefined;
  machine: SimMachine;
  isOpening: boolean;
};

const KEY = { keyId: 1, key: new Uint8Array(32).fill(3) };

/** Whole members (loop, log, snapshots) on simulated disks, clock and network. */
export class SimCluster {
  readonly checks = new SimChecks();
  readonly members = new Map<MemberId, Member>();
  readonly faults: SimFaults = { loss: 0, duplicate: 0, delayMs: 5 };
  /** "from>to" pairs that lose everything, one way. */
  readonly cut = new Set<string>();
  readonly log: string[] = [];
  broken: unknown;
  readonly #world: SimWorld;
  readonly #random: SeededRandom;
  readonly #options: Partial<RaftOptions>;

  constructor(world: SimWorld, random: SeededRandom, options: Partial<RaftOptions>) {
    this.#world = world;
    this.#random = random;
    this.#options = options;
  }

  add(id: MemberId): Member {
    const disk = new SimDisk(this.#world, this.#random);
    const machine = new SimMachine(id, this.checks);
    const member: Member = { id, disk, run: 0, node: undefined, machine, isOpening: false };
    this.members.set(id, member);
    return member;
  }

  get(id: MemberId): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`no member ${id}`);
    return member;
  }

  async start(id: MemberId, isBootstrap = false): Promise<void> {
    const member = this.get(id);
    if (member.node !== undefined || member.isOpening) return;
    const run = ++member.run;
    member.isOpening = true;
    member.machine = new SimMachine(id, this.checks);
    const context = Buffer.from(`at-${id}`);
    try {
      const ports = {
        disk: member.disk.mount(),
        defer: (callback: () => void) => this.#later(member, run, 0, callback),
      };
      const node = await openRaftOn(
        ports,
        this.#raftOptions(member, run),
        isBootstrap ? { context } : undefined,
      );
      if (run !== member.run) return;
      member.isOpening = false;
      member.node = node;
      node.subscribe((event) => {
        if (event.kind === "failed" && run === member.run) this.#onFailed(member, event.error);
      });
      this.note(`${id} started`);
    } catch (cause) {
      if (run !== member.run) return;
      member.isOpening = false;
      if (!isDiskFull(cause)) this.broken ??= cause;
    }
  }

  /** Power loss: unsynced data is gone, nothing of this run happens any more. */
  crash(id: MemberId): void {
    const member = this.get(id);
    member.run++;
    member.node = undefined;
    member.isOpening = false;
    member.disk.crash();
    this.note(`${id} crashed`);
  }

  note(text: string): void {
    this.log.push(`${this.#world.nowMs.toFixed(1)} ${text}`);
  }

  check(): void {
    if (this.broken !== undefined) throw this.broken;
    for (const { node } of this.members.values())
      if (node !== undefined) this.checks.status(node.status());
  }

  #onFailed(member: Member, error: Error): void {
    this.note(`${member.id} failed: ${error.message}`);
    if (!(error instanceof RaftError) || error.code !== "DISK_FAILED")
      this.broken ??= error.cause ?? error;
    this.crash(member.id);
  }

  #raftOptions(member: Member, run: number): RaftOptions {
    const clock: RaftClock = {
      nowMs: () => this.#world.nowMs,
      setTimer: (delayMs, callback) => this.#later(member, run, delayMs, callback),
    };
    return {
      id: member.id,
      dir: "/raft",
      stateMachine: member.machine,
      transport: {
        send: (to, bytes) => this.#transmit(member.id, to.id, bytes),
        setPeers: () => undefined,
      },
      clock,
      random: this.#random,
      logger: {
        debug: () => undefined,
        info: (fields, message) => this.note(`${member.id} ${message} ${JSON.stringify(fields)}`),
        warn: (fields, message) => this.note(`${member.id} ${message} ${describe(fields)}`),
        error: (fields, message) => this.note(`${member.id} ${message} ${describe(fields)}`),
      },
      keys: [KEY],
      activeKeyId: KEY.keyId,
      ...this.#options,
    };
  }

  #later(member: Member, run: number, delayMs: number, callback: () => void): () => void {
    return this.#world.schedule(delayMs, () => {
      if (run === member.run) callback();
    });
  }

  #transmit(from: MemberId, to: MemberId, bytes: Uint8Array): boolean {
    if (this.cut.has(`${from}>${to}`)) return this.#random.chance(0.5);
    const copies = this.#random.chance(this.faults.loss)
      ? 0
      : this.#random.chance(this.faults.duplicate)
        ? 2
        : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = this.#random.float() * this.faults.delayMs;
      this.#world.schedule(delayMs, () => {
        if (!this.cut.has(`${from}>${to}`)) this.members.get(to)?.node?.receive(from, bytes);
      });
    }
    return true;
  }
}

function isDiskFull(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
}

function describe(fields: object): string {
  return "cause" in fields && fields.cause instanceof Error
    ? fields.cause.message
    : JSON.stringify(fields);
}
