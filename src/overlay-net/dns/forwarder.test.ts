import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { STALE_MAX_MS, STALE_RECHECK_MS } from "../core/dns-stale-cache.js";
import {
  FORWARD_CONTAINER_MAX,
  FORWARD_MAX,
  Forwarder,
  type ForwardScope,
  STALE_AFTER_MS,
  STALE_TTL_SEC,
  UPSTREAM_TIMEOUT_MS,
} from "./forwarder.js";
import { ManualClock } from "./testing/manual-clock.js";
import { queryOf, question, read, response } from "./testing/queries.js";
import { handedOn, isAnswerTo, upstreamQuery } from "./upstream-message.js";
import type { Upstreams, UpstreamTarget } from "./upstreams.js";
import { type Query, RCODE } from "./wire.js";

type Behaviour = "silent" | "broken" | Buffer | ((asked: Query) => Buffer);

/** Servers that do what the test says; silent unless told. */
class ScriptedUpstreams implements Upstreams {
  readonly asked: UpstreamTarget[] = [];
  readonly behaviour = new Map<string, Behaviour>();

  ask(query: Query, target: UpstreamTarget, signal: AbortSignal): Promise<Buffer> {
    this.asked.push(target);
    const behaviour = this.behaviour.get(target.server) ?? "silent";
    if (behaviour === "broken") return Promise.reject(new Error("ECONNREFUSED"));
    if (typeof behaviour === "function") return Promise.resolve(behaviour(query));
    if (behaviour !== "silent") return Promise.resolve(behaviour);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  get servers(): string[] {
    return this.asked.map(({ server }) => server);
  }
}

const CONTAINER: ForwardScope = {
  containerId: "c1",
  netnsPath: "/run/netns/c1",
  dnsServers: [],
  ndots: 0,
  isInternalOnly: false,
};
const OUTSIDE = question("example.com");

function addressOf(ttl: number, address = "192.0.2.1"): Behaviour {
  return ({ message }) =>
    response(message, { answers: [{ type: "A", name: "example.com", ttl, data: address }] });
}

function code(rcode: number): Behaviour {
  return ({ message }) => response(message, { rcode });
}

let clock: ManualClock;
let upstreams: ScriptedUpstreams;
let hostServers: string[];
let forwarder: Forwarder;

beforeEach(() => {
  clock = new ManualClock();
  upstreams = new ScriptedUpstreams();
  hostServers = ["h1", "h2"];
  const hostResolv = { servers: () => Promise.resolve(hostServers) };
  forwarder = new Forwarder(upstreams, hostResolv, clock);
});

function ask(scope: Partial<ForwardScope> = {}, message = OUTSIDE): Promise<Buffer> {
  return forwarder.forward(queryOf(message), "udp", { ...CONTAINER, ...scope });
}

/** The answer if it is there after `ms`. */
async function within(ms: number, asked: Promise<Buffer>) {
  let got: Buffer | undefined;
  void asked.then((bytes) => {
    got = bytes;
  });
  await clock.pass(ms);
  return got === undefined ? undefined : read(got);
}

describe("which servers are asked", () => {
  test("the node's, from the host's namespace", async () => {
    upstreams.behaviour.set("h1", addressOf(60));
    expect(read(await ask()).data).toEqual(["192.0.2.1"]);
    expect(upstreams.asked).toEqual([{ server: "h1", transport: "udp", netnsPath: undefined }]);
  });

  test("the user's instead, from the container's namespace", async () => {
    upstreams.behaviour.set("own", addressOf(60));
    await ask({ dnsServers: ["own"] });
    expect(upstreams.asked).toEqual([
      { server: "own", transport: "udp", netnsPath: "/run/netns/c1" },
    ]);
  });

  test.each([
    { name: "internal networks alone", scope: { isInternalOnly: true }, ask: OUTSIDE },
    {
      name: "internal networks alone, with servers of the user",
      scope: { isInternalOnly: true, dnsServers: ["own"] },
      ask: OUTSIDE,
    },
    { name: "one label, and ndots set", scope: { ndots: 1 }, ask: question("short") },
  ])("nobody: $name", async ({ scope, ask: message }) => {
    expect(read(await ask(scope, message)).rcode).toBe("NXDOMAIN");
    expect(upstreams.asked).toEqual([]);
  });

  test("two labels are asked for whatever ndots is, one label when it is not set", async () => {
    upstreams.behaviour.set("h1", addressOf(60));
    await ask({ ndots: 5 });
    await ask({}, question("short"));
    expect(upstreams.asked.length).toBe(2);
  });

  test("no more than three", async () => {
    hostServers = ["a", "b", "c", "d"];
    for (const server of hostServers) upstreams.behaviour.set(server, "broken");
    expect(read(await ask()).rcode).toBe("SERVFAIL");
    expect(upstreams.servers).toEqual(["a", "b", "c"]);
  });

  test.each([
    { name: "SERVFAIL", first: code(RCODE.SERVFAIL) },
    { name: "REFUSED", first: code(RCODE.REFUSED) },
    { name: "a closed port", first: "broken" as const },
  ])("after $name the next one", async ({ first }) => {
    upstreams.behaviour.set("h1", first);
    upstreams.behaviour.set("h2", addressOf(60));
    expect(read(await ask()).data).toEqual(["192.0.2.1"]);
    expect(upstreams.servers).toEqual(["h1", "h2"]);
  });

  test("a name that does not exist is an answer", async () => {
    upstreams.behaviour.set("h1", code(RCODE.NXDOMAIN));
    expect(read(await ask()).rcode).toBe("NXDOMAIN");
    expect(upstreams.servers).toEqual(["h1"]);
  });

  test("a silent one is given 4 s, then the next is asked; all silent is SERVFAIL", async () => {
    const asked = ask();
    expect(await within(UPSTREAM_TIMEOUT_MS - 1, asked)).toBeUndefined();
    expect(upstreams.servers).toEqual(["h1"]);
    expect(await within(1, asked)).toBeUndefined();
    expect(upstreams.servers).toEqual(["h1", "h2"]);
    expect((await within(UPSTREAM_TIMEOUT_MS, asked))?.rcode).toBe("SERVFAIL");
    expect(forwarder.waitingCount).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  test("no server is known", async () => {
    hostServers = [];
    expect(read(await ask()).rcode).toBe("SERVFAIL");
  });
});

describe("limits", () => {
  test("a container is refused what is over its share; others are not", async () => {
    for (let i = 0; i < FORWARD_CONTAINER_MAX; i += 1) void ask({}, question(`x${i}.test`));
    expect((await within(0, ask()))?.rcode).toBe("REFUSED");
    expect(await within(0, ask({ containerId: "c2" }))).toBeUndefined();
    await clock.pass(2 * UPSTREAM_TIMEOUT_MS);
    upstreams.behaviour.set("h1", addressOf(60));
    expect((await within(0, ask()))?.rcode).toBe("NOERROR");
  });

  test("so is everybody over the node's", async () => {
    const perContainer = FORWARD_MAX / FORWARD_CONTAINER_MAX;
    for (let c = 0; c < perContainer; c += 1) {
      for (let i = 0; i < FORWARD_CONTAINER_MAX; i += 1) {
        void ask({ containerId: `c${c}` }, question(`x${i}.test`));
      }
    }
    expect(forwarder.waitingCount).toBe(FORWARD_MAX);
    expect((await within(0, ask({ containerId: "late" })))?.rcode).toBe("REFUSED");
  });

  test("the same question is asked once, each gets its own id and spelling", async () => {
    const answers = [ask(), ask({ containerId: "c2" }, question("EXAMPLE.com", "A", { id: 9 }))];
    await clock.pass(0);
    expect(upstreams.asked.length).toBe(1);
    upstreams.behaviour.set("h2", addressOf(60));
    await clock.pass(UPSTREAM_TIMEOUT_MS);
    const read2 = (await Promise.all(answers)).map(read);
    expect(read2.map(({ id, questions }) => [id, questions?.[0]?.name])).toEqual([
      [4711, "example.com"],
      [9, "EXAMPLE.com"],
    ]);
  });

  test("the same question to different servers is not the same", async () => {
    void ask({ dnsServers: ["own"] });
    void ask({ dnsServers: ["own"], containerId: "c2" });
    await clock.pass(0);
    expect(upstreams.asked.length).toBe(2);
  });

  test("closing ends what waits", async () => {
    const asked = ask();
    await clock.pass(0);
    forwarder.close();
    expect(read(await asked).rcode).toBe("SERVFAIL");
    expect(clock.timerCount).toBe(0);
  });
});

describe("old answers", () => {
  async function learn(ttl: number): Promise<void> {
    upstreams.behaviour.set("h1", addressOf(ttl));
    await ask();
    upstreams.behaviour.set("h1", "silent");
    upstreams.asked.length = 0;
  }

  test("are given when no new one comes in time, and may be kept for a short while", async () => {
    await learn(300);
    const asked = ask();
    expect(await within(STALE_AFTER_MS - 1, asked)).toBeUndefined();
    const got = await within(1, asked);
    expect([got?.data, got?.answers?.[0]]).toMatchObject([["192.0.2.1"], { ttl: STALE_TTL_SEC }]);
  });

  test("a new one in time is better", async () => {
    await learn(300);
    upstreams.behaviour.set("h1", addressOf(300, "192.0.2.2"));
    expect((await within(0, ask()))?.data).toEqual(["192.0.2.2"]);
  });

  test("once all servers failed, at once; and they are asked again after a while", async () => {
    await learn(300);
    await within(2 * UPSTREAM_TIMEOUT_MS, ask());
    upstreams.asked.length = 0;
    expect((await within(0, ask()))?.data).toEqual(["192.0.2.1"]);
    expect(upstreams.asked).toEqual([]);
    await clock.pass(STALE_RECHECK_MS);
    void ask();
    await clock.pass(0);
    expect(upstreams.servers).toEqual(["h1"]);
  });

  test("are better than REFUSED", async () => {
    await learn(300);
    for (let i = 0; i < FORWARD_CONTAINER_MAX; i += 1) void ask({}, question(`x${i}.test`));
    expect((await within(0, ask()))?.data).toEqual(["192.0.2.1"]);
  });

  test.each([
    { name: "too old", ttl: 300, afterMs: 300_000 + STALE_MAX_MS },
    { name: "made for one question", ttl: 0, afterMs: 0 },
  ])("are not given when $name", async ({ ttl, afterMs }) => {
    await learn(ttl);
    await clock.pass(afterMs);
    expect((await within(2 * UPSTREAM_TIMEOUT_MS, ask()))?.rcode).toBe("SERVFAIL");
  });

  test("are not given to somebody who asks other servers", async () => {
    await learn(300);
    const asked = ask({ dnsServers: ["own"] });
    expect((await within(UPSTREAM_TIMEOUT_MS, asked))?.rcode).toBe("SERVFAIL");
  });

  test("that are cut short are not kept", async () => {
    upstreams.behaviour.set("h1", ({ message }) =>
      response(message, {
        flags: 0x0200,
        answers: [{ type: "A", name: "example.com", ttl: 60, data: "192.0.2.1" }],
      }),
    );
    expect(read(await ask()).flag_tc).toBe(true);
    upstreams.behaviour.clear();
    expect((await within(2 * UPSTREAM_TIMEOUT_MS, ask()))?.rcode).toBe("SERVFAIL");
  });
});

describe("responses", () => {
  const query = queryOf(OUTSIDE);
  const sent = upstreamQuery(query, 77);
  const good = response(sent, {
    answers: [{ type: "A", name: "example.com", ttl: 60, data: "192.0.2.1" }],
  });
  const edited = (edit: (message: Buffer) => void): Buffer => {
    const copy = Buffer.from(good);
    edit(copy);
    return copy;
  };

  test.each([
    { name: "the answer", message: good, want: true },
    { name: "in other letters", message: edited((m) => m.write("EXAMPLE", 13)), want: true },
    { name: "another id", message: edited((m) => m.writeUInt16BE(78, 0)), want: false },
    { name: "another name", message: edited((m) => m.write("exampld", 13)), want: false },
    { name: "another type", message: edited((m) => m.writeUInt16BE(28, 25)), want: false },
    { name: "a question", message: edited((m) => m.writeUInt16BE(0x0100, 2)), want: false },
    { name: "no question", message: edited((m) => m.writeUInt16BE(0, 4)), want: false },
    { name: "two questions", message: edited((m) => m.writeUInt16BE(2, 4)), want: false },
    { name: "half a header", message: good.subarray(0, 6), want: false },
    { name: "half a question", message: good.subarray(0, 20), want: false },
    { name: "not understood", message: notUnderstood(), want: true },
  ])("$name: taken is $want", ({ message, want }) => {
    expect(isAnswerTo(message, sent, query.questionEnd)).toBe(want);
  });

  function notUnderstood(): Buffer {
    const header = Buffer.alloc(12);
    header.writeUInt16BE(77, 0);
    header.writeUInt16BE(0x8001, 2);
    return header;
  }

  test("one that is too long for the client is cut to its question, and says so", () => {
    const cut = handedOn(good, query, good.length - 1);
    expect(read(cut)).toMatchObject({ id: 4711, flag_tc: true, answers: [], rcode: "NOERROR" });
  });

  test("one without a question gets the client's", () => {
    expect(read(handedOn(notUnderstood(), query, 512))).toMatchObject({
      id: 4711,
      rcode: "FORMERR",
      flag_tc: false,
      questions: [{ name: "example.com" }],
    });
  });

  test("any bytes of a server's are taken without harm", async () => {
    const change = fc.tuple(fc.nat(60), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 6 }), fc.nat(60), async (changes, length) => {
        upstreams.behaviour.set("h1", ({ message }) => {
          const bytes = Buffer.from(good.subarray(0, Math.max(12 + 17, length)));
          for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
          return isAnswerTo(bytes, upstreamQuery(queryOf(message), 77), query.questionEnd)
            ? bytes
            : response(message, { rcode: RCODE.SERVFAIL });
        });
        upstreams.behaviour.set("h2", "broken");
        const got = await ask();
        expect(got.readUInt16BE(0)).toBe(4711);
      }),
      { numRuns: 150 },
    );
  });
});
