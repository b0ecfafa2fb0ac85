/** Rollouts that tell the truth: automatic rollback, deadlines, crash loops, start-first without room; counts of spec §8.2. */
import { describe, expect, test } from "vitest";
import { TASK_STATE, type Task } from "../../api/index.js";
import type { Reach } from "./reach.js";
import { isWanted } from "./task-slot.js";
import {
  type Agent,
  goodAgent,
  SECOND_NS,
  type ServiceFields,
  stateName,
  World,
} from "./testing/world.js";

const V2 = { image: "web:2" };
const isNew = (task: Task): boolean => task.spec.ContainerSpec.Image === "web:2";

function serving(fields: ServiceFields, nodes: readonly string[] = ["a", "b"]): World {
  const world = new World().addNodes(...nodes).createService({ image: "web:1", ...fields });
  return world.settle().advance(10_000);
}

/** Whatever matches is rejected, or fails as soon as it runs; the rest runs. */
function breaking(end: "failed" | "rejected" | "complete", matches = isNew): Agent {
  return (task) => {
    if (!matches(task) || task.desiredState > TASK_STATE.running) return goodAgent(task);
    if (end === "rejected") return "rejected";
    if (task.desiredState < TASK_STATE.running) return "ready";
    return task.state < TASK_STATE.running ? "running" : end;
  };
}

/** New tasks stay in preparing. */
const stuck: Agent = (task) =>
  isNew(task) && task.desiredState <= TASK_STATE.running
    ? task.state < TASK_STATE.preparing
      ? "preparing"
      : undefined
    : goodAgent(task);

const running = (world: World): number =>
  world.wanted().filter((task) => task.state === TASK_STATE.running).length;

describe("the counts of spec §8.2", () => {
  test("5 tasks with parallelism 2 go 2, 2, 1; their rollback with parallelism 3 goes 3, 2", () => {
    const fields = {
      replicas: 5,
      update: { Parallelism: 2, Delay: 4 * SECOND_NS },
      rollback: { Parallelism: 3, Delay: 4 * SECOND_NS },
    };
    const world = serving(fields);
    world.updateService({ ...fields, ...V2 }).settle();
    expect(steps(world, 3)).toEqual([2, 4, 5]);
    world.advance(60_000);
    expect(world.updateState).toBe("completed");
    world.rollBack().settle();
    expect(steps(world, 2)).toEqual([2, 0]);
    world.advance(60_000);
    expect(world.updateState).toBe("rollback_completed");
  });

  /** New tasks now, and after each of the next delays. */
  function steps(world: World, count: number): number[] {
    return Array.from({ length: count }, (_, i) => {
      if (i > 0) world.advance(4000);
      return world.images()["web:2"] ?? 0;
    });
  }

  test("a failed update of 5 with ratio 0.25 pauses after 2 failures and leaves 3; rolled back, 5 run", () => {
    const fields = { replicas: 5, update: { Parallelism: 1, MaxFailureRatio: 0.25 } };
    const world = serving(fields);
    world.agent = breaking("rejected");
    world.updateService({ ...fields, ...V2 }).advance(30_000);
    expect(world.updateState).toBe("paused");
    expect(
      new Set(
        world
          .tasks()
          .filter(isNew)
          .map((task) => task.slot),
      ).size,
    ).toBe(2);
    expect(running(world)).toBe(3);
    world.rollBack().advance(30_000);
    expect(world.updateState).toBe("rollback_completed");
    expect(world.images()).toEqual({ "web:1": 5 });
    expect(running(world)).toBe(5);
  });

  test("start-first keeps the old task until the new one is healthy", () => {
    const fields = { replicas: 2, update: { Order: "start-first" } } as const;
    const world = serving(fields);
    // A container whose health is not known yet: the agent reports starting.
    world.agent = (task) =>
      isNew(task) && task.desiredState === TASK_STATE.running
        ? task.state < TASK_STATE.starting
          ? "starting"
          : undefined
        : goodAgent(task);
    world.updateService({ ...fields, ...V2 }).advance(30_000);
    expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
    world.agent = goodAgent;
    world.advance(30_000);
    expect(world.images()).toEqual({ "web:2": 2 });
  });
});

test("after a clock was set back, tasks of the update before are not taken for those of the rollback", () => {
  const fields: ServiceFields = { replicas: 3 };
  const world = serving(fields);
  world.agent = stuck;
  world.updateService({ ...fields, ...V2 }).settle();
  expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
  world.nowMs -= 5000;
  const isLast = (task: Task): boolean => task.spec.ContainerSpec.Image === "web:3";
  world.agent = breaking("failed", (task) => isLast(task) && task.slot === 3);
  const update = { FailureAction: "rollback", Parallelism: 0 } as const;
  world.updateService({ ...fields, image: "web:3", update }).advance(60_000);
  expect(world.images()).toEqual({ "web:2": 3 });
  expect(world.updateState).toBe("rollback_completed");
});

describe("a spec that was begun start-first and given up, and comes again", () => {
  const fields: ServiceFields = { replicas: 3 };

  function givenUp(): World {
    const world = serving(fields);
    world.agent = stuck;
    const update = { Order: "start-first", Parallelism: 0 } as const;
    world.updateService({ ...fields, ...V2, update }).settle();
    expect(world.images()).toEqual({ "web:1": 3, "web:2": 3 });
    world.updateService({ ...fields, image: "web:1", update }).advance(20_000);
    expect(world.images()).toEqual({ "web:1": 3 });
    return world;
  }

  test("goes by the parallelism", () => {
    const world = givenUp();
    world.updateService({ ...fields, ...V2, update: { Order: "start-first", Parallelism: 1 } });
    world.advance(20_000);
    expect(world.images()).toEqual({ "web:1": 3, "web:2": 1 });
    world.agent = goodAgent;
    world.advance(60_000);
    expect(world.images()).toEqual({ "web:2": 3 });
    expect(world.updateState).toBe("completed");
  });

  test("pauses when its tasks fail", () => {
    const world = givenUp();
    world.agent = breaking("rejected");
    world.updateService({ ...fields, ...V2, update: { Order: "start-first", Parallelism: 1 } });
    world.advance(60_000);
    expect(world.updateState).toBe("paused");
    expect(running(world)).toBe(3);
  });
});

describe("automatic rollback", () => {
  const fields: ServiceFields = {
    replicas: 4,
    update: { FailureAction: "rollback" },
    rollback: { Parallelism: 0, FailureAction: "rollback" },
  };

  test("goes back to the spec before, by the rollback's settings, and names the task", () => {
    const world = serving(fields);
    world.agent = breaking("failed");
    world.updateService({ ...fields, ...V2 });
    const { specVersion, versionIndex } = world.service();
    world.settle();
    const failed = world.tasks().find(isNew);
    expect(world.service()).toMatchObject({
      spec: { TaskTemplate: { ContainerSpec: { Image: "web:1" } } },
      previousSpec: { TaskTemplate: { ContainerSpec: { Image: "web:2" } } },
      previousSpecVersion: specVersion,
      updateStatus: {
        state: "rollback_started",
        startedAtMs: world.nowMs,
        message: `update rolled back due to failure or early termination of task ${failed?.id}`,
      },
    });
    // Who read the spec before the rollback must not write it back unknowingly.
    expect(world.service().clientIndex).toBeGreaterThan(versionIndex);
    world.advance(10_000);
    expect(world.images()).toEqual({ "web:1": 4 });
    expect(world.service().updateStatus).toMatchObject({
      state: "rollback_completed",
      message: "rollback completed",
    });
  });

  test("leaves the failed spec to be gone back to", () => {
    const world = serving(fields);
    world.agent = breaking("failed");
    world.updateService({ ...fields, ...V2 }).advance(20_000);
    world.agent = goodAgent;
    world.rollBack().advance(20_000);
    expect(world.images()).toEqual({ "web:2": 4 });
    expect(world.updateState).toBe("rollback_completed");
  });

  test("that fails itself is paused and stays so, whatever its own failure action says", () => {
    const world = serving(fields);
    world.agent = breaking("rejected", (task) => task.createdAtMs > 1_700_000_005_000);
    world.updateService({ ...fields, ...V2 }).advance(120_000);
    expect(world.updateState).toBe("rollback_paused");
    expect(world.service().updateStatus?.message).toMatch(/^rollback paused due to failure/);
    expect(world.service().updateStatus?.completedAtMs).toBe(0);
  });

  test("without a previous spec is a pause", () => {
    const world = serving(fields);
    world.updateService({ ...fields, ...V2 });
    const service = { ...world.service(), previousSpec: undefined };
    world.commit([{ kind: "putService", service }]);
    world.agent = breaking("failed");
    world.advance(20_000);
    expect(world.updateState).toBe("paused");
  });

  test.each([0, 1, 2, 3, 4])("is finished by a new leader elected in second %i", (second) => {
    const slow = { ...fields, rollback: { Parallelism: 1, Delay: SECOND_NS } };
    const world = serving(slow);
    world.agent = breaking("failed");
    world.updateService({ ...slow, update: { FailureAction: "rollback", Parallelism: 3 }, ...V2 });
    for (let at = 0; at < 6; at++) {
      if (at === second) world.electLeader();
      world.advance(1000);
    }
    world.advance(20_000);
    expect(world.updateState).toBe("rollback_completed");
    expect(world.images()).toEqual({ "web:1": 4 });
  });
});

describe("the progress deadline", () => {
  const nowhere = { Placement: { Constraints: ["node.labels.disk==ssd"] } };

  test("a task that finds no node pauses the update and says so", () => {
    const world = serving({ replicas: 3 });
    world.updateService({ replicas: 3, ...V2, template: nowhere }).advance(599_000);
    expect(world.updateState).toBe("updating");
    world.advance(1000);
    const pending = world.wanted().find(isNew);
    expect(world.service().updateStatus).toMatchObject({
      state: "paused",
      message: `update paused as slot 1: task ${pending?.id} not running after 600s: no suitable node (scheduling constraints not satisfied on 2 nodes)`,
    });
    expect(running(world)).toBe(2);
  });

  test("is the service's own, also under a new leader, and can roll back", () => {
    const update = { ProgressDeadline: 30 * SECOND_NS, FailureAction: "rollback" } as const;
    const world = serving({ replicas: 3, update });
    world.agent = stuck;
    world.updateService({ replicas: 3, update, ...V2 }).advance(20_000);
    world.electLeader();
    world.advance(9_999);
    expect(world.updateState).toBe("updating");
    world.advance(1);
    expect(world.service().updateStatus?.message).toMatch(
      /^update rolled back as slot 1: task \w+ not running after 30s: preparing$/,
    );
    world.advance(10_000);
    expect(world.updateState).toBe("rollback_completed");
    expect(world.images()).toEqual({ "web:1": 3 });
  });

  test.each(["stop-first", "start-first"] as const)(
    "an update that is to continue goes on (%s), and ends with the truth",
    (Order) => {
      const update = {
        ProgressDeadline: 30 * SECOND_NS,
        FailureAction: "continue",
        Order,
      } as const;
      const world = serving({ replicas: 3, update });
      world.agent = (task) => (task.slot === 1 ? stuck(task) : goodAgent(task));
      world.updateService({ replicas: 3, update, ...V2 }).advance(29_000);
      expect(world.images()["web:2"]).toBe(1);
      world.advance(2_000);
      expect(world.images()["web:2"]).toBe(3);
      world.advance(60_000);
      expect(world.service().updateStatus).toMatchObject({
        state: "paused",
        message: expect.stringMatching(
          /^update ended with 1 of 3 tasks not running: slot 1: task \w+: preparing$/,
        ),
      });
    },
  );

  test("a late task that comes up after all completes the update", () => {
    const update = { ProgressDeadline: 30 * SECOND_NS, FailureAction: "continue" } as const;
    const world = serving({ replicas: 2, update });
    world.agent = (task) => (task.slot === 1 ? stuck(task) : goodAgent(task));
    world.updateService({ replicas: 2, update, ...V2 }).advance(40_000);
    world.agent = goodAgent;
    world.advance(10_000);
    expect(world.updateState).toBe("completed");
  });
});

describe("what counts as a failure", () => {
  test("a restart that crashes, though the first new task lasted longer than the monitor time", () => {
    const update = { Delay: 20 * SECOND_NS };
    const world = serving({ replicas: 3, update });
    world.updateService({ replicas: 3, update, ...V2 }).advance(6000);
    const first = world.wanted().find(isNew);
    world.agent = breaking("failed");
    if (first) world.report(first, "failed");
    world.advance(1000);
    expect(world.updateState).toBe("updating");
    // The restart comes after its delay of 5 s, and crashes at once.
    world.advance(6000);
    expect(world.updateState).toBe("paused");
    expect(world.images()).toEqual({ "web:1": 2, "web:2": 1 });
  });

  test("a slot that crashes again and again, once", () => {
    const update = { MaxFailureRatio: 0.4 };
    const world = serving({ replicas: 3, update });
    world.agent = (task) => (task.slot === 1 ? breaking("failed")(task) : goodAgent(task));
    world.updateService({ replicas: 3, update, ...V2 }).advance(60_000);
    expect(world.updateState).toBe("updating");
    expect(world.images()).toEqual({ "web:2": 3 });
    world.advance(600_000);
    expect(world.service().updateStatus?.message).toMatch(
      /^update ended with 1 of 3 tasks not run/,
    );
  });

  test.each([
    { condition: "none", state: "completed" },
    { condition: "on-failure", state: "completed" },
    { condition: "any", state: "paused" },
  ] as const)("a one-shot that finishes well, restarted $condition: $state", (row) => {
    const template = { RestartPolicy: { Condition: row.condition } };
    const world = serving({ replicas: 2, template });
    world.agent = breaking("complete");
    world.updateService({ replicas: 2, template, ...V2 }).advance(30_000);
    expect(world.updateState).toBe(row.state);
  });

  test("a tolerated task that ended for good: the update is not completed", () => {
    const template = { RestartPolicy: { Condition: "none" } } as const;
    const update = { FailureAction: "continue" } as const;
    const world = serving({ replicas: 2, template, update });
    world.agent = (task) => (task.slot === 1 ? breaking("failed")(task) : goodAgent(task));
    world.updateService({ replicas: 2, template, update, ...V2 }).advance(30_000);
    expect(world.service().updateStatus).toMatchObject({
      state: "paused",
      message: expect.stringMatching(/^update ended with 1 of 2 tasks not running: slot 1/),
    });
  });
});

describe("start-first without room for two tasks", () => {
  const ports = [
    { Protocol: "tcp", TargetPort: 80, PublishedPort: 80, PublishMode: "host" },
  ] as const;
  const update = { Order: "start-first" } as const;

  test.each<{ name: string; nodes: string[]; fields: ServiceFields; stopsFirst: boolean }>([
    { name: "a host port on one node", nodes: ["a"], fields: { ports }, stopsFirst: true },
    {
      name: "a host port on all nodes",
      nodes: ["a", "b"],
      fields: { replicas: 2, ports },
      stopsFirst: true,
    },
    { name: "a host port, one node free", nodes: ["a", "b"], fields: { ports }, stopsFirst: false },
    {
      name: "one replica per node",
      nodes: ["a", "b"],
      fields: { replicas: 2, template: { Placement: { MaxReplicas: 1 } } },
      stopsFirst: true,
    },
    {
      name: "reservations of the whole node",
      nodes: ["a"],
      fields: { template: { Resources: { Reservations: { NanoCPUs: 5 * SECOND_NS } } } },
      stopsFirst: true,
    },
    { name: "nothing that is limited", nodes: ["a"], fields: {}, stopsFirst: false },
  ])("$name: stopped first $stopsFirst", ({ nodes, fields, stopsFirst }) => {
    const given = { replicas: 1, update, ...fields };
    const world = serving(given, nodes);
    world.updateService({ ...given, ...V2 });
    let message = "";
    let both = 0;
    world.agent = (task) => {
      message = world.service().updateStatus?.message ?? message;
      const live = world.tasks().filter(({ slot, state }) => slot === 1 && state === 512);
      both = Math.max(both, live.length);
      return goodAgent(task);
    };
    world.settle();
    expect(message.includes("are stopped first: no suitable node")).toBe(stopsFirst);
    expect(both).toBe(stopsFirst ? 1 : 2);
    world.advance(20_000);
    expect(world.updateState).toBe("completed");
    expect(world.images()).toEqual({ "web:2": given.replicas });
  });

  test("a spec that fits nowhere leaves the old task running", () => {
    const world = serving({ ports, update }, ["a"]);
    const template = { Placement: { Constraints: ["node.labels.disk==ssd"] } };
    world.updateService({ ports, update, template, ...V2 }).advance(20_000);
    expect(world.wanted().map((task) => stateName(task.state))).toEqual(["running", "pending"]);
  });
});

describe("the network's part of a step", () => {
  test("the old task goes when the new one is reachable, the next slot begins when it is withdrawn", () => {
    let isReachable = false;
    let isWithdrawn = false;
    const reach = { isReachable: () => isReachable, isWithdrawn: () => isWithdrawn };
    const fields = { replicas: 2, image: "web:1", update: { Order: "start-first" } } as const;
    const world = new World(undefined, reach).addNodes("a", "b").createService(fields);
    world.advance(1000);
    world.updateService({ ...fields, ...V2 }).advance(1000);
    expect(running(world)).toBe(3);
    isReachable = true;
    world.electLeader();
    world.advance(1000);
    expect(world.images()).toEqual({ "web:1": 1, "web:2": 1 });
    isWithdrawn = true;
    world.electLeader();
    world.advance(1000);
    expect(world.images()).toEqual({ "web:2": 2 });
  });
});

describe("a newer spec while new tasks of an update are on their way", () => {
  /** As on networks: an old task is out once it is to stop, and not before. */
  const reach: Reach = {
    isReachable: ({ state }) => state === TASK_STATE.running,
    isWithdrawn: (task) => !isWanted(task),
  };

  test.each([1, 2, 3])("is reached by all of 6 slots, %i at a time", (Parallelism) => {
    const update = { Order: "start-first", Parallelism } as const;
    const fields = { replicas: 6, image: "web:1", update };
    const world = new World(undefined, reach).addNodes("a", "b").createService(fields);
    world.advance(1000);
    // The new tasks stay where they are until the newer spec has come.
    world.agent = (task) =>
      task.spec.ContainerSpec.Image === "web:2" && task.desiredState <= TASK_STATE.running
        ? undefined
        : goodAgent(task);
    world.updateService({ ...fields, image: "web:2" }).advance(100);
    world.updateService({ ...fields, image: "web:3" }).advance(60_000);
    expect(world.images()).toEqual({ "web:3": 6 });
    expect(world.updateState).toBe("completed");
  });
});

describe("scaling an unfinished update", () => {
  test("goes on with it, and still counts what failed before", () => {
    const update = {
      FailureAction: "rollback",
      MaxFailureRatio: 0.3,
      Delay: 5 * SECOND_NS,
    } as const;
    const world = serving({ replicas: 4, update });
    world.agent = breaking("failed");
    world.updateService({ replicas: 4, update, ...V2 }).advance(1000);
    expect(world.updateState).toBe("updating");
    const old = world.service();
    const Mode = { Replicated: { Replicas: 5 } };
    const service = {
      ...old,
      spec: { ...old.spec, Mode },
      previousSpec: old.previousSpec && { ...old.previousSpec, Mode },
      specVersion: 0,
    };
    world.commit([{ kind: "putService", service }], { isClient: true });
    world.advance(5000);
    expect(world.updateState).toBe("rollback_started");
    world.advance(30_000);
    expect(world.images()).toEqual({ "web:1": 5 });
    expect(world.updateState).toBe("rollback_completed");
  });
});
