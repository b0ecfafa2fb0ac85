import { beforeEach, expect, test } from "vitest";
import {
  create,
  docker,
  eventually,
  fetchFrom,
  leader,
  managers,
  node,
  reset,
  runningTasks,
  status,
  untilRunning,
} from "./playground.js";

beforeEach(reset);

test.each([5, 50])("%i replicas run spread evenly over five nodes", async (count) => {
  const manager = managers()[0];
  if (manager === undefined) throw new Error("no manager");
  await create(manager, "spread", { replicas: count });
  const running = await untilRunning(manager, "spread", count, 60_000);
  const perNode = new Map<string, number>();
  for (const task of running)
    perNode.set(task.NodeID ?? "", (perNode.get(task.NodeID ?? "") ?? 0) + 1);
  expect([...perNode.values()]).toEqual(Array.from({ length: 5 }, () => count / 5));
  for (const each of managers()) {
    const listed = await docker(each, "service", "ls", "--format", "{{.Name}} {{.Replicas}}");
    expect(listed.stdout.trim()).toBe(`spread ${count}/${count}`);
  }
});

test("a published host port answers from outside with host name, task and client address", async () => {
  const manager = await leader();
  await create(manager, "web", {
    replicas: 2,
    command: ["httpd", "-f", "-p", "80", "-h", "/www"],
    container: { Env: ["TASK_NAME={{.Task.Name}}", "NODE_NAME={{.Node.Hostname}}"] },
    rest: { EndpointSpec: { Ports: [{ Protocol: "tcp", TargetPort: 80, PublishMode: "host" }] } },
  });
  for (const task of await untilRunning(manager, "web", 2)) {
    const host = status().nodes.find((candidate) => candidate.nodeId === task.NodeID);
    const port = task.Status.PortStatus?.Ports?.[0]?.PublishedPort;
    // Running says that the process runs; the server in it may need another moment.
    const page = await eventually("the page is served", 10_000, () =>
      fetchFrom("swarmpg-outside", `http://${host?.addr}:${port}/`),
    );
    expect(page).toContain(`task web.${task.Slot}.${task.ID}`);
    expect(page).toContain(`node ${host?.name}`);
    expect(page).toContain("client 10.99.0.100");
  }
});

test("scaling down removes from the fullest nodes and keeps low slots", async () => {
  const manager = node("m1");
  await create(manager, "shrink", { replicas: 10 });
  await untilRunning(manager, "shrink", 10);
  expect((await docker(manager, "service", "scale", "--detach", "shrink=5")).code).toBe(0);
  await untilRunning(manager, "shrink", 5);
  const running = await runningTasks(manager, "shrink");
  expect(new Set(running.map((task) => task.NodeID)).size).toBe(5);
  expect(running.map((task) => task.Slot).sort()).toEqual([1, 2, 3, 4, 5]);
});
