import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { EngineError } from "../engine/index.js";
import type { FakeClock } from "../testing/fake-clock.js";
import { settle, until } from "../testing/fake-clock.js";
import { fakeImage } from "../testing/fake-engine.js";
import { completeSet, fakeAssignment, NodeKit, taskId } from "../testing/node-kit.js";
import { containerIdOf } from "./container-id.js";

const S = TASK_STATE;

async function reaches(kit: NodeKit, name: string, state: number): Promise<void> {
  await until(() => kit.stateOf(name) === state, `${name} reaches ${state}`);
}

/** Moves the kit's clock on until the task is there. */
async function advanceTo(kit: NodeKit, name: string, state: number): Promise<void> {
  const clock = kit.clock as FakeClock;
  await clock.advanceUntil(() => kit.stateOf(name) === state, `${name} reaches ${state}`);
}

test("a task goes from assigned to running and tells each step", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(5, [fakeAssignment("a")]));
  await reaches(kit, "a", S.running);
  expect(kit.statuses.map((status) => [status.state, status.message])).toEqual([
    [S.accepted, "accepted"],
    [S.preparing, "preparing"],
    [S.ready, "prepared"],
    [S.starting, "starting"],
    [S.running, "started"],
  ]);
  const last = kit.statuses.at(-1);
  expect(last?.containerId).toBe(containerIdOf(taskId("a")));
  expect(last?.pid).toBeGreaterThan(0);
  const request = kit.engine.containers.get(taskId("a"))?.request;
  expect(request?.name).toBe(`web.1.${taskId("a")}`);
  expect(request?.labels["com.docker.swarm.task.id"]).toBe(taskId("a"));
  expect(kit.tasks.index).toBe(5);
});

test.each([
  { name: "exit 0 completes it", code: 0, isOom: false, state: S.complete, err: "" },
  {
    name: "exit 3 fails it",
    code: 3,
    isOom: false,
    state: S.failed,
    err: "task: non-zero exit (3)",
  },
  {
    name: "the memory killer fails it by name",
    code: 137,
    isOom: true,
    state: S.failed,
    err: "task: non-zero exit (137): out of memory",
  },
])(
  "a running task's end: $name, and its network is given back",
  async ({ code, isOom, state, err }) => {
    await using kit = await NodeKit.make();
    kit.tasks.apply(completeSet(5, [fakeAssignment("a")]));
    await reaches(kit, "a", S.running);
    kit.engine.exit(taskId("a"), code, isOom);
    await advanceTo(kit, "a", state);
    expect(kit.statuses.at(-1)).toMatchObject({ err, exitCode: code, pid: 0 });
    await until(() => !kit.net.attached.has(taskId("a")), "network released");
    expect(kit.engine.containers.has(taskId("a"))).toBe(true);
  },
);

test("a missing image rejects the task with the registry's reason", async () => {
  await using kit = await NodeKit.make();
  const spec = { ContainerSpec: { Image: "nope:1" } };
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { spec })]));
  await reaches(kit, "a", S.rejected);
  expect(kit.statuses.at(-1)?.err).toBe("No such image: nope:1 (manifest unknown)");
});

test("an image that is here is used when the registry fails", async () => {
  await using kit = await NodeKit.make();
  kit.engine.addLocal(fakeImage("mine:1"));
  const spec = { ContainerSpec: { Image: "mine:1" } };
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { spec })]));
  await reaches(kit, "a", S.running);
  expect(kit.engine.calls[0]).toBe("pull mine:1");
});

test("replicas that start together pull once", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(
    completeSet(
      5,
      ["a", "b", "c"].map((name) => fakeAssignment(name)),
    ),
  );
  for (const name of ["a", "b", "c"]) await reaches(kit, name, S.running);
  expect(kit.engine.calls.filter((call) => call.startsWith("pull"))).toHaveLength(1);
});

test.each([
  {
    name: "a network that does not exist here",
    spec: { Networks: [{ Target: "web-net" }] },
    err: "network web-net: the task has no address there",
  },
  {
    name: "an unknown log driver",
    spec: { LogDriver: { Name: "syslog" } },
    err: 'LogDriver.Name "syslog" is not supported; use json-file, local or none',
  },
  {
    name: "a template that cannot be expanded",
    spec: { ContainerSpec: { Image: "bb:latest", Env: ["A={{.Nope}}"] } },
    err: "template {{.Nope}}: there is no Nope",
  },
  {
    name: "a bind mount of nothing",
    spec: {
      ContainerSpec: {
        Image: "bb:latest",
        Mounts: [{ Type: "bind" as const, Source: "/no/such/dir", Target: "/d" }],
      },
    },
    err: 'invalid mount config for type "bind": bind source path does not exist: /no/such/dir',
  },
])("rejected before anything runs: $name", async ({ spec, err }) => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { spec })]));
  await reaches(kit, "a", S.rejected);
  expect(kit.statuses.at(-1)?.err).toBe(err);
  expect(kit.engine.containers.size).toBe(0);
});

test("a refusal of the network process rejects the task, its absence only delays it", async () => {
  await using kit = await NodeKit.make();
  kit.net.refusal = "host port 8080/tcp is in use";
  kit.tasks.apply(completeSet(5, [fakeAssignment("a")]));
  await reaches(kit, "a", S.rejected);
  expect(kit.statuses.at(-1)?.err).toBe("host port 8080/tcp is in use");
  kit.net.refusal = "";
  kit.net.isDown = true;
  kit.tasks.apply(completeSet(6, [fakeAssignment("a"), fakeAssignment("b")]));
  await reaches(kit, "b", S.preparing);
  await (kit.clock as FakeClock).advance(3_000, 100);
  expect(kit.stateOf("b")).toBe(S.preparing);
  kit.net.isDown = false;
  await advanceTo(kit, "b", S.running);
});

test("an engine that is away delays tasks and fails none", async () => {
  await using kit = await NodeKit.make();
  kit.engine.setDown(true);
  kit.tasks.apply(completeSet(5, [fakeAssignment("a")]));
  await (kit.clock as FakeClock).advance(10_000, 500);
  expect(kit.stateOf("a")).toBe(S.preparing);
  kit.engine.setDown(false);
  await advanceTo(kit, "a", S.running);
});

test("an error of create rejects the task with the engine's words", async () => {
  await using kit = await NodeKit.make();
  kit.engine.createError = new EngineError("INVALID_SPEC", "no command specified");
  kit.tasks.apply(completeSet(5, [fakeAssignment("a")]));
  await reaches(kit, "a", S.rejected);
  expect(kit.statuses.at(-1)?.err).toBe("no command specified");
});

test("a task wanted ready is prepared and waits; it starts after its delay", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { desiredState: S.ready })]));
  await reaches(kit, "a", S.ready);
  const notBeforeMs = kit.clock.wallMs() + 5_000;
  kit.tasks.apply({
    isComplete: false,
    appliesTo: 5,
    resultsIn: 6,
    tasks: [fakeAssignment("a", { desiredState: S.running, notBeforeMs })],
    removedTaskIds: [],
  });
  await (kit.clock as FakeClock).advance(4_990, 1_000);
  expect(kit.stateOf("a")).toBe(S.ready);
  await (kit.clock as FakeClock).advance(20);
  await reaches(kit, "a", S.running);
});

test("shutdown stops with the spec's signal and keeps the container; remove deletes it", async () => {
  await using kit = await NodeKit.make();
  const spec = { ContainerSpec: { Image: "bb:latest", StopSignal: "SIGINT" } };
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { spec })]));
  await reaches(kit, "a", S.running);
  kit.tasks.apply(completeSet(6, [fakeAssignment("a", { spec, desiredState: S.shutdown })]));
  await advanceTo(kit, "a", S.shutdown);
  expect(kit.engine.calls).toContain(`stop ${taskId("a")} SIGINT`);
  expect(kit.statuses.at(-1)).toMatchObject({ message: "shutdown", exitCode: 143 });
  await settle();
  expect(kit.engine.containers.has(taskId("a"))).toBe(true);
  kit.tasks.apply(completeSet(7, [fakeAssignment("a", { spec, desiredState: S.remove })]));
  await until(() => !kit.engine.containers.has(taskId("a")), "container deleted");
  expect(kit.stateOf("a")).toBe(S.shutdown);
  kit.tasks.apply(completeSet(8, []));
  await until(() => kit.tasks.runner(taskId("a")) === undefined, "record forgotten");
  expect(await kit.store.load()).toEqual([]);
});

test("a gap in the increments changes nothing and asks for the complete set", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(5, [fakeAssignment("a")]));
  await reaches(kit, "a", S.running);
  const increment = {
    isComplete: false,
    appliesTo: 7,
    resultsIn: 8,
    tasks: [],
    removedTaskIds: [taskId("a")],
  };
  expect(kit.tasks.apply(increment)).toBe(false);
  expect(kit.tasks.index).toBe(0);
  expect(kit.stateOf("a")).toBe(S.running);
});

test("an agent that comes back adopts what runs, with the same pid, and starts nothing again", async () => {
  const first = await NodeKit.make();
  first.tasks.apply(
    completeSet(5, [fakeAssignment("a"), fakeAssignment("b"), fakeAssignment("c")]),
  );
  for (const name of ["a", "b", "c"]) await reaches(first, name, S.running);
  const pid = first.engine.containers.get(taskId("a"))?.pid;
  await first.kill();
  first.engine.exit(taskId("b"), 7);
  first.engine.containers.delete(taskId("c"));
  first.engine.calls.length = 0;

  await using second = await NodeKit.make(first);
  await advanceTo(second, "b", S.failed);
  await advanceTo(second, "c", S.failed);
  expect(second.stateOf("a")).toBe(S.running);
  expect(second.tasks.runner(taskId("a"))?.record.status.pid).toBe(pid);
  expect(second.tasks.runner(taskId("b"))?.record.status.err).toBe("task: non-zero exit (7)");
  expect(second.tasks.runner(taskId("c"))?.record.status.err).toContain("container is gone");
  second.tasks.apply(
    completeSet(9, [fakeAssignment("a"), fakeAssignment("b"), fakeAssignment("c")]),
  );
  await settle();
  expect(second.engine.calls).toEqual([]);
  expect(second.tasks.statuses().map((status) => status.state)).toEqual([
    S.running,
    S.failed,
    S.failed,
  ]);
});

test("containers without a record stay until the complete set, then they go", async () => {
  const first = await NodeKit.make();
  first.tasks.apply(completeSet(5, [fakeAssignment("a")]));
  await reaches(first, "a", S.running);
  await first.kill();
  await first.store.remove(taskId("a"));

  await using second = await NodeKit.make(first);
  await settle();
  expect(second.engine.containers.has(taskId("a"))).toBe(true);
  expect(await second.tasks.networkIds()).toEqual([taskId("a")]);
  second.tasks.apply(completeSet(9, []));
  await until(() => !second.engine.containers.has(taskId("a")), "orphan removed");
  expect(second.net.attached.size).toBe(0);
});

test("superseded tasks are stopped before another one starts", async () => {
  const first = await NodeKit.make();
  first.tasks.apply(completeSet(5, [fakeAssignment("old")]));
  await reaches(first, "old", S.running);
  await first.kill();

  await using second = await NodeKit.make(first);
  await reaches(second, "old", S.running);
  second.engine.isStopHeld = true;
  second.tasks.apply(
    completeSet(9, [fakeAssignment("old", { desiredState: S.shutdown }), fakeAssignment("new")]),
  );
  await reaches(second, "new", S.ready);
  await until(() => second.engine.calls.some((call) => call.startsWith("stop")), "stop asked");
  await settle();
  expect(second.stateOf("new")).toBe(S.ready);
  second.engine.exit(taskId("old"), 0);
  await advanceTo(second, "old", S.shutdown);
  await reaches(second, "new", S.running);
});

test("a task stays starting until its health check succeeds", async () => {
  await using kit = await NodeKit.make();
  const ContainerSpec = {
    Image: "bb:latest",
    Healthcheck: { Test: ["CMD", "check"], Interval: 1e9, Retries: 3 },
  };
  kit.engine.execResult = { exitCode: 1, output: "not yet" };
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { spec: { ContainerSpec } })]));
  await reaches(kit, "a", S.starting);
  await settle();
  await (kit.clock as FakeClock).advance(2_000, 500);
  expect(kit.stateOf("a")).toBe(S.starting);
  kit.engine.execResult = { exitCode: 0, output: "" };
  await (kit.clock as FakeClock).advance(1_000, 500);
  await reaches(kit, "a", S.running);
  kit.engine.execResult = { exitCode: 1, output: "broken" };
  await advanceTo(kit, "a", S.failed);
  expect(kit.statuses.at(-1)?.err).toBe("task: non-zero exit (143): unhealthy container");
});

test("leaving stops and deletes everything, also what has no record", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(5, [fakeAssignment("a"), fakeAssignment("b")]));
  for (const name of ["a", "b"]) await reaches(kit, name, S.running);
  let isGone = false;
  void kit.tasks.removeAll(new AbortController().signal).then(() => {
    isGone = true;
  });
  await (kit.clock as FakeClock).advanceUntil(() => isGone, "all gone");
  expect(kit.engine.containers.size).toBe(0);
  expect(kit.net.attached.size).toBe(0);
  expect(await kit.store.load()).toEqual([]);
});

const OVERLAY = {
  networks: [
    { networkId: "net1", address: "10.1.0.5", address6: "fd00::5", aliases: [] },
    { networkId: "ingress", address: "10.0.0.9", address6: "", aliases: [] },
  ],
  spec: {
    ContainerSpec: { Image: "bb:latest", DNSConfig: { Nameservers: ["9.9.9.9"] } },
    Networks: [{ Target: "net1" }],
  },
};

test("a task on overlay networks starts when the other nodes know it", async () => {
  await using kit = await NodeKit.make();
  const clock = kit.clock as FakeClock;
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", OVERLAY)]));
  await reaches(kit, "a", S.ready);
  await clock.advance(1_900, 100);
  expect(kit.stateOf("a")).toBe(S.ready);
  kit.tasks.apply(completeSet(6, [fakeAssignment("a", { ...OVERLAY, networkPhase: 2 })]));
  await reaches(kit, "a", S.running);
});

test("it does not wait for longer than two seconds, and other tasks do not wait with it", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", OVERLAY), fakeAssignment("b")]));
  await reaches(kit, "b", S.running);
  await reaches(kit, "a", S.ready);
  await (kit.clock as FakeClock).advance(2_000);
  await reaches(kit, "a", S.running);
});

test("net is told of its networks and DNS settings, and its resolver is the container's", async () => {
  await using kit = await NodeKit.make();
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { ...OVERLAY, networkPhase: 2 })]));
  await reaches(kit, "a", S.running);
  expect(kit.net.requests).toEqual([
    {
      containerId: taskId("a"),
      mode: "default",
      hostPorts: [],
      overlay: {
        taskId: taskId("a"),
        networkIds: ["net1", "ingress"],
        dns: { nameservers: ["9.9.9.9"], search: [], options: [] },
      },
    },
  ]);
  const { filesDir } = kit.store.paths(taskId("a"));
  const resolv = await readFile(`${filesDir}/resolv.conf`, "utf8");
  expect(resolv).toContain("nameserver 127.0.0.11\n");
  expect(resolv).toContain("options ndots:0\n");
  expect(resolv).not.toContain("9.9.9.9");
  const hosts = await readFile(`${filesDir}/hosts`, "utf8");
  expect(hosts).toContain(`10.1.0.5\t${containerIdOf(taskId("a")).slice(0, 12)}\n`);
});

function hasStopSignal(kit: NodeKit): boolean {
  return kit.engine.calls.some((call) => call.startsWith("stop"));
}

const STOP = { ...OVERLAY, desiredState: S.shutdown } as const;

test.each([
  { name: "at once when there is none", drain: { open: 0, drainMs: 2_000 }, heldMs: 0 },
  { name: "for the service's drain time", drain: { open: 3, drainMs: 5_000 }, heldMs: 5_000 },
  { name: "not at all without a drain time", drain: { open: 3, drainMs: 0 }, heldMs: 0 },
])("a planned stop waits for connections: $name", async ({ drain, heldMs }) => {
  await using kit = await NodeKit.make();
  const clock = kit.clock as FakeClock;
  kit.net.open = drain;
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { ...OVERLAY, networkPhase: 2 })]));
  await reaches(kit, "a", S.running);
  kit.tasks.apply(completeSet(6, [fakeAssignment("a", { ...STOP, networkPhase: 3 })]));
  if (heldMs > 0) {
    await clock.advance(heldMs - 100, 100);
    expect(hasStopSignal(kit)).toBe(false);
    await clock.advance(100, 100);
  }
  await until(() => hasStopSignal(kit), "stop signal");
  await advanceTo(kit, "a", S.shutdown);
  expect(kit.net.asked).toContain(taskId("a"));
});

test("the stop signal goes out as soon as the last connection has ended", async () => {
  await using kit = await NodeKit.make();
  const clock = kit.clock as FakeClock;
  kit.net.open = { open: 1, drainMs: 60_000 };
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { ...OVERLAY, networkPhase: 2 })]));
  await reaches(kit, "a", S.running);
  kit.tasks.apply(completeSet(6, [fakeAssignment("a", { ...STOP, networkPhase: 3 })]));
  await clock.advance(1_000, 100);
  expect(hasStopSignal(kit)).toBe(false);
  kit.net.open = { open: 0, drainMs: 60_000 };
  await clock.advance(100, 100);
  await until(() => hasStopSignal(kit), "stop signal");
  await advanceTo(kit, "a", S.shutdown);
});

test.each([
  { name: "net is away", isDown: true, networkPhase: 3, asked: 1 },
  { name: "it was never withdrawn", isDown: false, networkPhase: 1, asked: 0 },
] as const)("nothing holds a stop when $name", async ({ isDown, networkPhase, asked }) => {
  await using kit = await NodeKit.make();
  kit.net.open = { open: 3, drainMs: 60_000 };
  kit.tasks.apply(completeSet(5, [fakeAssignment("a", { ...OVERLAY, networkPhase: 2 })]));
  await reaches(kit, "a", S.running);
  kit.net.isDown = isDown;
  kit.tasks.apply(completeSet(6, [fakeAssignment("a", { ...STOP, networkPhase })]));
  await until(() => hasStopSignal(kit), "stop signal");
  await advanceTo(kit, "a", S.shutdown);
  expect(kit.net.asked).toHaveLength(asked);
});
