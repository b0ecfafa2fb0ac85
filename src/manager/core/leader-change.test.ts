/** A leader lost in the middle of an operation: the next one, which remembers nothing, brings it to the same end. */
import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { goodAgent, SECOND_NS, type ServiceFields, World } from "./testing/world.js";

/** Small transactions, so that a leader can be lost between any two of them. */
const CHANGES_PER_ENTRY = 3;
const PACE = { Parallelism: 2, Delay: SECOND_NS };
const FIELDS: ServiceFields = {
  replicas: 3,
  image: "web:1",
  update: PACE,
  rollback: PACE,
};
const V2: ServiceFields = { ...FIELDS, image: "web:2" };

const START_FIRST: ServiceFields = { ...V2, update: { ...PACE, Order: "start-first" } };
const GLOBAL = { mode: { Global: {} }, update: PACE } as const;

function serving(fields: ServiceFields = FIELDS): World {
  const world = new World(CHANGES_PER_ENTRY).addNodes("a", "b").createService(fields);
  return world.advance(10_000);
}

type Operation = {
  readonly name: string;
  readonly given: () => World;
  readonly begin: (world: World) => unknown;
  /** Tasks that run in the end, by image. */
  readonly images: Readonly<Record<string, number>>;
  readonly state: string;
  /** Tasks ever made by the operation: none is made twice. */
  readonly made: number;
};

const operations: readonly Operation[] = [
  {
    name: "create",
    given: () => new World(CHANGES_PER_ENTRY).addNodes("a", "b"),
    begin: (world) => world.createService(FIELDS),
    images: { "web:1": 3 },
    state: "none",
    made: 3,
  },
  {
    name: "scale up",
    given: () => serving(),
    begin: (world) => world.updateService({ ...FIELDS, replicas: 7 }),
    images: { "web:1": 7 },
    state: "none",
    made: 4,
  },
  {
    name: "scale down",
    given: () => serving(),
    begin: (world) => world.updateService({ ...FIELDS, replicas: 1 }),
    images: { "web:1": 1 },
    state: "none",
    made: 0,
  },
  {
    name: "update",
    given: () => serving(),
    begin: (world) => world.updateService(V2),
    images: { "web:2": 3 },
    state: "completed",
    made: 3,
  },
  {
    name: "roll back",
    given: () => serving().updateService(V2).advance(8000),
    begin: (world) => world.rollBack(),
    images: { "web:1": 3 },
    state: "rollback_completed",
    made: 3,
  },
  {
    name: "update, start-first",
    given: () => serving(),
    begin: (world) => world.updateService(START_FIRST),
    images: { "web:2": 3 },
    state: "completed",
    made: 3,
  },
  {
    name: "update of a global service",
    given: () => serving(GLOBAL),
    begin: (world) => world.updateService({ ...GLOBAL, image: "web:2" }),
    images: { "web:2": 2 },
    state: "completed",
    made: 2,
  },
  {
    name: "update and scale",
    given: () => serving(),
    begin: (world) => world.updateService({ ...V2, replicas: 4 }),
    images: { "web:2": 4 },
    state: "completed",
    made: 4,
  },
  {
    name: "drain of a global service",
    given: () => serving(GLOBAL),
    begin: (world) => world.putNode("a", { availability: "drain" }),
    images: { "web:1": 1 },
    state: "none",
    made: 0,
  },
  {
    name: "removal of a node",
    given: () => serving(),
    begin: (world) => world.removeNode("a"),
    images: { "web:1": 3 },
    state: "none",
    made: 2,
  },
  {
    name: "drain",
    given: () => serving(),
    begin: (world) => world.putNode("a", { availability: "drain" }),
    images: { "web:1": 3 },
    state: "none",
    made: 2,
  },
  {
    name: "rebalance",
    given: () => {
      const fields = { ...FIELDS, replicas: 6, rebalance: "manual" } as const;
      const world = new World(CHANGES_PER_ENTRY).addNodes("a").createService(fields);
      return world.advance(10_000).addNodes("b", "c").settle();
    },
    begin: (world) => world.rebalance(),
    images: { "web:1": 6 },
    state: "none",
    made: 4,
  },
];

/** The leader is lost as the n-th step of a task is about to be reported. False: the operation took fewer. */
function loseLeaderAt(world: World, step: number): () => boolean {
  let steps = 0;
  world.agent = (task) => {
    const next = goodAgent(task);
    if (next && TASK_STATE[next] > task.state && steps++ === step) world.electLeader();
    return next;
  };
  return () => steps > step;
}

function ids(world: World): Set<string> {
  return new Set([...world.store.tasks()].map((task) => task.id));
}

test.each(operations)("$name goes on under a new leader, whenever it comes", (operation) => {
  let isOver = false;
  for (let step = 0; !isOver; step++) {
    const world = operation.given();
    const before = ids(world);
    const seen = new Set<string>();
    world.store.subscribe((batch) => {
      if (batch.kind !== "changes") return;
      for (const event of batch.events)
        if (event.table === "task" && event.kind === "created") seen.add(event.object.id);
    });
    const wasLost = loseLeaderAt(world, step);
    operation.begin(world);
    world.advance(30_000);
    isOver = !wasLost();
    expect(world.images(), `step ${step}`).toEqual(operation.images);
    expect(new Set(world.wanted().map((task) => task.state))).toEqual(
      new Set([TASK_STATE.running]),
    );
    expect(world.updateState).toBe(operation.state);
    expect(
      [...seen].filter((id) => !before.has(id)),
      `step ${step}`,
    ).toHaveLength(operation.made);
    const { index } = world.store;
    expect(world.advance(60_000).store.index).toBe(index);
  }
});

test("remove goes on under a new leader, whenever it comes", () => {
  let isOver = false;
  for (let step = 0; !isOver; step++) {
    const world = serving();
    const wasLost = loseLeaderAt(world, step);
    world.removeService().advance(5000);
    isOver = !wasLost();
    expect(world.tasks(), `step ${step}`).toEqual([]);
  }
});

test("a job goes on under a new leader, whenever it comes: no slot completes twice", () => {
  const mode = { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 3 } };
  let isOver = false;
  for (let step = 0; !isOver; step++) {
    const world = new World(CHANGES_PER_ENTRY).addNodes("a", "b");
    const wasLost = loseLeaderAt(world, step);
    world.createService({ mode }).advance(30_000);
    isOver = !wasLost();
    const tasks = world.tasks();
    expect(
      tasks.map((task) => task.slot),
      `step ${step}`,
    ).toEqual([0, 1, 2]);
    expect(new Set(tasks.map((task) => task.state))).toEqual(new Set([TASK_STATE.complete]));
  }
});

test("an update that fails pauses under a new leader, whenever it comes", () => {
  let isOver = false;
  for (let step = 0; !isOver; step++) {
    const world = serving();
    const wasLost = loseLeaderAt(world, step);
    const good = world.agent;
    world.agent = (task) => {
      const next = good(task);
      return task.spec.ContainerSpec.Image === "web:2" && next === "running" ? "failed" : next;
    };
    world.updateService({ ...V2, update: { Parallelism: 1 } }).advance(3000);
    isOver = !wasLost();
    expect(world.updateState, `step ${step}`).toBe("paused");
    expect(world.images()["web:1"], `step ${step}`).toBe(2);
  }
});

test("a drained node has none of its tasks left, whoever led meanwhile", () => {
  const world = serving();
  loseLeaderAt(world, 2);
  world.putNode("a", { availability: "drain" });
  world.advance(30_000);
  expect(world.wanted().map((task) => task.nodeId)).toEqual(["b", "b", "b"]);
});
