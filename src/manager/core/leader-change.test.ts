/** A leader lost in the middle of an operation: the next one, which remembers nothing, brings it to the same end. */
import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { goodAgent, SECOND_NS, type ServiceFields, World } from "./testing/world.js";

/** Small transactions, so that a leader can be lost between any two of them. */
const CHANGES_PER_ENTRY = 3;
const FIELDS: ServiceFields = {
  replicas: 4,
  image: "web:1",
  update: { Parallelism: 2, Delay: SECOND_NS },
  rollback: { Parallelism: 2, Delay: SECOND_NS },
};
const V2: ServiceFields = { ...FIELDS, image: "web:2" };

function serving(): World {
  const world = new World(CHANGES_PER_ENTRY).addNodes("a", "b").createService(FIELDS);
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
    images: { "web:1": 4 },
    state: "none",
    made: 4,
  },
  {
    name: "scale up",
    given: serving,
    begin: (world) => world.updateService({ ...FIELDS, replicas: 9 }),
    images: { "web:1": 9 },
    state: "none",
    made: 5,
  },
  {
    name: "scale down",
    given: serving,
    begin: (world) => world.updateService({ ...FIELDS, replicas: 1 }),
    images: { "web:1": 1 },
    state: "none",
    made: 0,
  },
  {
    name: "update",
    given: serving,
    begin: (world) => world.updateService(V2),
    images: { "web:2": 4 },
    state: "completed",
    made: 4,
  },
  {
    name: "roll back",
    given: () => serving().updateService(V2).advance(30_000),
    begin: (world) => world.rollBack(),
    images: { "web:1": 4 },
    state: "rollback_completed",
    made: 4,
  },
  {
    name: "drain",
    given: serving,
    begin: (world) => world.putNode("a", { availability: "drain" }),
    images: { "web:1": 4 },
    state: "none",
    made: 2,
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

test("a drained node has none of its tasks left, whoever led meanwhile", () => {
  const world = serving();
  loseLeaderAt(world, 2);
  world.putNode("a", { availability: "drain" });
  world.advance(30_000);
  expect(world.wanted().map((task) => task.nodeId)).toEqual(["b", "b", "b", "b"]);
});
