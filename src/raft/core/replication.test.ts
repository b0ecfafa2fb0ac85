import { describe, expect, test } from "vitest";
import { toLogIndex, toTerm } from "../ids.js";
import { CoreCluster, drain, entry, makeCore, membershipOf } from "../testing/core-cluster.js";
import type { Entry } from "./entry.js";
import type { Append, CoreMessage } from "./message.js";
import { INFLIGHT_MESSAGES_MAX } from "./progress.js";

const append = (term: number, prev: [number, number], entries: Entry[], commit = 0): Append => ({
  kind: "append",
  from: "b",
  to: "a",
  term: toTerm(term),
  prevIndex: toLogIndex(prev[0]),
  prevTerm: toTerm(prev[1]),
  entries,
  commit: toLogIndex(commit),
  context: new Uint8Array(0),
});

const terms = (core: ReturnType<typeof makeCore>): number[] => {
  const found: number[] = [];
  for (let i = 1; i <= core.lastIndex; i++) found.push(core.termAt(toLogIndex(i)) ?? -1);
  return found;
};

describe("§5.3 log replication, follower", () => {
  test.each([
    {
      name: "appends after a matching entry",
      have: [1, 1],
      m: append(2, [2, 1], [entry(3, 2)]),
      want: [1, 1, 2],
      reply: { kind: "appendReply", match: 3 },
    },
    {
      name: "refuses a gap",
      have: [1],
      m: append(2, [3, 1], [entry(4, 2)]),
      want: [1],
      reply: { kind: "appendReject", prevIndex: 3, hintIndex: 1, hintTerm: 1 },
    },
    {
      name: "refuses another term before it",
      have: [1, 3],
      m: append(4, [2, 2], [entry(3, 4)]),
      want: [1, 3],
      reply: { kind: "appendReject", prevIndex: 2, hintIndex: 1, hintTerm: 1 },
    },
    {
      name: "drops a conflicting tail",
      have: [1, 2, 2],
      m: append(3, [1, 1], [entry(2, 3)]),
      want: [1, 3],
      reply: { kind: "appendReply", match: 2 },
    },
    {
      name: "keeps a tail that a repeated message does not mention",
      have: [1, 1, 1],
      m: append(1, [0, 0], [entry(1, 1)]),
      want: [1, 1, 1],
      reply: { kind: "appendReply", match: 1 },
    },
    {
      name: "an empty message proves the match",
      have: [1, 1],
      m: append(1, [2, 1], []),
      want: [1, 1],
      reply: { kind: "appendReply", match: 2 },
    },
    {
      name: "hints skip a whole conflicting term",
      have: [1, 4, 4, 4],
      m: append(5, [4, 3], []),
      want: [1, 4, 4, 4],
      reply: { kind: "appendReject", hintIndex: 1, hintTerm: 1 },
    },
  ])("$name", ({ have, m, want, reply }) => {
    const core = makeCore("a", {
      term: m.term,
      entries: have.map((term, i) => entry(i + 1, term)),
    });
    core.step(m);
    expect(drain(core)).toMatchObject([reply]);
    expect(terms(core)).toEqual(want);
  });

  test("commits no further than what the message proves", () => {
    const core = makeCore("a", { term: 1, entries: [entry(1, 1), entry(2, 1)] });
    core.step(append(1, [0, 0], [entry(1, 1)], 9));
    expect(core.commit).toBe(1);
  });

  test("acknowledges only what is saved", () => {
    const core = makeCore("a", { term: 1 });
    core.step(append(1, [0, 0], [entry(1, 1)]));
    const ready = core.ready();
    expect(ready.messages).toEqual([]);
    expect(ready.messagesAfterSave).toMatchObject([{ kind: "appendReply", match: 1 }]);
    expect(ready.entries).toHaveLength(1);
    expect(ready.committedEntries).toEqual([]);
  });

  test("a late save of a truncated tail vouches for nothing that replaced it", () => {
    const core = makeCore("a", { term: 1 });
    core.step(append(1, [0, 0], [entry(1, 1), entry(2, 1)]));
    const first = core.ready();
    core.step(append(2, [0, 0], [entry(1, 2), entry(2, 2)], 2));
    const second = core.ready();
    core.advance(first);
    expect(core.hasReady()).toBe(false);
    core.advance(second);
    expect(core.ready().committedEntries.map(({ term }) => term)).toEqual([2, 2]);
  });

  test("an append that conflicts with a committed entry stops the node", () => {
    const core = makeCore("a", { term: 1, commit: 2, entries: [entry(1, 1), entry(2, 1)] });
    expect(() => core.step(append(2, [1, 1], [entry(2, 2)]))).not.toThrow();
    expect(terms(core)).toEqual([1, 1]);
  });
});

describe("§5.3 log replication, leader", () => {
  test("sends before its own disk is done, commits with a quorum of others, applies once saved itself", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    const a = cluster.get("a");
    cluster.propose("a", "x");
    const ready = a.ready();
    expect(ready.messages.map(({ kind, to }) => `${kind} ${to}`)).toEqual(["append b", "append c"]);
    for (const m of ready.messages) cluster.deliver(m);
    for (const id of ["b", "c"]) for (const m of drain(cluster.get(id))) cluster.deliver(m);
    expect(a.commit).toBe(2);
    expect(a.ready().committedEntries).toEqual([]);
    a.advance(ready);
    expect(a.ready().committedEntries).toHaveLength(1);
  });

  test("fast backtracking: one message per conflicting term, not per entry", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    const theirs = Array.from({ length: 50 }, (_, i) => entry(i + 1, 1));
    const ours = Array.from({ length: 40 }, (_, i) => entry(i + 1, i < 5 ? 1 : 3));
    cluster.add("a", { term: 3, entries: ours });
    cluster.add("b", {
      term: 2,
      entries: [...theirs.slice(0, 5), ...theirs.slice(5).map((e) => entry(e.index, 2))],
    });
    cluster.cut.add("c");
    let rejects = 0;
    const b = cluster.get("b");
    const step = b.step.bind(b);
    b.step = (m: CoreMessage) => {
      step(m);
      if (m.kind === "append" && !b.hasReady()) rejects++;
    };
    cluster.elect("a");
    expect(terms(b)).toEqual(terms(cluster.get("a")));
    expect(rejects).toBeLessThan(3);
  });

  test("the window bounds what runs ahead of the answers", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    const a = cluster.get("a");
    let sent = 0;
    for (let i = 0; i < 2 * INFLIGHT_MESSAGES_MAX; i++) {
      cluster.propose("a", "x".repeat(900));
      sent += a.ready().messages.filter((m) => m.kind === "append" && m.to === "b").length;
    }
    expect(sent).toBe(INFLIGHT_MESSAGES_MAX);
  });

  test("many small proposals share messages of at most the batch size", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    for (let i = 0; i < 100; i++) cluster.propose("a", "1234");
    const sizes = cluster
      .get("a")
      .ready()
      .messages.flatMap((m) => (m.kind === "append" && m.to === "b" ? [m.entries.length] : []));
    expect(sizes).toEqual([50, 50]);
  });

  test("lost appends are found by the next heartbeat's answer", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("b");
    cluster.propose("a", "lost");
    cluster.settle();
    cluster.cut.clear();
    cluster.tickAll(2);
    expect(cluster.texts("b")).toEqual(["lost"]);
  });
});

describe("§5.4.2 committing entries of earlier terms", () => {
  test("an old entry on a quorum is not committed by counting, only under one of the new term", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.add("a", { term: 2, entries: [entry(1, 2)] });
    cluster.add("b", { term: 2, entries: [entry(1, 2)] });
    cluster.cut.add("c");
    const a = cluster.get("a");
    cluster.tick("a", 6);
    for (let i = 0; i < 3; i++) {
      for (const m of drain(a)) if (m.kind !== "append") cluster.deliver(m);
      for (const m of drain(cluster.get("b"))) cluster.deliver(m);
    }
    expect(a.role).toBe("leader");
    a.step({ kind: "appendReply", from: "b", to: "a", term: a.term, match: toLogIndex(1) });
    expect(a.commit).toBe(0);
    a.step({ kind: "appendReply", from: "b", to: "a", term: a.term, match: toLogIndex(2) });
    expect(a.commit).toBe(2);
  });
});

describe("§6.4 reads through the log's leader", () => {
  test.each(["a", "b"])(
    "asked at %s: answered with the commit index after a heartbeat round",
    (id) => {
      const cluster = new CoreCluster(["a", "b", "c"]);
      cluster.elect("a");
      cluster.propose("a", "x");
      cluster.settle();
      expect(cluster.get(id).requestRead(7)).toBe(true);
      cluster.settle();
      expect(cluster.reads).toEqual([{ id, requestId: 7, index: 2 }]);
    },
  );

  test("a leader that lost its quorum answers none", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("b").add("c");
    cluster.get("a").requestRead(7);
    cluster.settle();
    expect(cluster.reads).toEqual([]);
    cluster.tick("a", 6);
    const refused: number[] = [];
    drain(cluster.get("a"), (ready) => refused.push(...ready.readsRefused));
    expect(refused).toEqual([7]);
  });

  test("no answer before an entry of the own term is committed", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    const a = cluster.get("a");
    cluster.tick("a", 6);
    for (let i = 0; i < 2; i++) {
      for (const m of drain(a)) if (m.kind !== "append") cluster.deliver(m);
      for (const id of ["b", "c"]) for (const m of drain(cluster.get(id))) cluster.deliver(m);
    }
    expect(a.role).toBe("leader");
    a.requestRead(7);
    expect(drain(a).filter((m) => m.kind === "heartbeat")).toEqual([]);
  });

  test("many reads share a round; a repeated old answer confirms nothing", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    const a = cluster.get("a");
    for (let i = 0; i < 50; i++) a.requestRead(i);
    const beats = drain(a).filter((m) => m.kind === "heartbeat");
    expect(beats).toHaveLength(2);
    a.step({ kind: "heartbeatReply", from: "b", to: "a", term: a.term, round: 0 });
    expect(a.ready().readStates).toEqual([]);
    a.step({ kind: "heartbeatReply", from: "b", to: "a", term: a.term, round: 1 });
    expect(a.ready().readStates).toHaveLength(50);
  });
});

test("a log that is shorter than what it acknowledged is damaged: the member stops", () => {
  const core = makeCore("a", { term: 1, entries: [entry(1, 1), entry(2, 1)] });
  const beat = (commit: number): CoreMessage => ({
    ...{ kind: "heartbeat", from: "b", to: "a", term: toTerm(1), round: 0 },
    ...{ commit: toLogIndex(commit), context: new Uint8Array(0) },
  });
  core.step(beat(2));
  expect(core.commit).toBe(2);
  expect(() => core.step(beat(3))).toThrow(
    expect.objectContaining({
      code: "DAMAGED",
      message:
        "the log ends with entry 2, but this member acknowledged entries up to 3: the disk lost them",
    }),
  );
});

describe("§7 snapshots", () => {
  test("a follower behind the compacted log gets the snapshot, then the rest", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("c");
    for (let i = 0; i < 10; i++) cluster.propose("a", `${i}`);
    cluster.settle();
    const a = cluster.get("a");
    a.snapshotSaved({ index: toLogIndex(8), term: toTerm(1), membership: a.membership }, 0);
    expect(a.firstIndex).toBe(9);
    cluster.cut.clear();
    cluster.tickAll(3);
    expect(cluster.get("c").firstIndex).toBe(9);
    expect(cluster.get("c").commit).toBe(11);
    expect(cluster.texts("c")).toEqual(["7", "8", "9"]);
  });

  test("a snapshot of what the log holds anyway only moves the commit index", () => {
    const core = makeCore("a", { term: 1, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] });
    const membership = membershipOf(["a", "b", "c"]);
    expect(core.installSnapshot({ index: toLogIndex(2), term: toTerm(1), membership })).toBe(true);
    expect(core.commit).toBe(2);
    expect(core.lastIndex).toBe(3);
    expect(core.ready().snapshot).toBeUndefined();
  });

  test("a snapshot that contradicts the log replaces it", () => {
    const core = makeCore("a", { term: 1, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] });
    const membership = membershipOf(["a", "b", "c", "d"]);
    expect(core.installSnapshot({ index: toLogIndex(2), term: toTerm(5), membership })).toBe(true);
    const ready = core.ready();
    expect(ready.snapshot?.index).toBe(2);
    expect(core.lastIndex).toBe(2);
    expect(core.membership.members).toHaveLength(4);
  });

  test("one at or below the commit index changes nothing", () => {
    const core = makeCore("a", { term: 1, commit: 2, entries: [entry(1, 1), entry(2, 1)] });
    expect(
      core.installSnapshot({
        index: toLogIndex(2),
        term: toTerm(1),
        membership: membershipOf(["a"]),
      }),
    ).toBe(false);
  });
});
