import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, createServer as createDoor, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemClock } from "../base/index.js";
import { Connections, RETIRE_LIMIT_MS } from "./connections.js";

/** A clock whose timers fire when told to. */
class HandClock extends SystemClock {
  readonly timers: { readonly delayMs: number; readonly fire: () => void }[] = [];
  override setTimer(delayMs: number, callback: () => void): () => void {
    this.timers.push({ delayMs, fire: callback });
    return () => undefined;
  }
}

async function setUp(server: Server) {
  const dir = mkdtempSync(join(tmpdir(), "rest-c-"));
  const path = join(dir, "s.sock");
  const clock = new HandClock();
  const connections = new Connections(server, clock);
  const door = createDoor({ pauseOnConnect: true }, (socket) => {
    connections.accept(socket);
  });
  await new Promise<void>((resolve) => door.listen(path, resolve));
  return {
    clock,
    connections,
    client: (): Socket => connect({ path }),
    [Symbol.asyncDispose]: () => {
      connections.cut();
      door.close();
      rmSync(dir, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

test("retiring closes idle connections at once and busy ones after their answer", async () => {
  let finish: (() => void) | undefined;
  await using setup = await setUp(
    createServer((_request, response) => {
      finish = () => response.end("done");
      if (_request.url === "/quick") finish();
    }),
  );
  const idle = setup.client();
  idle.write("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(idle, "data");
  const busy = setup.client();
  busy.write(GET);
  while (setup.connections.count < 2 || finish === undefined) await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 20));

  const idleEnd = once(idle, "end");
  const retired = setup.connections.retire();
  await idleEnd;
  expect(setup.connections.count).toBeGreaterThanOrEqual(1);
  finish();
  const [answer] = (await once(busy, "data")) as [Buffer];
  expect(answer.toString()).toContain("200 OK");
  busy.resume();
  await retired;
  expect(setup.connections.count).toBe(0);
});

test("what does not end within the limit is cut", async () => {
  await using setup = await setUp(
    createServer((_request, response) => {
      response.write("endless");
    }),
  );
  const endless = setup.client();
  endless.write(GET);
  await once(endless, "data");
  const retired = setup.connections.retire();
  expect(setup.clock.timers.map(({ delayMs }) => delayMs)).toEqual([RETIRE_LIMIT_MS]);
  setup.clock.timers[0]?.fire();
  await retired;
  endless.on("error", () => undefined);
  await once(endless, "close");
});

test("a socket that arrives after retiring began is closed", async () => {
  await using setup = await setUp(createServer(() => undefined));
  await setup.connections.retire();
  const late = setup.client();
  late.on("error", () => undefined);
  await once(late, "close");
  expect(setup.connections.count).toBe(0);
});
