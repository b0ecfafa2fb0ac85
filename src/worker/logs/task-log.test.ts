import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SystemClock, silentLogger } from "../../base/index.js";
import type { LogLimits } from "./log-files.js";
import { type LogQuery, readLog } from "./log-reader.js";
import { FallocatePuncher, type HolePuncher } from "./punch.js";
import { PAYLOAD_MAX_BYTES } from "./record.js";
import { BACKLOG_MIN_BYTES, READ_MAX_BYTES, TaskLog } from "./task-log.js";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/task-log-`);
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const NO_PUNCH: HolePuncher = { punch: () => Promise.resolve() };

async function openLog(
  limits: Partial<LogLimits> = {},
  puncher = NO_PUNCH,
  isDiscarding = false,
): Promise<TaskLog> {
  const log = new TaskLog({
    paths: { spoolDir: `${dir}/spool`, logDir: `${dir}/log` },
    limits: { sizeMaxBytes: 1 << 30, fileMax: 3, ...limits },
    isDiscarding,
    clock: new SystemClock(),
    logger: silentLogger,
    puncher,
  });
  await log.prepare();
  return log;
}

const QUERY: LogQuery = {
  stdout: true,
  stderr: true,
  follow: false,
  tail: "all",
  sinceNs: "",
  untilNs: "",
};

async function readAll(log: TaskLog, query: Partial<LogQuery> = {}): Promise<readonly string[]> {
  const lines: string[] = [];
  const signal = new AbortController().signal;
  for await (const records of readLog(log, { ...QUERY, ...query }, signal)) {
    for (const record of records) {
      const mark = record.stream === "stdout" ? "o" : "e";
      lines.push(`${mark}${record.isPartial ? "~" : ":"}${record.payload.toString()}`);
    }
  }
  return lines;
}

async function drainAll(log: TaskLog): Promise<void> {
  while (await log.drain());
}

const write = (name: "out" | "err", text: string | Buffer): Promise<void> =>
  appendFile(`${dir}/spool/${name}`, text);

describe("from spool to log", () => {
  test("whole lines move, an unfinished one waits for its end", async () => {
    const log = await openLog();
    await write("out", "one\ntwo\nthr");
    expect(await readAll(log)).toEqual(["o:one", "o:two"]);
    await write("out", "ee\n");
    await write("err", "bad\n");
    expect(await readAll(log)).toEqual(["o:one", "o:two", "o:three", "e:bad"]);
  });

  test("what a container wrote last without a newline is kept when it ends", async () => {
    const log = await openLog();
    await write("out", "no newline");
    expect(await readAll(log)).toEqual([]);
    await log.finish();
    expect(await readAll(log)).toEqual(["o:no newline"]);
  });

  test("long lines are split and can be joined again", async () => {
    const log = await openLog();
    const text = "x".repeat(2 * PAYLOAD_MAX_BYTES + 10);
    await write("out", `${text}\nshort\n`);
    const lines = await readAll(log);
    expect(lines.map((line) => [line.slice(0, 2), line.length - 2])).toEqual([
      ["o~", PAYLOAD_MAX_BYTES],
      ["o~", PAYLOAD_MAX_BYTES],
      ["o:", 10],
      ["o:", 5],
    ]);
  });

  test("any bytes come through", async () => {
    const log = await openLog();
    const bytes = Buffer.from([0, 255, 32, 13, 1, 10]);
    await write("out", bytes);
    const signal = new AbortController().signal;
    const seen: Buffer[] = [];
    for await (const records of readLog(log, QUERY, signal)) {
      seen.push(...records.map((record) => record.payload));
    }
    expect(Buffer.concat(seen)).toEqual(bytes.subarray(0, -1));
  });

  test("time stamps grow with every record", async () => {
    const log = await openLog();
    await write("out", "a\nb\nc\n".repeat(1_000));
    const times: string[] = [];
    const signal = new AbortController().signal;
    for await (const records of readLog(log, QUERY, signal)) {
      times.push(...records.map((record) => record.timeNs));
    }
    expect(times).toHaveLength(3_000);
    expect(times.every((time, i) => i === 0 || time > (times[i - 1] ?? ""))).toBe(true);
  });

  test("the driver none takes the spool and keeps nothing", async () => {
    const punched: number[] = [];
    const puncher = {
      punch: (_path: string, offset: number, length: number) => {
        punched.push(offset + length);
        return Promise.resolve();
      },
    };
    const log = await openLog({}, puncher, true);
    await write("out", "0123456789\n".repeat(200_000));
    await drainAll(log);
    expect((await readdir(`${dir}/log`)).sort()).toEqual(["checkpoint.json"]);
    expect(punched.at(-1)).toBeGreaterThan(1024 * 1024);
  });
});

describe("no loss", () => {
  test("300,000 lines through nine agents that are killed at random points, with rotation", async () => {
    const total = 300_000;
    const limits = { sizeMaxBytes: 4 << 20, fileMax: 20 };
    await openLog(limits);
    let written = 0;
    for (let round = 0; round < 9; round += 1) {
      const log = await openLog(limits);
      const upTo = round === 8 ? total : written + 33_333;
      let batch = "";
      for (; written < upTo; written += 1) batch += `line ${written}\n`;
      await write("out", batch);
      // Each agent gets some portions done, then dies, in the middle of an append for all we know.
      for (let i = 0; i <= round % 3; i += 1) await log.drain();
      if (round % 2 === 0) await appendFile(`${dir}/log/log`, "1700000000000000000 oF 99");
    }
    const last = await openLog(limits);
    await drainAll(last);
    const lines = await readAll(last);
    expect(lines).toHaveLength(total);
    expect(lines.every((line, i) => line === `o:line ${i}`)).toBe(true);
  });

  test("an agent that died between append and checkpoint repeats nothing", async () => {
    const first = await openLog();
    await write("out", "a\n");
    await write("err", "b\n");
    await drainAll(first);
    await write("out", "c\n");
    const second = await openLog();
    expect(await readAll(second)).toEqual(["o:a", "e:b", "o:c"]);
  });

  test("a checkpoint torn by a power cut is no harm while the log has records", async () => {
    const first = await openLog();
    await write("out", "a\nb\n");
    await drainAll(first);
    await first.files.checkpoint({ stdout: 4, stderr: 0 });
    await truncate(`${dir}/log/checkpoint.json`, 3);
    expect(await readAll(await openLog())).toEqual(["o:a", "o:b"]);
  });

  test("holes give the disk back and lose nothing", async () => {
    const log = await openLog({}, new FallocatePuncher());
    const line = `${"y".repeat(99)}\n`;
    for (let i = 0; i < 40; i += 1) {
      await write("out", line.repeat(1_311));
      await drainAll(log);
    }
    const { size, blocks } = await stat(`${dir}/spool/out`);
    expect(size).toBe(40 * 1_311 * 100);
    // What is left is less than the next hole would be.
    expect(blocks * 512).toBeLessThan(2 * 1024 * 1024);
    expect(await readAll(log)).toHaveLength(40 * 1_311);
  });
});

describe("a backlog larger than the log", () => {
  const LINE_BYTES = 16;
  const COUNT = 2 ** 18;
  const limits = { sizeMaxBytes: 1 << 20, fileMax: 2 };

  /** What a container leaves while no agent runs: 16 MiB that are as good as read, then 4 MiB of numbered lines. */
  async function writeBacklog(): Promise<void> {
    await truncate(`${dir}/spool/out`, BACKLOG_MIN_BYTES);
    const lines = Array.from({ length: COUNT }, (_, i) => String(i).padStart(LINE_BYTES - 1, "0"));
    await write("out", `\n${lines.join("\n")}\n`);
  }

  test("is freed but for what the log can hold, with nothing lost of that", async () => {
    await openLog(limits);
    await writeBacklog();
    const log = await openLog(limits, new FallocatePuncher());
    let portions = 1;
    while (await log.drain()) portions += 1;
    // Twice the log at most, not the whole spool.
    expect(portions * READ_MAX_BYTES).toBeLessThan(4 * limits.sizeMaxBytes);
    expect((await stat(`${dir}/spool/out`)).blocks * 512).toBeLessThan(2 * 1024 * 1024);
    const lines = await readAll(log);
    const first = COUNT - lines.length;
    expect(lines.every((line, i) => Number(line.slice(2)) === first + i)).toBe(true);
    // As much as reading all of it would have left: every file but the newest is full.
    const header = "1700000000000000000 oF 20971521 ".length;
    expect(lines.length * (LINE_BYTES + header)).toBeGreaterThan(limits.sizeMaxBytes);
    await write("out", "after\n");
    expect((await readAll(await openLog(limits))).at(-1)).toBe("o:after");
  });

  test("is freed at once where nothing is kept", async () => {
    const log = await openLog({}, NO_PUNCH, true);
    await writeBacklog();
    expect([await log.drain(), await log.drain()]).toEqual([true, false]);
  });

  test("is read from its beginning where the log has no limit", async () => {
    const log = await openLog({ sizeMaxBytes: Number.POSITIVE_INFINITY });
    await writeBacklog();
    expect(await log.drain()).toBe(true);
    expect(log.files.sizeBytes).toBeGreaterThan(READ_MAX_BYTES - PAYLOAD_MAX_BYTES);
  });
});

describe("reading", () => {
  test.each<{ name: string; query: Partial<LogQuery>; want: readonly string[] }>([
    { name: "the last two", query: { tail: 2 }, want: ["e:5", "o:6"] },
    { name: "the last two of one stream", query: { tail: 2, stderr: false }, want: ["o:4", "o:6"] },
    { name: "none", query: { tail: 0 }, want: [] },
    {
      name: "more than there are",
      query: { tail: 99 },
      want: ["o:1", "o:2", "e:3", "o:4", "e:5", "o:6"],
    },
    { name: "one stream", query: { stdout: false }, want: ["e:3", "e:5"] },
    { name: "from a time that has not come", query: { sinceNs: "9".repeat(19) }, want: [] },
    { name: "until a time before all", query: { untilNs: "1".padEnd(19, "0") }, want: [] },
  ])("$name", async ({ query, want }) => {
    const log = await openLog();
    for (const [name, text] of [
      ["out", "1\n2\n"],
      ["err", "3\n"],
      ["out", "4\n"],
      ["err", "5\n"],
      ["out", "6\n"],
    ] as const) {
      await write(name, text);
      await drainAll(log);
    }
    expect(await readAll(log, query)).toEqual(want);
  });

  test("tails reach back over rotated files; the oldest files are gone", async () => {
    const log = await openLog({ sizeMaxBytes: 4_096, fileMax: 3 });
    for (let i = 0; i < 1_000; i += 1) {
      await write("out", `${i}\n`);
      if (i % 10 === 9) await drainAll(log);
    }
    expect((await readdir(`${dir}/log`)).sort()).toEqual([
      "checkpoint.json",
      "log",
      "log.1",
      "log.2",
    ]);
    expect(await readAll(log, { tail: 150 })).toEqual(
      Array.from({ length: 150 }, (_, i) => `o:${850 + i}`),
    );
    const all = await readAll(log);
    expect(all.length).toBeLessThan(1_000);
    expect(all.at(-1)).toBe("o:999");
    expect((await readFile(`${dir}/log/log.2`, "utf8")).length).toBeLessThan(4_096 + 1_000);
  });

  test("a follower sees what comes, over rotations, and ends with the container", async () => {
    const log = await openLog({ sizeMaxBytes: 4_096, fileMax: 5 });
    await write("out", "first\n");
    const following = readAll(log, { follow: true });
    const want = ["o:first"];
    for (let i = 0; i < 400; i += 1) {
      await write("out", `line ${i}\n`);
      want.push(`o:line ${i}`);
      if (i % 40 === 39) await drainAll(log);
    }
    await log.finish();
    expect(await following).toEqual(want);
  });

  test("a follower that goes away ends at once", async () => {
    const log = await openLog();
    const controller = new AbortController();
    const reader = readLog(log, { ...QUERY, follow: true }, controller.signal);
    const next = reader.next();
    controller.abort();
    expect((await next).done).toBe(true);
  });
});
