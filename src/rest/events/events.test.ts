import { readFileSync } from "node:fs";
import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { START_MS } from "../testing/fake-cluster.js";
import { makeWorld, type World } from "../testing/world.js";
import { HISTORY_MAX } from "./event-log.js";

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

  test("is bounded", async () => {
    await using world = await makeWorld();
    await world.call("POST", "/services/create", SPEC);
    const service = world.cluster.store.serviceByName("web");
    if (service === undefined) throw new Error("no service");
    for (let i = 0; i < HISTORY_MAX + 20; i += 1) {
      await world.cluster.write([
        { kind: "putService", service: { ...service, lastExecutionMs: i } },
      ]);
    }
    expect(await history(world)).toHaveLength(HISTORY_MAX);
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

test("a time that is none is refused", async () => {
  await using world = await makeWorld();
  const answer = await world.call("GET", "/events?since=yesterday");
  expect(answer.status).toBe(400);
});
