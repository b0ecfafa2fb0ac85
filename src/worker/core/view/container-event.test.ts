import { describe, expect, test } from "vitest";
import {
  actionsOf,
  type ContainerEvent,
  endActions,
  eventLine,
  eventMatches,
} from "./container-event.js";

const NOT_YET = { createdAtMs: 0, startedAtMs: 0, hasRemains: false };
const MADE = { createdAtMs: 5, startedAtMs: 0, hasRemains: true };
const STARTED = { ...MADE, startedAtMs: 6 };

test.each([
  {
    name: "an image is pulled: nothing of a container",
    before: NOT_YET,
    after: { ...NOT_YET, hasRemains: true },
    actions: [],
  },
  { name: "made", before: NOT_YET, after: MADE, actions: ["create"] },
  { name: "started", before: MADE, after: STARTED, actions: ["start"] },
  {
    name: "found again after a restart of the agent",
    before: STARTED,
    after: STARTED,
    actions: [],
  },
  {
    name: "deleted",
    before: STARTED,
    after: { ...STARTED, hasRemains: false },
    actions: ["destroy"],
  },
  {
    name: "what never became a container is cleaned up",
    before: { ...NOT_YET, hasRemains: true },
    after: NOT_YET,
    actions: [],
  },
])("$name", ({ before, after, actions }) => {
  expect(actionsOf(before, after).map(({ action }) => action)).toEqual(actions);
});

test("an end tells the exit code and how long it ran, and that memory was the reason", () => {
  const exit = { exitCode: 137, finishedAtMs: 9500, isOomKilled: true };
  expect(endActions(1000, exit)).toEqual([
    { action: "oom", more: {} },
    { action: "die", more: { exitCode: "137", execDuration: "8" } },
  ]);
  expect(endActions(1000, { ...exit, isOomKilled: false })).toHaveLength(1);
});

const EVENT: ContainerEvent = {
  action: "health_status: healthy",
  containerId: "c0ffee",
  image: "registry:5000/app:1",
  attributes: {
    name: "web.1.abc",
    image: "registry:5000/app:1",
    tier: "front",
    "com.docker.swarm.service.id": "s123",
    "com.docker.swarm.service.name": "web",
  },
  atMs: 1_700_000_000_123,
};

describe("filters", () => {
  test.each([
    { name: "none", filters: {}, is: true },
    { name: "the type", filters: { type: ["container"] }, is: true },
    { name: "another type", filters: { type: ["service", "node"] }, is: false },
    { name: "one of several types", filters: { type: ["service", "container"] }, is: true },
    { name: "the scope", filters: { scope: ["local"] }, is: true },
    { name: "the other scope", filters: { scope: ["swarm"] }, is: false },
    { name: "the whole action", filters: { event: ["health_status: healthy"] }, is: true },
    { name: "an action for all of its values", filters: { event: ["health_status"] }, is: true },
    { name: "another value of it", filters: { event: ["health_status: unhealthy"] }, is: false },
    { name: "another action", filters: { event: ["health"] }, is: false },
    { name: "the beginning of the id", filters: { container: ["c0ff"] }, is: true },
    { name: "the beginning of the name", filters: { container: ["web.1"] }, is: true },
    { name: "another container", filters: { container: ["db"] }, is: false },
    { name: "its service by name", filters: { service: ["web"] }, is: true },
    { name: "its service by id", filters: { service: ["s1"] }, is: true },
    { name: "another service", filters: { service: ["db"] }, is: false },
    { name: "the image with its tag", filters: { image: ["registry:5000/app:1"] }, is: true },
    { name: "the image without a tag", filters: { image: ["registry:5000/app"] }, is: true },
    { name: "another image", filters: { image: ["app"] }, is: false },
    { name: "a label", filters: { label: ["tier=front"] }, is: true },
    { name: "one of two labels", filters: { label: ["tier=front", "zone"] }, is: false },
    { name: "things of another kind", filters: { node: ["n1"] }, is: false },
  ])("$name", ({ filters, is }) => {
    expect(eventMatches(EVENT, filters)).toBe(is);
  });
});

test("the line has Docker's fields, the old ones too, and whole nanoseconds", () => {
  const line = eventLine(EVENT);
  expect(line.endsWith('"timeNano":1700000000123000000}\n')).toBe(true);
  expect(JSON.parse(line)).toMatchObject({
    status: "health_status: healthy",
    id: "c0ffee",
    from: "registry:5000/app:1",
    Type: "container",
    Action: "health_status: healthy",
    Actor: { ID: "c0ffee", Attributes: { name: "web.1.abc" } },
    scope: "local",
    time: 1_700_000_000,
  });
});
