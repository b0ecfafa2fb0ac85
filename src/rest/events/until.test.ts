/** `until` of `GET /journal` and `GET /events`: a time that is over ends the answer behind what was until then, and cuts nothing. */
import { expect, test } from "vitest";
import { makeWorld, type World } from "../testing/world.js";

const COUNT = 300;
const SERVICES = encodeURIComponent('{"type":["service"]}');

async function fill(world: World): Promise<void> {
  for (let i = 0; i < COUNT; i++)
    await world.call("POST", "/services/create", {
      Name: `web-${i}`,
      TaskTemplate: { ContainerSpec: { Image: "bb:1" } },
    });
}

const count = (text: string): number => text.split("\n").filter((line) => line !== "").length;

test.each([
  { name: "journal, from a time on", path: "/journal?follow=1&since=1" },
  { name: "journal, without another bound", path: "/journal?follow=1" },
  { name: "journal, not followed", path: "/journal?x=1" },
  { name: "events, from a time on", path: "/events?since=1" },
  { name: "events, without another bound", path: "/events?x=1" },
])("$name", async ({ path }) => {
  await using world = await makeWorld();
  await fill(world);
  // As a client says "now".
  const until = (Date.now() / 1000).toFixed(3);
  const answer = await world.call("GET", `${path}&until=${until}&filters=${SERVICES}`);
  expect(count(answer.text)).toBe(COUNT);
  const before = await world.call("GET", `${path}&until=1000&filters=${SERVICES}`);
  expect(count(before.text)).toBe(0);
});
