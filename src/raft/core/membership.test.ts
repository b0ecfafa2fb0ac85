import { describe, expect, test } from "vitest";
import { CoreCluster, entry, membershipOf } from "../testing/core-cluster.js";
import type { MembershipChange } from "../types.js";
import { encodeChange } from "../wire/entry-codec.js";
import type { Entry } from "./entry.js";
import { applyChange, EMPTY_MEMBERSHIP, membershipObjection, REMOVED_MAX } from "./membership.js";

const none = new Uint8Array(0);
const change = (cluster: CoreCluster, id: string, what: MembershipChange): string => {
  const outcome = cluster.get(id).proposeChange(what);
  return outcome.kind === "refused" ? outcome.why : outcome.kind;
};

describe("membership changes (Raft §6, dissertation §4.1)", () => {
  test.each<{ name: string; change: MembershipChange; why: RegExp | undefined }>([
    {
      name: "a new learner",
      change: { kind: "addLearner", id: "x", context: none },
      why: undefined,
    },
    {
      name: "a member again",
      change: { kind: "addLearner", id: "a", context: none },
      why: /is a member/,
    },
    {
      name: "a removed one",
      change: { kind: "addLearner", id: "r", context: none },
      why: /cannot return/,
    },
    { name: "promoting a voter", change: { kind: "promote", id: "a" }, why: /is a voter/ },
    { name: "promoting a stranger", change: { kind: "promote", id: "x" }, why: /not a member/ },
    { name: "promoting a learner", change: { kind: "promote", id: "l" }, why: undefined },
    { name: "removing the last voter", change: { kind: "remove", id: "a" }, why: /last voter/ },
    { name: "removing a learner", change: { kind: "remove", id: "l" }, why: undefined },
    {
      name: "an endless context",
      change: { kind: "update", id: "a", context: new Uint8Array(5000) },
      why: /too large/,
    },
    {
      name: "an empty id",
      change: { kind: "addLearner", id: "", context: none },
      why: /bad member id/,
    },
  ])("$name", ({ change, why }) => {
    const start = {
      ...membershipOf(["a"], ["l"]),
      removed: [{ id: "r", context: none, isLearner: false }],
    };
    const objection = membershipObjection(start, change);
    if (why === undefined) expect(objection).toBeUndefined();
    else expect(objection).toMatch(why);
    const next = applyChange(start, change);
    expect(next === start).toBe(why !== undefined);
  });

  test("former members are remembered, up to a limit", () => {
    let membership = applyChange(EMPTY_MEMBERSHIP, { kind: "bootstrap", id: "a", context: none });
    for (let i = 0; i < REMOVED_MAX + 5; i++) {
      membership = applyChange(membership, { kind: "addLearner", id: `n${i}`, context: none });
      membership = applyChange(membership, { kind: "remove", id: `n${i}` });
    }
    expect(membership.removed).toHaveLength(REMOVED_MAX);
    expect(membership.removed.at(-1)?.id).toBe(`n${REMOVED_MAX + 4}`);
  });

  test("never two in flight, and none before the leader committed in its term", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("b").add("c");
    expect(change(cluster, "a", { kind: "addLearner", id: "d", context: none })).toBe("appended");
    expect(change(cluster, "a", { kind: "addLearner", id: "e", context: none })).toMatch(
      /in flight/,
    );
  });

  test("a new leader counts the change it inherited", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    change(cluster, "a", { kind: "addLearner", id: "d", context: none });
    // Reaches b, is not known to be committed, then a is gone.
    for (const m of cluster.get("a").ready().messages) if (m.to === "b") cluster.deliver(m);
    cluster.cut.add("a");
    cluster.settle();
    cluster.tick("b", 6);
    cluster.tick("c", 5);
    cluster.get("c").peerLost("a");
    cluster.tick("b", 6);
    cluster.settle();
    const b = cluster.get("b");
    expect(b.role).toBe("leader");
    expect(b.membership.members.map(({ id }) => id)).toContain("d");
    expect(change(cluster, "b", { kind: "addLearner", id: "e", context: none })).toBe("appended");
  });

  test("a learner receives the log, has no vote and does not campaign", () => {
    const cluster = new CoreCluster(["a", "b"], ["l"]);
    cluster.elect("a");
    cluster.propose("a", "x");
    cluster.settle();
    expect(cluster.texts("l")).toEqual(["x"]);
    cluster.cut.add("b");
    cluster.propose("a", "y");
    cluster.settle();
    expect(cluster.texts("a")).toEqual(["x"]);
    cluster.tick("l", 50);
    expect(cluster.get("l").role).toBe("follower");
  });

  test("a joining member needs nothing but the leader's messages", () => {
    const cluster = new CoreCluster([]);
    const data = encodeChange({ kind: "bootstrap", id: "a", context: none });
    const first: Entry = { ...entry(1, 1), kind: "membership", data };
    cluster.add("a", { membership: EMPTY_MEMBERSHIP, term: 1, commit: 1, entries: [first] });
    cluster.get("a").campaign();
    cluster.settle();
    cluster.add("b", { membership: EMPTY_MEMBERSHIP });
    change(cluster, "a", { kind: "addLearner", id: "b", context: none });
    cluster.tickAll(2);
    expect(change(cluster, "a", { kind: "promote", id: "b" })).toBe("appended");
    cluster.tickAll(2);
    expect(cluster.get("b").membership.members).toMatchObject([
      { id: "a" },
      { id: "b", isLearner: false },
    ]);
    cluster.cut.add("b");
    cluster.propose("a", "needs both");
    cluster.settle();
    expect(cluster.texts("a")).toEqual([]);
  });

  test("a learner far behind or out of reach is not promoted", () => {
    const cluster = new CoreCluster(["a", "b"], ["l"]);
    cluster.elect("a");
    cluster.cut.add("l");
    cluster.tickAll(7);
    expect(change(cluster, "a", { kind: "promote", id: "l" })).toMatch(/not reachable/);
  });

  test("no removal that would leave no reachable quorum", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("c");
    cluster.tickAll(7);
    expect(change(cluster, "a", { kind: "remove", id: "b" })).toMatch(/reachable/);
    expect(change(cluster, "a", { kind: "remove", id: "c" })).toBe("appended");
  });

  test("a removed member is told, stops campaigning, and does not disturb the others", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    cluster.cut.add("c");
    change(cluster, "a", { kind: "remove", id: "c" });
    cluster.settle();
    expect(cluster.get("a").membership.members.map(({ id }) => id)).toEqual(["a", "b"]);
    cluster.cut.clear();
    cluster.tick("c", 30);
    cluster.settle();
    expect(cluster.get("c").isRemoved).toBe(true);
    const { term } = cluster.get("a");
    cluster.tick("c", 100);
    cluster.settle();
    expect(cluster.get("a").term).toBe(term);
    expect(cluster.get("a").role).toBe("leader");
  });

  test("a leader that removes itself commits that, tells the others and stops leading", () => {
    const cluster = new CoreCluster(["a", "b", "c"]);
    cluster.elect("a");
    change(cluster, "a", { kind: "remove", id: "a" });
    cluster.settle();
    expect(cluster.get("a").isRemoved).toBe(true);
    expect(cluster.get("a").role).toBe("follower");
    expect(cluster.get("b").membership.members.map(({ id }) => id)).toEqual(["b", "c"]);
    cluster.get("b").peerLost("a");
    cluster.get("c").peerLost("a");
    cluster.get("b").campaign();
    cluster.settle();
    expect(cluster.get("b").role).toBe("leader");
  });

  test("a smaller quorum commits what the larger one could not", () => {
    const cluster = new CoreCluster(["a", "b", "c", "d"]);
    cluster.elect("a");
    cluster.cut.add("d");
    change(cluster, "a", { kind: "remove", id: "d" });
    cluster.propose("a", "after");
    cluster.settle();
    expect(cluster.texts("a")).toEqual(["after"]);
  });
});
