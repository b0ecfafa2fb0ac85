/** Jobs on nodes that do not take new tasks, or no longer meet the constraints. */
import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { busyAgent, type NodeFields, World } from "./testing/world.js";

const job = { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 4 } };
const SSD = { Placement: { Constraints: ["node.labels.disk==ssd"] } };

test.each<{ name: string; change: NodeFields }>([
  { name: "paused", change: { availability: "pause" } },
  { name: "unknown", change: { state: "unknown" } },
])("a job's tasks stay on a node that is $name, its next ones go elsewhere", ({ change }) => {
  const world = new World().addNodes("a");
  world.agent = busyAgent;
  world.createService({ mode: job }).settle();
  world.addNodes("b");
  world.putNode("a", change);
  expect(world.settle().placed()).toEqual(["0:a:running", "1:a:running"]);
  for (const task of world.wanted()) world.report(task, "complete");
  world.settle();
  const going = world.wanted().filter((task) => task.state === TASK_STATE.running);
  expect(going.map(({ slot, nodeId }) => `${slot}:${nodeId}`)).toEqual(["2:b", "3:b"]);
});

test.each([
  { name: "replicated", mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } } },
  { name: "global", mode: { GlobalJob: {} } },
])("a completed task of a $name job is left alone when its node loses the label", ({ mode }) => {
  const world = new World();
  world.putNode("a", { labels: { disk: "ssd" } });
  world.createService({ mode, template: SSD }).settle();
  expect(world.tasks()).toMatchObject([{ state: TASK_STATE.complete }]);
  world.putNode("a", { labels: {} });
  world.advance(60_000);
  expect(world.tasks()).toMatchObject([{ state: TASK_STATE.complete, err: "" }]);
});

test("a job's running task leaves a node that loses the label", () => {
  const world = new World();
  world.agent = busyAgent;
  for (const id of ["a", "b"]) world.putNode(id, { labels: { disk: "ssd" } });
  const mode = { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } };
  world.createService({ mode, template: SSD }).settle();
  world.putNode("a", { labels: {} });
  world.advance(10_000);
  expect(world.placed()).toEqual(["0:b:running"]);
});
