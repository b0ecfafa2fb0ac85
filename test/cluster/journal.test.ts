import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { JournalEntry } from "../../src/cli/journal-table.js";
import { RedisServer } from "../../src/journal/testing/redis-server.js";
import {
  api,
  create,
  eventually,
  healthy,
  kill,
  leader,
  managers,
  node,
  reset,
  run,
  swarm,
  type TestNode,
} from "./playground.js";

/** The underlay address of the host, where the playground's managers reach it; simulated ones are on loopback. */
let redis: RedisServer;
let admin: Redis;
let address: string;

beforeAll(async () => {
  const [first] = managers();
  address = await hostAddress(first?.addr ?? "127.0.0.1");
  const bound = [...new Set(["127.0.0.1", address])].join(" ");
  redis = await RedisServer.start("--bind", bound, "--requirepass", "s3cret");
  admin = new Redis({ port: redis.port, password: "s3cret" });
  admin.on("error", () => undefined);
});

afterAll(async () => {
  await swarm(await leader(), "cluster", "update", "--journal", "none");
  admin.disconnect();
  await redis[Symbol.asyncDispose]();
});

beforeEach(reset);

/** Of this machine on the network of `peer`. */
async function hostAddress(peer: string): Promise<string> {
  if (peer.startsWith("127.")) return "127.0.0.1";
  const { stdout } = await run("ip", ["-j", "route", "get", peer], {});
  const [route] = JSON.parse(stdout) as readonly { readonly prefsrc?: string }[];
  if (route?.prefsrc === undefined) throw new Error(`no route to ${peer}`);
  return route.prefsrc;
}

async function journal(target: TestNode): Promise<readonly JournalEntry[]> {
  const response = await api(target).open("GET", "/journal");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JournalEntry);
}

/** Fewer than what this test alone writes say nothing. */
const IDS_MIN = 10;

/**
 * Of this test's own time: managers that were given up by another one (docs/reference/journal.md) keep what they did alone.
 */
let sinceIndex = 0;

const idsOf = (entries: readonly JournalEntry[]): string[] =>
  entries.filter(({ index }) => index > sinceIndex).map(({ index, seq }) => `${index}-${seq}`);

/**
 * What was read first must be the beginning of what was read then, all of it: statuses of tasks go on coming. Throws the first id that
 * differs, and how far both go.
 */
function expectBeginning(
  [name, ids]: readonly [string, readonly string[]],
  [laterName, laterIds]: readonly [string, readonly string[]],
): void {
  const both =
    `${name}: ${ids.length} ids up to ${ids.at(-1) ?? "none"}; ` +
    `${laterName}: ${laterIds.length} ids up to ${laterIds.at(-1) ?? "none"}`;
  if (ids.length <= IDS_MIN) throw new Error(`no more than ${IDS_MIN} ids to compare (${both})`);
  const differs = ids.findIndex((id, i) => id !== laterIds[i]);
  if (differs !== -1)
    throw new Error(
      `id ${differs} is ${ids[differs]} in ${name} and ${laterIds[differs] ?? "not there"} in ${laterName} (${both})`,
    );
}

async function streamIds(): Promise<string[]> {
  const [key = ""] = await admin.keys("swarm:*:journal");
  const rows = await admin.xrange(key, "-", "+");
  return rows.map(([id]) => id).filter((id) => Number.parseInt(id, 10) > sinceIndex);
}

test("leader and Redis lost in the middle: the stream has every change once, in order", async () => {
  const first = await leader();
  sinceIndex = (await journal(first)).at(-1)?.index ?? 0;
  const other = managers().find((manager) => manager.name !== first.name) ?? first;
  const url = `redis://:s3cret@${address}:${redis.port}`;
  expect(await swarm(other, "cluster", "update", "--journal", url)).toMatchObject({ code: 0 });
  const inspected = await swarm(other, "cluster", "inspect");
  expect(inspected.stdout).toContain(":***@");
  expect(inspected.stdout).not.toContain("s3cret");
  await eventually("the stream has begun", 10_000, async () => (await streamIds()).length > 0);

  await redis.kill();
  await create(other, "journalled", { replicas: 3 });
  kill(first.pids.front);
  await eventually("written under the next leader", 15_000, () => create(other, "later"));
  await redis.start();
  await healthy();
  await eventually("the stream holds what the manager knows", 15_000, async () => {
    const known = idsOf(await journal(other));
    expectBeginning([other.name, known], ["the stream", await streamIds()]);
    return true;
  });
  // Also the manager that was killed has the same history, out of its files and its log.
  await eventually("the restarted manager agrees", 15_000, async () => {
    const known = idsOf(await journal(other));
    const own = idsOf(await journal(node(first.name)));
    expectBeginning([other.name, known], [first.name, own]);
    return true;
  });
  const history = await swarm(node(first.name), "history", "journalled");
  expect(history.stdout).toMatch(/rest@.*service journalled create/);
}, 60_000);
