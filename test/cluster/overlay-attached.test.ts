/** Containers outside services on attachable networks: they find services and are found, on whatever node they are. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HTTPD, startTool } from "./on-networks.js";
import {
  containerPids,
  create,
  docker,
  eventually,
  IMAGE,
  leader,
  node,
  reset,
  swarm,
  type TestNode,
  untilRunning,
} from "./playground.js";

async function clean(): Promise<void> {
  const manager = await leader();
  const listed = await swarm(manager, "task", "ls", "--quiet");
  for (const id of listed.stdout.split("\n").filter((line) => line !== ""))
    await swarm(manager, "task", "rm", id);
  await reset();
  for (const name of ["app", "closed"]) await docker(manager, "network", "rm", name);
}

beforeEach(clean);
afterEach(clean);

function fetchIn(target: TestNode, taskId: string, name: string): string {
  const pid = containerPids(target).get(taskId);
  if (pid === undefined) throw new Error(`${taskId} has no process`);
  const args = ["-t", String(pid), "-m", "-n", "--", "wget", "-qO-", `http://${name}/`];
  return execFileSync("nsenter", args, { encoding: "utf8", timeout: 10_000 });
}

test("a container outside services reaches services by name, and they reach it, until it is removed", async () => {
  const manager = await leader();
  const worker = node("w1");
  await docker(manager, "network", "create", "-d", "overlay", "--attachable", "app");
  const on = { task: { Networks: [{ Target: "app" }] } };
  await create(manager, "web", { ...on, replicas: 2, command: HTTPD });
  await untilRunning(manager, "web", 2);

  const taskId = await startTool(manager, "name=app,alias=box");
  await eventually("web answers the container", 20_000, () => fetchIn(worker, taskId, "web"));
  await create(manager, "near", { ...on, replicas: 3 });
  for (const task of await untilRunning(manager, "near", 3)) {
    const host = ["m1", "m2", "m3", "w1", "w2"].map(node).find((one) => one.nodeId === task.NodeID);
    for (const name of ["tool", "box"])
      await eventually(`${name} answers on ${host?.name}`, 20_000, () =>
        host === undefined ? undefined : fetchIn(host, task.ID, name),
      );
  }

  expect(await docker(manager, "service", "rm", "web", "near")).toMatchObject({ code: 0 });
  expect(await docker(manager, "network", "rm", "app")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`is in use by task ${taskId}`) as string,
  });
  expect(await swarm(manager, "task", "rm", "tool")).toMatchObject({ code: 0 });
  await eventually("its process is gone", 20_000, () => !containerPids(worker).has(taskId));
  expect(await docker(manager, "network", "rm", "app")).toMatchObject({ code: 0 });
}, 60_000);

test("only attachable networks take one", async () => {
  const manager = await leader();
  await docker(manager, "network", "create", "-d", "overlay", "closed");
  expect(await swarm(manager, "run", "--network", "closed", IMAGE)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("network closed not manually attachable") as string,
  });
}, 30_000);
