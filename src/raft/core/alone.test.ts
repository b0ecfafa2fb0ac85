import { describe, expect, test } from "vitest";
import { INDEX_ZERO, TERM_ZERO, toLogIndex, toTerm } from "../ids.js";
import { entry, membershipOf } from "../testing/core-cluster.js";
import type { Member } from "../types.js";
import { decodeChange, encodeChange } from "../wire/entry-codec.js";
import { type Alone, continueAlone, LEAP_ENTRIES } from "./alone.js";
import type { Entry, Membership } from "./entry.js";
import { applyChange, type LoggedChange } from "./membership.js";
import { RaftCore, type StoredState } from "./raft-core.js";

const none = new Uint8Array(0);
const codec = { encodeChange, decodeChange };

function change(index: number, term: number, what: LoggedChange): Entry {
  const data = encodeChange(what);
  return { index: toLogIndex(index), term: toTerm(term), kind: "membership", data };
}

function stored(parts: {
  readonly entries?: readonly Entry[];
  readonly commit?: number;
  readonly term?: number;
  readonly membership?: Membership;
}): StoredState {
  return {
    hardState: {
      term: toTerm(parts.term ?? 3),
      vote: "b",
      commit: toLogIndex(parts.commit ?? 0),
    },
    snapshot: {
      index: INDEX_ZERO,
      term: TERM_ZERO,
      membership: parts.membership ?? membershipOf(["a", "b", "c"]),
    },
    base: INDEX_ZERO,
    baseTerm: TERM_ZERO,
    entries: parts.entries ?? [],
  };
}

function rewritten(state: StoredState): Extract<Alone, { kind: "rewritten" }> {
  const alone = continueAlone(state, "a", codec);
  if (alone.kind !== "rewritten") throw new Error(alone.kind);
  return alone;
}

function open(state: StoredState): RaftCore {
  const config = {
    id: "a",
    electionTicks: 6,
    heartbeatTicks: 1,
    random: () => 0,
    appendMaxBytes: 1_000,
    ...codec,
  };
  return new RaftCore(config, state);
}

const ids = (members: readonly Member[]): string[] => members.map(({ id }) => id);

describe("continuing alone", () => {
  test("keeps what is committed, drops the rest, and is the only member at once", () => {
    const entries = [entry(1, 1, "one"), entry(2, 2, "two"), entry(3, 3, "three")];
    const alone = rewritten(stored({ entries, commit: 2 }));
    expect(ids(alone.lost)).toEqual(["b", "c"]);
    expect(alone.droppedCount).toBe(1);
    expect(alone.stored.entries.slice(0, 2)).toEqual(entries.slice(0, 2));
    expect(alone.added[0]?.index).toBe(3);

    const core = open(alone.stored);
    expect(ids(core.membership.members)).toEqual(["a"]);
    expect(ids(core.membership.removed)).toEqual(["b", "c"]);
    core.campaign();
    core.advance(core.ready());
    expect(core.role).toBe("leader");
    const data = [...Array(core.lastIndex).keys()].flatMap((i) => {
      const found = core.entryAt(toLogIndex(i + 1));
      return found?.kind === "data" ? [Buffer.from(found.data).toString()] : [];
    });
    expect(data).toEqual(["one", "two"]);
  });

  test("gives no index out again that a lost member may have given out", () => {
    const entries = [entry(1, 1), entry(2, 2), entry(3, 3)];
    const { stored: next } = rewritten(stored({ entries, commit: 1 }));
    expect(next.entries.map(({ index }) => index)).toEqual(
      Array.from({ length: 3 + LEAP_ENTRIES }, (_, i) => i + 1),
    );
    expect(next.hardState.commit).toBe(3 + LEAP_ENTRIES);
  });

  test("has a term of its own in which it can vote for nobody else", () => {
    const { stored: next, added } = rewritten(stored({ entries: [entry(1, 3)], commit: 1 }));
    expect(next.hardState).toMatchObject({ term: 4, vote: "a" });
    expect(new Set(added.map(({ term }) => term))).toEqual(new Set([4]));
  });

  test("a member that comes back is told that it is out", () => {
    const core = open(rewritten(stored({ entries: [entry(1, 1)], commit: 1 })).stored);
    core.campaign();
    core.advance(core.ready());
    const vote = { lastIndex: toLogIndex(90_000), lastTerm: toTerm(80), force: true };
    core.step({ kind: "vote", from: "b", to: "a", term: toTerm(90), ...vote });
    expect(core.role).toBe("leader");
    const told = core.ready().messages.filter(({ to }) => to === "b");
    expect(told.map(({ kind }) => kind)).toEqual(["removed"]);
  });

  test("a learner that was being added is lost with the others; a promotion that was not committed never was", () => {
    const entries = [
      change(1, 1, { kind: "addLearner", id: "d", context: none }),
      change(2, 1, { kind: "promote", id: "d" }),
    ];
    const alone = rewritten(stored({ entries, commit: 1 }));
    expect(ids(alone.lost)).toEqual(["b", "c", "d"]);
    expect(ids(open(alone.stored).membership.members)).toEqual(["a"]);
  });

  test("is safe to repeat: the second time nothing is changed, whatever was written since", () => {
    const first = rewritten(stored({ entries: [entry(1, 1)], commit: 1 })).stored;
    expect(continueAlone(first, "a", codec)).toEqual({ kind: "unchanged" });
    const next = first.entries.length + 1;
    const written = { ...first, entries: [...first.entries, entry(next, 5, "new")] };
    expect(continueAlone(written, "a", codec)).toEqual({ kind: "unchanged" });
  });

  test("what the only voter wrote counts as committed: a second manager lost while it was being added goes", () => {
    const entries = [
      entry(1, 1, "kept"),
      change(2, 1, { kind: "addLearner", id: "b", context: none }),
      entry(3, 1, "kept too"),
      change(4, 1, { kind: "promote", id: "b" }),
      entry(5, 1, "never agreed to"),
    ];
    const alone = rewritten(stored({ entries, commit: 0, membership: membershipOf(["a"]) }));
    expect(alone.droppedCount).toBe(1);
    expect(alone.stored.entries.slice(0, 4)).toEqual(entries.slice(0, 4));
    expect(ids(open(alone.stored).membership.members)).toEqual(["a"]);
  });

  test.each<{ name: string; membership: Membership; why: RegExp }>([
    {
      name: "one that was removed",
      membership: applyChange(membershipOf(["a", "b", "c"]), { kind: "remove", id: "a" }),
      why: /was removed/,
    },
    { name: "one that never joined", membership: membershipOf([]), why: /not received/ },
    { name: "a learner", membership: membershipOf(["b", "c"], ["a"]), why: /still receiving/ },
  ])("is refused to $name", ({ membership, why }) => {
    const alone = continueAlone(stored({ membership }), "a", codec);
    expect(alone).toEqual({ kind: "refused", why: expect.stringMatching(why) as string });
  });
});
