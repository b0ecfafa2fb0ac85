import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiTask } from "./api-types.js";
import { EngineClient } from "./client.js";
import { demultiplex, splitDetails } from "./commands/logs.js";
import { progressOf } from "./convergence.js";
import { ProgressLine } from "./progress.js";
import { waitForService } from "./wait.js";
import type { Seen } from "./waiting.js";

let dir: string;
let server: Server;
let answers: Record<string, unknown>;

let status: number;

async function listen(): Promise<void> {
  server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    response.setHeader("Content-Type", "application/json");
    response.statusCode = status;
    response.end(JSON.stringify(answers[path]));
  });
  await new Promise<void>((resolve) => server.listen(join(dir, "s.sock"), resolve));
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-cli-"));
  status = 200;
  await listen();
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true });
});

function task(slot: number, state: string, desired = "running", err = ""): ApiTask {
  return {
    ID: `t${slot}${state}`,
    CreatedAt: "2026-01-01T00:00:00Z",
    ServiceID: "s",
    Slot: slot,
    NodeID: "n1",
    DesiredState: desired,
    Spec: {},
    Status: { State: state, Err: err },
  };
}

const service = (replicas: number, updateState?: string) => ({
  ID: "s",
  Version: { Index: 1 },
  Spec: {
    Name: "web",
    Mode: { Replicated: { Replicas: replicas } },
    TaskTemplate: {},
    UpdateConfig: { Monitor: 1 },
  },
  ...(updateState === undefined
    ? {}
    : { UpdateStatus: { State: updateState, Message: "task x failed" } }),
});

function wait(set: { timeoutMs?: number; onLost?: (reason: string) => void } = {}) {
  const seen: Seen[] = [];
  const ended = waitForService({
    client: new EngineClient(join(dir, "s.sock")),
    serviceId: "s",
    goal: "update",
    timeoutMs: set.timeoutMs,
    onSeen: (each) => seen.push(each),
    onLost: set.onLost ?? (() => undefined),
  });
  return { ended, seen };
}

test.each([
  { name: "converged", tasks: [task(1, "running")], state: undefined, exitCode: 0 },
  { name: "paused", tasks: [task(1, "failed")], state: "paused", exitCode: 3 },
  { name: "timed out", tasks: [task(1, "preparing")], state: undefined, exitCode: 4 },
])("a wait ends $name", async ({ tasks, state, exitCode }) => {
  answers = { "/services/s": service(1, state), "/tasks": tasks, "/nodes": [] };
  expect(await wait({ timeoutMs: 1 }).ended).toMatchObject({ exitCode });
});

test("a wait goes on over managers that do not answer, and over a socket that is made anew", async () => {
  answers = { "/services/s": service(1, "updating"), "/tasks": [task(1, "running")], "/nodes": [] };
  const reasons: string[] = [];
  const steps = [
    () => {
      status = 500;
      answers["/services/s"] = { message: "The swarm does not have a leader." };
    },
    async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async () => {
      status = 200;
      answers["/services/s"] = service(1, "completed");
      await listen();
    },
  ];
  const { ended } = wait({
    onLost: (reason) => {
      reasons.push(reason);
      void steps.shift()?.();
    },
  });
  await steps.shift()?.();
  expect(await ended).toMatchObject({ result: "converged" });
  expect(reasons[0]).toBe("The swarm does not have a leader.");
  expect(reasons.at(-1)).toContain("no swarmd answers");
});

test("a service that is removed meanwhile ends the wait", async () => {
  status = 404;
  answers = { "/services/s": { message: "service s not found" } };
  expect(await wait().ended).toMatchObject({
    exitCode: 1,
    message: expect.stringContaining("removed"),
  });
});

const jobService = (Mode: object, set: object = {}) => ({
  ...service(0),
  Spec: { ...service(0).Spec, Mode },
  JobStatus: { JobIteration: { Index: 2 } },
  ...set,
});
const run = (slot: number, state: string, desired = "complete", iteration = 2): ApiTask => ({
  ...task(slot, state, desired),
  JobIteration: { Index: iteration },
});
const twice = { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } };

test("of a job the completed slots of the present run count, wherever they ran", () => {
  const tasks = [run(0, "complete"), run(1, "running"), run(1, "complete", "remove", 1)];
  const snapshot = { service: jobService(twice), tasks, downNodes: new Set(["n1"]) };
  expect(progressOf(snapshot)).toMatchObject({ running: 1, wanted: 2, verb: "job" });
});

test("of a global service one task per node counts, and as many are wanted as are to run", () => {
  const on = (node: string, state: string, desired = "running"): ApiTask => {
    const { Slot: _, ...rest } = task(0, state, desired);
    return { ...rest, NodeID: node };
  };
  const tasks = [on("a", "running"), on("b", "starting"), on("c", "shutdown", "shutdown")];
  const snapshot = { service: jobService({ Global: {} }), tasks, downNodes: new Set<string>() };
  expect(progressOf(snapshot)).toMatchObject({ running: 1, wanted: 2 });
});

test.each([
  {
    name: "completed",
    tasks: [run(0, "complete"), run(1, "complete")],
    set: {},
    said: "job complete",
  },
  {
    name: "not due yet",
    tasks: [],
    set: { ScheduleStatus: { NextTick: "2026-11-22T02:00:00Z" } },
    said: "job web runs next at 2026-11-22T02:00:00Z",
  },
])("a wait for a job ends: $name", async ({ tasks, set, said }) => {
  answers = { "/services/s": jobService(twice, set), "/tasks": tasks, "/nodes": [] };
  expect(await wait().ended).toMatchObject({ exitCode: 0, message: said });
});

test("without a terminal a line is printed only when something changed", () => {
  const lines: string[] = [];
  const line = new ProgressLine(false, (text) => lines.push(text));
  const at = (running: number) => ({ running, wanted: 2, error: "", verb: "overall" as const });
  line.show(at(0), undefined);
  line.show(at(0), undefined);
  line.show(at(2), 5);
  line.show(at(2), 4);
  line.end();
  expect(lines).toEqual([
    "overall progress: 0 out of 2 tasks\n",
    "overall progress: 2 out of 2 tasks\n",
  ]);
});

test("log frames are put together however the stream is cut", async () => {
  const frame = (stream: number, text: string): Buffer => {
    const head = Buffer.alloc(8);
    head[0] = stream;
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const bytes = Buffer.concat([frame(1, "one\n"), frame(2, "two\n")]);
  async function* cut(size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  for (const size of [1, 3, 9, 100]) {
    const frames: string[] = [];
    for await (const { stream, data } of demultiplex(cut(size)))
      frames.push(`${stream}:${data.toString()}`);
    expect(frames).toEqual(["1:one\n", "2:two\n"]);
  }
});

test("details name the task, the rest is the message", () => {
  const details =
    "com.docker.swarm.node.id=n,com.docker.swarm.service.id=s,com.docker.swarm.task.id=t";
  expect(splitDetails(`${details} hello  world\n`)).toEqual({
    taskId: "t",
    text: "hello  world\n",
  });
});
