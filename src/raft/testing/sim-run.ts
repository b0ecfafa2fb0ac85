import { RaftError } from "../errors.js";
import type { MemberId } from "../types.js";
import { SeededRandom } from "./seeded-random.js";
import { SimCluster } from "./sim-cluster.js";
import { SimWorld } from "./sim-world.js";

const FAULTY_MS = 15_000;
const HEALED_MS = 12_000;

export type SimResult = {
  readonly acknowledged: number;
  readonly events: number;
  readonly reads: number;
};

/**
 * One run: the seed picks group size and faults; clients write and read throughout; members join, leave, crash.
 * Then everything heals and all must agree. Safety is checked at each step, liveness at the end.
 */
export class SimRun {
  readonly #random: SeededRandom;
  readonly #world = new SimWorld();
  readonly cluster: SimCluster;
  readonly #ids: MemberId[];
  #writes = 0;
  #reads = 0;
  #isHealed = false;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const snapshotEntries = this.#random.pick([15, 40, 10_000]);
    const keepEntries = this.#random.pick([0, 5, 500]);
    this.cluster = new SimCluster(this.#world, this.#random, { snapshotEntries, keepEntries });
    this.#ids = [..."abcdef"].slice(0, this.#random.pick([1, 2, 3, 3, 4, 5, 6]));
    for (const id of this.#ids) this.cluster.add(id);
  }

  async run(): Promise<SimResult> {
    const [first] = this.#ids;
    if (first === undefined) throw new Error("no members");
    // Each of these goes on by itself in virtual time; failures end up in cluster.broken.
    this.#start(first, true);
    for (const id of this.#ids.slice(1)) this.#start(id, false);
    this.#every(8, 40, () => this.#write());
    this.#every(20, 100, () => this.#read());
    this.#every(200, 600, () => this.#changeGroup());
    this.#world.schedule(3_000, () => this.#every(100, 1_500, () => this.#disturb()));
    await this.#world.runUntil(FAULTY_MS, () => this.cluster.check());
    this.#heal();
    await this.#world.runUntil(FAULTY_MS + HEALED_MS, () => this.cluster.check());
    this.#requireAgreement();
    const acknowledged = this.cluster.checks.acknowledgedCount;
    return { acknowledged, events: this.#world.eventCount, reads: this.#reads };
  }

  #every(minMs: number, maxMs: number, act: () => void): void {
    this.#world.schedule(this.#random.int(minMs, maxMs), () => {
      act();
      this.#every(minMs, maxMs, act);
    });
  }

  #start(id: MemberId, isBootstrap: boolean): void {
    this.cluster.start(id, isBootstrap).catch((cause: unknown) => this.#broke(cause));
  }

  #broke(cause: unknown): void {
    this.cluster.broken ??= cause;
  }

  #write(): void {
    if (this.#world.nowMs > FAULTY_MS + HEALED_MS - 3_000) return;
    const leader = this.#leader();
    if (leader === undefined) return;
    for (let count = this.#random.int(1, 5); count > 0; count--) {
      const text = `w${this.#writes++}${"x".repeat(this.#random.chance(0.05) ? 2_000 : 0)}`;
      leader.propose(Buffer.from(text)).then(
        ({ index }) => this.#guard(() => this.cluster.checks.acknowledged(text, index)),
        (error: unknown) => this.#expectRaftError(error),
      );
    }
  }

  #read(): void {
    const id = this.#random.pick(this.#ids);
    const { node, machine } = this.cluster.get(id);
    if (node === undefined) return;
    const floor = this.cluster.checks.highestAcknowledged;
    node.readBarrier().then(
      (index) => {
        this.#reads++;
        this.#guard(() => this.cluster.checks.read(id, floor, index, machine));
      },
      (error: unknown) => this.#expectRaftError(error),
    );
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (cause) {
      this.#broke(cause);
    }
  }

  #expectRaftError(error: unknown): void {
    if (!(error instanceof RaftError)) this.#broke(error);
  }

  #leader() {
    const leaders = this.#ids
      .map((id) => this.cluster.get(id).node)
      .filter((node) => node?.status().role === "leader");
    return leaders.length === 0 ? undefined : this.#random.pick(leaders);
  }

  /** Grows the group to all; meanwhile sometimes hands over or updates a member. Removal is for good. */
  #changeGroup(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const { members } = leader.status();
    const absent = this.#ids.filter((id) => !members.some((member) => member.id === id));
    const learner = members.find((member) => member.isLearner);
    const ignore = (error: unknown): void => this.#expectRaftError(error);
    if (learner !== undefined) {
      leader.changeMembership({ kind: "promote", id: learner.id }).catch(ignore);
    } else if (absent.length > 0) {
      const id = this.#random.pick(absent);
      leader
        .changeMembership({ kind: "addLearner", id, context: Buffer.from(`at-${id}`) })
        .catch(ignore);
    } else if (this.#random.chance(0.1) && members.length > 3 && !this.#isHealed) {
      this.#replace(this.#random.pick(members).id);
    } else if (this.#random.chance(0.3)) {
      leader.transferLeadership().catch(ignore);
    }
  }

  /** Removes a member; a new one with a new id and an empty disk takes its place. */
  #replace(id: MemberId): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    leader.changeMembership({ kind: "remove", id }).then(
      () => {
        const next = `${id}'`;
        this.#ids.splice(this.#ids.indexOf(id), 1, next);
        this.cluster.add(next);
        this.#start(next, false);
        this.#world.schedule(2_000, () => this.cluster.crash(id));
      },
      (error: unknown) => this.#expectRaftError(error),
    );
  }

  #disturb(): void {
    if (this.#isHealed) return;
    const id = this.#random.pick(this.#ids);
    const member = this.cluster.get(id);
    switch (this.#random.int(0, 9)) {
      case 0:
      case 1:
        this.cluster.crash(id);
        this.#world.schedule(this.#random.int(0, 3_000), () => this.#start(id, false));
        break;
      case 2:
        this.#partition();
        break;
      case 3:
        this.#cutOneWay();
        break;
      case 4:
        this.cluster.cut.clear();
        break;
      case 5:
        this.cluster.faults.loss = this.#random.pick([0, 0.02, 0.3]);
        this.cluster.faults.duplicate = this.#random.pick([0, 0.2]);
        this.cluster.faults.delayMs = this.#random.pick([2, 30, 300]);
        break;
      case 6:
        member.disk.flushMs = this.#random.pick([0.1, 5, 400]);
        break;
      case 7:
        member.disk.isFull = true;
        this.#world.schedule(500, () => {
          member.disk.isFull = false;
          if (member.node === undefined) this.#start(id, false);
        });
        break;
      case 8:
        for (const other of this.#ids) {
          if (other !== id) this.cluster.get(other).node?.peerDisconnected(id);
        }
        break;
    }
  }

  #partition(): void {
    const isLeft = new Map(this.#ids.map((id) => [id, this.#random.chance(0.5)]));
    for (const from of this.#ids) {
      for (const to of this.#ids)
        if (isLeft.get(from) !== isLeft.get(to)) this.cluster.cut.add(`${from}>${to}`);
    }
  }

  #cutOneWay(): void {
    const [from, to] = [this.#random.pick(this.#ids), this.#random.pick(this.#ids)];
    this.cluster.cut.add(`${from}>${to}`);
  }

  #heal(): void {
    this.#isHealed = true;
    this.cluster.note("healed");
    this.cluster.cut.clear();
    Object.assign(this.cluster.faults, { loss: 0, duplicate: 0, delayMs: 5 });
    for (const id of this.#ids) {
      const { disk } = this.cluster.get(id);
      disk.flushMs = 1;
      disk.isFull = false;
      this.#start(id, false);
    }
  }

  #requireAgreement(): void {
    const leader = this.#leader();
    if (leader === undefined) throw new Error("no leader after healing");
    const machines = new Map(
      leader.status().members.map(({ id }) => [id, this.cluster.get(id).machine] as const),
    );
    this.cluster.checks.converged(machines);
    if (this.cluster.checks.acknowledgedCount === 0)
      throw new Error("nothing was ever acknowledged");
  }
}
