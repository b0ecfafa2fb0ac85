import { describe, expect, test } from "vitest";
import { TASK_STATE, type Task } from "../../api/index.js";
import { type Agent, goodAgent, SECOND_NS, type ServiceFields, World } from "./testing/world.js";

function serving(fields: ServiceFields): World {
  const world = new World().addNodes("a", "b").createService({ image: "web:1", ...fields });
  return world.settle().advance(10_000);
}

const isNew = (task: Task): boolean => task.spec.ContainerSpec.Image === "web:2";

/** New tasks end in this way instead of running. */
function breaking(end: "failed" | "rejected" | "complete"): Agent {
  return (task) => {
    if (!isNew(task) || task.desiredState > TASK_STATE.running) return goodAgent(task);
    if (end === "rejected") return "rejected";
    if (task.desiredState < TASK_STATE.running) return "ready";
    return task.state < TASK_STATE.running ? "running" : end;
  };
}

describe("a rolling update", () => {
  test("replaces all tasks, slot by slot, and ends as completed", () => {
    const world = serving({ replicas: 3 });
    world.updateService({ replicas: 3, image: "web:2" }).settle();
    expect(world.images()).toEqual({ "web:2": 3 });
    expect(world.service().updateStatus).toEqual({
      state: "updating",
      startedAtMs: world.nowMs,
      completedAtMs: 0,
      message: "update in progress",
    });
    // Failures are watched for 5 s more.
    world.advance(4990);
    expect(world.updateState).toBe("updating");
    world.advance(20);
    expect(world.service().updateStatus).toMatchObject({
      state: "completed",
      message: "update completed",
    });
    expect(world.placed().map((text) => text.slice(-7))).toEqual(["running", "running", "running"]);
  });

  test.each([
    { parallelism: 1, atOnce: 1 },
    { parallelism: 2, atOnce: 2 },
    { parallelism: 0, atOnce: 6 },
  ])("works on $atOnce of 6 slots at a time with parallelism $parallelism", (row) => {
    const update = { Parallelism: row.parallelism };
    const world = serving({ replicas: 6, update });
    let stopping = 0;
    // Old tasks stop; new ones are stuck before they run.
    world.agent = (task) => (isNew(task) ? undefined : goodAgent(task));
    world.updateService({ replicas: 6, image: "web:2", update }).advance(120_000);
    for (const task of world.wanted()) if (isNew(task)) stopping++;
    expect(stopping).toBe(row.atOnce);
    expect(world.updateState).toBe("updating");
  });

  test("waits the delay after each slot", () => {
    const update = { Delay: 10 * SECOND_NS };
    const world = serving({ replicas: 3, update });
    world.updateService({ replicas: 3, image: "web:2", update }).settle();
    expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
    world.advance(9_999);
    expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
    world.advance(1);
    expect(world.images()).toEqual({ "web:1": 1, "web:2": 2 });
    world.electLeader();
    world.advance(10_000);
    expect(world.images()).toEqual({ "web:2": 3 });
    // After the last slot there is nothing to delay: only the monitor time.
    world.advance(4_999);
    expect(world.updateState).toBe("updating");
    world.advance(1);
    expect(world.updateState).toBe("completed");
  });

  test("stop-first: the new task starts when the old one has stopped", () => {
    const world = serving({ replicas: 1 });
    world.agent = (task) => (isNew(task) ? goodAgent(task) : undefined);
    world.updateService({ replicas: 1, image: "web:2" }).settle();
    expect(world.tasks().map((task) => [task.desiredState, task.state])).toEqual([
      [TASK_STATE.shutdown, TASK_STATE.running],
      [TASK_STATE.ready, TASK_STATE.ready],
    ]);
    world.agent = goodAgent;
    world.settle();
    expect(world.placed()).toEqual(["1:a:running"]);
  });

  test("stop-first: an old task that will not stop is waited for a minute", () => {
    const world = serving({ replicas: 1 });
    world.agent = (task) => (isNew(task) ? goodAgent(task) : undefined);
    world.updateService({ replicas: 1, image: "web:2" }).advance(59_999);
    expect(world.placed()).toEqual(["1:a:ready"]);
    world.advance(1);
    expect(world.placed()).toEqual(["1:a:running"]);
  });

  test("stop-first: a new task whose node is lost before the old one has stopped is replaced by one that waits too", () => {
    const world = serving({ replicas: 1 });
    const [old] = world.wanted();
    const others = old?.nodeId === "a" ? "b" : "a";
    world.agent = (task) => (isNew(task) ? goodAgent(task) : undefined);
    const template = { Placement: { Constraints: [`node.hostname != ${old?.nodeId}`] } };
    world.updateService({ replicas: 1, image: "web:2", template }).settle();
    expect(world.placed()).toEqual([`1:${others}:ready`]);
    world.addNodes("c");
    world.commit([
      { kind: "nodeStatus", nodeId: others, state: "down", stateMessage: "heartbeat failure" },
    ]);
    world.settle();
    expect(world.placed()).toEqual(["1:c:ready"]);
    world.agent = goodAgent;
    world.settle();
    expect(world.placed()).toEqual(["1:c:running"]);
  });

  test("start-first: the old task stops when the new one runs", () => {
    const update = { Order: "start-first" } as const;
    const world = serving({ replicas: 1, update });
    world.agent = (task) => (isNew(task) ? undefined : goodAgent(task));
    world.updateService({ replicas: 1, image: "web:2", update }).advance(120_000);
    expect(world.images()).toEqual({ "web:1": 1, "web:2": 1 });
    // Also a new leader does not stop the old one early.
    world.electLeader();
    world.advance(1000);
    expect(world.placed()).toEqual(["1:a:running", "1:b:assigned"]);
    world.agent = goodAgent;
    world.settle();
    expect(world.placed()).toEqual(["1:b:running"]);
  });

  test("start-first: one that failed before its time does not stand for the old one to the next update", () => {
    const update = { Order: "start-first", FailureAction: "continue" } as const;
    const world = serving({ update });
    world.agent = (task) => (isNew(task) ? "rejected" : goodAgent(task));
    world.updateService({ image: "web:2", update }).settle();
    const failed = world.wanted().find(isNew);
    expect(failed).toMatchObject({ state: TASK_STATE.rejected, desiredState: TASK_STATE.ready });
    let fewest = Number.POSITIVE_INFINITY;
    world.store.subscribe(() => {
      const running = world.wanted().filter(({ state }) => state === TASK_STATE.running);
      fewest = Math.min(fewest, running.length);
    });
    world.updateService({ image: "web:3", update }).settle();
    expect(world.images()).toEqual({ "web:3": 1 });
    expect(fewest).toBe(1);
  });

  test("start-first: a new task that keeps failing leaves the old one running", () => {
    const update = { Order: "start-first", FailureAction: "continue" } as const;
    const world = serving({ replicas: 2, update });
    world.agent = breaking("rejected");
    world.updateService({ replicas: 2, image: "web:2", update }).advance(30_000);
    const old = world.wanted().filter((task) => !isNew(task));
    expect(old.map((task) => task.state)).toEqual([TASK_STATE.running, TASK_STATE.running]);
    // Tried once per delay and slot, not in a hot loop.
    expect(world.tasks().length).toBeLessThan(20);
    world.agent = goodAgent;
    world.advance(30_000);
    expect(world.images()).toEqual({ "web:2": 2 });
  });

  test("goes on where it was under a new leader, in whatever state", () => {
    for (let leaderAfter = 0; leaderAfter < 12; leaderAfter++) {
      const update = { Delay: SECOND_NS };
      const world = serving({ replicas: 4, update });
      world.updateService({ replicas: 4, image: "web:2", update });
      for (let second = 0; second < 20; second++) {
        if (second === leaderAfter) world.electLeader();
        world.advance(500);
      }
      world.advance(10_000);
      expect(world.images()).toEqual({ "web:2": 4 });
      expect(world.updateState).toBe("completed");
      expect(world.tasks()).toHaveLength(8);
    }
  });

  test("a new update in the middle of one goes to the newest spec", () => {
    const update = { Delay: 10 * SECOND_NS };
    const world = serving({ replicas: 3, update });
    world.updateService({ replicas: 3, image: "web:2", update }).advance(1000);
    world.updateService({ replicas: 3, image: "web:3", update }).advance(60_000);
    expect(world.images()).toEqual({ "web:3": 3 });
    expect(world.updateState).toBe("completed");
  });

  test("a task that crashes while its service is fixed does not wait for its delay", () => {
    const world = new World().addNodes("a").createService({ image: "web:2" });
    world.agent = breaking("rejected");
    world.advance(20_000);
    expect(world.wanted()[0]?.notBeforeMs).toBeGreaterThan(world.nowMs);
    world.updateService({ image: "web:3" }).settle();
    expect(world.placed()).toEqual(["1:a:running"]);
    expect(world.images()).toEqual({ "web:3": 1 });
  });
});

describe("what makes a task out of date", () => {
  const SSD = { Placement: { Constraints: ["node.labels.disk==ssd"] } };
  const hostPort = (PublishedPort: number) =>
    [{ Protocol: "tcp", TargetPort: 80, PublishedPort, PublishMode: "host" }] as const;
  test.each<{ name: string; to: ServiceFields; replaced: boolean }>([
    { name: "another image", to: { image: "web:2" }, replaced: true },
    { name: "forced", to: { template: { ForceUpdate: 1 } }, replaced: true },
    { name: "another host port", to: { ports: hostPort(81) }, replaced: true },
    { name: "the number of replicas", to: { replicas: 4 }, replaced: false },
    { name: "the update's own settings", to: { update: { Parallelism: 7 } }, replaced: false },
    {
      name: "a restart policy",
      to: { template: { RestartPolicy: { Condition: "none" } } },
      replaced: true,
    },
    { name: "constraints that its node meets", to: { template: SSD }, replaced: false },
    {
      name: "constraints that its node does not meet",
      to: { template: { Placement: { Constraints: ["node.labels.disk==hdd"] } } },
      replaced: true,
    },
    { name: "nothing", to: {}, replaced: false },
  ])("$name: replaced $replaced", ({ to, replaced }) => {
    const world = new World();
    world.putNode("a", { labels: { disk: "ssd" } });
    world.createService({ image: "web:1" }).settle();
    const id = world.wanted()[0]?.id;
    world.updateService({ image: "web:1", ...to }).advance(10_000);
    expect(world.wanted()[0]?.id === id).toBe(!replaced);
    expect(world.updateState).toBe(replaced ? (isStuck(world) ? "updating" : "completed") : "none");
  });

  function isStuck(world: World): boolean {
    return world.wanted().some((task) => task.nodeId === "");
  }
});

describe("failures", () => {
  // A task that got to run, however briefly, lets the update begin with the next slot.
  test.each([
    { end: "failed", begun: 2 },
    { end: "rejected", begun: 1 },
    { end: "complete", begun: 2 },
  ] as const)("pause the update when the new task is $end, naming it", ({ end, begun }) => {
    const world = serving({ replicas: 3 });
    world.agent = breaking(end);
    world.updateService({ replicas: 3, image: "web:2" }).advance(1000);
    const first = world.tasks().find(isNew);
    expect(world.service().updateStatus).toMatchObject({
      state: "paused",
      message: `update paused due to failure or early termination of task ${first?.id}`,
    });
    world.advance(60_000);
    expect(world.images()).toEqual({ "web:1": 3 - begun, "web:2": begun });
    expect(world.updateState).toBe("paused");
  });

  test("pause a start-first update, yet a slot does not keep two tasks that run", () => {
    const update = { Order: "start-first" } as const;
    const world = serving({ replicas: 2, update });
    world.agent = breaking("rejected");
    world.updateService({ replicas: 2, image: "web:2", update }).advance(1000);
    expect(world.updateState).toBe("paused");
    expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
    world.agent = goodAgent;
    world.advance(10_000);
    expect(world.images()).toEqual({ "web:1": 1, "web:2": 1 });
    expect(world.updateState).toBe("paused");
  });

  test("do not stop an update that is to continue", () => {
    const update = { FailureAction: "continue" } as const;
    const world = serving({ replicas: 3, update });
    world.agent = breaking("failed");
    world.updateService({ replicas: 3, image: "web:2", update }).advance(30_000);
    expect(world.images()).toEqual({ "web:2": 3 });
    expect(world.updateState).toBe("updating");
    world.agent = goodAgent;
    world.advance(15_000);
    expect(world.updateState).toBe("completed");
  });

  // Tolerated failures let the update go on to the last slot; it is completed when all tasks run.
  test.each([
    { ratio: 0.5, broken: 2, state: "updating" },
    { ratio: 0.5, broken: 3, state: "paused" },
    { ratio: 0.49, broken: 2, state: "paused" },
  ])("$broken of 4 tasks broken at ratio $ratio: $state", ({ ratio, broken, state }) => {
    const update = { MaxFailureRatio: ratio };
    const world = serving({ replicas: 4, update });
    const good = goodAgent;
    world.agent = (task) => (task.slot <= broken ? breaking("failed")(task) : good(task));
    world.updateService({ replicas: 4, image: "web:2", update }).advance(60_000);
    expect(world.updateState).toBe(state);
  });

  test.each([
    { afterMs: 4000, state: "paused" },
    { afterMs: 5500, state: "completed" },
  ])("$afterMs ms after the start, with a monitor time of 5 s: $state", ({ afterMs, state }) => {
    const world = serving({ replicas: 2 });
    world.updateService({ replicas: 2, image: "web:2" }).settle().advance(afterMs);
    const task = world.wanted().find(isNew);
    if (task) world.report(task, "failed");
    world.advance(10_000);
    expect(world.updateState).toBe(state);
  });

  test("of tasks that are stopped because their node is drained do not count", () => {
    const world = serving({ replicas: 2, update: { Delay: 10 * SECOND_NS } });
    world
      .updateService({ replicas: 2, image: "web:2", update: { Delay: 10 * SECOND_NS } })
      .advance(1000);
    const first = world.wanted().find(isNew);
    world.putNode(first?.nodeId ?? "", { availability: "drain" });
    world.advance(60_000);
    expect(world.updateState).toBe("completed");
    expect(world.images()).toEqual({ "web:2": 2 });
  });

  test("are known to a new leader", () => {
    const world = serving({ replicas: 4, update: { Parallelism: 2, MaxFailureRatio: 0.3 } });
    const update = { Parallelism: 1, Delay: 3 * SECOND_NS, MaxFailureRatio: 0.3 };
    world.agent = (task) => (task.slot <= 2 ? breaking("failed")(task) : goodAgent(task));
    world.updateService({ replicas: 4, image: "web:2", update }).advance(1000);
    expect(world.updateState).toBe("updating");
    world.electLeader();
    world.advance(10_000);
    expect(world.updateState).toBe("paused");
    expect(world.images()).toEqual({ "web:1": 2, "web:2": 2 });
  });
});

describe("rolling back", () => {
  test("goes back to the spec before, by the rollback's own settings", () => {
    const rollback = { Parallelism: 0 };
    const world = serving({ replicas: 4, rollback });
    world.updateService({ replicas: 4, image: "web:2", rollback }).advance(10_000);
    world.rollBack().settle();
    expect(world.images()).toEqual({ "web:1": 4 });
    expect(world.service().updateStatus).toMatchObject({
      state: "rollback_started",
      message: "manually requested rollback",
    });
    world.advance(6000);
    expect(world.service().updateStatus).toMatchObject({
      state: "rollback_completed",
      message: "rollback completed",
    });
    world.rollBack().advance(10_000);
    expect(world.images()).toEqual({ "web:2": 4 });
  });

  test("of a paused update brings back what was changed, and only that", () => {
    const world = serving({ replicas: 3 });
    world.agent = breaking("rejected");
    world.updateService({ replicas: 3, image: "web:2" }).advance(7000);
    expect(world.updateState).toBe("paused");
    const untouched = world.wanted().filter((task) => !isNew(task));
    expect(untouched).toHaveLength(2);
    world.rollBack().advance(20_000);
    expect(world.updateState).toBe("rollback_completed");
    expect(world.images()).toEqual({ "web:1": 3 });
    expect(world.wanted().map((task) => task.id)).toEqual(
      expect.arrayContaining(untouched.map((task) => task.id)),
    );
  });

  test("is paused by failures of its own", () => {
    const world = serving({ replicas: 3 });
    world.updateService({ replicas: 3, image: "web:2" }).advance(10_000);
    // The old image is broken by now.
    world.agent = (task) =>
      !isNew(task) && task.desiredState === TASK_STATE.running ? "failed" : goodAgent(task);
    world.rollBack().advance(10_000);
    expect(world.updateState).toBe("rollback_paused");
    expect(world.service().updateStatus?.message).toMatch(/^rollback paused due to failure/);
    expect(world.images()).toEqual({ "web:1": 1, "web:2": 2 });
  });

  test("with nothing to change is complete at once", () => {
    const world = serving({ replicas: 2 });
    world.updateService({ replicas: 3 }).advance(1000);
    world.rollBack().settle();
    expect(world.updateState).toBe("rollback_completed");
    expect(world.wanted()).toHaveLength(2);
  });
});

describe("scaling while an update runs", () => {
  test("makes new slots of the new spec and goes on with the others", () => {
    const update = { Delay: 5 * SECOND_NS };
    const world = serving({ replicas: 3, update });
    world.updateService({ replicas: 3, image: "web:2", update }).advance(1000);
    world.updateService({ replicas: 5, image: "web:2", update }).settle();
    expect(world.wanted()).toHaveLength(5);
    world.advance(60_000);
    expect(world.images()).toEqual({ "web:2": 5 });
    expect(world.updateState).toBe("completed");
  });
});
