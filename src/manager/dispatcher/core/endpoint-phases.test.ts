import { expect, test } from "vitest";
import { NETWORK_PHASE, TASK_STATE, type Task } from "../../../api/index.js";
import { sampleTask } from "../../testing/samples.js";
import {
  ACKNOWLEDGE_MAX_MS,
  EndpointPhases,
  isStopHeld,
  type PhaseFacts,
} from "./endpoint-phases.js";

const S = TASK_STATE;
const P = NETWORK_PHASE;

function on(...networkIds: readonly string[]): Task["networks"] {
  return networkIds.map((networkId) => ({ networkId, address: "", address6: "", aliases: [] }));
}

const running = { state: S.running, networkPhase: P.announced } as const;

/** The cluster at `nowMs`: net "i" is ingress, "gone" was deleted, the rest is had by the nodes with tasks on it. */
function at(nowMs: number, ...nodeIds: readonly string[]): PhaseFacts {
  return {
    nowMs,
    nodeIds: new Set(nodeIds),
    reachOf: (id) => (id === "i" ? "all" : id === "gone" ? "none" : "members"),
  };
}

/** Tasks t1 on n1 and t2 on n2, both on net w; only t1 is not announced yet, since index 10 and time 0. */
function assigned(networks = on("w")): EndpointPhases {
  const phases = new EndpointPhases();
  phases.reset([sampleTask({ id: "t2", nodeId: "n2", networks: on("w"), ...running })], 0);
  phases.observe(undefined, sampleTask({ id: "t1", networks }), 10, 0);
  return phases;
}

const ANNOUNCE_T1 = { writes: [{ taskId: "t1", phase: P.announced }], lateNodeIds: [] };
const NOTHING = { writes: [], lateNodeIds: [] };

test("a task is announced when every node of its network has applied its endpoint", () => {
  const phases = assigned();
  const both = at(5, "n1", "n2", "n3");
  expect(phases.applied("n1", 10)).toBe(true);
  phases.applied("n2", 9);
  expect(phases.decide(both)).toEqual(NOTHING);
  expect(phases.nextDeadlineMs()).toBe(ACKNOWLEDGE_MAX_MS);
  phases.applied("n2", 12);
  expect(phases.decide(both)).toEqual(ANNOUNCE_T1);
  expect(phases.decide(both)).toEqual(NOTHING);
  expect(phases.nextDeadlineMs()).toBeUndefined();
  phases.failed(["t1"]);
  expect(phases.decide(both)).toEqual(ANNOUNCE_T1);
});

test("the highest number counts; a node that comes anew tells it again", () => {
  const phases = assigned();
  phases.applied("n1", 10);
  phases.applied("n2", 12);
  expect(phases.applied("n2", 11)).toBe(false);
  phases.forget("n2");
  expect(phases.decide(at(5, "n1", "n2"))).toEqual(NOTHING);
  phases.applied("n2", 12);
  expect(phases.decide(at(5, "n1", "n2"))).toEqual(ANNOUNCE_T1);
});

test.each([
  { name: "a node without a session is not waited for", nodes: ["n1"], networks: on("w") },
  { name: "nor one without the network", nodes: ["n1", "n3"], networks: on("w") },
  { name: "nor anybody on a deleted network", nodes: ["n1", "n2"], networks: on("gone") },
])("$name", ({ nodes, networks }) => {
  const phases = assigned(networks);
  phases.applied("n1", 10);
  expect(phases.decide(at(5, ...nodes))).toEqual(ANNOUNCE_T1);
});

test("ingress is everybody's", () => {
  const phases = assigned(on("i"));
  phases.applied("n1", 10);
  phases.applied("n2", 10);
  expect(phases.decide(at(5, "n1", "n2", "n3"))).toEqual(NOTHING);
  phases.applied("n3", 10);
  expect(phases.decide(at(5, "n1", "n2", "n3"))).toEqual(ANNOUNCE_T1);
});

test("a silent node holds nobody up for longer than the bound, and is named", () => {
  const phases = assigned();
  phases.applied("n1", 10);
  const last = at(ACKNOWLEDGE_MAX_MS - 1, "n1", "n2");
  expect(phases.decide(last)).toEqual(NOTHING);
  expect(phases.decide({ ...last, nowMs: ACKNOWLEDGE_MAX_MS })).toEqual({
    ...ANNOUNCE_T1,
    lateNodeIds: ["n2"],
  });
});

test.each<{
  name: string;
  before: Partial<Task>;
  now: Partial<Task>;
  phase?: number;
  isAtOnce?: boolean;
}>([
  {
    name: "a backend's stop is known when all nodes have taken it out",
    before: running,
    now: { ...running, desiredState: S.shutdown },
    phase: P.withdrawn,
  },
  {
    name: "so is its removal",
    before: running,
    now: { ...running, desiredState: S.remove },
    phase: P.withdrawn,
  },
  {
    name: "a job's task got no connections: nobody has to confirm",
    before: { ...running, desiredState: S.complete },
    now: { ...running, desiredState: S.remove },
    phase: P.withdrawn,
    isAtOnce: true,
  },
  {
    name: "one that begins to run after it was to stop neither",
    before: { ...running, state: S.starting, desiredState: S.shutdown },
    now: { ...running, desiredState: S.shutdown },
    phase: P.withdrawn,
    isAtOnce: true,
  },
  {
    name: "one that does not run yet is stopped at once",
    before: { state: S.ready, networkPhase: P.announced },
    now: { state: S.ready, networkPhase: P.announced, desiredState: S.shutdown },
  },
  {
    name: "one that was never announced too",
    before: { state: S.running },
    now: { state: S.running, desiredState: S.shutdown },
  },
  { name: "a crash needs no phase", before: running, now: { ...running, state: S.failed } },
])("$name", ({ before, now, phase, isAtOnce }) => {
  const phases = new EndpointPhases();
  const old = sampleTask({ id: "t1", networks: on("w"), ...before });
  phases.reset([old, sampleTask({ id: "t2", nodeId: "n2", networks: on("w"), ...running })], 0);
  const task = sampleTask({ id: "t1", networks: on("w"), ...now });
  phases.observe(old, task, 20, 100);
  expect(isStopHeld(task)).toBe(phase !== undefined);
  const writes = phase === undefined ? [] : [{ taskId: "t1", phase }];
  if (isAtOnce !== true) {
    expect(phases.decide(at(101, "n1", "n2")).writes).toEqual([]);
    phases.applied("n1", 20);
    phases.applied("n2", 20);
  }
  expect(phases.decide(at(102, "n1", "n2")).writes).toEqual(writes);
});

test("a task that waits for its own node to take it is not announced before that", () => {
  const phases = new EndpointPhases();
  const waiting = sampleTask({ id: "t1", networks: on("w"), state: S.pending });
  phases.observe(undefined, waiting, 10, 0);
  expect(phases.nextDeadlineMs()).toBeUndefined();
  phases.observe(waiting, { ...waiting, state: S.assigned }, 11, 0);
  phases.applied("n1", 11);
  expect(phases.decide(at(5, "n1"))).toEqual(ANNOUNCE_T1);
});

test("a new leader takes a task's last write for the change it has to wait for", () => {
  const phases = new EndpointPhases();
  phases.applied("n1", 29);
  const task = { id: "t1", networks: on("w"), ...running, desiredState: S.shutdown } as const;
  phases.reset([sampleTask({ ...task, versionIndex: 30 })], 1000);
  expect(phases.decide(at(1001, "n1"))).toEqual(NOTHING);
  phases.applied("n1", 30);
  expect(phases.decide(at(1001, "n1")).writes).toEqual([{ taskId: "t1", phase: P.withdrawn }]);
});

test("tasks on no network, ended and deleted ones leave nothing behind", () => {
  const phases = assigned();
  const task = sampleTask({ id: "t1", networks: on("w") });
  phases.observe(task, undefined, 11, 5);
  phases.observe(undefined, sampleTask({ id: "t3" }), 12, 5);
  expect(phases.nextDeadlineMs()).toBeUndefined();
  expect(phases.applied("n1", 50)).toBe(false);
});
