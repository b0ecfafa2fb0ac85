/** Against a real redis-server. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Clock, type Logger, SystemClock, silentLogger } from "../../base/index.js";
import { endOf, ORIGIN, parseJournalUrl, positionText } from "../core/index.js";
import { FileJournal } from "../file/file-journal.js";
import type { Fill } from "../file/read-parts.js";
import type { JournalPeer } from "../peers/peer-entries.js";
import { StreamFill } from "../peers/stream-fill.js";
import { describeJournal, positions } from "../testing/conformance.js";
import { entries, entry } from "../testing/entries.js";
import { peerOf, readerOf } from "../testing/peer.js";
import { freePort, RedisServer } from "../testing/redis-server.js";
import { RETRY_MIN_MS, RedisJournal, type RedisJournalParts } from "./redis-journal.js";
import { streamKey } from "./stream.js";

const clock = new SystemClock();
let server: RedisServer;
let admin: Redis;
let clusterId = "";
let count = 0;

beforeAll(async () => {
  server = await RedisServer.start("--requirepass", "se:cret@1");
  admin = new Redis({ port: server.port, password: "se:cret@1" });
  admin.on("error", () => undefined);
});

afterAll(async () => {
  admin.disconnect();
  await server[Symbol.asyncDispose]();
});

beforeEach(() => {
  clusterId = `cluster${++count}`;
});

function target(options: { readonly port?: number; readonly password?: string } = {}) {
  const { port = server.port, password = "se%3Acret%401" } = options;
  return parseJournalUrl(`redis://:${password}@127.0.0.1:${port}/0`);
}

/** A leader: files, and a stream that is copied to. */
class Leader implements AsyncDisposable {
  readonly spill: FileJournal;
  journal: RedisJournal;
  readonly #root: string;
  readonly #set: Partial<RedisJournalParts>;

  private constructor(spill: FileJournal, root: string, set: Partial<RedisJournalParts>) {
    this.spill = spill;
    this.#root = root;
    this.#set = set;
    this.journal = this.open();
  }

  static async start(set: Partial<RedisJournalParts> = {}): Promise<Leader> {
    const root = await mkdtemp(join(tmpdir(), "journal-"));
    const spill = await FileJournal.open({
      rootDir: root,
      clusterId: "cluster",
      clock,
      logger: silentLogger,
      limits: { ageMaxMs: Number.POSITIVE_INFINITY },
    });
    return new Leader(spill, root, set);
  }

  open(): RedisJournal {
    return RedisJournal.open({
      target: target(),
      clusterId,
      spill: this.spill,
      clock,
      logger: silentLogger,
      retryMinMs: 5,
      ...this.#set,
    });
  }

  async reopen(): Promise<RedisJournal> {
    await this.journal.close();
    this.journal = this.open();
    return this.journal;
  }

  async stored(): Promise<void> {
    await until(() => {
      const { state, waitingCount } = this.journal.lag();
      return state === "ok" && waitingCount === 0;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.journal.close();
    await this.spill.close();
    await rm(this.#root, { recursive: true, force: true });
  }
}

async function until(holds: () => boolean): Promise<void> {
  const endMs = clock.nowMs() + 10_000;
  while (!holds()) {
    if (clock.nowMs() > endMs) throw new Error("did not come to hold within 10 s");
    await clock.sleep(2);
  }
}

async function streamIds(): Promise<string[]> {
  return (await admin.xrange(streamKey(clusterId), "-", "+")).map(([id]) => id);
}

function ids(from: number, to: number): string[] {
  return entries(from, to).map(({ index }) => `${index}-0`);
}

describeJournal("Redis Stream", async () => {
  const leader = await Leader.start();
  return {
    get journal() {
      return leader.journal;
    },
    stored: () => leader.stored(),
    reopen: () => leader.reopen(),
    [Symbol.asyncDispose]: () => leader[Symbol.asyncDispose](),
  };
});

test("entries have flat fields for other programs, and their JSON", async () => {
  await using leader = await Leader.start();
  leader.journal.append([entry(5, { name: "api" })]);
  await leader.stored();
  const [[id, fields] = ["", []]] = await admin.xrange(streamKey(clusterId), "-", "+");
  expect(id).toBe("5-0");
  expect(fields.slice(0, 9)).toEqual([
    "type",
    "service",
    "action",
    "update",
    "id",
    "id5",
    "name",
    "api",
    "entry",
  ]);
  expect(JSON.parse(fields[9] ?? "")).toEqual(entry(5, { name: "api" }));
});

test("two leaders that do not know of each other leave nothing out and double nothing", async () => {
  await using old = await Leader.start();
  await using next = await Leader.start();
  for (let index = 1; index <= 300; index += 3) {
    const news = entries(index, index + 3);
    // Both derive the same entries from the same log, the old one a little later.
    next.journal.append(news);
    await clock.sleep(0);
    old.journal.append(news);
  }
  await Promise.all([old.stored(), next.stored()]);
  expect(await streamIds()).toEqual(ids(1, 301));
});

test("a server that comes back empty gets the whole history again", async () => {
  await using own = await RedisServer.start();
  const url = `redis://127.0.0.1:${own.port}`;
  await using leader = await Leader.start({ target: parseJournalUrl(url) });
  leader.journal.append(entries(1, 11));
  await leader.stored();
  await own.kill();
  leader.journal.append(entries(11, 21));
  await until(() => leader.journal.lag().state === "failing");
  expect(leader.journal.lag()).toMatchObject({ waitingCount: 10, droppedCount: 0 });
  await own.start();
  await leader.stored();
  await expect(positions(leader.journal.read({}))).resolves.toEqual(ids(1, 21));
});

test("a flushed stream is filled again with the next entry", async () => {
  await using leader = await Leader.start();
  leader.journal.append(entries(1, 6));
  await leader.stored();
  await admin.del(streamKey(clusterId));
  leader.journal.append(entries(6, 7));
  await leader.stored();
  expect(await streamIds()).toEqual(ids(1, 7));
});

test("a full Redis takes nothing by halves, says why, and gets it all later", async () => {
  await using own = await RedisServer.start("--maxmemory-policy", "noeviction");
  const control = new Redis({ port: own.port });
  try {
    const url = `redis://127.0.0.1:${own.port}`;
    await using leader = await Leader.start({ target: parseJournalUrl(url) });
    leader.journal.append(entries(1, 3));
    await leader.stored();
    await control.config("SET", "maxmemory", "1mb");
    leader.journal.append(entries(3, 600));
    await until(() => leader.journal.lag().state === "failing");
    expect(leader.journal.lag().problem).toMatch(/OOM/);
    await control.config("SET", "maxmemory", "0");
    await leader.stored();
    await expect(positions(leader.journal.read({}))).resolves.toEqual(ids(1, 600));
  } finally {
    control.disconnect();
  }
});

test("the stream is bounded", async () => {
  await using leader = await Leader.start({ entriesMax: 100 });
  leader.journal.append(entries(1, 1001));
  await leader.stored();
  const kept = await streamIds();
  // Whole nodes of 100 entries are trimmed.
  expect(kept.length).toBeLessThanOrEqual(200);
  expect(kept.at(-1)).toBe("1000-0");
});

test("a wrong password is a problem that names neither password nor URL", async () => {
  await using leader = await Leader.start({ target: target({ password: "wr0ng" }) });
  leader.journal.append(entries(1, 3));
  await until(() => /WRONGPASS|auth/i.test(leader.journal.lag().problem));
  expect(leader.journal.lag().problem).not.toContain("wr0ng");
});

test("a stream that is ahead of the cluster is told", async () => {
  await using leader = await Leader.start();
  leader.spill.append(entries(1, 3));
  await leader.stored();
  await leader.journal.close();
  await admin.xadd(streamKey(clusterId), "900-0", "entry", "{}");
  const journal = await leader.reopen();
  await until(() => /up to 900-0/.test(journal.lag().problem));
});

async function expectItWorks(url: string, caPem?: string): Promise<void> {
  await using leader = await Leader.start({
    target: parseJournalUrl(url),
    ...(caPem !== undefined && { caPem }),
  });
  leader.journal.append(entries(1, 11));
  await leader.stored();
  await expect(positions(leader.journal.read({}))).resolves.toEqual(ids(1, 11));
}

test("the master that a sentinel names", async () => {
  await using master = await RedisServer.start();
  await using sentinel = await RedisServer.startSentinel(master.port);
  await expectItWorks(`redis-sentinel://127.0.0.1:${sentinel.port}/mymaster`);
});

test("a Redis Cluster, once it is whole", async () => {
  await using node = await RedisServer.start(
    ...["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
  );
  const control = new Redis({ port: node.port });
  try {
    const target = parseJournalUrl(`redis-cluster://127.0.0.1:${node.port}`);
    await using early = await Leader.start({ target });
    early.journal.append(entries(1, 11));
    await until(() => early.journal.lag().problem !== "not connected yet");
    await control.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await early.stored();
    await expect(positions(early.journal.read({}))).resolves.toEqual(ids(1, 11));
  } finally {
    control.disconnect();
  }
});

test("TLS with an own authority, and not without it", async () => {
  const dir = await mkdtemp(join(tmpdir(), "journal-tls-"));
  try {
    const key = join(dir, "key.pem");
    const certificate = join(dir, "cert.pem");
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-keyout", key, "-out", certificate, "-subj", "/CN=redis", "-days", "2"],
        ...["-addext", "subjectAltName=IP:127.0.0.1"],
      ],
      { stdio: "ignore" },
    );
    const tlsPort = await freePort();
    await using _server = await RedisServer.start(
      ...["--tls-port", `${tlsPort}`, "--tls-cert-file", certificate, "--tls-key-file", key],
      ...["--tls-auth-clients", "no"],
    );
    const url = `rediss://127.0.0.1:${tlsPort}`;
    await expectItWorks(url, await readFile(certificate, "utf8"));
    await using stranger = await Leader.start({ target: parseJournalUrl(url) });
    await until(() => /self-signed|certificate/i.test(stranger.journal.lag().problem));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test("a Redis that takes connections and never answers holds up neither the cluster nor the end", async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  try {
    const leader = await Leader.start({ target: target({ port }) });
    leader.journal.append(entries(1, 3));
    await expect(positions(leader.spill.read({}))).resolves.toEqual(ids(1, 3));
    const startMs = clock.nowMs();
    await leader[Symbol.asyncDispose]();
    expect(clock.nowMs() - startMs).toBeLessThan(1000);
  } finally {
    silent.close();
  }
});

test("what the files lack comes from other managers, into an empty stream and in its place", async () => {
  await using leader = await Leader.start({ fill: fillFrom(peerOf(readerOf(entries(1, 700)))) });
  leader.spill.append(entries(1, 4));
  leader.spill.restored(600);
  leader.spill.append(entries(601, 604));
  await leader.stored();
  expect(await streamIds()).toEqual(ids(1, 604));
  await admin.del(streamKey(clusterId));
  leader.spill.restored(640);
  leader.spill.append(entries(641, 643));
  await leader.stored();
  expect(await streamIds()).toEqual(ids(1, 643));
});

test("a manager that cannot be asked: the stream waits at the hole, says why, and is whole later", async () => {
  const peer = peerOf(readerOf(entries(1, 700)));
  peer.failure = "no route";
  const warned: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_fields, message) => warned.push(message) };
  await using leader = await Leader.start({ fill: fillFrom(peer), logger });
  leader.spill.append(entries(1, 4));
  leader.spill.restored(600);
  leader.spill.append(entries(601, 604));
  await until(() => peer.asked.length > 3);
  expect(leader.journal.lag()).toMatchObject({
    state: "failing",
    problem: `waiting for changes that this manager's files lack: manager ${peer.name}: no route`,
  });
  // What is before it does not wait, nor does the cluster.
  expect(await streamIds()).toEqual(ids(1, 4));
  leader.spill.append(entries(604, 606));
  expect((await positions(leader.spill.read({}))).at(-1)).toBe("605-0");
  peer.failure = "";
  await leader.stored();
  expect(await streamIds()).toEqual(ids(1, 606));
  expect(warned.filter((text) => text.includes("waits for what another manager has"))).toHaveLength(
    1,
  );
});

test("attempts at a hole are further and further apart", async () => {
  const peer = peerOf(readerOf([]));
  peer.failure = "no route";
  const slept: number[] = [];
  const quick = Object.assign(new SystemClock(), {
    sleep: (delayMs: number, signal?: AbortSignal) => {
      if (delayMs >= RETRY_MIN_MS) slept.push(delayMs);
      return clock.sleep(Math.min(delayMs, 5), signal);
    },
  });
  await using leader = await Leader.start({
    fill: fillFrom(peer),
    clock: quick,
    retryMinMs: RETRY_MIN_MS,
  });
  leader.spill.restored(600);
  leader.spill.append(entries(601, 604));
  await until(() => slept.length > 7);
  expect(slept.slice(0, 8)).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test("attempts at a hole that each bring something are not further and further apart", async () => {
  const slept: number[] = [];
  const quick = Object.assign(new SystemClock(), {
    sleep: (delayMs: number, signal?: AbortSignal) => {
      if (delayMs >= RETRY_MIN_MS) slept.push(delayMs);
      return clock.sleep(Math.min(delayMs, 5), signal);
    },
  });
  const fill: Fill = async function* ({ after = ORIGIN }) {
    const from = after.index + 1;
    yield* entries(from, Math.min(from + 100, 601));
    if (from + 100 < 601) throw new Error("did not answer within 1.5 s");
  };
  await using leader = await Leader.start({ fill, clock: quick, retryMinMs: RETRY_MIN_MS });
  leader.spill.restored(600);
  leader.spill.append(entries(601, 604));
  await leader.stored();
  expect(await streamIds()).toEqual(ids(1, 604));
  expect(slept).toEqual([200, 200, 200, 200, 200]);
});

test("after a minute the stream goes on without a manager that cannot be asked", async () => {
  const [lost, other] = [peerOf(readerOf(entries(1, 700))), peerOf(readerOf(entries(1, 11)), "m3")];
  lost.failure = "no route";
  let passedMs = 0;
  const late = Object.assign(new SystemClock(), { nowMs: () => clock.nowMs() + passedMs });
  const warned: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (fields) => warned.push(fields) };
  await using leader = await Leader.start({ fill: fillFrom([lost, other], late, logger) });
  leader.spill.restored(600);
  leader.spill.append(entries(601, 604));
  await until(() => lost.asked.length > 1);
  for (passedMs of [25_000, 50_000]) {
    const { length } = lost.asked;
    await until(() => lost.asked.length > length);
  }
  expect(await streamIds()).toEqual([]);
  passedMs = 61_000;
  await leader.stored();
  expect(await streamIds()).toEqual([...ids(1, 11), ...ids(601, 604)]);
  expect(warned).toEqual([
    {
      notice: `changes up to ${positionText(endOf(600))} may be missing: manager ${lost.name}: no route`,
    },
  ]);
  leader.spill.append(entries(604, 606));
  await leader.stored();
  expect((await streamIds()).at(-1)).toBe("605-0");
});

test("a manager that hangs holds up neither the cluster nor the end", async () => {
  const hanging = { ...peerOf(readerOf([])), page: () => new Promise<never>(() => undefined) };
  const leader = await Leader.start({ fill: fillFrom(hanging) });
  leader.spill.restored(600);
  leader.spill.append(entries(601, 604));
  await expect(positions(leader.spill.read({}))).resolves.toEqual(ids(601, 604));
  await clock.sleep(50);
  const startMs = clock.nowMs();
  await leader[Symbol.asyncDispose]();
  expect(clock.nowMs() - startMs).toBeLessThan(1000);
});

test("other managers are not asked where nothing is missing", async () => {
  const peer = peerOf(readerOf([]));
  await using leader = await Leader.start({ fill: fillFrom(peer) });
  leader.journal.append(entries(3, 6));
  await leader.stored();
  await admin.del(streamKey(clusterId));
  leader.journal.append(entries(9, 11));
  await leader.stored();
  await leader.reopen();
  leader.journal.append(entries(11, 12));
  await leader.stored();
  expect(await streamIds()).toEqual([...ids(3, 6), ...ids(9, 12)]);
  expect(peer.asked).toEqual([]);
});

function fillFrom(
  peers: JournalPeer | readonly JournalPeer[],
  fillClock: Clock = clock,
  logger: Logger = silentLogger,
): Fill {
  const all = [peers].flat();
  const { signal } = new AbortController();
  const others = new StreamFill({ peers: () => all, clock: fillClock, logger, signal });
  return (query) => others.fill(query);
}
