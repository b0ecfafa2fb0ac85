import { describe, expect, test } from "vitest";
import type { ApiNode, ApiService, ApiTask } from "./api-types.js";
import { editDrain } from "./commands/node-drain.js";
import { Draining, type DrainSnapshot, drainLine, drainTable } from "./draining.js";

const DEADLINE_MS = Date.parse("2026-01-01T00:10:00Z");

type Fields = { at?: string; state?: string; desired?: string; err?: string; service?: string };

function task(slot: number, fields: Fields = {}): ApiTask {
  const { at = "n1", state = "running", desired = "running", err = "", service = "web" } = fields;
  return {
    ID: `${service}${slot}${at}`,
    CreatedAt: "2026-01-01T00:00:00Z",
    ServiceID: service,
    ...(slot > 0 && { Slot: slot }),
    NodeID: at,
    DesiredState: desired,
    Spec: {},
    Status: { State: state, Err: err },
  };
}

const mode = (id: string): ApiService["Spec"]["Mode"] =>
  id === "web" ? { Replicated: { Replicas: 2 } } : { Global: {} };
const service = (id: string): ApiService => ({
  ID: id,
  Version: { Index: 1 },
  Spec: { Name: id, Mode: mode(id), TaskTemplate: {} },
});

function snapshot(tasks: readonly ApiTask[], spec: Partial<ApiNode["Spec"]> = {}): DrainSnapshot {
  const node: ApiNode = {
    ID: "n1",
    Version: { Index: 1 },
    Spec: { Name: "one", Role: "worker", Availability: "drain", ...spec },
    DrainStatus: { StartedAt: "2026-01-01T00:00:00Z", Deadline: "2026-01-01T00:10:00Z" },
    Status: { State: "ready" },
  };
  return { node, services: [service("web"), service("log")], tasks };
}

const OLD = { state: "shutdown", desired: "shutdown" };
const REFUSED = { at: "", state: "pending", err: "no suitable node" };

/** Looks at each a second after the one before, all well before the deadline. */
function watch(snapshots: readonly DrainSnapshot[], timeoutMs?: number) {
  const draining = new Draining(timeoutMs, 0);
  const seen = snapshots.map((one, i) => draining.see(one, i * 1000, DEADLINE_MS - 60_000));
  return { rows: seen.at(-1)?.rows ?? [], end: seen.at(-1)?.end };
}

const START = snapshot([task(1), task(2), task(0, { service: "log" })]);

describe("rows", () => {
  test("count what moved, what is left, and what waits", () => {
    const { rows, end } = watch([
      START,
      snapshot([task(1, OLD), task(1, { at: "n2" }), task(2), task(2, REFUSED)]),
    ]);
    expect(end).toBeUndefined();
    expect(rows.map(drainLine)).toEqual([
      "web: 1 of 2 tasks moved, 1 on the node, 0 waiting (no suitable node)",
      "log: 1 of 1 tasks moved, 0 on the node, 0 waiting",
    ]);
    expect(drainTable(rows)).toEqual([
      "SERVICE   MOVED   ON NODE   WAITING   NOTE",
      "web       1/2     1         0         no suitable node",
      "log       1/1     0         0",
    ]);
  });
});

describe("the end", () => {
  const MOVED = [task(1, OLD), task(2, OLD), task(1, { at: "n2" }), task(2, { at: "n3" })];
  const CUT = [
    task(1, OLD),
    task(2, OLD),
    task(1, { at: "n2" }),
    task(2, { at: "n2", state: "starting" }),
  ];
  const STUCK = snapshot([task(1), task(2), task(1, REFUSED)]);
  test.each([
    { name: "nothing was there", seen: [snapshot([])], exitCode: 0, text: "node one is drained" },
    {
      name: "all runs elsewhere",
      seen: [START, snapshot(MOVED)],
      exitCode: 0,
      text: "node one is drained",
    },
    {
      name: "the service was removed meanwhile",
      seen: [START, snapshot([])],
      exitCode: 0,
      text: "node one is drained",
    },
    {
      name: "no node takes it",
      seen: [START, ...Array.from({ length: 7 }, () => STUCK)],
      exitCode: 5,
      text: /^service web cannot be placed: no suitable node\nwhat runs on node one goes on until 2026-01-01T00:10:00Z/,
    },
    {
      name: "called off",
      seen: [START, snapshot([task(1)], { Availability: "active" })],
      exitCode: 1,
      text: "node one is active again: its drain was called off",
    },
    {
      name: "too slow",
      seen: [START, START, START],
      timeoutMs: 1500,
      exitCode: 4,
      text: /^node one: 3 tasks have not moved after 2 s/,
    },
  ])("$name: exit code $exitCode", ({ seen, timeoutMs, exitCode, text }) => {
    const { end } = watch(seen, timeoutMs);
    expect(end?.exitCode).toBe(exitCode);
    expect(end?.message).toMatch(text);
  });

  test.each([
    {
      name: "the deadline stopped one before its replacement ran",
      deadline: undefined,
      exitCode: 4,
    },
    { name: "a deadline of 0 was asked for", deadline: 0, exitCode: 0 },
  ])("$name: exit code $exitCode", ({ deadline, exitCode }) => {
    const spec = deadline === undefined ? {} : { Drain: { Deadline: deadline } };
    const draining = new Draining(undefined, 0);
    draining.see(START, 0, DEADLINE_MS - 100);
    expect(draining.see(snapshot(CUT, spec), 200, DEADLINE_MS + 100).end).toBeUndefined();
    expect(draining.see(snapshot(MOVED, spec), 400, DEADLINE_MS + 300).end?.exitCode).toBe(
      exitCode,
    );
  });

  test("no manager answers", () => {
    const draining = new Draining(undefined, 0);
    expect(draining.lost("refused", 1000)).toBeUndefined();
    expect(draining.lost("refused", 61_000)).toMatchObject({ exitCode: 1 });
  });
});

describe("flags", () => {
  test.each([
    { name: "none", flags: {}, spec: {}, Drain: undefined },
    {
      name: "both",
      flags: { deadline: "1m", maxParallel: "0" },
      spec: {},
      Drain: { Deadline: 60e9, MaxParallel: 0 },
    },
    {
      name: "one, the other stays",
      flags: { deadline: "0" },
      spec: { Drain: { Deadline: 5, MaxParallel: 3 } },
      Drain: { Deadline: 0, MaxParallel: 3 },
    },
  ])("$name", ({ flags, spec, Drain }) => {
    const edited: Record<string, unknown> = { Availability: "drain", ...spec };
    editDrain(edited, flags);
    expect(edited["Drain"]).toEqual(Drain);
  });

  test("active ends the settings", () => {
    const edited: Record<string, unknown> = { Availability: "active", Drain: { Deadline: 0 } };
    editDrain(edited, {});
    expect(edited).toEqual({ Availability: "active" });
  });

  test.each([
    {
      flags: { maxParallel: "2" },
      availability: "active",
      text: "--max-parallel needs --availability drain",
    },
    { flags: { wait: true }, availability: "pause", text: "--wait needs --availability drain" },
    { flags: { timeout: "5s" }, availability: "drain", text: "--timeout needs --wait" },
    { flags: { deadline: "soon" }, availability: "drain", text: '"soon" is not a duration' },
  ])("refused: $text", ({ flags, availability, text }) => {
    expect(() => editDrain({ Availability: availability }, flags)).toThrow(text);
  });
});
