import { describe, expect, test } from "vitest";
import { type Node, TASK_STATE, type Task } from "../../api/index.js";
import {
  type Agent,
  busyAgent,
  goodAgent,
  SECOND_NS,
  type ServiceFields,
  World,
} from "./testing/world.js";

const MINUTE_MS = 60_000;

/** A service that runs, all of it on node "a", with "b" and "c" free. */
function onNodeA(fields: ServiceFields): World {
  const world = new World().addNodes("a").createService(fields).settle().addNodes("b", "c");
  world.nowMs += 1000;
  return world.settle();
}

function isRunning(task: Task): boolean {
  return task.desiredState <= TASK_STATE.complete && task.state === TASK_STATE.running;
}

/** Fewest running tasks and most slots with two of them, over everything that is applied from now on. */
function watch(world: World): { fewest: number; most: number } {
  const seen = { fewest: Number.POSITIVE_INFINITY, most: 0 };
  world.store.subscribe(() => {
    const slots = new Map<number, number>();
    for (const { slot } of world.wanted()) slots.set(slot, (slots.get(slot) ?? 0) + 1);
    seen.fewest = Math.min(seen.fewest, world.wanted().filter(isRunning).length);
    seen.most = Math.max(seen.most, [...slots.values()].filter((count) => count > 1).length);
  });
  return seen;
}

function drain(world: World, id = "a", settings?: Node["spec"]["Drain"]): World {
  world.putNode(id, { availability: "drain", ...(settings && { drain: settings }) });
  return world.settle();
}

function countOn(world: World, nodeId: string): number {
  return world.wanted().filter((task) => task.nodeId === nodeId).length;
}

/** New tasks on other nodes than "a" do not come to run. */
const stuckElsewhere: Agent = (task) =>
  task.nodeId === "a" || task.desiredState > TASK_STATE.complete ? goodAgent(task) : undefined;

describe("tasks of a drained node go on until their replacements run", () => {
  test.each([
    { name: "one by one", update: undefined, settings: undefined, most: 1 },
    { name: "as many as updates take", update: { Parallelism: 2 }, settings: undefined, most: 2 },
    {
      name: "as many as are given",
      update: { Parallelism: 2 },
      settings: { MaxParallel: 3 },
      most: 3,
    },
    { name: "all at once", update: undefined, settings: { MaxParallel: 0 }, most: 6 },
  ])("$name", ({ update, settings, most }) => {
    const world = onNodeA({ replicas: 6, ...(update && { update }) });
    const seen = watch(world);
    drain(world, "a", settings);
    expect(seen).toEqual({ fewest: 6, most });
    expect(countOn(world, "a")).toBe(0);
    expect(world.wanted()).toHaveLength(6);
    expect(world.updateState).toBe("none");
  });

  test("though its host port is taken on their own node only", () => {
    const ports = [
      { Protocol: "tcp", TargetPort: 80, PublishedPort: 80, PublishMode: "host" },
    ] as const;
    const world = onNodeA({ ports });
    const seen = watch(world);
    drain(world);
    expect(seen.fewest).toBe(1);
    expect(countOn(world, "a")).toBe(0);
  });

  test("and the next one waits for that", () => {
    const world = onNodeA({ replicas: 3 });
    world.agent = stuckElsewhere;
    drain(world).advance(5 * MINUTE_MS);
    expect(world.placed()).toEqual(["1:a:running", "1:b:assigned", "2:a:running", "3:a:running"]);
    world.agent = goodAgent;
    world.settle();
    expect(countOn(world, "a")).toBe(0);
  });

  test("a replacement that fails is restarted after its delay", () => {
    const world = onNodeA({});
    world.agent = (task) => {
      if (task.nodeId === "a") return goodAgent(task);
      return task.desiredState === TASK_STATE.running ? "failed" : undefined;
    };
    drain(world).advance(14_000);
    expect(world.placed().filter((text) => text.startsWith("1:a"))).toEqual(["1:a:running"]);
    // At 0, 5 and 10 s; the next one waits.
    expect(world.tasks().filter(({ state }) => state === TASK_STATE.failed)).toHaveLength(3);
  });

  test("one whose attempts are used up leaves the old task where it is", () => {
    const world = onNodeA({ template: { RestartPolicy: { MaxAttempts: 1 } } });
    world.agent = (task) => (task.nodeId === "a" ? goodAgent(task) : "failed");
    drain(world).advance(MINUTE_MS);
    expect(world.placed()).toEqual(["1:a:running"]);
    expect(world.tasks()).toHaveLength(2);
  });
});

describe("at once", () => {
  test.each<{ name: string; fields: ServiceFields; left: number }>([
    { name: "global services", fields: { mode: { Global: {} } }, left: 2 },
    { name: "global jobs", fields: { mode: { GlobalJob: {} } }, left: 2 },
    {
      name: "replicated jobs",
      fields: { mode: { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 2 } } },
      left: 2,
    },
    {
      name: "what is not restarted",
      fields: { template: { RestartPolicy: { Condition: "none" } } },
      left: 0,
    },
  ])("$name", ({ fields, left }) => {
    const world = new World();
    world.agent = (task) => (task.nodeId === "a" || fields.template ? busyAgent(task) : undefined);
    world.addNodes("a").createService(fields).settle().addNodes("b", "c").settle();
    drain(world);
    expect(countOn(world, "a")).toBe(0);
    expect(world.wanted()).toHaveLength(left);
  });

  test("what does not run yet", () => {
    const world = new World().addNodes("a");
    world.agent = (task) =>
      task.nodeId === "a" && task.desiredState < 600 ? undefined : goodAgent(task);
    world.createService({ replicas: 2 }).settle().addNodes("b");
    drain(world).advance(MINUTE_MS);
    expect(world.placed()).toEqual(["1:b:running", "2:b:running"]);
  });
});

describe("the deadline", () => {
  test.each([
    { name: "ten minutes when none is given", settings: undefined, afterMs: 10 * MINUTE_MS },
    { name: "the given one", settings: { Deadline: 30 * SECOND_NS }, afterMs: 30_000 },
  ])("$name: nothing takes the tasks until then", ({ settings, afterMs }) => {
    const world = new World().addNodes("a").createService({ replicas: 2 }).settle();
    drain(world, "a", settings).advance(afterMs - 1);
    expect(world.wanted().filter(isRunning)).toHaveLength(2);
    expect(world.wanted().find((task) => task.state === TASK_STATE.pending)?.err).toBe(
      "no suitable node (1 node not available for new tasks)",
    );
    world.advance(1);
    expect(world.wanted().filter(isRunning)).toEqual([]);
    expect(world.updateState).toBe("none");
    world.addNodes("b").settle();
    expect(world.placed()).toEqual(["1:b:running", "2:b:running"]);
  });

  test("of 0 stops them before the new ones start", () => {
    const world = onNodeA({ replicas: 2 });
    const seen = watch(world);
    drain(world, "a", { Deadline: 0 });
    expect(seen).toMatchObject({ fewest: 0, most: 0 });
    expect(world.wanted().filter(isRunning)).toHaveLength(2);
  });

  test("of a second drain counts from there", () => {
    const world = new World().addNodes("a").createService().settle();
    drain(world).advance(9 * MINUTE_MS);
    drain(world, "a", { Deadline: 120 * SECOND_NS }).advance(120_000 - 1);
    expect(world.wanted().filter(isRunning)).toHaveLength(1);
    world.advance(1);
    expect(world.wanted().filter(isRunning)).toHaveLength(0);
  });
});

describe("in the middle of a drain", () => {
  /** Three tasks on "a", the replacement of the first assigned to another node. */
  function begun(): { world: World; seen: { fewest: number; most: number } } {
    const world = onNodeA({ replicas: 3 });
    world.agent = stuckElsewhere;
    const seen = watch(world);
    drain(world).advance(1000);
    return { world, seen };
  }

  test("active: what runs stays, and what does not run yet goes", () => {
    const { world, seen } = begun();
    world.putNode("a", { availability: "active" });
    world.settle();
    world.agent = goodAgent;
    world.settle();
    expect(world.placed()).toEqual(["1:a:running", "2:a:running", "3:a:running"]);
    expect(world.updateState).toBe("none");
    expect(seen.fewest).toBe(3);
  });

  test("a new leader goes on with it", () => {
    const { world, seen } = begun();
    world.electLeader();
    world.advance(MINUTE_MS);
    expect(seen.most).toBe(1);
    world.agent = goodAgent;
    world.electLeader();
    world.settle();
    expect(countOn(world, "a")).toBe(0);
    expect(seen).toEqual({ fewest: 3, most: 1 });
  });

  test("a new leader stops at the deadline what is left", () => {
    const { world } = begun();
    world.advance(9 * MINUTE_MS);
    world.electLeader();
    world.advance(MINUTE_MS);
    expect(countOn(world, "a")).toBe(0);
  });

  test("the node is lost: all its tasks are replaced at once", () => {
    const { world } = begun();
    world.agent = goodAgent;
    world.putNode("a", { state: "down" });
    world.settle();
    expect(countOn(world, "a")).toBe(0);
    expect(world.wanted().filter(isRunning)).toHaveLength(3);
  });

  test.each([
    { name: "is lost", fields: { state: "down" } },
    { name: "is drained too", fields: { availability: "drain" } },
  ] as const)("the node of a replacement $name: another one takes it", ({ fields }) => {
    const { world, seen } = begun();
    const to = world.wanted().find((task) => task.nodeId !== "a")?.nodeId ?? "";
    world.putNode(to, fields);
    world.agent = goodAgent;
    world.settle();
    expect(world.placed().map((text) => text.slice(2))).toEqual(
      Array.from({ length: 3 }, () => `${to === "b" ? "c" : "b"}:running`),
    );
    expect(seen.fewest).toBe(3);
  });

  test("scaled down: the slot with two goes first, and both of them", () => {
    const { world } = begun();
    world.updateService({ replicas: 2 }).settle();
    expect(world.placed()).toEqual(["2:a:running", "2:b:assigned", "3:a:running"]);
  });

  test.each(["start-first", "stop-first"] as const)("a %s update comes to its end", (Order) => {
    const { world } = begun();
    world.updateService({ replicas: 3, image: "web:2", update: { Order } }).settle();
    world.agent = goodAgent;
    world.advance(MINUTE_MS);
    expect(world.updateState).toBe("completed");
    expect(world.images()).toEqual({ "web:2": 3 });
    expect(countOn(world, "a")).toBe(0);
  });

  test("the new task of a start-first update is not given up for the old one beside it", () => {
    let isOpen = false;
    const world = new World(undefined, {
      isReachable: ({ nodeId }) => isOpen || nodeId === "a",
      isWithdrawn: () => true,
    });
    world.addNodes("a").createService().settle().addNodes("b", "c").settle();
    world.updateService({ image: "web:2", update: { Order: "start-first" } }).settle();
    expect(world.placed()).toEqual(["1:a:running", "1:b:running"]);
    drain(world, "b");
    expect(world.placed()).toEqual(["1:a:running", "1:b:running"]);
    isOpen = true;
    world.electLeader();
    world.advance(MINUTE_MS);
    expect(world.images()).toEqual({ "web:2": 1 });
    expect(countOn(world, "b")).toBe(0);
    expect(world.updateState).toBe("completed");
  });

  describe("a slot whose replacement is not reached yet gets no third task", () => {
    type Seen = { open: boolean; perSlot: number };

    /** The replacement runs on "b", and is reached from `open` on. */
    function unreached(reachedNode = "a"): { world: World; seen: Seen } {
      const seen = { open: false, perSlot: 0 };
      const world = new World(undefined, {
        isReachable: ({ nodeId }) => seen.open || nodeId === reachedNode,
        isWithdrawn: () => true,
      });
      world.addNodes("a").createService().settle().addNodes("b", "c").settle();
      world.store.subscribe(() => {
        seen.perSlot = Math.max(seen.perSlot, world.wanted().length);
      });
      drain(world);
      expect(world.placed()).toEqual(["1:a:running", "1:b:running"]);
      return { world, seen };
    }

    test("of an update", () => {
      const { world, seen } = unreached();
      world.updateService({ image: "web:2", update: { Order: "start-first" } }).settle();
      expect(world.placed()).toEqual(["1:a:running", "1:b:running"]);
      seen.open = true;
      world.electLeader();
      world.advance(MINUTE_MS);
      expect(world.images()).toEqual({ "web:2": 1 });
      expect(world.updateState).toBe("completed");
      expect(seen.perSlot).toBe(2);
    });

    test.each([
      { name: "and the first task is reached", reachedNode: "a" },
      { name: "and no task is reached", reachedNode: "none" },
    ])("when its node is drained too, $name", ({ reachedNode }) => {
      const { world, seen } = unreached(reachedNode);
      drain(world, "b");
      // The first one stays until the next replacement is reached.
      expect(world.placed()).toEqual(["1:a:running", "1:c:running"]);
      seen.open = true;
      world.electLeader();
      world.advance(MINUTE_MS);
      expect(world.placed()).toEqual(["1:c:running"]);
      expect(seen.perSlot).toBe(2);
    });
  });

  test("what takes the place of a replacement waits for it to stop, unless the service starts first", () => {
    const desiredOf = (Order: "start-first" | "stop-first") => {
      const world = onNodeA({ update: { Order } });
      world.agent = stuckElsewhere;
      drain(world).advance(1000);
      world.agent = (task) => (task.nodeId === "a" ? goodAgent(task) : undefined);
      world.updateService({ image: "web:2", update: { Order } }).settle();
      const made = world.wanted().find((task) => task.nodeId !== "a")?.desiredState;
      world.agent = goodAgent;
      world.settle();
      expect(world.placed()).toEqual([expect.stringMatching("1:[bc]:running")]);
      expect(world.images()).toEqual({ "web:2": 1 });
      return made;
    };
    expect(desiredOf("stop-first")).toBe(TASK_STATE.ready);
    expect(desiredOf("start-first")).toBe(TASK_STATE.running);
  });

  test("a paused update stays so", () => {
    const world = onNodeA({ replicas: 3 });
    world.agent = (task) =>
      task.spec.ContainerSpec.Image === "web:2" ? "failed" : goodAgent(task);
    world.updateService({ replicas: 3, image: "web:2" }).advance(20_000);
    expect(world.updateState).toBe("paused");
    world.agent = goodAgent;
    const seen = watch(world);
    drain(world).advance(MINUTE_MS);
    expect(world.updateState).toBe("paused");
    expect(countOn(world, "a")).toBe(0);
    expect(seen.fewest).toBeGreaterThanOrEqual(2);
  });
});

test("two nodes drained at once move all tasks, and a service has one under way", () => {
  const world = new World().addNodes("a", "b").createService({ replicas: 4 }).settle();
  world.addNodes("c").settle();
  const seen = watch(world);
  world.putNode("a", { availability: "drain" });
  world.putNode("b", { availability: "drain" });
  world.settle();
  expect(countOn(world, "c")).toBe(4);
  expect(seen).toEqual({ fewest: 4, most: 1 });
});
