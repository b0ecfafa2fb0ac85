import { expect, test } from "vitest";
import { makeWorld, type World } from "./testing/world.js";

type Service = {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly TaskTemplate: { readonly ContainerSpec: { readonly Image: string } } };
  readonly UpdateStatus?: { readonly State: string; readonly Message: string };
};
type Revision = Service & { readonly IsPresent: boolean; readonly Cause: string };

const spec = (tag: string) => ({
  Name: "web",
  TaskTemplate: { ContainerSpec: { Image: `bb:${tag}` } },
});

async function inspect(world: World): Promise<Service> {
  return (await world.call("GET", "/services/web")).json as Service;
}

/** Created with tag 1, updated to the others. */
async function withTags(world: World, ...tags: readonly string[]): Promise<void> {
  await world.call("POST", "/services/create", spec("1"), { "X-Registry-Auth": "secret" });
  for (const tag of tags) {
    const { Version } = await inspect(world);
    await world.call("POST", `/services/web/update?version=${Version.Index}`, spec(tag));
  }
}

async function history(world: World): Promise<readonly Revision[]> {
  const answer = await world.call("GET", "/services/web/history");
  expect(answer.status).toBe(200);
  expect(answer.text).not.toContain("secret");
  return answer.json as Revision[];
}

const imageOf = ({ Spec }: Service): string => Spec.TaskTemplate.ContainerSpec.Image;

test("the specs of a service, newest first, without its credentials; and the way back to one", async () => {
  await using world = await makeWorld();
  await withTags(world, "2", "3");
  const kept = await history(world);
  expect(kept.map((each) => [imageOf(each), each.IsPresent, each.Cause])).toEqual([
    ["bb:3", true, "client"],
    ["bb:2", false, "client"],
    ["bb:1", false, "client"],
  ]);
  const { Version } = await inspect(world);
  const to = kept.at(-1)?.Version.Index;
  const back = await world.call("POST", `/services/web/rollback?version=${Version.Index}&to=${to}`);
  expect(back).toMatchObject({ status: 200, json: { Warnings: null } });
  const service = await inspect(world);
  expect(imageOf(service)).toBe("bb:1");
  expect(service.UpdateStatus).toMatchObject({
    State: "rollback_started",
    Message: `manually requested rollback to version ${to}`,
  });
  expect((await history(world)).map(imageOf)).toEqual(["bb:1", "bb:3", "bb:2"]);
});

test.each([
  { query: "to=1", status: 400, text: "invalid service version" },
  { query: "version=1", status: 400, text: "invalid service to" },
  { query: "version=1&to=2", status: 500, text: "update out of sequence" },
  { query: "version=NOW&to=99999", status: 400, text: "has no version 99999" },
])("rollback?$query is refused: $text", async ({ query, status, text }) => {
  await using world = await makeWorld();
  await withTags(world, "2");
  const { Version } = await inspect(world);
  const path = `/services/web/rollback?${query.replace("NOW", String(Version.Index))}`;
  expect(await world.call("POST", path)).toMatchObject({
    status,
    json: { message: expect.stringContaining(text) },
  });
});

test("an unknown service has no history", async () => {
  await using world = await makeWorld();
  expect(await world.call("GET", "/services/nope/history")).toMatchObject({
    status: 404,
    json: { message: "service nope not found" },
  });
});
