import type { Entry, HardState, SnapshotMeta } from "../core/entry.js";
import { EMPTY_MEMBERSHIP } from "../core/membership.js";
import type { CoreMessage } from "../core/message.js";
import { RaftCore, type Ready, type StoredState } from "../core/raft-core.js";
import { INDEX_ZERO, TERM_ZERO, toLogIndex, toTerm } from "../ids.js";
import type { LogIndex, MemberId, Term } from "../types.js";
import { decodeChange, encodeChange } from "../wire/entry-codec.js";
import { membershipOf } from "./core-cluster.js";
import type { SeededRandom } from "./seeded-random.js";

/** A member's disk as records: what was saved, in order; the log is their replay. */
class Stored {
  hardState: HardState = { term: TERM_ZERO, vote: undefined, commit: INDEX_ZERO };
  snapshot: SnapshotMeta = { index: INDEX_ZERO, term: TERM_ZERO, membership: EMPTY_MEMBERSHIP };
  base: LogIndex = INDEX_ZERO;
  baseTerm: Term = TERM_ZERO;
  entries: Entry[] = [];

  save(ready: Ready): void {
    if (ready.snapshot !== undefined) {
      this.snapshot = ready.snapshot;
      this.base = ready.snapshot.index;
      this.baseTerm = ready.snapshot.term;
      this.entries = [];
    }
    for (const entry of ready.entries) {
      this.entries.length = entry.index - this.base - 1;
      this.entries.push(entry);
    }
    this.hardState = ready.hardState ?? this.hardState;
  }

  state(): StoredState {
    const { hardState, snapshot, base, baseTerm, entries } = this;
    return { hardState, snapshot, base, baseTerm, entries: [...entries] };
  }
}

type SimCore = {
  readonly id: MemberId;
  readonly stored: Stored;
  core: RaftCore | undefined;
  /** Handed out, not yet on disk; lost in a crash. */
  unsaved: Ready[];
};

const ACTIONS = [
  "deliver",
  "ready",
  "save",
  "tick",
  "propose",
  "read",
  "group",
  "compact",
  "disturb",
] as const;
type Action = (typeof ACTIONS)[number];
/** How often each thing happens, relative to the others; drawn per seed, so that seeds differ in character. */
type Profile = Record<Action, number> & {
  readonly restart: number;
  readonly electionTicks: number;
};

function drawProfile(random: SeededRandom): Profile {
  return {
    deliver: random.pick([20, 50]),
    ready: 20,
    save: random.pick([3, 12, 25]),
    tick: random.pick([4, 10, 25, 60]),
    propose: random.pick([1, 4]),
    read: random.pick([0.5, 4]),
    group: random.pick([0, 0.5, 2]),
    compact: random.pick([0, 0.5]),
    disturb: random.pick([0.2, 1, 4]),
    restart: random.pick([0.01, 0.1, 0.5]),
    // Short ones change leaders often, which is where the interesting orders of events are.
    electionTicks: random.pick([2, 3, 6]),
  };
}

/**
 * Bare cores with everything a disk and a network may do between two steps: saves that lag behind, crashes
 * that forget them, messages lost, repeated and reordered. No timers and no bytes, so millions of steps are cheap.
 */
export class CoreSim {
  readonly #random: SeededRandom;
  readonly #profile: Profile;
  /** Read request → highest index applied anywhere when it was made. */
  readonly #readFloors = new Map<number, number>();
  #highestCommitted = 0;
  readonly members = new Map<MemberId, SimCore>();
  #network: CoreMessage[] = [];
  readonly #cut = new Set<string>();
  readonly #leaders = new Map<number, MemberId>();
  /** Index → term and content, as first seen committed (leader completeness, Raft §5.4.3). */
  readonly #committed = new Map<number, string>();
  /** Index → a term by whose end it was committed. */
  readonly #committedBy = new Map<number, number>();
  #proposals = 0;
  #loss = 0;
  #calmSteps = 0;

  constructor(random: SeededRandom, count: number) {
    this.#random = random;
    this.#profile = drawProfile(random);
    const ids = [..."abcdefg"].slice(0, count);
    for (const id of ids)
      this.members.set(id, { id, stored: new Stored(), core: undefined, unsaved: [] });
    // Some groups grow from one member, some exist from the start.
    const isGrown = random.chance(0.5);
    for (const [at, { stored }] of [...this.members.values()].entries()) {
      if (isGrown) stored.snapshot = { ...stored.snapshot, membership: membershipOf(ids) };
      else if (at === 0) bootstrap(stored, ids[0] ?? "a");
    }
    for (const member of this.members.values()) this.#start(member);
  }

  get committedCount(): number {
    return this.#committed.size;
  }

  /** One random event anywhere, then the checks. */
  step(isFaulty: boolean): void {
    this.#calmSteps--;
    const member = this.#random.pick([...this.members.values()]);
    if (member.core === undefined) {
      if (!isFaulty || this.#random.chance(this.#profile.restart)) this.#start(member);
    } else this.#act(this.#drawAction(isFaulty), member, member.core, isFaulty);
    this.#check(member);
  }

  #drawAction(isFaulty: boolean): Action {
    const actions = ACTIONS.filter((action) => isFaulty || action !== "disturb");
    const total = actions.reduce((sum, action) => sum + this.#profile[action], 0);
    let left = this.#random.float() * total;
    for (const action of actions) {
      left -= this.#profile[action];
      if (left < 0) return action;
    }
    return "deliver";
  }

  #act(action: Action, member: SimCore, core: RaftCore, isFaulty: boolean): void {
    switch (action) {
      case "deliver":
        return this.#deliverSome(isFaulty);
      case "ready":
        return this.#takeReady(member);
      case "save":
        return this.#saveOne(member);
      case "tick":
        return core.tick();
      case "propose":
        return this.#propose(core);
      case "read":
        return this.#read(core);
      case "group":
        return this.#changeGroup(core);
      case "compact":
        return this.#compact(member);
      case "disturb":
        return this.#disturb(member);
    }
  }

  heal(): void {
    this.#cut.clear();
    this.#loss = 0;
    for (const member of this.members.values()) if (member.core === undefined) this.#start(member);
  }

  /** Time goes on for all alike, nothing new is asked, until everything sent has arrived. */
  settle(): void {
    for (let round = 0; round < 60; round++) {
      for (const { core } of this.members.values()) core?.tick();
      for (let turn = 0; turn < 30; turn++) {
        for (const member of this.members.values()) {
          this.#takeReady(member);
          while (member.unsaved.length > 0) this.#saveOne(member);
        }
        for (const m of this.#network.splice(0)) this.members.get(m.to)?.core?.step(m);
      }
    }
  }

  /** After healing and some rest: one leader, and everybody in the group has its log. */
  requireAgreement(): void {
    const leader = [...this.members.values()].find(({ core }) => core?.role === "leader");
    if (leader?.core === undefined) throw new Error("no leader after healing");
    for (const { id } of leader.core.membership.members) {
      const core = this.members.get(id)?.core;
      if (core?.commit !== leader.core.commit) {
        throw new Error(`${id} stays at ${core?.commit}, the leader is at ${leader.core.commit}`);
      }
    }
  }

  #start(member: SimCore): void {
    const config = {
      id: member.id,
      electionTicks: this.#profile.electionTicks,
      heartbeatTicks: 1,
      random: () => this.#random.float(),
      appendMaxBytes: 60,
      encodeChange,
      decodeChange,
    };
    member.core = new RaftCore(config, member.stored.state());
    member.unsaved = [];
  }

  #takeReady(member: SimCore): void {
    const { core } = member;
    if (core === undefined || !core.hasReady() || member.unsaved.length > 4) return;
    const ready = core.ready();
    this.#network.push(...ready.messages);
    for (const entry of ready.committedEntries) this.#commit(member.id, entry);
    for (const { to, meta } of ready.snapshotSends) this.#transfer(member, to, meta);
    for (const { requestId, index } of ready.readStates) {
      const floor = this.#readFloors.get(requestId) ?? 0;
      if (index < floor)
        throw new Error(`${member.id} reads at ${index}, ${floor} was applied before`);
    }
    member.unsaved.push(ready);
  }

  #saveOne(member: SimCore): void {
    const ready = member.unsaved.shift();
    if (ready === undefined) return;
    member.stored.save(ready);
    this.#network.push(...ready.messagesAfterSave.filter((m) => m.to !== member.id));
    member.core?.advance(ready);
  }

  #transfer(from: SimCore, to: MemberId, meta: SnapshotMeta): void {
    const target = this.members.get(to);
    const arrives =
      target?.core !== undefined && !this.#cut.has(`${from.id}>${to}`) && this.#random.chance(0.8);
    if (arrives) target?.core?.installSnapshot(meta);
    from.core?.snapshotSent(to, arrives);
  }

  #deliverSome(isFaulty: boolean): void {
    for (let count = this.#random.int(1, 6); count > 0 && this.#network.length > 0; count--) {
      // Mostly in order; a fault picks any message, or delivers one and keeps it.
      const at =
        isFaulty && this.#random.chance(0.2) ? this.#random.int(0, this.#network.length) : 0;
      const m = this.#network[at];
      if (m === undefined) return;
      if (!(isFaulty && this.#random.chance(0.03))) this.#network.splice(at, 1);
      if (this.#cut.has(`${m.from}>${m.to}`) || (isFaulty && this.#random.chance(this.#loss)))
        continue;
      this.members.get(m.to)?.core?.step(m);
    }
    if (this.#network.length > 2_000) this.#network = [];
  }

  #propose(core: RaftCore): void {
    for (let count = this.#random.int(1, 4); count > 0; count--)
      core.propose(Buffer.from(`p${this.#proposals++}`));
  }

  #read(core: RaftCore): void {
    const requestId = this.#readFloors.size + 1;
    this.#readFloors.set(requestId, this.#highestCommitted);
    core.requestRead(requestId);
  }

  #changeGroup(core: RaftCore): void {
    if (core.role !== "leader") return;
    const { members } = core.membership;
    const context = new Uint8Array(0);
    const learner = members.find(({ isLearner }) => isLearner);
    const absent = [...this.members.keys()].filter(
      (id) => !members.some((member) => member.id === id),
    );
    if (learner !== undefined) core.proposeChange({ kind: "promote", id: learner.id });
    else if (absent.length > 0)
      core.proposeChange({ kind: "addLearner", id: this.#random.pick(absent), context });
    else if (this.#random.chance(0.05) && members.length > 3) {
      core.proposeChange({ kind: "remove", id: this.#random.pick(members).id });
    } else core.transferLeadership(undefined);
  }

  /** A snapshot at the applied position, saved at once; the log behind it goes. */
  #compact(member: SimCore): void {
    const { core, stored } = member;
    if (core === undefined || member.unsaved.length > 0 || core.hasReady()) return;
    const term = core.termAt(core.commit);
    if (
      term === undefined ||
      core.commit === stored.base ||
      core.commit !== stored.hardState.commit
    )
      return;
    if (core.isRemoved) return;
    const meta = { index: core.commit, term, membership: core.membership };
    core.snapshotSaved(meta, this.#random.pick([0, 3]));
    stored.snapshot = meta;
  }

  #disturb(member: SimCore): void {
    if (this.#calmSteps > 0) return;
    // What a fault leads to takes time: without quiet spells the next one would undo it first.
    if (this.#random.chance(0.5)) this.#calmSteps = this.#random.int(0, 300 * this.members.size);
    const ids = [...this.members.keys()];
    switch (this.#random.int(0, 10)) {
      case 8:
      case 9:
        this.#isolateLeader();
        return;
      case 0:
      case 6:
      case 7:
        member.core = undefined;
        return;
      case 1:
        for (const id of ids)
          if (this.#random.chance(0.5))
            this.#cut.add(`${member.id}>${id}`).add(`${id}>${member.id}`);
        return;
      case 2:
        this.#cut.add(`${member.id}>${this.#random.pick(ids)}`);
        return;
      case 3:
        this.#cut.clear();
        return;
      case 4:
        this.#loss = this.#random.pick([0, 0.05, 0.4]);
        return;
      case 5:
        for (const { core } of this.members.values())
          if (core?.peerLost(member.id)) core.campaign();
        return;
    }
  }

  #isolateLeader(): void {
    for (const { id, core } of this.members.values()) {
      if (core?.role !== "leader") continue;
      for (const other of this.members.keys())
        this.#cut.add(`${id}>${other}`).add(`${other}>${id}`);
    }
  }

  #commit(id: MemberId, entry: Entry): void {
    const what = `${entry.term}:${entry.kind}:${Buffer.from(entry.data).toString("latin1")}`;
    const known = this.#committed.get(entry.index);
    if (known !== undefined && known !== what)
      throw new Error(`${id} applies ${what} at ${entry.index}, not ${known}`);
    this.#committed.set(entry.index, what);
    const seenTerm = this.members.get(id)?.core?.term ?? entry.term;
    this.#committedBy.set(
      entry.index,
      Math.min(seenTerm, this.#committedBy.get(entry.index) ?? seenTerm),
    );
    this.#highestCommitted = Math.max(this.#highestCommitted, entry.index);
  }

  #check(member: SimCore): void {
    const { core } = member;
    if (core === undefined) return;
    if (core.role === "leader") {
      const known = this.#leaders.get(core.term) ?? member.id;
      if (known !== member.id)
        throw new Error(`two leaders in term ${core.term}: ${known} and ${member.id}`);
      this.#leaders.set(core.term, member.id);
      if (this.#random.chance(0.1)) this.#requireCompleteness(core);
    }
    // Whole logs are compared now and then only: it is the costly part, and a mismatch does not heal.
    if (!this.#random.chance(0.03)) return;
    for (const other of this.members.values()) {
      if (other.core !== undefined && other !== member) requireLogMatching(core, other.core);
    }
  }

  /** Raft §5.4.3: a leader's log holds everything committed in earlier terms (not what a later leader committed). */
  #requireCompleteness(core: RaftCore): void {
    for (let i = core.firstIndex; i <= core.lastIndex; i = toLogIndex(i + 1)) {
      const known = this.#committed.get(i);
      const entry = core.entryAt(i);
      if (known === undefined || entry === undefined) continue;
      if ((this.#committedBy.get(i) ?? core.term) >= core.term) continue;
      if (!known.startsWith(`${entry.term}:`)) {
        throw new Error(
          `leader ${core.id} of term ${core.term} has term ${entry.term} at ${i}, committed is ${known}`,
        );
      }
    }
  }
}

function bootstrap(stored: Stored, id: MemberId): void {
  const data = encodeChange({ kind: "bootstrap", id, context: new Uint8Array(0) });
  stored.entries = [{ index: toLogIndex(1), term: toTerm(1), kind: "membership", data }];
  stored.hardState = { term: toTerm(1), vote: undefined, commit: toLogIndex(1) };
}

/** Raft §5.3: two logs that agree on the term at some index agree on everything before it. */
function requireLogMatching(a: RaftCore, b: RaftCore): void {
  let isMatched = false;
  const last = Math.min(a.lastIndex, b.lastIndex);
  const first = Math.max(a.firstIndex, b.firstIndex);
  for (let i = last; i >= first; i--) {
    const isSame = a.termAt(toLogIndex(i)) === b.termAt(toLogIndex(i));
    if (isMatched && !isSame)
      throw new Error(`logs of ${a.id} and ${b.id} differ at ${i} below a match`);
    isMatched ||= isSame;
  }
}
