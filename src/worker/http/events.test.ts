import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { SeededRandom, silentLogger } from "../../base/index.js";
import { containerIdOf } from "../tasks/index.js";
import { type FakeClock, until } from "../testing/fake-clock.js";
import {
  completeSet,
  fakeAssignment,
  NO_MANAGERS,
  NODE,
  NodeKit,
  taskId,
} from "../testing/node-kit.js";
import type { HttpContext } from "./context.js";
import { buildServer, serveLocal } from "./server.js";

type Event = {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
};

function contextOf(kit: NodeKit): HttpContext {
  const { engine, net, tasks, logs, store, volumes, clock, dir } = kit;
  return {
    ...{ engine, net, tasks, logs, store, volumes, clock },
    volumeRoot: `${dir}/volumes`,
    node: () => NODE,
    connections: NO_MANAGERS,
    random: new SeededRandom(1),
    logger: silentLogger,
    engineProblem: () => "",
    isSessionUp: () => true,
  };
}

const eventsIn = (text: string): readonly Event[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);

/** All that was kept, up to now. */
async function kept(kit: NodeKit, filters: object = {}): Promise<readonly Event[]> {
  const query = new URLSearchParams({
    since: "1",
    until: String(kit.clock.wallMs() / 1000),
    filters: JSON.stringify(filters),
  });
  const answer = await buildServer(contextOf(kit)).inject(`/v1.47/events?${query}`);
  expect(answer.statusCode).toBe(200);
  return eventsIn(answer.payload);
}

async function lived(kit: NodeKit): Promise<void> {
  const Healthcheck = { Test: ["CMD", "check"], Interval: 1e9, Retries: 1 };
  const spec = { ContainerSpec: { Image: "bb:latest", Healthcheck, StopSignal: "SIGINT" } };
  kit.tasks.apply(completeSet(1, [fakeAssignment("a", { spec })]));
  const clock = kit.clock as FakeClock;
  await clock.advanceUntil(() => kit.stateOf("a") === TASK_STATE.running, "running");
  kit.tasks.apply(completeSet(2, []));
  await clock.advanceUntil(() => kit.stateOf("a") === -1, "task forgotten");
}

test("a container's whole life, in order, with Docker's attributes", async () => {
  await using kit = await NodeKit.make();
  await lived(kit);
  const events = await kept(kit);
  expect(events.map(({ Action }) => Action)).toEqual([
    "create",
    "start",
    "health_status: healthy",
    "kill",
    "die",
    "stop",
    "destroy",
  ]);
  expect(new Set(events.map(({ Actor }) => Actor.ID))).toEqual(
    new Set([containerIdOf(taskId("a"))]),
  );
  const attributes = (action: string) =>
    events.find(({ Action }) => Action === action)?.Actor.Attributes;
  expect(attributes("create")).toMatchObject({
    image: "bb:latest",
    name: `web.1.${taskId("a")}`,
    "com.docker.swarm.service.name": "web",
  });
  expect(attributes("kill")).toMatchObject({ signal: "2" });
  expect(attributes("die")).toHaveProperty("exitCode");
});

test("filters reach what was kept, and an unknown one is refused", async () => {
  await using kit = await NodeKit.make();
  await lived(kit);
  expect(await kept(kit, { event: ["health_status"], service: ["web"] })).toHaveLength(1);
  expect(await kept(kit, { type: ["node"] })).toEqual([]);
  const app = buildServer(contextOf(kit));
  for (const query of ["filters=%7B%22x%22%3A%5B%5D%7D", "since=yesterday"])
    expect((await app.inject(`/events?${query}`)).statusCode).toBe(400);
});

test("an agent that starts again tells nothing of what it finds", async () => {
  const earlier = await NodeKit.make();
  earlier.tasks.apply(completeSet(1, [fakeAssignment("a")]));
  await until(() => earlier.stateOf("a") === TASK_STATE.running, "running");
  await earlier.kill();
  await using kit = await NodeKit.make(earlier);
  await until(() => kit.stateOf("a") === TASK_STATE.running, "running again");
  expect(await kept(kit)).toEqual([]);
});

test("who listens is told as it happens", async () => {
  await using kit = await NodeKit.make();
  const dir = await mkdtemp(`${tmpdir()}/events-`);
  const socketPath = `${dir}/worker.sock`;
  const server = await serveLocal(contextOf(kit), socketPath);
  try {
    let text = "";
    const asked = request({
      socketPath,
      path: "/events?filters=%7B%22event%22%3A%5B%22start%22%5D%7D",
    });
    const isOpen = new Promise<void>((resolve, reject) => {
      asked.on("error", reject);
      asked.on("response", (response) => {
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", () => undefined);
        resolve();
      });
    });
    asked.end();
    await isOpen;
    kit.tasks.apply(completeSet(1, [fakeAssignment("a"), fakeAssignment("b")]));
    await until(
      () => eventsIn(text.slice(0, text.lastIndexOf("\n") + 1)).length === 2,
      "two starts",
    );
    asked.destroy();
  } finally {
    await server[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  }
});
