import { expect, test } from "vitest";
import {
  APPEAR_GRACE_MS,
  CHECK_PERIOD_MS,
  NodeSessions,
  REGISTRATION_WINDOW_MS,
  REGISTRATIONS_MAX,
  SESSIONS_MAX,
} from "./sessions.js";

/** Looks at the deadlines in steps, as the shell does; returns when each node expired. */
function watch(sessions: NodeSessions, fromMs: number, toMs: number): [number, string][] {
  const seen: [number, string][] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += CHECK_PERIOD_MS)
    for (const id of sessions.expire(atMs)) seen.push([atMs, id]);
  return seen;
}

test("a node is down five periods after its last heartbeat, and is reported once", () => {
  const sessions = new NodeSessions(0, 1000);
  sessions.register("n1", "s1", 0);
  watch(sessions, 0, 1000);
  expect(sessions.heartbeat("n1", "s1", 1000)).toBe("live");
  expect(watch(sessions, 1000, 20_000)).toEqual([[6000, "n1"]]);
});

test.each([
  { name: "a shorter period", periodMs: 1000, downAtMs: [30_000, 10_000 + 5 * 1000] },
  { name: "a longer period", periodMs: 10_000, downAtMs: [5000 + 50_000, 10_000 + 50_000] },
])("$name holds from the heartbeat on that comes after it was told", ({ periodMs, downAtMs }) => {
  const sessions = new NodeSessions(0, 5000);
  for (const id of ["told", "telling"]) sessions.register(id, "s1", 0);
  watch(sessions, 0, 4000);
  sessions.setPeriod(periodMs);
  // The answers to these carry the new period; the next heartbeats were due by the old one.
  for (const id of ["told", "telling"]) sessions.heartbeat(id, "s1", 5000);
  watch(sessions, 4000, 9750);
  sessions.heartbeat("told", "s1", 10_000);
  const down = new Map(watch(sessions, 10_000, 80_000).map(([atMs, id]) => [id, atMs]));
  expect([down.get("telling"), down.get("told")]).toEqual(downAtMs);
});

test("a longer period holds at once: also for a node whose next heartbeat never comes", () => {
  const sessions = new NodeSessions(0, 1000);
  sessions.register("n1", "s1", 0);
  sessions.setPeriod(5000);
  expect(watch(sessions, 0, 30_000)).toEqual([[25_000, "n1"]]);
});

test("a heartbeat after that revives the node without a new registration", () => {
  const sessions = new NodeSessions(0, 1000);
  sessions.register("n1", "s1", 0);
  watch(sessions, 0, 8000);
  expect(sessions.heartbeat("n1", "s1", 8000)).toBe("revived");
  expect(sessions.heartbeat("n1", "s1", 8001)).toBe("live");
});

test("a new leader gives each known node a while to appear; who does is not down", () => {
  const sessions = new NodeSessions(0, 1000);
  sessions.expect(["n1", "n2"], 0);
  watch(sessions, 0, 3000);
  sessions.register("n1", "s1", 3000);
  const seen: [number, string][] = [];
  for (let atMs = 3000; atMs <= 12_000; atMs += CHECK_PERIOD_MS) {
    sessions.heartbeat("n1", "s1", atMs);
    for (const id of sessions.expire(atMs)) seen.push([atMs, id]);
  }
  expect(seen).toEqual([[APPEAR_GRACE_MS, "n2"]]);
});

test("where agents first dial managers that are lost, each node is given the time for that", () => {
  const sessions = new NodeSessions(0, 1000);
  sessions.expect(["n1"], 0, 5000);
  expect(watch(sessions, 0, 20_000)).toEqual([[APPEAR_GRACE_MS + 5000, "n1"]]);
});

test("a stall of this process is no node's fault", () => {
  const sessions = new NodeSessions(0, 1000);
  sessions.register("n1", "s1", 0);
  watch(sessions, 0, 1000);
  expect(sessions.expire(9000)).toEqual([]);
  expect(sessions.heartbeat("n1", "s1", 9001)).toBe("live");
});

test("a newer session replaces the older one, whose heartbeats then count for nothing", () => {
  const sessions = new NodeSessions(0, 1000);
  expect(sessions.register("n1", "s1", 0)).toEqual({ kind: "registered", replaced: undefined });
  expect(sessions.register("n1", "s2", 10)).toEqual({ kind: "registered", replaced: "s1" });
  expect(sessions.heartbeat("n1", "s1", 20)).toBe("unknown");
  expect(sessions.isCurrent("n1", "s2")).toBe(true);
});

test("a node that left is not waited for", () => {
  const sessions = new NodeSessions(0, 1000);
  sessions.register("n1", "s1", 0);
  sessions.forget("n1");
  expect(watch(sessions, 0, 20_000)).toEqual([]);
});

test("registrations of one node are limited within a window", () => {
  const sessions = new NodeSessions(0, 1000);
  for (let i = 0; i < REGISTRATIONS_MAX; i++)
    expect(sessions.register("n1", `s${i}`, i).kind).toBe("registered");
  expect(sessions.register("n1", "more", 100).kind).toBe("refused");
  expect(sessions.register("n2", "other", 100).kind).toBe("registered");
  expect(sessions.register("n1", "later", REGISTRATION_WINDOW_MS + 100).kind).toBe("registered");
});

test("sessions are limited", () => {
  const sessions = new NodeSessions(0, 1000);
  for (let i = 0; i < SESSIONS_MAX; i++) sessions.register(`n${i}`, "s", 0);
  expect(sessions.register("one-more", "s", 0).kind).toBe("refused");
  expect(sessions.register("n0", "again", 0).kind).toBe("registered");
});
