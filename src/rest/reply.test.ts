import Fastify from "fastify";
import { expect, test } from "vitest";
import { LIST_AT_ONCE_MAX, sendList } from "./reply.js";

test.each([
  { name: "none", count: 0 },
  { name: "as many as fit at once", count: LIST_AT_ONCE_MAX },
  { name: "one more", count: LIST_AT_ONCE_MAX + 1 },
  { name: "many slices", count: 10_050 },
])("a list of $count ($name) is printed whole", async ({ count }) => {
  const app = Fastify();
  const items = Array.from({ length: count }, (_, i) => i);
  app.get("/", (_request, reply) => sendList(reply, items, (i) => ({ ID: i })));
  const answer = await app.inject("/");
  expect(answer.headers["content-type"]).toBe("application/json");
  expect(JSON.parse(answer.body)).toEqual(items.map((i) => ({ ID: i })));
  expect(answer.body.endsWith("]\n")).toBe(true);
});
