import type { Entry, Membership, SnapshotMeta } from "../core/entry.js";
import type { CoreMessage } from "../core/message.js";
import { RaftCore, type Ready } from "../core/raft-core.js";
import { INDEX_ZERO, TERM_ZERO, toLogIndex, toTerm } from "../ids.js";
import type { LogIndex, MemberId } from "../types.js";
import { decodeChange, encodeChange } from "../wire/entry-codec.js";

const ELECTION_TICKS = 6;

export function membershipOf(
  voters: readonly MemberId[],
  learners: readonly MemberId[] = [],
): Membership {
  const context = new Uint8Array(0);
  const members = [
    ...voters.map((id) => ({ id, context, isLearner: false })),
    ...learners.map((id) => ({ id, context, isLearner: true })),
  ].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { members, removed: [] };
}

export function entry(index: number, term: number, text = ""): Entry {
  return { index: toLogIndex(index), term: toTerm(term), kind: "data", data: Buffer.from(text) };
}

export type CoreStart = {
  readonly term?: number;
  readonly vote?: MemberId;
  readonly commit?: number;
  readonly entries?: readonly Entry[];
  readonly membership?: Membership;
};

/** A core whose election timeout is exactly 6 ticks (random 0) unless told otherwise. */
export function makeCore(
  id: MemberId,
  start: CoreStart = {},
  random: () => number = () => 0,
): RaftCore {
  const membership = start.membership ?? membershipOf(["a", "b", "c"]);
  const snapshot: SnapshotMeta = { index: INDEX_ZERO, term: TERM_ZERO, membership };
  return new RaftCore(
    {
      id,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      random,
      appendMaxBytes: 1_000,
      encodeChange,
      decodeChange,
    },
    {
      hardState: {
        term: toTerm(start.term ?? 0),
        vote: start.vote,
        commit: toLogIndex(start.commit ?? 0),
      },
      snapshot,
      base: INDEX_ZERO,
      baseTerm: TERM_ZERO,
      entries: start.entries ?? [],
    },
  );
}

/** Takes everything that is ready and has it saved at once. Returns the messages, own ones excluded. */
export function drain(
  core: RaftCore,
  onReady: (ready: Ready) => void = () => undefined,
): CoreMessage[] {
  const messages: CoreMessage[] = [];
  while (core.hasReady()) {
    const ready = core.ready();
    onReady(ready);
    messages.push(...ready.messages, ...ready.messagesAfterSave.filter((m) => m.to !== core.id));
    core.advance(ready);
  }
  return messages;
}

/** Cores joined by a queue that is delivered on request, in order, without loss except where cut. */
export class CoreCluster {
  readonly cores = new Map<MemberId, RaftCore>();
  readonly applied = new Map<MemberId, Entry[]>();
  readonly reads: { id: MemberId; requestId: number; index: LogIndex }[] = [];
  readonly cut = new Set<MemberId>();
  queue: CoreMessage[] = [];

  constructor(voters: readonly MemberId[], learners: readonly MemberId[] = []) {
    for (const id of [...voters, ...learners]) {
      this.add(id, { membership: membershipOf(voters, learners) });
    }
  }

  add(id: MemberId, start: CoreStart): RaftCore {
    const core = makeCore(id, start);
    this.cores.set(id, core);
    this.applied.set(id, []);
    return core;
  }

  get(id: MemberId): RaftCore {
    const core = this.cores.get(id);
    if (core === undefined) throw new Error(`no core ${id}`);
    return core;
  }

  /** Delivers messages until nobody has anything to say. */
  settle(): void {
    for (let round = 0; round < 10_000; round++) {
      for (const core of this.cores.values()) this.#collect(core);
      const messages = this.queue;
      if (messages.length === 0) return;
      this.queue = [];
      for (const m of messages) this.deliver(m);
    }
    throw new Error("the cluster does not settle");
  }

  deliver(m: CoreMessage): void {
    if (this.cut.has(m.from) || this.cut.has(m.to)) return;
    this.cores.get(m.to)?.step(m);
  }

  tick(id: MemberId, count = 1): void {
    for (let left = count; left > 0; left--) this.get(id).tick();
  }

  /** Everyone's clock moves, with messages delivered in between. */
  tickAll(count: number): void {
    for (let left = count; left > 0; left--) {
      for (const core of this.cores.values()) core.tick();
      this.settle();
    }
  }

  elect(id: MemberId): void {
    this.tick(id, ELECTION_TICKS);
    this.settle();
    if (this.get(id).role !== "leader") throw new Error(`${id} did not win`);
  }

  propose(id: MemberId, text: string): LogIndex {
    const outcome = this.get(id).propose(Buffer.from(text));
    if (outcome.kind !== "appended") throw new Error(`refused: ${outcome.kind}`);
    return outcome.index;
  }

  texts(id: MemberId): string[] {
    const entries = this.applied.get(id) ?? [];
    return entries
      .filter(({ kind }) => kind === "data")
      .map(({ data }) => Buffer.from(data).toString());
  }

  #collect(core: RaftCore): void {
    const messages = drain(core, (ready) => {
      this.applied.get(core.id)?.push(...ready.committedEntries);
      for (const read of ready.readStates) this.reads.push({ id: core.id, ...read });
      for (const { to, meta } of ready.snapshotSends) this.#transfer(core, to, meta);
    });
    this.queue.push(...messages);
  }

  /** Stands for the chunked transfer of the node. */
  #transfer(core: RaftCore, to: MemberId, meta: SnapshotMeta): void {
    const isReachable = !this.cut.has(to) && !this.cut.has(core.id);
    if (isReachable) this.get(to).installSnapshot(meta);
    core.snapshotSent(to, isReachable);
  }
}
