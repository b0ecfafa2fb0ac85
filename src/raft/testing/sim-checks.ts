import type { CommittedEntry, MemberId, RaftStatus, StateMachine } from "../types.js";

/** What must hold at every step, whatever fails. Throws with the facts when it does not. */
export class SimChecks {
  /** Term → its leader (Raft §5.2, election safety). */
  readonly #leaders = new Map<number, MemberId>();
  /** Index → what was applied there first, on any member (Raft §5.4.3, state machine safety). */
  readonly #applied = new Map<number, string>();
  readonly #acknowledged = new Map<string, number>();
  #highestAcknowledged = 0;

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
  }
  get highestAcknowledged(): number {
    return this.#highestAcknowledged;
  }

  status(status: RaftStatus): void {
    if (status.role !== "leader") return;
    const known = this.#leaders.get(status.term);
    if (known !== undefined && known !== status.id) {
      throw new Error(`two leaders in term ${status.term}: ${known} and ${status.id}`);
    }
    this.#leaders.set(status.term, status.id);
  }

  applied(member: MemberId, index: number, term: number, text: string): void {
    const what = `${term}:${text}`;
    const known = this.#applied.get(index);
    if (known !== undefined && known !== what) {
      throw new Error(`${member} applied ${what} at ${index}, another applied ${known}`);
    }
    this.#applied.set(index, what);
  }

  acknowledged(text: string, index: number): void {
    const what = this.#applied.get(index);
    if (what === undefined || !what.endsWith(`:${text}`)) {
      throw new Error(`${text} was acknowledged at ${index}, where ${what} was applied`);
    }
    this.#acknowledged.set(text, index);
    this.#highestAcknowledged = Math.max(this.#highestAcknowledged, index);
  }

  /** A read that began when everything up to `floor` was acknowledged must see it. */
  read(member: MemberId, floor: number, index: number, machine: SimMachine): void {
    if (index < floor || machine.lastIndex < this.#floorOfData(floor)) {
      throw new Error(
        `${member} read at ${index} (applied ${machine.lastIndex}), but ${floor} was acknowledged before`,
      );
    }
  }

  /** After healing: everything acknowledged is there, once, and all members hold the same. */
  converged(machines: ReadonlyMap<MemberId, SimMachine>): void {
    let first: string | undefined;
    for (const [member, machine] of machines) {
      const state = JSON.stringify(machine.items);
      first ??= state;
      if (state !== first)
        throw new Error(`${member} ended with another state than the first member`);
      const held = new Map(machine.items.map(([index, text]) => [text, index]));
      for (const [text, index] of this.#acknowledged) {
        if (held.get(text) !== index)
          throw new Error(`${member} lost ${text}, acknowledged at ${index}`);
      }
    }
  }

  #floorOfData(floor: number): number {
    return floor;
  }
}

/** Keeps every entry with its index, so that states can be compared whole. */
export class SimMachine implements StateMachine {
  items: [number, string][] = [];
  readonly #member: MemberId;
  readonly #checks: SimChecks;

  constructor(member: MemberId, checks: SimChecks) {
    this.#member = member;
    this.#checks = checks;
  }

  get lastIndex(): number {
    return this.items.at(-1)?.[0] ?? 0;
  }

  apply(entry: CommittedEntry): unknown {
    const text = Buffer.from(entry.data).toString("latin1");
    if (entry.index <= this.lastIndex)
      throw new Error(`${this.#member} applied ${entry.index} twice`);
    this.#checks.applied(this.#member, entry.index, entry.term, text);
    this.items.push([entry.index, text]);
    return text;
  }

  snapshot(): AsyncIterable<Uint8Array> {
    const bytes = Buffer.from(JSON.stringify(this.items));
    return (async function* () {
      for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
    })();
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) parts.push(chunk);
    this.items = JSON.parse(Buffer.concat(parts).toString()) as [number, string][];
  }
}
