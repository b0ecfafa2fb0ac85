import { beforeEach, expect, test } from "vitest";
import type { ApiService, ApiTask } from "../../src/cli/api-types.js";
import {
  api,
  create,
  docker,
  eventually,
  IMAGE,
  leader,
  node,
  reset,
  runningTasks,
  status,
  swarm,
  type TestNode,
  tasks,
} from "./playground.js";

beforeEach(reset);

const SHORT = ["/bin/sh", "-c", "sleep 0.2"];

/** What `docker service ls` says in its column REPLICAS. */
async function replicas(manager: TestNode, name: string): Promise<string> {
  const format = ["--format", "{{.Mode}}: {{.Replicas}}"];
  const listed = await docker(manager, "service", "ls", "--filter", `name=${name}`, ...format);
  return listed.stdout.trim();
}

async function completed(manager: TestNode, name: string): Promise<ApiTask[]> {
  const all = await tasks(manager, { service: [name] });
  return all.filter((task) => task.Status.State === "complete");
}

test("a global service has one task per node, and follows the nodes' availability", async () => {
  const manager = await leader();
  await create(manager, "glob", { rest: { Mode: { Global: {} } } });
  const onNodes = async (count: number): Promise<Set<string | undefined>> =>
    eventually(`${count} nodes have their task`, 60_000, async () => {
      const running = await runningTasks(manager, "glob");
      const nodes = new Set(running.map((task) => task.NodeID));
      return running.length === count && nodes.size === count ? nodes : undefined;
    });
  await onNodes(5);
  expect(await replicas(manager, "glob")).toBe("global: 5/5");
  const drained = status().nodes.find((each) => each.role === "worker") ?? node("w1");
  const setTo = (availability: string) =>
    docker(manager, "node", "update", "--availability", availability, drained.nodeId);
  try {
    await setTo("drain");
    expect((await onNodes(4)).has(drained.nodeId)).toBe(false);
  } finally {
    await setTo("active");
  }
  expect((await onNodes(5)).has(drained.nodeId)).toBe(true);
});

test("a replicated job of docker's CLI completes, and runs again when it is forced", async () => {
  const manager = await leader();
  const flags = ["--replicas", "4", "--max-concurrent", "2", "--no-resolve-image", "--detach"];
  const made = await docker(
    manager,
    ...["service", "create", "--name", "job", "--mode", "replicated-job"],
    ...[...flags, IMAGE, ...SHORT],
  );
  expect(made).toMatchObject({ code: 0 });
  const done = (iteration: number) =>
    eventually(`run ${iteration} completes`, 60_000, async () => {
      const all = await completed(manager, "job");
      const ofRun = all.filter((task) => (task.JobIteration?.Index ?? 0) === iteration);
      return ofRun.length === 4 && all.length === 4 ? ofRun : undefined;
    });
  expect((await done(0)).map((task) => task.Slot ?? 0).sort()).toEqual([0, 1, 2, 3]);
  expect(await replicas(manager, "job")).toBe("replicated job: 0/2 (4/4 completed)");
  expect((await docker(manager, "service", "update", "--force", "--detach", "job")).code).toBe(0);
  await done(1);
});

test("a global job completes once on every node", async () => {
  const manager = await leader();
  await create(manager, "each", { command: SHORT, rest: { Mode: { GlobalJob: {} } } });
  const all = await eventually("it completes", 60_000, async () => {
    const found = await completed(manager, "each");
    return found.length === 5 ? found : undefined;
  });
  expect(new Set(all.map((task) => task.NodeID)).size).toBe(5);
  expect(await replicas(manager, "each")).toBe("global job: 0/0 (5/5 completed)");
});

test("a scheduled job waits, runs when it is forced, and docker's CLI does not lose the schedule", async () => {
  const manager = await leader();
  const made = await swarm(
    manager,
    ...["service", "create", "--name", "nightly", "--mode", "replicated-job", "--replicas", "1"],
    ...["--schedule", "0 3 * * *", "--tz", "Europe/Berlin", "--missed-window", "10m"],
    ...["--concurrency", "replace", IMAGE, ...SHORT],
  );
  expect(made.code).toBe(0);
  expect(made.stdout).toContain("job nightly runs next at");
  expect((await swarm(manager, "service", "ls")).stdout).toContain("NEXT RUN");
  expect(await tasks(manager, { service: ["nightly"] })).toEqual([]);
  const forced = await docker(manager, "service", "update", "--force", "--detach", "nightly");
  expect(forced.code).toBe(0);
  await eventually(
    "it ran",
    60_000,
    async () => (await completed(manager, "nightly")).length === 1,
  );
  const kept = await api(manager).call<ApiService>("GET", "/services/nightly");
  expect(kept.Spec.Mode.ReplicatedJob?.Schedule).toEqual({
    Expression: "0 3 * * *",
    TimeZone: "Europe/Berlin",
    MissedWindow: 600e9,
    Concurrency: "replace",
  });
});
