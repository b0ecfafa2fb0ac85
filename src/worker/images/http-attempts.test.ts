import { expect, test } from "vitest";
import { SeededRandom } from "../../base/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { ATTEMPTS_MAX, type Fetch, requestWithRetry } from "./http-attempts.js";

/** How often a registry is asked that always behaves like this, and what came of it. */
async function ask(answer: () => Response): Promise<{ count: number; outcome: string }> {
  const clock = new FakeClock();
  let count = 0;
  const fetch: Fetch = () => {
    count++;
    return new Promise((resolve) => {
      resolve(answer());
    });
  };
  const tools = { fetch, clock, random: new SeededRandom(1) };
  const done = requestWithRetry(tools, "https://r.test/v2/", {}, new AbortController().signal).then(
    (response) => String(response.status),
    (error: Error) => error.message,
  );
  await clock.advance(120_000, 500);
  return { count, outcome: await done };
}

function networkFailure(code: string): () => never {
  return () => {
    const cause = Object.assign(new Error(`connect ${code}`), { code });
    throw new TypeError("fetch failed", { cause });
  };
}

test.each(["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"])(
  "a registry that is not there (%s) is asked once more only",
  async (code) => {
    expect(await ask(networkFailure(code))).toEqual({
      count: 2,
      outcome: `registry r.test cannot be reached: connect ${code}`,
    });
  },
);

test.each([
  { name: "a connection that broke", answer: networkFailure("ECONNRESET") },
  { name: "a connection that was not made in time", answer: networkFailure("ETIMEDOUT") },
  { name: "429", answer: () => new Response("", { status: 429 }) },
  { name: "503", answer: () => new Response("", { status: 503 }) },
])("$name is tried again with patience", async ({ answer }) => {
  expect((await ask(answer)).count).toBe(ATTEMPTS_MAX);
});

test("404 is an answer", async () => {
  expect(await ask(() => new Response("", { status: 404 }))).toEqual({ count: 1, outcome: "404" });
});
