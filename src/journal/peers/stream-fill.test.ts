/** What the stream waits for, and for how long. */
import { expect, test } from "vitest";
import { type Logger, SystemClock, silentLogger } from "../../base/index.js";
import { ORIGIN, type Position, positionText } from "../core/index.js";
import { entries, entry } from "../testing/entries.js";
import { peerOf, readerOf, type TestPeer } from "../testing/peer.js";
import { FILL_PATIENCE_MS, StreamFill } from "./stream-fill.js";

/** As the copying asks: again from the last entry that came, until there is no more. */
class Asker {
  nowMs = 0;
  readonly warned: unknown[] = [];
  readonly found: string[] = [];
  peers: readonly TestPeer[];
  readonly end = new AbortController();
  readonly #fill: StreamFill;
  #after: Position = ORIGIN;

  constructor(...peers: readonly TestPeer[]) {
    this.peers = peers;
    const logger: Logger = { ...silentLogger, warn: (fields) => this.warned.push(fields) };
    this.#fill = new StreamFill({
      peers: () => this.peers,
      clock: Object.assign(new SystemClock(), { nowMs: () => this.nowMs }),
      logger,
      signal: this.end.signal,
    });
  }

  /** "done", or why not. */
  async ask(upTo = 99): Promise<string> {
    try {
      for await (const each of this.#fill.fill({
        after: this.#after,
        upTo: { index: upTo, seq: 0 },
      })) {
        this.found.push(positionText(each));
        this.#after = each;
      }
      this.#after = { index: upTo, seq: 0 };
      return "done";
    } catch (error) {
      return String(error);
    }
  }

  /** Asks every `everyMs` until it is done; how long that took, or undefined beyond ten minutes. */
  async patience(everyMs: number, upTo?: number): Promise<number | undefined> {
    const startMs = this.nowMs;
    while (this.nowMs - startMs < 600_000) {
      if ((await this.ask(upTo)) === "done") return this.nowMs - startMs;
      this.nowMs += everyMs;
    }
    return undefined;
  }
}

const places = (from: number, to: number): string[] => entries(from, to).map(positionText);
const m2 = (from: number, to: number) => peerOf(readerOf(entries(from, to)), "m2");
const m3 = (from: number, to: number) => peerOf(readerOf(entries(from, to)), "m3");

test("the parts that the managers have, together", async () => {
  const asker = new Asker(m2(1, 30), m3(20, 60));
  expect(await asker.ask()).toBe("done");
  expect(asker.found).toEqual(places(1, 60));
});

test("without other managers there is nothing", async () => {
  const asker = new Asker();
  expect([await asker.ask(), asker.found]).toEqual(["done", []]);
});

test("one that cannot be asked is waited for, and nothing is told without it", async () => {
  const lost = m3(20, 60);
  lost.failure = "no route";
  const asker = new Asker(m2(1, 30), lost);
  expect(await asker.ask()).toBe("JournalReadError: manager m3: no route");
  expect(asker.found).toEqual([]);
  asker.nowMs += 10_000;
  lost.failure = "";
  expect(await asker.ask()).toBe("done");
  expect(asker.found).toEqual(places(1, 60));
  expect(asker.warned).toEqual([]);
});

test("after a minute it goes on without it, and says so once", async () => {
  const lost = m3(20, 60);
  lost.failure = "no route";
  const asker = new Asker(m2(1, 30), lost);
  expect(await asker.patience(10_000)).toBe(FILL_PATIENCE_MS);
  expect(asker.found).toEqual(places(1, 30));
  expect(asker.warned).toEqual([
    { notice: "changes up to 99-0 may be missing: manager m3: no route" },
  ]);
});

test("at the next holes it is not waited for again, but asked; once it has answered it is", async () => {
  const lost = m3(200, 400);
  lost.failure = "no route";
  const asker = new Asker(m2(1, 200), lost);
  await asker.patience(10_000);
  expect(await asker.patience(10_000, 199)).toBe(0);
  expect(asker.warned).toHaveLength(1);
  lost.failure = "";
  expect(await asker.patience(10_000, 299)).toBe(0);
  expect(asker.found).toEqual([...places(1, 300)]);
  lost.failure = "no route";
  expect(await asker.patience(10_000, 399)).toBe(FILL_PATIENCE_MS);
  expect(asker.warned).toHaveLength(2);
});

test("several that cannot be asked, one after the other, cost no more", async () => {
  const [second, third] = [m2(1, 30), m3(20, 60)];
  third.failure = "no route";
  const asker = new Asker(second, third);
  for (let i = 0; i < 5; i++, asker.nowMs += 10_000) await asker.ask();
  second.failure = "no route";
  expect(await asker.patience(10_000)).toBe(FILL_PATIENCE_MS - 50_000);
  expect(asker.warned).toHaveLength(2);
});

test("one that fails after each page is not given up while entries come", async () => {
  const slow = m2(1, 2001);
  const { page } = slow;
  let count = 0;
  slow.page = function (query, call) {
    if (++count % 2 === 0) return Promise.reject(new Error("slow"));
    return page.call(this, query, call);
  };
  const asker = new Asker(slow);
  expect(await asker.patience(10_000, 2000)).toBe(70_000);
  expect(asker.found).toEqual(places(1, 2001));
  expect(asker.warned).toEqual([]);
});

test("what was in trouble long ago begins anew", async () => {
  const lost = m2(1, 30);
  lost.failure = "no route";
  const asker = new Asker(lost);
  await asker.ask();
  // Redis was away meanwhile: nobody asked.
  asker.nowMs += 600_000;
  expect(await asker.patience(10_000)).toBe(FILL_PATIENCE_MS);
});

test("one that is no manager any more is not waited for", async () => {
  const lost = m3(20, 60);
  lost.failure = "no route";
  const asker = new Asker(m2(1, 30), lost);
  await asker.ask();
  asker.peers = asker.peers.slice(0, 1);
  expect(await asker.ask()).toBe("done");
});

test("an entry outside of the question is not taken", async () => {
  const asker = new Asker(m2(1, 30));
  await asker.ask(entry(10).index);
  expect(asker.found).toEqual(places(1, 11));
});

test("when the leader's term ends nothing is waited for", async () => {
  const hanging = { ...m2(1, 30), page: () => new Promise<never>(() => undefined) };
  const asker = new Asker(hanging);
  const asking = asker.ask();
  asker.end.abort();
  expect(await asking).toContain("the reader is closed");
});
