import { beforeEach, expect, test } from "vitest";
import { newerFirst } from "../../src/cli/creation.js";
import {
  api,
  containerPids,
  create,
  docker,
  eventually,
  leader,
  reset,
  runningTasks,
  status,
  swarm,
  tasks,
  untilRunning,
} from "./playground.js";

beforeEach(reset);

test("a container killed by hand is replaced in its slot", async () => {
  const manager = await leader();
  await create(manager, "killed", {
    replicas: 3,
    task: { RestartPolicy: { Condition: "any", Delay: 100_000_000 } },
  });
  const [victim] = await untilRunning(manager, "killed", 3);
  const host = status().nodes.find((candidate) => candidate.nodeId === victim?.NodeID);
  if (victim === undefined || host === undefined) throw new Error("no task to kill");
  const pid = containerPids(host).get(victim.ID);
  if (pid === undefined) throw new Error(`containerd does not know ${victim.ID}`);
  process.kill(pid, "SIGKILL");
  await eventually("another task runs in the slot", 25_000, async () => {
    const running = await runningTasks(manager, "killed");
    return running.length === 3 && running.every((task) => task.ID !== victim.ID);
  });
  const listed = await docker(manager, "service", "ps", "--no-trunc", "killed");
  expect(listed.stdout).toContain("task: non-zero exit (137)");
});

test("a crash loop obeys delay, attempts and window", async () => {
  const manager = await leader();
  await create(manager, "crash", {
    command: ["/bin/sh", "-c", "exit 3"],
    task: { RestartPolicy: { Condition: "any", Delay: 500_000_000, MaxAttempts: 2 } },
  });
  await eventually("three tasks have failed", 30_000, async () => {
    const all = await tasks(manager, { service: ["crash"] });
    return all.filter((task) => task.Status.State === "failed").length === 3;
  });
  const all = (await tasks(manager, { service: ["crash"] })).sort(newerFirst).reverse();
  expect(all.length).toBe(3);
  const ended = all.map((task) => Date.parse(task.Status.Timestamp ?? ""));
  for (let i = 1; i < ended.length; i++)
    expect((ended[i] ?? 0) - (ended[i - 1] ?? 0)).toBeGreaterThanOrEqual(500);
  const listed = await docker(manager, "service", "ps", "--no-trunc", "crash");
  expect(listed.stdout).toContain("task: non-zero exit (3)");
});

test("a missing image ends in a rejected task, retried with delay, with the reason in service ps", async () => {
  const manager = await leader();
  await create(manager, "missing", {
    image: "127.0.0.1:1/no/such:image",
    task: { RestartPolicy: { Condition: "any", Delay: 300_000_000 } },
  });
  await eventually("two attempts were rejected", 40_000, async () => {
    const all = await tasks(manager, { service: ["missing"] });
    return all.filter((task) => task.Status.State === "rejected").length >= 2;
  });
  const listed = await docker(manager, "service", "ps", "--no-trunc", "missing");
  expect(listed.stdout).toMatch(/Rejected/);
  expect(listed.stdout).toMatch(/127\.0\.0\.1:1\/no\/such:image/);
});

test("a service that no node can take says why, and our command ends with its own code", async () => {
  const manager = await leader();
  const made = await swarm(
    manager,
    "service",
    "create",
    "--name",
    "nowhere",
    "--constraint",
    "node.labels.zone==mars",
    "swarm-demo/web:1",
  );
  expect(made.code).toBe(5);
  expect(made.stderr).toContain(
    "no suitable node (scheduling constraints not satisfied on 5 nodes)",
  );
  const listed = await docker(manager, "service", "ps", "--no-trunc", "nowhere");
  expect(listed.stdout).toContain(
    "no suitable node (scheduling constraints not satisfied on 5 nodes)",
  );
});

test("an update that fails pauses, and our command says so with its own code", async () => {
  const manager = await leader();
  await create(manager, "pausing", { replicas: 3 });
  await untilRunning(manager, "pausing", 3);
  const updated = await swarm(
    manager,
    "service",
    "update",
    "--entrypoint",
    "/bin/false",
    "--update-monitor",
    "2s",
    "--update-delay",
    "3s",
    "--timeout",
    "60s",
    "pausing",
  );
  expect(updated.stderr).toContain("paused");
  expect(updated.code).toBe(3);
  // Only the first slot was touched.
  expect((await runningTasks(manager, "pausing")).length).toBeGreaterThanOrEqual(2);
  const inspected = await api(manager).call<{ UpdateStatus?: { State: string } }>(
    "GET",
    "/services/pausing",
  );
  expect(inspected.UpdateStatus?.State).toBe("paused");
});
