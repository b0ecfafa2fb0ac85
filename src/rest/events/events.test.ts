import { readFileSync } from "node:fs";
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { TASK_STATE, type Task } from "../../api/index.js";
import type { JournalEntry } from "../../journal/index.js";
import { START_MS } from "../testing/fake-cluster.js";
import { makeWorld, type World } from "../testing/world.js";
import { HISTORY_MAX } from "./leadership-watch.js";

type Event = {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: string;
  readonly time: number;
  readonly timeNano: number;
};

const SPEC = { Name: "web", TaskTemplate: { ContainerSpec: { Image: "bb:1" } } };

function lines(text: string): readonly Event[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);
}

async function history(world: World, filters: object = {}): Promise<readonly Event[]> {
  const query = new URLSearchParams({
    since: "1",
    until: String(Date.now() / 1000),
    filters: JSON.stringify({ scope: ["swarm"], ...filters }),
  });
  return lines((await world.call("GET", `/events?${query}`)).text);
}

async function changeService(world: World): Promise<void> {
  world.cluster.nowMs = START_MS + 1_000;
  await world.call("POST", "/services/create", SPEC);
  const service = world.cluster.store.serviceByName("web");
  await world.call("POST", `/services/web/update?version=${service?.versionIndex}`, {
    ...SPEC,
    TaskTemplate: { ContainerSpec: { Image: "bb:2" } },
    Mode: { Replicated: { Replicas: 3 } },
  });
  await world.call("DELETE", "/services/web");
}

describe("history", () => {
  test("tells what changed", async () => {
    await using world = await makeWorld();
    await changeService(world);
    const found = await history(world);
    expect(
      found.map((event) => [event.Type, event.Action, event.Actor.Attributes]).slice(0, 2),
    ).toEqual([
      ["service", "create", { name: "web" }],
      [
        "service",
        "update",
        {
          name: "web",
          "image.new": "bb:2",
          "image.old": "bb:1",
          "replicas.new": "3",
          "replicas.old": "1",
        },
      ],
    ]);
  });

  test("has the recorded keys", async () => {
    const line = readFileSync(
      new URL("../testdata/engine-api-20.10.jsonl", import.meta.url),
      "utf8",
    )
      .split("\n")
      .find((text) => text.includes('"what":"events"'));
    const { response } = JSON.parse(line ?? "") as { response: { body: string } };
    const [recorded] = lines(response.body);
    await using world = await makeWorld();
    await changeService(world);
    const [ours] = await history(world);
    expect(Object.keys(ours ?? {})).toEqual(Object.keys(recorded ?? {}));
    expect(ours).toMatchObject({ scope: "swarm", time: Math.floor((START_MS + 1_000) / 1000) });
  });

  test("prints nanoseconds digit by digit", async () => {
    await using world = await makeWorld();
    await changeService(world);
    const answer = await world.call(
      "GET",
      `/events?since=1&until=${Math.floor(START_MS / 1000) + 9}&filters=${encodeURIComponent('{"scope":["swarm"],"event":["create"]}')}`,
    );
    expect(answer.text).toContain(`"timeNano":${START_MS + 1_000}000000}`);
  });

  test("tells of tasks only who asks for them, with their service", async () => {
    await using world = await makeWorld();
    await changeService(world);
    const serviceId = "s".repeat(25);
    await world.cluster.write([{ kind: "putTask", task: task("t1", serviceId) }]);
    expect((await history(world)).map((event) => event.Type)).not.toContain("task");
    expect(await history(world, { type: ["task"] })).toMatchObject([
      { Action: "create", Actor: { ID: "t1", Attributes: { name: "web.1", service: serviceId } } },
    ]);
  });

  test("tells who leads and who answers, bounded", async () => {
    await using world = await makeWorld();
    const [n1, n2] = ["n1", "n2"].map((name) => world.cluster.nodeNamed(name).id);
    for (let i = 0; i <= HISTORY_MAX; i++) {
      world.cluster.leaderId = i % 2 === 0 ? n2 : n1;
      for (let tick = 0; tick < 5; tick++) world.cluster.tick(0);
    }
    const found = await history(world);
    expect(found).toHaveLength(HISTORY_MAX);
    // Of one moment in any order.
    expect(
      new Map(found.slice(-2).map((event) => [event.Actor.ID, event.Actor.Attributes])),
    ).toEqual(
      new Map([
        [n1, { name: "n1", "leader.old": "true", "leader.new": "false" }],
        [n2, { name: "n2", "leader.old": "false", "leader.new": "true" }],
      ]),
    );
  });
});

test.each([
  { name: "by type", filters: { type: ["node"] }, count: 0 },
  { name: "by action", filters: { event: { update: true } }, count: 1 },
  { name: "by the beginning of a service's name", filters: { service: ["we"] }, count: 3 },
  { name: "by another service", filters: { service: ["db"] }, count: 0 },
  { name: "of containers", filters: { container: ["x"] }, count: 0 },
])("filter $name", async ({ filters, count }) => {
  await using world = await makeWorld();
  await changeService(world);
  expect(await history(world, filters)).toHaveLength(count);
});

test("a listener gets what happens from now on", async () => {
  await using world = await makeWorld();
  const next = new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath: world.socket, path: "/events", agent: false });
    asked.on("error", reject);
    asked.on("response", (response) => {
      response.once("data", (chunk: Buffer) => {
        resolve(chunk.toString("utf8"));
        asked.destroy();
      });
      response.on("error", () => undefined);
      void world.call("POST", "/services/create", SPEC).catch(reject);
    });
    asked.end();
  });
  expect(lines(await next)).toMatchObject([{ Type: "service", Action: "create" }]);
});

test("a worker's stream opens, carries nothing of the cluster and ends at its time", async () => {
  const asked: string[] = [];
  await using world = await makeWorld({
    isManager: false,
    worker: (request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(501).end();
    },
  });
  const answer = await world.call("GET", `/events?until=${Date.now() / 1000 + 0.05}`);
  expect(answer).toMatchObject({ status: 200, text: "" });
  expect(asked).toHaveLength(1);
});

test("a time that is none is refused", async () => {
  await using world = await makeWorld();
  const answer = await world.call("GET", "/events?since=yesterday");
  expect(answer.status).toBe(400);
});

describe("GET /journal", () => {
  async function entries(world: World, query: string): Promise<readonly JournalEntry[]> {
    const answer = await world.call("GET", `/journal?${query}`, undefined, {
      "User-Agent": "Docker-Client/28",
    });
    expect(answer.status).toBe(200);
    return answer.text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JournalEntry);
  }
  const filter = (filters: object): string =>
    `filters=${encodeURIComponent(JSON.stringify(filters))}`;

  test("says who changed what, in order", async () => {
    await using world = await makeWorld();
    const agent = { "User-Agent": "Docker-Client/28" };
    await world.call("POST", "/services/create", SPEC, agent);
    await changeService(world);
    const found = await entries(world, filter({ type: ["service"] }));
    expect(found.map(({ action }) => action)).toEqual(["create", "update", "remove"]);
    expect(found[0]?.who).toEqual({
      nodeId: world.cluster.nodeId,
      door: "rest",
      actor: "Docker-Client/28",
    });
    expect(found[1]).toMatchObject({
      old: { "TaskTemplate.ContainerSpec.Image": "bb:1", "Mode.Replicated.Replicas": "1" },
      new: { "TaskTemplate.ContainerSpec.Image": "bb:2", "Mode.Replicated.Replicas": "3" },
    });
  });

  test.each([
    { name: "the history of a name", query: filter({ of: ["web"] }), count: 3 },
    { name: "of another", query: filter({ of: ["we"] }), count: 0 },
    { name: "the last ones", query: "last=2", count: 2 },
    { name: "after a position", query: "after=2-0", count: 2 },
    { name: "an action", query: filter({ event: ["remove"] }), count: 1 },
  ])("$name", async ({ query, count }) => {
    await using world = await makeWorld();
    await changeService(world);
    expect(await entries(world, query)).toHaveLength(count);
  });

  test.each([
    { query: "after=x", says: /INDEX-SEQ/ },
    { query: "last=-1", says: /last/ },
    { query: filter({ type: ["pod"] }), says: /invalid filter 'type=pod'/ },
    { query: filter({ colour: ["red"] }), says: /colour/ },
  ])("$query is refused", async ({ query, says }) => {
    await using world = await makeWorld();
    const answer = await world.call("GET", `/journal?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(says);
  });
});

function task(id: string, serviceId: string): Task {
  return {
    id,
    versionIndex: 0,
    createdAtMs: 0,
    updatedAtMs: 0,
    serviceId,
    serviceName: "web",
    slot: 1,
    nodeId: "",
    spec: { ContainerSpec: { Image: "bb" }, ForceUpdate: 0, Runtime: "container" },
    specVersion: 1,
    hostPorts: [],
    desiredState: TASK_STATE.running,
    state: TASK_STATE.new,
    statusAtMs: 0,
    message: "",
    err: "",
    containerId: "",
    pid: 0,
    exitCode: 0,
    portStatus: [],
    notBeforeMs: 0,
    jobIteration: 0,
    genericResources: [],
    networks: [],
    networkPhase: 0,
  };
}

test("GET /swarm tells of the journal to who asks, and shows no password", async () => {
  await using world = await makeWorld();
  const { store } = world.cluster;
  const before = (await world.call("GET", "/swarm")).json as {
    Version: { Index: number };
    Spec: object;
  };
  const Journal = { URL: "redis://u:s3cret@r1" };
  const set = await world.call("POST", `/swarm/update?version=${before.Version.Index}`, {
    ...before.Spec,
    Journal,
  });
  expect(set.status).toBe(200);
  expect(store.cluster()?.spec.Journal).toEqual(Journal);
  const shown = await world.call("GET", "/swarm?journal=true");
  expect(shown.json).toMatchObject({
    Spec: { Journal: { URL: "redis://u:***@r1" } },
    JournalStatus: { Files: { State: "ok", Dropped: 0 } },
  });
  const info = await world.call("GET", "/info");
  expect(shown.text + info.text).not.toContain("s3cret");
  // As the docker CLI does it: it does not know the field and sends back the rest.
  const again = (await world.call("GET", "/swarm")).json as typeof before;
  await world.call("POST", `/swarm/update?version=${again.Version.Index}`, before.Spec);
  expect(store.cluster()?.spec.Journal).toEqual(Journal);
});
