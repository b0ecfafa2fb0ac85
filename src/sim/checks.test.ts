/** Each rule of the simulations, broken on purpose: a checker that finds nothing here would find nothing there. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  type Change,
  encodeTransaction,
  NETWORK_PHASE,
  type Node,
  type Service,
  TASK_STATE,
  type Task,
  type UpdateState,
} from "../api/index.js";
import { sampleTask } from "../manager/testing/samples.js";
import type { NetworkState } from "../overlay-net/core/index.js";
import { ClusterStore } from "../store/index.js";
import { sampleNetwork } from "../store/testing/samples.js";
import { DrainChecks } from "./drain-checks.js";
import { FakeClock } from "./fake-clock.js";
import { NetworkChecks } from "./network-checks.js";
import { RolloutChecks } from "./rollout-checks.js";
import { SimLeadership } from "./sim-leadership.js";
import { type ServiceWish, simNode, simService } from "./sim-objects.js";
import type { KnownTask } from "./sim-worker.js";
import { SlotChecks } from "./slot-checks.js";
import { TaskChecks } from "./task-checks.js";

const S = TASK_STATE;
const LATER_MS = 60_000;
const WISH: ServiceWish = {
  mode: "replicated",
  replicas: 2,
  image: "web:1",
  isStartFirst: false,
  parallelism: 1,
  isPausing: false,
  delayMs: 0,
};

let clock: FakeClock;
let store: ClusterStore;
let tasks: TaskChecks;
let slots: SlotChecks;
let rollouts: RolloutChecks;
let drains: DrainChecks;
let commit: (...changes: readonly Change[]) => void;

beforeEach(() => {
  clock = new FakeClock();
  store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  const isFaulty = () => false;
  const random = { float: () => 0, bytes: () => new Uint8Array() };
  const leadership = new SimLeadership({ clock, store, random, loops: [], isFaulty });
  commit = (...changes) => {
    leadership.commit(changes);
    expect(leadership.violations).toEqual([]);
  };
  tasks = new TaskChecks(store, { isSteady: () => true, hasContainer: () => true });
  slots = new SlotChecks(store, tasks, {
    wallMs: () => clock.wallMs(),
    leadsForMs: () => LATER_MS,
    inFlightMs: () => 35,
  });
  rollouts = new RolloutChecks(store, () => clock.wallMs());
  drains = new DrainChecks(store);
  putNode({});
});

function putNode(change: Partial<Node>, id = "n1"): void {
  commit({ kind: "putNode", node: { ...simNode(id, "ready", "active"), ...change } });
}

function putService(wish: Partial<ServiceWish> = {}, change: Partial<Service> = {}): void {
  const service = simService("s1", { ...WISH, ...wish }, clock.wallMs());
  commit({ kind: "putService", service: { ...service, ...change } });
  clock.advance(LATER_MS);
}

function putTask(id: string, change: Partial<Task> & { readonly image?: string } = {}): void {
  const { image = "web:1", ...fields } = change;
  const spec = { ContainerSpec: { Image: image }, ForceUpdate: 0, Runtime: "container" as const };
  const made = { createdAtMs: clock.wallMs(), statusAtMs: clock.wallMs() };
  commit({
    kind: "putTask",
    task: sampleTask({ id, state: S.running, desiredState: S.running, spec, ...made, ...fields }),
  });
}

/** As a leader writes it: not a client's change. */
function say(state: UpdateState, wish: Partial<ServiceWish> = {}): void {
  const old = store.service("s1") as Service;
  const { spec } = simService("s1", { ...WISH, ...wish }, 0);
  const updateStatus = { state, startedAtMs: clock.wallMs(), completedAtMs: 0, message: "" };
  const changes: Change[] = [{ kind: "putService", service: { ...old, spec, updateStatus } }];
  const common = { requestId: "", isClient: false, preconditions: [], resultJson: "" };
  store.apply(store.index + 1, encodeTransaction({ ...common, atMs: clock.wallMs(), changes }));
  clock.advance(LATER_MS);
}

describe("tasks", () => {
  test("two of a slot run", () => {
    putService();
    putTask("a");
    putTask("b");
    expect(tasks.violations.join()).toContain("two run in its slot");
    expect(tasks.violations.join()).toContain("was still there");
  });

  test("more of a job go on than may", () => {
    putService({ mode: "job", parallelism: 0, replicas: 3 });
    const { jobIteration } = store.service("s1") as Service;
    for (const slot of [0, 1, 3])
      putTask(`t${slot}`, { slot, jobIteration, desiredState: S.complete });
    expect(tasks.violations.join()).toContain("2 go on, 1 may");
    expect(tasks.violations.join()).toContain("only 3 completions are wanted");
  });

  test("a tick starts no run, or was decided about before", () => {
    putService({ mode: "scheduled" });
    const old = store.service("s1") as Service;
    const schedule = old.schedule as NonNullable<Service["schedule"]>;
    const lastTickMs = schedule.nextTickMs - 60_000;
    putService({ mode: "scheduled" }, { ...old, schedule: { ...schedule, lastTickMs } });
    expect(tasks.violations.join()).toContain("starts more than a run");
    expect(tasks.violations.join()).toContain("was decided before");
  });
});

describe("slots", () => {
  test("a third slot of two replicas", () => {
    putService();
    for (const slot of [1, 2, 3]) putTask(`t${slot}`, { slot });
    expect(slots.violations.join()).toContain("3 slots, 2 replicas");
  });

  test("two tasks in a slot where none may be beside the other", () => {
    putService();
    putTask("a");
    putTask("b", { state: S.ready });
    expect(slots.violations.join()).toContain("2 tasks in its slot, 1 may be");
  });

  test("a third task in a slot of a start-first service", () => {
    putService({ isStartFirst: true });
    for (const id of ["a", "b", "c"]) putTask(id);
    expect(slots.violations.join()).toContain("3 tasks in its slot, 2 may be");
  });

  test("a task that counts though its node is down", () => {
    putService();
    putTask("a");
    slots.look();
    expect(slots.violations).toEqual([]);
    putNode({ state: "down", downSinceMs: clock.wallMs() });
    clock.advance(LATER_MS);
    slots.look();
    expect(slots.violations.join()).toContain("still counts, and its node is down");
  });
});

describe("rollouts", () => {
  /** Two slots run web:1; the service wants web:2. */
  function begun(state: UpdateState, wish: Partial<ServiceWish> = {}): void {
    putService(wish);
    for (const slot of [1, 2]) putTask(`old${slot}`, { slot });
    clock.advance(LATER_MS);
    say(state, { ...wish, image: "web:2" });
  }
  const renew = (slot: number): void =>
    putTask(`new${slot}`, { slot, image: "web:2", desiredState: S.running, state: S.ready });

  test("two slots at once, one may be", () => {
    begun("updating");
    renew(1);
    expect(rollouts.violations).toEqual([]);
    renew(2);
    expect(rollouts.violations.join()).toContain("2 slots at once, parallelism 1");
  });

  test("the restart of a task that an update before this one began is no step", () => {
    putService();
    putTask("early", { slot: 2, image: "web:2", state: S.assigned });
    clock.advance(LATER_MS);
    for (const slot of [1, 2]) putTask(`old${slot}`, { slot });
    clock.advance(LATER_MS);
    say("updating", { image: "web:2" });
    renew(1);
    const again = { ...(store.task("new1") as Task), id: "again", slot: 2 };
    commit(
      { kind: "taskDesired", taskId: "early", desiredState: S.shutdown },
      { kind: "putTask", task: again },
    );
    expect(rollouts.violations).toEqual([]);
  });

  test("the restart of the old task that failed, after a new one beside it was given up, is no step", () => {
    begun("updating");
    renew(1);
    putTask("stopped", { slot: 2, image: "web:3", desiredState: S.shutdown });
    const again = { ...(store.task("new1") as Task), id: "again", slot: 2 };
    const old = store.task("old2") as Task;
    commit(
      { kind: "putTask", task: { ...old, state: S.failed, desiredState: S.shutdown } },
      { kind: "putTask", task: again },
    );
    expect(rollouts.violations).toEqual([]);
  });

  test("the restart of a global service's task is no step for what runs on another node", () => {
    putNode({}, "n2");
    putService({ mode: "global" });
    putTask("old1", { slot: 0, nodeId: "n1" });
    clock.advance(LATER_MS);
    putTask("old2", { slot: 0, nodeId: "n2" });
    clock.advance(LATER_MS);
    say("paused", { mode: "global", image: "web:2" });
    const old = store.task("old1") as Task;
    const again = { ...old, id: "again", spec: { ...old.spec, ContainerSpec: { Image: "web:2" } } };
    commit(
      { kind: "putTask", task: { ...old, state: S.failed, desiredState: S.shutdown } },
      { kind: "putTask", task: again },
    );
    expect(rollouts.violations).toEqual([]);
  });

  test("the task of a node that is back is no step, though what it was told to stop goes on there", () => {
    begun("updating");
    renew(1);
    putNode({ state: "down", downSinceMs: clock.wallMs() });
    commit({ kind: "taskDesired", taskId: "old2", desiredState: S.shutdown });
    putNode({ state: "ready" });
    clock.advance(1000);
    renew(2);
    expect(rollouts.violations).toEqual([]);
  });

  test("a slot is begun while paused", () => {
    begun("paused");
    renew(1);
    expect(rollouts.violations.join()).toContain("slot 1 was begun while paused");
  });

  test("a pause ends by itself", () => {
    begun("paused");
    say("updating", { image: "web:2" });
    expect(rollouts.violations.join()).toContain("paused became updating by itself");
  });

  test("completed, and one slot still has the old task", () => {
    begun("updating");
    putTask("new1", { slot: 1, image: "web:2" });
    clock.advance(LATER_MS);
    say("completed", { image: "web:2" });
    expect(rollouts.violations.join()).toContain("completed with 1 of 2 running");
  });

  test("start-first stops the old task before the new one runs", () => {
    begun("updating", { isStartFirst: true });
    renew(1);
    commit({ kind: "taskDesired", taskId: "old1", desiredState: S.shutdown });
    expect(rollouts.violations.join()).toContain("was stopped before its new task ran");
  });
});

describe("drains", () => {
  beforeEach(() => {
    putService();
    for (const slot of [1, 2]) putTask(`t${slot}`, { slot });
  });

  test("a task is stopped before its replacement runs", () => {
    commit({ kind: "taskDesired", taskId: "t1", desiredState: S.shutdown });
    expect(drains.violations.join()).toContain("1 of 2 run");
  });

  test("a task is left on a drained node", () => {
    putNode({ spec: { Labels: {}, Role: "worker", Availability: "drain" } });
    drains.expectMoved();
    expect(drains.violations.join()).toContain("is still on n1");
  });
});

describe("networks", () => {
  const NET = sampleNetwork(1).id;
  const ADDRESS = "10.1.0.5";
  const known = (id: string, phase: number = NETWORK_PHASE.announced): KnownTask => ({
    id,
    networks: [{ networkId: NET, address: ADDRESS, address6: "", aliases: [] }],
    desired: S.running,
    containerTaskId: undefined,
    phase,
    state: S.running,
    readyAtMs: 0,
  });
  const held = (nodeId: string, backends: readonly string[], downIds: readonly string[] = []) => ({
    nodeId,
    containers: new Map<string, KnownTask>(),
    networks: {
      networks: [{ id: NET }],
      endpoints: backends.map((taskId) => ({
        taskId,
        networkId: NET,
        nodeId: "n1",
        isBackend: true,
      })),
      nodes: downIds.map((id) => ({ nodeId: id, isDown: true })),
    } as unknown as NetworkState,
    isSteady: () => true,
  });
  const checking = (...workers: ReturnType<typeof held>[]): NetworkChecks =>
    new NetworkChecks(store, new Map(workers.map((worker) => [worker.nodeId, worker])) as never);

  beforeEach(() => {
    putNode({}, "n2");
    commit({ kind: "putNetwork", network: sampleNetwork(1) });
  });

  test("an address that another container has", () => {
    const [one, two] = [held("n1", []), held("n2", ["b"])];
    one.containers.set("a", known("a"));
    const checks = checking(one, two);
    checks.started(two as never, known("b", NETWORK_PHASE.none));
    expect(checks.violations.join()).toContain("which a on n1 has");
  });

  test("a task starts, announced, and a node does not know it", () => {
    const [one, two] = [held("n1", []), held("n2", [])];
    const checks = checking(one, two);
    checks.started(one as never, known("a"));
    expect(checks.violations.join()).toContain("n2 has no 10.1.0.5");
  });

  test("a task is stopped while a node sends to it", () => {
    const [one, two] = [held("n1", []), held("n2", ["a"])];
    const checks = checking(one, two);
    checks.stopped(one as never, known("a"));
    expect(checks.violations.join()).toContain("is stopped on n1 while n2 sends to it");
  });

  test("a node sends to one that is down and was not told so", () => {
    putNode({ state: "down", downSinceMs: clock.wallMs() });
    clock.advance(LATER_MS);
    const told = checking(held("n2", ["a"], ["n1"]));
    told.look(clock.wallMs(), LATER_MS);
    expect(told.violations).toEqual([]);
    const checks = checking(held("n2", ["a"]));
    checks.look(clock.wallMs(), LATER_MS);
    expect(checks.violations.join()).toContain("n2 sends to a on n1, which is down");
  });
});
