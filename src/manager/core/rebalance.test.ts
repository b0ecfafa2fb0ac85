import { describe, expect, test } from "vitest";
import { TASK_STATE, type Task } from "../../api/index.js";
import { type Agent, goodAgent, SECOND_NS, type ServiceFields, World } from "./testing/world.js";

const MINUTE_MS = 60_000;
const SETTLING_MS = 30_000;

/** A service that runs, all of it on node "a", with "b" and "c" free and everything settled. */
function onNodeA(fields: ServiceFields, others: readonly string[] = ["b", "c"]): World {
  const world = new World()
    .addNodes("a")
    .createService(fields)
    .settle()
    .addNodes(...others);
  world.nowMs += 1000;
  return world.settle();
}

function isRunning(task: Task): boolean {
  return task.desiredState <= TASK_STATE.complete && task.state === TASK_STATE.running;
}

/** Fewest running tasks and most wanted ones, over everything that is applied from now on. */
function watch(world: World): { fewest: number; most: number } {
  const seen = { fewest: Number.POSITIVE_INFINITY, most: 0 };
  world.store.subscribe(() => {
    seen.fewest = Math.min(seen.fewest, world.wanted().filter(isRunning).length);
    seen.most = Math.max(seen.most, world.wanted().length);
  });
  return seen;
}

function counts(world: World, id = "web"): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { nodeId } of world.wanted(id)) found[nodeId] = (found[nodeId] ?? 0) + 1;
  return found;
}

function state(world: World): string {
  return world.service().rebalance?.state ?? "none";
}

/** New tasks on other nodes than "a" do not come to run. */
const stuckElsewhere: Agent = (task) =>
  task.nodeId === "a" || task.desiredState > TASK_STATE.complete ? goodAgent(task) : undefined;
const failingElsewhere: Agent = (task) =>
  task.nodeId === "a" || task.desiredState > TASK_STATE.complete ? goodAgent(task) : "failed";

describe("the command moves tasks until they are spread evenly", () => {
  test.each([
    { name: "one by one", update: undefined, most: 7 },
    { name: "as many as updates take", update: { Parallelism: 2 }, most: 8 },
    { name: "all that are to move", update: { Parallelism: 0 }, most: 10 },
  ])("$name, and none runs less for it", ({ update, most }) => {
    const world = onNodeA({ replicas: 6, rebalance: "manual", ...(update && { update }) });
    const seen = watch(world);
    world.rebalance().settle();
    expect(counts(world)).toEqual({ a: 2, b: 2, c: 2 });
    expect(seen).toEqual({ fewest: 6, most });
    expect(world.service().rebalance).toMatchObject({
      state: "completed",
      movedCount: 4,
      imbalanceAfter: 0,
      moves: [],
    });
    expect(world.updateState).toBe("none");
  });

  test("a difference of one is left alone", () => {
    const world = onNodeA({ replicas: 4, rebalance: "manual" });
    world.rebalance().settle();
    expect(world.service().rebalance?.movedCount).toBe(2);
    const before = world.placed();
    world.rebalance().settle();
    expect(world.service().rebalance).toMatchObject({ state: "completed", movedCount: 0 });
    expect(world.placed()).toEqual(before);
  });

  test.each<{ name: string; fields: ServiceFields; after: Record<string, number> }>([
    {
      name: "not to nodes that its constraints exclude",
      fields: { template: { Placement: { Constraints: ["node.labels.disk!=slow"] } } },
      after: { a: 3, c: 3 },
    },
    {
      name: "not beyond the most replicas per node",
      fields: { template: { Placement: { MaxReplicas: 6 } } },
      after: { a: 2, b: 2, c: 2 },
    },
    {
      name: "only where its reservations fit",
      fields: {
        template: { Resources: { Reservations: { MemoryBytes: 2 ** 30 } } },
      },
      after: { a: 3, b: 1, c: 2 },
    },
  ])("$name", ({ fields, after }) => {
    const world = new World()
      .addNodes("a")
      .createService({ replicas: 6, rebalance: "manual", ...fields });
    world.settle();
    world.putNode("b", { labels: { disk: "slow" }, memBytes: 2 ** 30 });
    world.putNode("c");
    world.settle().rebalance().settle();
    expect(counts(world)).toEqual(after);
    expect(state(world)).toBe("completed");
  });

  test("over the values of its preference before over nodes", () => {
    const zone = (id: string) => ({ labels: { zone: id } });
    const world = new World();
    for (const id of ["a1", "a2"]) world.putNode(id, zone("a"));
    world
      .createService({
        replicas: 6,
        rebalance: "manual",
        template: {
          Placement: { Preferences: [{ Spread: { SpreadDescriptor: "node.labels.zone" } }] },
        },
      })
      .settle();
    world.putNode("b1", zone("b"));
    world.settle().rebalance().settle();
    expect(counts(world)).toMatchObject({ b1: 3 });
  });

  test("what a move replaces counts among the moves under way until it has stopped", () => {
    const world = onNodeA({ replicas: 6, rebalance: "manual" });
    const stuckStopping: Agent = (task) =>
      task.desiredState > TASK_STATE.complete && task.state === TASK_STATE.running
        ? undefined
        : goodAgent(task);
    world.agent = stuckStopping;
    world.rebalance().advance(MINUTE_MS);
    expect([world.wanted().length, world.service().rebalance?.moves.length]).toEqual([6, 1]);
    expect(counts(world)).toMatchObject({ a: 5 });
    world.agent = goodAgent;
    world.settle();
    expect(counts(world)).toEqual({ a: 2, b: 2, c: 2 });
    expect(world.service().rebalance).toMatchObject({ state: "completed", movedCount: 4 });
  });

  test("nobody waits for what a lost node would have to stop", () => {
    const world = onNodeA({ replicas: 6, rebalance: "manual" });
    world.agent = (task) =>
      task.desiredState > TASK_STATE.complete && task.state === TASK_STATE.running
        ? undefined
        : goodAgent(task);
    world.rebalance().settle();
    world.putNode("a", { state: "down" });
    world.advance(MINUTE_MS);
    expect(state(world)).toBe("completed");
  });

  test("a host port is in nobody's way", () => {
    const ports = [
      { Protocol: "tcp", TargetPort: 80, PublishedPort: 80, PublishMode: "host" },
    ] as const;
    const world = new World()
      .addNodes("a", "b")
      .createService({ replicas: 2, ports, rebalance: "manual" });
    world.settle().addNodes("c").rebalance().settle();
    expect(world.service().rebalance).toMatchObject({ state: "completed", movedCount: 0 });
  });
});

describe("a move that does not come to its end", () => {
  test("the old task stays, and after three it is given up", () => {
    const world = onNodeA({ replicas: 6, rebalance: "manual" }, ["b", "c", "d", "e"]);
    world.agent = failingElsewhere;
    const seen = watch(world);
    world.rebalance().advance(MINUTE_MS);
    expect(counts(world)).toEqual({ a: 6 });
    expect(seen.fewest).toBe(6);
    expect(world.service().rebalance).toMatchObject({
      state: "stopped",
      movedCount: 0,
      failedCount: 3,
    });
    expect(world.service().rebalance?.message).toMatch(
      /^3 moves in a row failed, the last one: task \S+ on node d/,
    );
  });

  test("one that does not run by the deadline of updates", () => {
    const world = onNodeA({
      rebalance: "manual",
      replicas: 2,
      update: { ProgressDeadline: 20 * SECOND_NS },
    });
    world.agent = stuckElsewhere;
    world.rebalance().advance(19_000);
    expect(world.placed()).toEqual(["1:a:running", "2:a:running", "2:b:assigned"]);
    world.advance(2000);
    expect(world.service().rebalance?.failedCount).toBe(1);
  });

  test("the next move of its slot waits until what it had begun has stopped, unless the service starts first", () => {
    const desiredOf = (Order: "start-first" | "stop-first") => {
      const update = { Order, ProgressDeadline: 20 * SECOND_NS };
      const world = onNodeA({ rebalance: "manual", replicas: 2, update });
      const stuckStopping: Agent = (task) =>
        task.nodeId === "a"
          ? goodAgent(task)
          : task.state < TASK_STATE.starting
            ? "starting"
            : undefined;
      world.agent = stuckStopping;
      world.rebalance().advance(21_000);
      const made = world.wanted().find((task) => task.nodeId !== "a")?.desiredState;
      world.agent = goodAgent;
      world.settle();
      expect(world.service().rebalance).toMatchObject({ state: "completed", movedCount: 1 });
      return made;
    };
    expect(desiredOf("stop-first")).toBe(TASK_STATE.ready);
    expect(desiredOf("start-first")).toBe(TASK_STATE.running);
  });

  test("the new node is lost: the old task goes on, the next node is tried", () => {
    const world = onNodeA({ rebalance: "manual", replicas: 2 });
    world.agent = stuckElsewhere;
    const seen = watch(world);
    world.rebalance().settle();
    world.putNode("b", { state: "down" });
    world.settle();
    world.agent = goodAgent;
    world.settle();
    expect(counts(world)).toEqual({ a: 1, c: 1 });
    expect(seen.fewest).toBe(2);
  });

  test("the old task fails: the new one takes its place", () => {
    const world = onNodeA({ rebalance: "manual", replicas: 2 });
    world.agent = stuckElsewhere;
    world.rebalance().settle();
    const old = world.wanted().find(({ slot, nodeId }) => slot === 2 && nodeId === "a");
    if (!old) throw new Error("no old task");
    world.report(old, "failed", { exitCode: 1 });
    world.agent = goodAgent;
    world.settle();
    expect(world.placed()).toEqual(["1:a:running", "2:b:running"]);
    expect(state(world)).toBe("completed");
  });

  test("the old node is drained: the drain goes on with the new task", () => {
    const world = onNodeA({ rebalance: "manual", replicas: 2 });
    world.agent = stuckElsewhere;
    const seen = watch(world);
    world.rebalance().settle();
    world.putNode("a", { availability: "drain" });
    world.settle();
    world.agent = goodAgent;
    world.settle();
    expect(counts(world)).toEqual({ b: 1, c: 1 });
    expect(seen.fewest).toBe(2);
    expect(seen.most).toBe(3);
  });
});

describe("nothing else is disturbed", () => {
  test("a new leader goes on with it", () => {
    const world = onNodeA({ replicas: 6, rebalance: "manual" });
    world.agent = stuckElsewhere;
    const seen = watch(world);
    world.rebalance().settle();
    world.electLeader();
    world.settle();
    expect(world.wanted()).toHaveLength(7);
    world.agent = goodAgent;
    world.electLeader();
    world.settle();
    expect(counts(world)).toEqual({ a: 2, b: 2, c: 2 });
    expect(seen).toEqual({ fewest: 6, most: 7 });
  });

  test("an update calls it off, and has the slots to itself", () => {
    const world = onNodeA({ replicas: 6, rebalance: "manual" });
    world.agent = stuckElsewhere;
    world.rebalance().settle();
    world.updateService({ replicas: 6, rebalance: "manual", image: "web:2" });
    world.agent = goodAgent;
    const slots = new Set<number>();
    world.store.subscribe(() => {
      for (const task of world.wanted())
        if (world.wanted().filter(({ slot }) => slot === task.slot).length > 1)
          slots.add(task.slot);
    });
    world.advance(2 * MINUTE_MS);
    expect(world.updateState).toBe("completed");
    expect(world.images()).toEqual({ "web:2": 6 });
    expect(world.service().rebalance).toMatchObject({
      state: "stopped",
      message: "the service is being updated",
    });
    expect([...slots]).toEqual([]);
  });

  test("it waits while a node of the service is drained", () => {
    const world = onNodeA({ replicas: 6, rebalance: "manual" }, ["b"]);
    world.agent = stuckElsewhere;
    world.putNode("a", { availability: "drain" });
    world.settle().rebalance().settle();
    expect(world.service().rebalance?.moves).toEqual([]);
    expect(state(world)).toBe("moving");
    world.putNode("a", { availability: "active" });
    world.agent = goodAgent;
    world.settle();
    expect(counts(world)).toEqual({ a: 3, b: 3 });
    expect(state(world)).toBe("completed");
  });

  test("scaled down in the middle: the slot with two goes first", () => {
    const world = onNodeA({ replicas: 3, rebalance: "manual" });
    world.agent = stuckElsewhere;
    world.rebalance().settle();
    world.updateService({ replicas: 1, rebalance: "manual" }).settle();
    world.agent = goodAgent;
    world.settle();
    expect(world.wanted()).toHaveLength(1);
    expect(state(world)).toBe("completed");
  });

  test("turned off in the middle: what is under way comes to its end", () => {
    const world = onNodeA({ replicas: 6, rebalance: "manual" });
    world.agent = stuckElsewhere;
    world.rebalance().settle();
    world.updateService({ replicas: 6 }).settle();
    world.agent = goodAgent;
    world.settle();
    expect(counts(world)).toEqual({ a: 5, b: 1 });
    expect(world.service().rebalance).toMatchObject({
      state: "stopped",
      message: "rebalancing was turned off",
    });
  });
});

describe("by itself", () => {
  test("off and manual never begin", () => {
    for (const rebalance of ["off", "manual"] as const) {
      const world = onNodeA({ replicas: 6, rebalance }).advance(10 * MINUTE_MS);
      expect(counts(world)).toEqual({ a: 6 });
    }
  });

  test("when nodes and service have been left alone for 30 s", () => {
    const world = onNodeA({ replicas: 6, rebalance: "auto" });
    const start = world.nowMs;
    world.advance(SETTLING_MS - 1001);
    expect(counts(world)).toEqual({ a: 6 });
    world.advance(start + SETTLING_MS - world.nowMs);
    expect(counts(world)).toEqual({ a: 2, b: 2, c: 2 });
    expect(state(world)).toBe("completed");
  });

  test("a node that comes and goes gets nothing", () => {
    const world = onNodeA({ replicas: 6, rebalance: "auto" }, ["b"]);
    for (let i = 0; i < 10; i++) {
      world.advance(20_000);
      world.putNode("b", { state: i % 2 === 0 ? "down" : "ready" });
    }
    expect(counts(world)).toEqual({ a: 6 });
  });

  test("ten moves in a minute, then the next ten", () => {
    const world = onNodeA({ replicas: 40, rebalance: "auto" }, ["b"]).advance(SETTLING_MS);
    expect(counts(world)).toEqual({ a: 30, b: 10 });
    world.advance(MINUTE_MS - 1001);
    expect(counts(world)).toEqual({ a: 30, b: 10 });
    world.advance(1001);
    expect(counts(world)).toEqual({ a: 20, b: 20 });
  });

  test("not while some of its tasks do not run", () => {
    const world = onNodeA({ replicas: 6, rebalance: "auto" }, ["b"]);
    const [first] = world.wanted();
    if (!first) throw new Error("no task");
    world.agent = (task) => (task.slot === 1 && task.id !== first.id ? undefined : goodAgent(task));
    world.report(first, "failed", { exitCode: 1 });
    world.advance(5 * MINUTE_MS);
    expect(counts(world)).toEqual({ a: 5, b: 1 });
    world.agent = goodAgent;
    world.advance(SETTLING_MS);
    expect(counts(world)).toEqual({ a: 3, b: 3 });
  });

  test("what fails three times is left alone until something changes", () => {
    const world = onNodeA({ replicas: 6, rebalance: "auto" }, ["b"]);
    world.agent = failingElsewhere;
    world.advance(60 * MINUTE_MS);
    const made = world.tasks().length;
    expect(counts(world)).toEqual({ a: 6 });
    expect(made).toBe(9);
    world.advance(24 * 60 * MINUTE_MS);
    expect(world.tasks()).toHaveLength(made);
    world.agent = goodAgent;
    world.putNode("c");
    world.advance(MINUTE_MS);
    expect(counts(world)).toEqual({ a: 2, b: 2, c: 2 });
  });

  test("comes to rest: nothing is written any more", () => {
    const world = onNodeA({ replicas: 7, rebalance: "auto" }).advance(MINUTE_MS);
    const { index } = world.store;
    world.advance(60 * MINUTE_MS);
    expect(world.store.index).toBe(index);
  });

  test("many services with a new node: only four tasks at a time are on their way to it", () => {
    const world = new World().addNodes("a");
    for (let i = 0; i < 12; i++) world.createService({ replicas: 2, rebalance: "auto" }, `s${i}`);
    world
      .settle()
      .addNodes("b")
      .advance(SETTLING_MS - 1);
    world.agent = stuckElsewhere;
    world.advance(5000);
    expect(world.store.tasksByNode("b")).toHaveLength(4);
    world.agent = goodAgent;
    world.advance(20_000);
    expect(world.store.tasksByNode("b")).toHaveLength(12);
  });
});
