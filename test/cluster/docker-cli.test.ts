/** The stock docker CLI against every manager: what an operator types first. */
import { beforeEach, expect, test } from "vitest";
import {
  create,
  docker,
  eventually,
  healthy,
  managers,
  node,
  reset,
  runningTasks,
  untilRunning,
} from "./playground.js";

beforeEach(reset);

test("create, list, inspect, scale, update, roll back, logs and remove on every manager", async () => {
  await Promise.all(["m1", "m2", "m3"].map(dailyWork));
});

async function dailyWork(name: string): Promise<void> {
  const target = node(name);
  const web = `web-${name}`;
  const ok = async (...args: string[]): Promise<string> => {
    const result = await docker(target, ...args);
    expect({ args, ...result }).toMatchObject({ code: 0 });
    return result.stdout;
  };
  const made = await ok(
    ...[
      "service",
      "create",
      "--name",
      web,
      "--replicas",
      "3",
      "--label",
      "tier=front",
      "--env",
      "A=1",
    ],
    ...[
      "--update-monitor",
      "1s",
      "--stop-grace-period",
      "1s",
      "swarm-demo/web:1",
      "sh",
      "-c",
      "echo hello; exec sleep 100000",
    ],
  );
  expect(made).toMatch(/verify: Service [0-9a-z]{25} converged/);
  expect(
    await ok(
      "service",
      "ls",
      "-f",
      `name=${web}`,
      "--format",
      "{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}}",
    ),
  ).toBe(`${web} replicated 3/3 swarm-demo/web:1\n`);
  expect(
    (await ok("service", "ps", web, "--format", "{{.Name}} {{.DesiredState}}"))
      .trim()
      .split("\n")
      .sort(),
  ).toEqual([1, 2, 3].map((slot) => `${web}.${slot} Running`));
  expect(await ok("service", "inspect", web, "--pretty")).toMatch(
    /Service Mode:\s+Replicated\n Replicas:\s+3/,
  );
  expect(await ok("service", "logs", web)).toMatch(/web-m\d\.1\.[0-9a-z]+@[mw]\d\s+\| hello/);
  expect(await ok("service", "scale", "--detach", `${web}=5`)).toContain(`${web} scaled to 5`);
  await untilRunning(target, web, 5);
  await ok("service", "update", "--detach", "--env-add", "B=2", "--update-parallelism", "0", web);
  await eventually("all tasks have the new environment", 30_000, async () => {
    const running = await runningTasks(target, web);
    return (
      running.length === 5 && running.every((task) => JSON.stringify(task.Spec).includes("B=2"))
    );
  });
  await eventually("the update is completed", 30_000, async () =>
    (await ok("service", "inspect", web, "--format", "{{.UpdateStatus.State}}")).includes(
      "completed",
    ),
  );
  await ok("service", "rollback", "--detach", web);
  await eventually("the former environment is back", 60_000, async () => {
    const running = await runningTasks(target, web);
    return (
      running.length > 0 && running.every((task) => !JSON.stringify(task.Spec).includes("B=2"))
    );
  });
  expect(await ok("service", "rm", web)).toBe(`${web}\n`);
  expect(await ok("service", "ls", "-q", "-f", `name=${web}`)).toBe("");
}

test("nodes are listed, inspected, drained and made active again", async () => {
  const target = node("m2");
  await create(target, "spread", { replicas: 5 });
  await untilRunning(target, "spread", 5);
  const listed = await docker(
    target,
    "node",
    "ls",
    "--format",
    "{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}",
  );
  expect(
    listed.stdout
      .trim()
      .split("\n")
      .sort()
      .map((line) => line.replace(/Leader|Reachable/, "Manager").trim()),
  ).toEqual([
    "m1 Ready Active Manager",
    "m2 Ready Active Manager",
    "m3 Ready Active Manager",
    "w1 Ready Active",
    "w2 Ready Active",
  ]);
  expect((await docker(target, "node", "inspect", "w1", "--pretty")).stdout).toMatch(
    /Hostname:\s+w1/,
  );
  expect((await docker(target, "node", "update", "--availability", "drain", "w1")).code).toBe(0);
  await eventually("nothing runs on w1", 40_000, async () => {
    const running = await runningTasks(target, "spread");
    return running.length === 5 && running.every((task) => task.NodeID !== node("w1").nodeId);
  });
  expect((await docker(target, "node", "ps", "w1")).stdout).toContain("Shutdown");
  expect((await docker(target, "node", "update", "--availability", "active", "w1")).code).toBe(0);
});

test("promote and demote change what the node answers", async () => {
  const target = node("m1");
  const worker = node("w2");
  expect((await docker(worker, "service", "ls")).stderr).toContain(
    "This node is not a swarm manager",
  );
  expect((await docker(target, "node", "promote", "w2")).stdout).toContain("promoted to a manager");
  await eventually(
    "w2 answers as a manager",
    40_000,
    async () => (await docker(worker, "service", "ls")).code === 0,
  );
  await healthy();
  expect((await docker(target, "node", "demote", "w2")).stdout).toContain("demoted in the swarm");
  await eventually("w2 is a worker again", 40_000, async () =>
    (await docker(worker, "service", "ls")).stderr.includes("This node is not a swarm manager"),
  );
  await healthy();
});

test("the rest of the daily commands render", async () => {
  const target = managers()[0];
  if (target === undefined) throw new Error("no manager");
  await create(target, "web", { replicas: 5 });
  await untilRunning(target, "web", 5);
  expect(
    (
      await docker(
        target,
        "info",
        "--format",
        "{{.Swarm.LocalNodeState}} {{.Swarm.Managers}} {{.Swarm.Nodes}}",
      )
    ).stdout.trim(),
  ).toBe("active 3 5");
  expect((await docker(target, "images", "--format", "{{.Repository}}:{{.Tag}}")).stdout).toContain(
    "swarm-demo/web:1",
  );
  expect((await docker(target, "ps", "--format", "{{.Names}} {{.State}}")).stdout).toMatch(
    /^web\.\d\.[0-9a-z]{25} running$/m,
  );
  expect((await docker(target, "network", "ls", "--format", "{{.Name}}")).stdout).toContain(
    "ingress",
  );
  expect((await docker(target, "swarm", "join-token", "worker")).stdout).toMatch(
    /docker swarm join --token SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25} 10\.99\.0\.1[123]:2377/,
  );
  expect((await docker(target, "version", "--format", "{{.Server.APIVersion}}")).code).toBe(0);
});

test("errors are those a Docker Swarm gives", async () => {
  const target = node("m3");
  await create(target, "web");
  const failing = async (...args: string[]): Promise<string> =>
    (await docker(target, ...args)).stderr.trim();
  expect(
    await failing("service", "create", "--detach", "--name", "web", "swarm-demo/web:1"),
  ).toContain(
    "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service web already exists",
  );
  expect(await failing("service", "rm", "nosuch")).toContain("service nosuch not found");
  expect(await failing("node", "rm", "w1")).toContain("is not down and can't be removed");
  expect(await failing("node", "rm", "--force", "m1")).toContain(
    "is a cluster manager and is a member of the raft cluster",
  );
  expect(await failing("swarm", "init")).toContain("This node is already part of a swarm.");
  expect(
    await failing("service", "create", "--detach", "--secret", "nosuch", "swarm-demo/web:1"),
  ).not.toBe("");
});
