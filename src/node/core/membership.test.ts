import { describe, expect, test } from "vitest";
import { EXPIRED_MANAGER_TEXT, EXPIRED_TEXT, localStateOf, REMOVED_TEXT } from "./local-state.js";
import {
  type Admission,
  frontPlan,
  INACTIVE,
  type JoinAttempt,
  type Member,
  type MembershipEvent,
  type NodeRecord,
  recoveryOf,
  soleManagerObjection,
  stepMembership,
} from "./membership.js";

const ATTEMPT: JoinAttempt = {
  remoteAddrs: ["10.0.0.1:2377"],
  joinToken: "SWMTKN-1-x",
  availability: "active",
  advertiseAddr: "",
  listenAddr: "0.0.0.0:2377",
};
const ADMISSION: Admission = {
  nodeId: "n1",
  clusterId: "c1",
  role: "worker",
  managers: [{ nodeId: "m1", addr: "10.0.0.1:2377" }],
  advertiseAddr: "10.0.0.5:2377",
  listenAddr: "0.0.0.0:2377",
};
const WORKER: Member = {
  kind: "member",
  ...ADMISSION,
  hasRaftLog: false,
  hasStaleLog: false,
  isSettled: true,
  isRemoved: false,
};
const MANAGER: Member = { ...WORKER, role: "manager", hasRaftLog: true };

function run(start: NodeRecord, ...events: readonly MembershipEvent[]): NodeRecord {
  return events.reduce(stepMembership, start);
}

describe("ways through the membership", () => {
  test("init makes a settled manager with a log", () => {
    const admission = { ...ADMISSION, role: "manager" } as const;
    expect(run(INACTIVE, { kind: "initStarted" }, { kind: "initDone", admission })).toEqual(
      MANAGER,
    );
  });

  test("join makes a member that settles with its first session", () => {
    const joining = run(INACTIVE, { kind: "joinStarted", attempt: ATTEMPT });
    const admitted = run(joining, { kind: "admitted", admission: ADMISSION });
    expect(admitted).toMatchObject({ kind: "member", isSettled: false });
    expect(run(admitted, { kind: "settled" })).toEqual(WORKER);
  });

  test("a failed attempt leaves an inactive node that says why", () => {
    const joining = run(INACTIVE, { kind: "joinStarted", attempt: ATTEMPT });
    const wiping = run(joining, { kind: "wipeStarted", reason: "bad token" });
    expect(wiping).toEqual({ kind: "leaving", lastError: "bad token" });
    expect(run(wiping, { kind: "wiped" })).toEqual({ kind: "inactive", lastError: "bad token" });
  });

  test("promote, ready, demote, promote: the second time as manager waits until the old log is set aside", () => {
    const promoted = run(WORKER, { kind: "roleIssued", role: "manager" });
    expect(frontPlan(promoted)).toEqual({ program: "manager", start: "join" });
    const ready = run(promoted, { kind: "managerReady" });
    expect(frontPlan(ready)).toEqual({ program: "manager", start: "resume" });
    const demoted = run(ready, { kind: "roleIssued", role: "worker" });
    expect(frontPlan(demoted)).toEqual({ program: "rest" });
    const again = run(demoted, { kind: "roleIssued", role: "manager" });
    expect(frontPlan(again)).toEqual({ program: "rest" });
    expect(frontPlan(run(again, { kind: "logSetAside" }))).toEqual({
      program: "manager",
      start: "join",
    });
  });

  test.each<{ name: string; record: NodeRecord; event: MembershipEvent }>([
    { name: "init on a member", record: WORKER, event: { kind: "initStarted" } },
    { name: "join on a member", record: WORKER, event: { kind: "joinStarted", attempt: ATTEMPT } },
    {
      name: "a late admission after leaving",
      record: INACTIVE,
      event: { kind: "admitted", admission: ADMISSION },
    },
    {
      name: "a late end of init after leaving",
      record: INACTIVE,
      event: { kind: "initDone", admission: ADMISSION },
    },
    { name: "a session of a settled node", record: WORKER, event: { kind: "settled" } },
    { name: "the role it has", record: WORKER, event: { kind: "roleIssued", role: "worker" } },
    {
      name: "the managers it knows",
      record: WORKER,
      event: { kind: "managersSeen", managers: ADMISSION.managers },
    },
    {
      name: "a removal of an inactive node",
      record: INACTIVE,
      event: { kind: "removedByCluster" },
    },
    { name: "a ready manager on a worker", record: WORKER, event: { kind: "managerReady" } },
    {
      name: "a failure to force what nobody forces",
      record: MANAGER,
      event: { kind: "forceFailed", addresses: MANAGER },
    },
    { name: "leaving when inactive", record: INACTIVE, event: { kind: "wipeStarted", reason: "" } },
    { name: "a wipe nobody began", record: WORKER, event: { kind: "wiped" } },
  ])("$name changes nothing", ({ record, event }) => {
    expect(stepMembership(record, event)).toBe(record);
  });

  test("a forced new cluster is on disk until its manager is ready; then it knows no other manager", () => {
    const addresses = { advertiseAddr: "10.0.0.9:2377", listenAddr: "0.0.0.0:2377" };
    const forced = run(MANAGER, { kind: "forceStarted", addresses });
    expect(frontPlan(forced)).toEqual({ program: "manager", start: "forceNewCluster" });
    expect(recoveryOf(forced)).toEqual({ kind: "none" });
    // The old manager may get ready just before it is ended.
    expect(run(forced, { kind: "managerReady" })).toBe(forced);
    const sole = run(forced, { kind: "managerReady", isSole: true });
    const managers = [{ nodeId: "n1", addr: "10.0.0.9:2377" }];
    expect(sole).toEqual({ ...MANAGER, ...addresses, managers });
    expect(frontPlan(sole)).toEqual({ program: "manager", start: "resume" });
  });

  test("a manager that is demoted meanwhile forces nothing when it is promoted again", () => {
    const { advertiseAddr, listenAddr } = MANAGER;
    const forced = run(MANAGER, {
      kind: "forceStarted",
      addresses: { advertiseAddr, listenAddr },
    });
    const again = run(
      forced,
      { kind: "roleIssued", role: "worker" },
      { kind: "logSetAside" },
      { kind: "roleIssued", role: "manager" },
    );
    expect(frontPlan(again)).toEqual({ program: "manager", start: "join" });
  });

  test("a forced new cluster that failed leaves the record as it was", () => {
    const { advertiseAddr, listenAddr } = MANAGER;
    const before = { advertiseAddr, listenAddr };
    const addresses = { ...before, advertiseAddr: "10.0.0.9:2377" };
    const forced = run(MANAGER, { kind: "forceStarted", addresses });
    expect(run(forced, { kind: "forceFailed", addresses: before })).toEqual(MANAGER);
  });

  test.each<{ name: string; record: NodeRecord; why: RegExp | undefined }>([
    { name: "a manager", record: MANAGER, why: undefined },
    { name: "a worker", record: WORKER, why: /it is a worker/ },
    { name: "a node without swarm", record: INACTIVE, why: /not part of a swarm/ },
    {
      name: "a node that joins",
      record: { kind: "joining", attempt: ATTEMPT },
      why: /not part of a swarm/,
    },
    { name: "a removed manager", record: { ...MANAGER, isRemoved: true }, why: /was removed/ },
    {
      name: "a manager that never had the log",
      record: { ...MANAGER, hasRaftLog: false },
      why: /not received/,
    },
    {
      name: "a manager whose old log is not set aside yet",
      record: { ...MANAGER, hasStaleLog: true },
      why: /not received/,
    },
  ])("whether $name can go on alone", ({ record, why }) => {
    const { advertiseAddr, listenAddr } = MANAGER;
    const addresses = { advertiseAddr, listenAddr };
    const objection = soleManagerObjection(record);
    if (why === undefined) expect(objection).toBeUndefined();
    else expect(objection).toMatch(why);
    const isUntouched = run(record, { kind: "forceStarted", addresses }) === record;
    expect(isUntouched).toBe(why !== undefined);
  });

  test("a new manager list replaces the old one", () => {
    const managers = [{ nodeId: "m2", addr: "10.0.0.2:2377" }];
    expect(run(WORKER, { kind: "managersSeen", managers })).toMatchObject({ managers });
  });
});

test.each<{ name: string; record: NodeRecord; kind: string }>([
  { name: "an inactive node", record: INACTIVE, kind: "none" },
  { name: "a member", record: MANAGER, kind: "none" },
  { name: "an interrupted init", record: { kind: "initializing" }, kind: "wipe" },
  {
    name: "an interrupted join",
    record: { kind: "joining", attempt: ATTEMPT },
    kind: "resumeJoin",
  },
  { name: "an interrupted leave", record: { kind: "leaving", lastError: "" }, kind: "wipe" },
])("$name recovers by: $kind", ({ record, kind }) => {
  expect(recoveryOf(record).kind).toBe(kind);
});

const FINE = { managerProblem: undefined, isCertificateExpired: false };
const DAMAGED = { reason: "walDamaged", message: "log damaged: do this" } as const;
const FULL = { reason: "diskFull", message: "no space" } as const;
const LOCKED = { reason: "locked", message: "unlock it" } as const;
test.each([
  {
    name: "inactive after a failure",
    record: { kind: "inactive", lastError: "why" },
    facts: FINE,
    state: "inactive",
    error: "why",
  },
  { name: "creating", record: { kind: "initializing" }, facts: FINE, state: "pending", error: "" },
  {
    name: "joining",
    record: { kind: "joining", attempt: ATTEMPT },
    facts: FINE,
    state: "pending",
    error: "",
  },
  {
    name: "admitted, no session yet",
    record: { ...WORKER, isSettled: false },
    facts: FINE,
    state: "pending",
    error: "",
  },
  { name: "worker", record: WORKER, facts: FINE, state: "active", error: "" },
  { name: "manager", record: MANAGER, facts: FINE, state: "active", error: "" },
  {
    name: "manager with a damaged log",
    record: MANAGER,
    facts: { ...FINE, managerProblem: DAMAGED },
    state: "error",
    error: DAMAGED.message,
  },
  {
    name: "manager with a full disk",
    record: MANAGER,
    facts: { ...FINE, managerProblem: FULL },
    state: "error",
    error:
      "no space; free at least 64 MiB where the state directory is, the manager starts again by itself then",
  },
  {
    name: "locked manager",
    record: MANAGER,
    facts: { ...FINE, managerProblem: LOCKED },
    state: "locked",
    error: LOCKED.message,
  },
  {
    name: "worker that was a damaged manager",
    record: WORKER,
    facts: { ...FINE, managerProblem: DAMAGED },
    state: "active",
    error: "",
  },
  {
    name: "removed",
    record: { ...MANAGER, isRemoved: true },
    facts: FINE,
    state: "error",
    error: REMOVED_TEXT,
  },
  {
    name: "expired",
    record: WORKER,
    facts: { ...FINE, isCertificateExpired: true },
    state: "error",
    error: EXPIRED_TEXT,
  },
  {
    name: "manager whose certificate has expired: not told to leave",
    record: MANAGER,
    facts: { ...FINE, isCertificateExpired: true },
    state: "error",
    error: EXPIRED_MANAGER_TEXT,
  },
  {
    name: "manager with an expired certificate that cannot run",
    record: MANAGER,
    facts: { managerProblem: DAMAGED, isCertificateExpired: true },
    state: "error",
    error: DAMAGED.message,
  },
] as const)("state of a node: $name", ({ record, facts, state, error }) => {
  expect(localStateOf(record, facts)).toMatchObject({ state, error });
});

test("a removed manager runs no manager", () => {
  expect(frontPlan({ ...MANAGER, isRemoved: true })).toEqual({ program: "rest" });
});

test("the node's address is shown without its port", () => {
  const v6 = { ...WORKER, advertiseAddr: "[2001:db8::1]:2377" };
  expect(localStateOf(v6, FINE).nodeAddr).toBe("2001:db8::1");
  expect(localStateOf(WORKER, FINE).nodeAddr).toBe("10.0.0.5");
});
