/** Raft shares a process with HTTP: bulk streams through the leader's door must not make its heartbeats late. */
import type { IncomingMessage } from "node:http";
import { beforeEach, expect, test } from "vitest";
import { bigImage } from "./big-image.js";
import {
  api,
  create,
  eventually,
  IS_SOAK,
  leader,
  managers,
  metrics,
  node,
  raftTerm,
  reset,
  type TestNode,
  untilRunning,
} from "./playground.js";
import { expectOnAllManagers, startWriters } from "./writers.js";

const IMAGE_BYTES = (IS_SOAK ? 1024 : 128) * 1024 * 1024;
const IMAGE = "swarm-test/big:1";
const FOLLOWER_COUNT = 20;
/** 5 × the 50 ms of the contract. */
const LATENESS_MAX_SEC = 0.25;
/** So many ticks of 100 ms are looked at, at least: fewer would make the worst one the quantile. */
const TICKS_MIN = 100;

beforeEach(reset);

test("image load, 20 log followers and writes through the leader: no election, heartbeats in time", async () => {
  const busy = await leader();
  await create(busy, "talk", {
    replicas: 5,
    command: [
      "/bin/sh",
      "-c",
      "while true; do echo a line of an ordinary length, as servers write; sleep 0.05; done",
    ],
  });
  await untilRunning(busy, "talk", 5);
  const terms = (): Promise<number[]> => Promise.all(managers().map(raftTerm));
  const termsBefore = await terms();
  const before = await lateness(busy);

  const followers = await Promise.all(Array.from({ length: FOLLOWER_COUNT }, () => follow(busy)));
  const writers = startWriters([busy]);
  const loaded = await api(busy).call<unknown>("POST", "/images/load?quiet=1", {
    stream: bigImage(IMAGE, IMAGE_BYTES),
  });
  expect(JSON.stringify(loaded)).toContain(IMAGE);
  const after = await eventually("enough ticks were seen", 60_000, async () => {
    const seen = since(before, await lateness(busy));
    return seen.count >= TICKS_MIN && seen;
  });
  await writers.stop();
  const received = followers.map((follower) => follower.stop());
  await api(busy).call("DELETE", `/images/${IMAGE}`);

  expect(received.every((bytes) => bytes > 10_000)).toBe(true);
  expect(writers.acknowledged.length).toBeGreaterThan(100);
  await expectOnAllManagers(writers.acknowledged.map((write) => write.name));
  expect((await leader()).name).toBe(busy.name);
  expect(await terms()).toEqual(termsBefore);
  expect(node(busy.name).pids.front).toBe(busy.pids.front);
  const [p50, p99] = [quantile(after, 0.5), quantile(after, 0.99)];
  console.log(
    `${after.count} ticks beside ${IMAGE_BYTES >> 20} MiB: p50 ≤ ${p50} s, p99 ≤ ${p99} s`,
  );
  expect(p99).toBeLessThanOrEqual(LATENESS_MAX_SEC);
}, 300_000);

/** Follows the service's logs; gives how many bytes came when stopped. */
async function follow(target: TestNode): Promise<{ stop(): number }> {
  const response: IncomingMessage = await api(target).open(
    "GET",
    "/services/talk/logs?follow=1&stdout=1&stderr=1",
  );
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  response.on("error", () => undefined); // the connection is cut by `stop`
  return {
    stop: () => {
      response.destroy();
      return bytes;
    },
  };
}

/** Upper bound in seconds → how many ticks were no later. */
type Lateness = { readonly count: number; readonly buckets: ReadonlyMap<number, number> };

async function lateness(target: TestNode): Promise<Lateness> {
  const name = "swarm_raft_tick_lateness_seconds";
  const all = await metrics(target);
  const buckets = new Map<number, number>();
  for (const [key, value] of all) {
    const bound = new RegExp(`^${name}_bucket\\{le="([^"]+)"\\}$`).exec(key)?.[1];
    if (bound !== undefined) buckets.set(bound === "+Inf" ? Infinity : Number(bound), value);
  }
  return { count: all.get(`${name}_count`) ?? 0, buckets };
}

function since(before: Lateness, after: Lateness): Lateness {
  return {
    count: after.count - before.count,
    buckets: new Map(
      [...after.buckets].map(([bound, value]) => [bound, value - (before.buckets.get(bound) ?? 0)]),
    ),
  };
}

/** The bound of the bucket in which the quantile lies. */
function quantile({ count, buckets }: Lateness, share: number): number {
  const bounds = [...buckets].sort(([a], [b]) => a - b);
  return bounds.find(([, value]) => value >= count * share)?.[0] ?? Infinity;
}
