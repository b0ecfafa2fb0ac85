import { describe, expect, test } from "vitest";
import { toLogIndex, toTerm } from "../ids.js";
import { CoreCluster, drain, entry, makeCore } from "../testing/core-cluster.js";
import type { Vote } from "./message.js";

const vote = (
  from: string,
  term: number,
  lastIndex: number,
  lastTerm: number,
  force = false,
): Vote => ({
  kind: "vote",
  from,
  to: "a",
  term: toTerm(term),
  lastIndex: toLogIndex(lastIndex),
  lastTerm: toTerm(lastTerm),
  force,
});

describe("§5.2 leader election", () => {
  test("a follower campaigns after an election timeout without a leader, asking first (§9.6)", () => {
    const core = makeCore("a");
    for (let i = 0; i < 5; i++) core.tick();
    expect(core.role).toBe("follower");
    core.tick();
    expect(core.role).toBe("preCandidate");
    expect(core.term).toBe(0);
    expect(drain(core).map((m) => [m.kind, m.to, m.term])).toEqual([
      ["preVote", "b", 1],
      ["preVote", "c", 1],
    ]);
  });

  test("the winner of a quorum leads, begins its term with an empty entry and tells the others", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    expect(cluster.get("a").role).toBe("leader");
    expect(cluster.get("b").leader).toBe("a");
    expect(cluster.applied.get("c")?.map(({ kind }) => kind)).toEqual(["empty"]);
  });

  test("a sole voter wins alone, but only once its vote is on disk", () => {
    const core = makeCore("a", { membership: new CoreCluster(["a"]).get("a").membership });
    core.campaign();
    expect(core.role).toBe("candidate");
    const ready = core.ready();
    expect(ready.mustSync).toBe(true);
    expect(core.role).toBe("candidate");
    core.advance(ready);
    expect(core.role).toBe("leader");
  });

  test.each([
    {
      name: "first come, first served",
      start: { term: 1 },
      ask: vote("b", 2, 0, 0),
      granted: true,
    },
    {
      name: "not twice in a term",
      start: { term: 2, vote: "c" },
      ask: vote("b", 2, 0, 0),
      granted: false,
    },
    {
      name: "again to the same",
      start: { term: 2, vote: "b" },
      ask: vote("b", 2, 0, 0),
      granted: true,
    },
    {
      name: "§5.4.1 not to a log with an earlier last term",
      start: { term: 3, entries: [entry(1, 3)] },
      ask: vote("b", 4, 9, 2),
      granted: false,
    },
    {
      name: "§5.4.1 not to a shorter log of the same term",
      start: { term: 3, entries: [entry(1, 3), entry(2, 3)] },
      ask: vote("b", 4, 1, 3),
      granted: false,
    },
    {
      name: "§5.4.1 to a longer log of the same term",
      start: { term: 3, entries: [entry(1, 3)] },
      ask: vote("b", 4, 2, 3),
      granted: true,
    },
  ])("votes: $name", ({ start, ask, granted }) => {
    const core = makeCore("a", start);
    core.step(ask);
    expect(drain(core)).toMatchObject([{ kind: "voteReply", to: "b", granted }]);
  });

  test("a granted vote leaves only after it is saved, with the term and vote to save beside it", () => {
    const core = makeCore("a");
    core.step(vote("b", 3, 0, 0));
    const ready = core.ready();
    expect(ready.messages).toEqual([]);
    expect(ready.hardState).toMatchObject({ term: 3, vote: "b" });
    expect(ready.messagesAfterSave).toMatchObject([{ kind: "voteReply", granted: true }]);
  });

  test("§5.1 a message of an earlier term is not acted on; a stale leader hears the newer term", () => {
    const core = makeCore("a", { term: 5 });
    core.step({
      kind: "heartbeat",
      from: "b",
      to: "a",
      term: toTerm(4),
      commit: toLogIndex(0),
      round: 0,
      context: new Uint8Array(0),
    });
    expect(core.leader).toBeUndefined();
    expect(drain(core)).toMatchObject([{ kind: "heartbeatReply", to: "b", term: 5 }]);
  });
});

describe("pre-vote (dissertation §9.6)", () => {
  test("a member that was cut off does not raise the term, and rejoins without an election", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("c");
    cluster.tickAll(40);
    expect(cluster.get("c").term).toBe(1);
    cluster.cut.clear();
    cluster.tickAll(2);
    expect(cluster.get("a").role).toBe("leader");
    expect(cluster.get("c").leader).toBe("a");
    expect(cluster.get("a").term).toBe(1);
  });

  test("is refused while the leader is heard, granted once its connection broke", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    const ask = {
      kind: "preVote",
      from: "c",
      to: "b",
      term: toTerm(2),
      lastIndex: toLogIndex(1),
      lastTerm: toTerm(1),
    } as const;
    cluster.get("b").step(ask);
    expect(drain(cluster.get("b"))).toMatchObject([{ kind: "preVoteReply", granted: false }]);
    expect(cluster.get("b").peerLost("a")).toBe(true);
    cluster.get("b").step(ask);
    expect(drain(cluster.get("b"))).toMatchObject([
      { kind: "preVoteReply", granted: true, term: 2 },
    ]);
  });

  test("after a lost leader connection a campaign starts at once and wins without waiting for a timeout", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("a");
    cluster.get("b").peerLost("a");
    cluster.get("c").peerLost("a");
    cluster.get("b").campaign();
    cluster.settle();
    expect(cluster.get("b").role).toBe("leader");
  });
});

describe("check-quorum and lease (dissertation §6.2, §4.2.3)", () => {
  test("a leader that hears no quorum steps down within an election timeout", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("b").add("c");
    for (let i = 0; i < 6; i++) cluster.tick("a");
    expect(cluster.get("a").role).toBe("follower");
    expect(cluster.get("a").leader).toBeUndefined();
  });

  test("a follower with a live leader ignores a vote request, also of a later term", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("b");
    cluster.get("a").step(vote("c", 9, 9, 9));
    expect(cluster.get("a").term).toBe(1);
    expect(drain(cluster.get("a"))).toEqual([]);
  });

  test("a forced vote (leadership transfer) does not wait for the lease", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("b");
    cluster.get("a").step(vote("c", 9, 9, 9, true));
    expect(drain(cluster.get("a"))).toMatchObject([{ kind: "voteReply", granted: true }]);
  });
});

describe("leadership transfer (dissertation §3.10)", () => {
  test("a caught-up voter takes over at once", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    expect(cluster.get("a").transferLeadership("c")).toBe("c");
    cluster.settle();
    expect(cluster.get("c").role).toBe("leader");
    expect(cluster.get("a").leader).toBe("c");
  });

  test("a lagging one gets the rest of the log first", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("c");
    for (let i = 0; i < 5; i++) cluster.propose("a", `${i}`);
    cluster.settle();
    cluster.cut.clear();
    expect(cluster.get("a").transferLeadership("c")).toBe("c");
    cluster.tickAll(2);
    expect(cluster.get("c").role).toBe("leader");
    expect(cluster.texts("c")).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("no proposals meanwhile; given up after an election timeout", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("c");
    cluster.get("a").transferLeadership("c");
    expect(cluster.get("a").propose(new Uint8Array(0)).kind).toBe("notLeader");
    cluster.tickAll(6);
    expect(cluster.get("a").role).toBe("leader");
    expect(cluster.get("a").propose(new Uint8Array(0)).kind).toBe("appended");
  });

  test("without a name the most up-to-date voter is chosen; learners never", () => {
    const cluster = new CoreCluster(["a", "b", "c"], ["d"]);
    cluster.elect("a");
    cluster.cut.add("b");
    cluster.propose("a", "x");
    cluster.settle();
    expect(cluster.get("a").transferLeadership("d")).toBeUndefined();
    expect(cluster.get("a").transferLeadership(undefined)).toBe("c");
  });
});
