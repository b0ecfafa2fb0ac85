/** The counts of spec §8.2: how many tasks an update renews at a time, and how many a failed one leaves. */
import { beforeEach, expect, test } from "vitest";
import type { ApiService, ApiTask } from "../../src/cli/api-types.js";
import {
  api,
  create,
  eventually,
  follower,
  healthy,
  kill,
  leader,
  reset,
  runningTasks,
  type TestNode,
  tasks,
  untilRunning,
} from "./playground.js";

beforeEach(reset);

const SECOND_NS = 1_000_000_000;
const DELAY_S = 3;
/** Tasks made closer together than this belong to one step: slots of a step differ by how long their old tasks took to stop. */
const STEP_GAP_MS = (DELAY_S * 1000) / 2;

function inspect(manager: TestNode): Promise<ApiService> {
  return api(manager).call<ApiService>("GET", "/services/counts");
}

async function update(manager: TestNode, container: object, query = ""): Promise<void> {
  const { Spec, Version } = await inspect(manager);
  const TaskTemplate = Spec.TaskTemplate as { readonly ContainerSpec: object };
  const ContainerSpec = { ...TaskTemplate.ContainerSpec, ...container };
  const path = `/services/counts/update?version=${Version.Index}${query}`;
  const body = { ...Spec, TaskTemplate: { ...TaskTemplate, ContainerSpec } };
  await api(manager).call("POST", path, { body });
}

async function until(manager: TestNode, state: string): Promise<void> {
  await eventually(`the update is ${state}`, 60_000, async () => {
    const { UpdateStatus } = await inspect(manager);
    return UpdateStatus?.State === state;
  });
}

async function taskIds(manager: TestNode): Promise<ReadonlySet<string>> {
  return new Set((await tasks(manager, { service: ["counts"] })).map((task) => task.ID));
}

/** Sizes of the steps in which the tasks that were not there before were made. */
async function steps(manager: TestNode, before: ReadonlySet<string>): Promise<number[]> {
  const made = (await tasks(manager, { service: ["counts"] }))
    .filter((task) => !before.has(task.ID))
    .map((task) => Date.parse(task.CreatedAt))
    .sort((a, b) => a - b);
  const sizes: number[] = [];
  for (const [i, atMs] of made.entries()) {
    const previousMs = made[i - 1];
    if (previousMs === undefined || atMs - previousMs > STEP_GAP_MS) sizes.push(0);
    sizes.push((sizes.pop() ?? 0) + 1);
  }
  return sizes;
}

test("5 tasks with parallelism 2 go 2, 2, 1; their rollback with parallelism 3 goes 3, 2", async () => {
  const manager = await leader();
  const pace = { Delay: DELAY_S * SECOND_NS, Monitor: SECOND_NS };
  await create(manager, "counts", {
    replicas: 5,
    rest: {
      UpdateConfig: { Parallelism: 2, ...pace },
      RollbackConfig: { Parallelism: 3, ...pace },
    },
  });
  await untilRunning(manager, "counts", 5);
  const first = await taskIds(manager);
  await update(manager, { Env: ["A=2"] });
  await until(manager, "completed");
  expect(await steps(manager, first)).toEqual([2, 2, 1]);
  const second = await taskIds(manager);
  await update(manager, {}, "&rollback=previous");
  await until(manager, "rollback_completed");
  expect(await steps(manager, second)).toEqual([3, 2]);
  expect(await runningTasks(manager, "counts")).toHaveLength(5);
});

test("the leader killed in the middle of 5 by 2: each task is renewed once, never more than 2 at a time", async () => {
  const manager = await follower();
  await create(manager, "counts", {
    replicas: 5,
    rest: { UpdateConfig: { Parallelism: 2, Delay: DELAY_S * SECOND_NS, Monitor: SECOND_NS } },
  });
  await untilRunning(manager, "counts", 5);
  const first = await taskIds(manager);
  await update(manager, { Env: ["A=2"] });
  await eventually("it has begun", 20_000, async () => (await taskIds(manager)).size > first.size);
  kill((await leader()).pids.front);
  await until(manager, "completed");
  const made = await steps(manager, first);
  expect(made.reduce((sum, size) => sum + size, 0)).toBe(5);
  expect(Math.max(...made)).toBeLessThanOrEqual(2);
  expect(await runningTasks(manager, "counts")).toHaveLength(5);
  await healthy();
});

test("the leader killed in the middle of an update that fails: it goes back by itself, and 5 run", async () => {
  const manager = await follower();
  const pace = { Parallelism: 1, Monitor: SECOND_NS };
  await create(manager, "counts", {
    replicas: 5,
    task: { RestartPolicy: { Condition: "any", Delay: SECOND_NS / 2 } },
    rest: {
      UpdateConfig: { ...pace, MaxFailureRatio: 0.25, FailureAction: "rollback" },
      RollbackConfig: pace,
    },
  });
  await untilRunning(manager, "counts", 5);
  await update(manager, { Image: "127.0.0.1:1/no/such:image" });
  const isRejected = ({ Status }: ApiTask) => Status.State === "rejected";
  await eventually("a task has failed", 20_000, async () =>
    (await tasks(manager, { service: ["counts"] })).some(isRejected),
  );
  kill((await leader()).pids.front);
  await until(manager, "rollback_completed");
  const rejected = (await tasks(manager, { service: ["counts"] })).filter(isRejected);
  expect(new Set(rejected.map(({ Slot }) => Slot)).size).toBe(2);
  expect(await runningTasks(manager, "counts")).toHaveLength(5);
  await healthy();
});

test("a failed update of 5 with ratio 0.25 pauses after 2 failures and leaves 3; rolled back, 5 run", async () => {
  const manager = await leader();
  await create(manager, "counts", {
    replicas: 5,
    task: { RestartPolicy: { Condition: "any", Delay: SECOND_NS / 2 } },
    rest: {
      UpdateConfig: { Parallelism: 1, MaxFailureRatio: 0.25, Monitor: SECOND_NS },
      RollbackConfig: { Parallelism: 1, Monitor: SECOND_NS },
    },
  });
  await untilRunning(manager, "counts", 5);
  await update(manager, { Image: "127.0.0.1:1/no/such:image" });
  await until(manager, "paused");
  const all = await tasks(manager, { service: ["counts"] });
  const rejected = all.filter((task) => task.Status.State === "rejected");
  expect(new Set(rejected.map((task) => task.Slot)).size).toBe(2);
  expect(await runningTasks(manager, "counts")).toHaveLength(3);
  await update(manager, {}, "&rollback=previous");
  await until(manager, "rollback_completed");
  expect(await runningTasks(manager, "counts")).toHaveLength(5);
});
