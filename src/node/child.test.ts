import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EXIT_CODE, type NodeConfig } from "../api/index.js";
import { type Clock, SystemClock, silentLogger } from "../base/index.js";
import { Child } from "./child.js";
import { Door } from "./door.js";
import { LIMITS, type SupervisorLimits } from "./limits.js";

const FAKE = fileURLToPath(new URL("./testing/fake-child.mjs", import.meta.url));
let directory: string;
let door: Door | undefined;
const children: Child[] = [];
const sockets: Socket[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "door-"));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const child of children.splice(0)) {
    child.kill();
    await child.exited;
  }
  door?.close();
  door = undefined;
  rmSync(directory, { recursive: true });
});

function start(
  words: string,
  limits: Partial<SupervisorLimits> = {},
  clock: Clock = new SystemClock(),
): Promise<Child> {
  return new Promise((resolve) => {
    const child: Child = Child.start({
      name: "rest",
      modulePath: FAKE,
      start: {
        kind: "start",
        config: { hostname: words, stateDir: directory } as NodeConfig,
        identity: undefined,
        localState: {
          state: "inactive",
          nodeId: "",
          nodeAddr: "",
          error: "",
          isManager: false,
          managers: [],
        },
        bootId: "b",
      },
      lockFd: undefined,
      clock,
      logger: silentLogger,
      limits: { ...LIMITS, ...limits },
      onReport: (report) => {
        if (report.kind === "ready") resolve(child);
      },
      onSocketRoom: () => door?.drain(),
      onRequest: () => Promise.resolve(undefined),
    });
    children.push(child);
  });
}

async function openDoor(limits: Partial<SupervisorLimits> = {}): Promise<string> {
  const path = join(directory, "s.sock");
  door = await Door.open(path, {
    clock: new SystemClock(),
    limits: { ...LIMITS, ...limits },
    logger: silentLogger,
  });
  return path;
}

function get(path: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: path, path: "/", agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    call.on("error", reject);
    call.end();
  });
}

/** Opens a connection and says when it ended, and with what. */
function open(path: string): { readonly opened: Promise<void>; readonly ended: Promise<string> } {
  const socket = connect(path);
  sockets.push(socket);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => undefined); // "close" follows
  return {
    opened: new Promise((resolve) => socket.once("connect", resolve)),
    ended: new Promise((resolve) => {
      socket.once("close", () => {
        resolve(text);
      });
    }),
  };
}

test("connections are answered by the front in its own process", async () => {
  const path = await openDoor();
  const child = await start("");
  door?.serveBy(child);
  const answers = await Promise.all(Array.from({ length: 20 }, () => get(path)));
  for (const { body } of answers) expect(JSON.parse(body)).toMatchObject({ pid: child.pid });
  expect(child.unackedCount).toBe(0);
});

test("a connection lives on in the front after the supervisor's half is gone", async () => {
  const path = await openDoor();
  const child = await start("");
  door?.serveBy(child);
  const socket = connect(path);
  sockets.push(socket);
  const lines: string[] = [];
  socket.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
  socket.write("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  await expect.poll(() => lines.join("")).toContain("held");
  expect(child.unackedCount).toBe(0);
  expect(socket.destroyed).toBe(false);
});

test("sockets that a killed child had not taken are destroyed", async () => {
  const path = await openDoor();
  const child = await start("noack");
  door?.serveBy(child);
  const connections = [open(path), open(path), open(path)];
  await expect.poll(() => child.unackedCount).toBe(3);
  child.kill();
  const exit = await child.exited;
  expect(exit).toMatchObject({ reason: "crash", message: expect.stringContaining("SIGKILL") });
  await Promise.all(connections.map((each) => each.ended));
  expect(child.unackedCount).toBe(0);
});

test("a socket that a child does not take in time is destroyed", async () => {
  const path = await openDoor();
  const child = await start("noack", { socketAckMs: 100 });
  door?.serveBy(child);
  expect(await open(path).ended).toBe("");
  expect(child.hasExited).toBe(false);
});

test("a child gets no more sockets than it may hold; the next one waits its turn", async () => {
  const limits = { unackedSocketsMax: 4, socketAckMs: 150, waitingSocketMs: 60_000 };
  const path = await openDoor(limits);
  const child = await start("noack", limits);
  door?.serveBy(child);
  const first = Array.from({ length: 4 }, () => open(path));
  await Promise.all(first.map((each) => each.opened));
  await expect.poll(() => child.unackedCount).toBe(4);
  const fifth = open(path);
  await fifth.opened;
  await Promise.all(first.map((each) => each.ended));
  // Its turn came when the others were given up: it ends by the same rule, not by the waiting limit.
  expect(await fifth.ended).toBe("");
});

test("a connection waits for a front that comes, and is refused in words when none does", async () => {
  const path = await openDoor({ waitingSocketMs: 300 });
  const refused = await get(path);
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.body)).toMatchObject({ message: expect.stringContaining("try again") });
  const child = await start("");
  const waiting = get(path);
  await new Promise((resolve) => setImmediate(resolve));
  door?.serveBy(child);
  expect((await waiting).status).toBe(200);
});

test("no more connections wait than the limit allows", async () => {
  const path = await openDoor({ waitingSocketsMax: 2, waitingSocketMs: 60_000 });
  const two = [open(path), open(path)];
  await Promise.all(two.map((each) => each.opened));
  expect((await get(path)).status).toBe(503);
});

/** Timers that fire when the test says so. */
class StillClock extends SystemClock {
  readonly #timers = new Set<() => void>();
  override setTimer(_delayMs: number, callback: () => void): () => void {
    this.#timers.add(callback);
    return () => this.#timers.delete(callback);
  }
  fire(): void {
    const due = [...this.#timers];
    this.#timers.clear();
    for (const callback of due) callback();
  }
}

test("a child that answers no ping is killed", async () => {
  const clock = new StillClock();
  const child = await start("deaf", { unansweredPingsMax: 3 }, clock);
  for (let ping = 0; ping <= 3; ping += 1) clock.fire();
  expect((await child.exited).message).toContain("SIGKILL");
});

test("a child that answers its pings lives", async () => {
  const clock = new StillClock();
  const child = await start("", { unansweredPingsMax: 3 }, clock);
  for (let ping = 0; ping < 10; ping += 1) {
    clock.fire();
    // Answered after the ping that was sent before it.
    await child.request("hello", undefined);
  }
  expect(child.hasExited).toBe(false);
  expect((await child.stop(5_000)).reason).toBe("ok");
});

test("requests fail when the child ends before it answers", async () => {
  const child = await start("noack");
  process.kill(child.pid, "SIGSTOP");
  const answer = child.request("hello", undefined);
  child.kill();
  await expect(answer).rejects.toMatchObject({ code: "Unavailable" });
});

test("a child says why it ended, and its exit code has a name", async () => {
  void start(`exit-${EXIT_CODE.walDamaged}`);
  const exit = await children[0]?.exited;
  expect(exit).toMatchObject({ reason: "walDamaged", message: "told to exit 73" });
});

test("the socket of a dead process is replaced, that of a live one is not", async () => {
  const path = await openDoor();
  const again = Door.open(path, { clock: new SystemClock(), limits: LIMITS, logger: silentLogger });
  await expect(again).rejects.toThrow("another process listens");
});
