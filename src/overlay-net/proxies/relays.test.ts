/** Relays over this machine's own loopback: `::1` stands for a task's IPv6 address, 127.0.0.1 for its other one. */
import { createSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import type { WantedProxy } from "../core/mesh-proxies.js";
import { localSockets } from "../dns/index.js";
import { ManualClock } from "../dns/testing/manual-clock.js";
import { MeshProxies } from "./mesh-proxies.js";
import { TCP_IDLE_MS, TcpRelay } from "./tcp-relay.js";
import { UDP_IDLE_MS } from "./udp-relay.js";

let clock: ManualClock;
let proxies: MeshProxies;
const closers: (() => void)[] = [];

beforeEach(() => {
  clock = new ManualClock();
  proxies = new MeshProxies({ sockets: localSockets, clock, logger: silentLogger });
});

afterEach(() => {
  proxies.keepOnly([]);
  for (const close of closers.splice(0)) close();
});

/** Answers everything with itself, and ends when the other side has. */
async function echoServer(host = "127.0.0.1"): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, host, () => resolve(portOf(server)));
  });
  closers.push(() => server.close());
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const wanted = (targetPort: number, protocol: "tcp" | "udp" = "tcp"): WantedProxy => ({
  ...{ containerId: "c1", netnsPath: "", taskId: "t1", serviceId: "s1", protocol, targetPort },
  ...{ address: "127.0.0.1", address6: "::1" },
});

async function relayPort(one: WantedProxy): Promise<number> {
  await proxies.hold([one]);
  return proxies.byContainer.get("c1")?.[0]?.port ?? 0;
}

function client(port: number): Socket {
  const socket = connect({ host: "::1", port, allowHalfOpen: true });
  closers.push(() => socket.destroy());
  return socket;
}

/** All that comes until the end; rejects with what went wrong. */
function rest(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on("error", reject);
    socket.on("end", () => resolve(text));
  });
}

test("a connection is passed on whole, with its halves closed one after the other", async () => {
  const socket = client(await relayPort(wanted(await echoServer())));
  const all = rest(socket);
  socket.end("x".repeat(300_000));
  expect((await all).length).toBe(300_000);
});

test("where the task takes nothing the client is reset", async () => {
  const port = await echoServer();
  for (const close of closers.splice(0)) close();
  await expect(rest(client(await relayPort(wanted(port))))).rejects.toMatchObject({
    code: "ECONNRESET",
  });
});

test("a connection too many is reset, and one on which nothing moves is given up", async () => {
  const target = await echoServer();
  const relay = await TcpRelay.open({
    fd: await localSockets.openAt("", "tcp", "::1"),
    connect: () => localSockets.openTcpForForward("", "127.0.0.1", target),
    ...{ max: 1, budget: { open: 0, max: 10 }, clock },
  });
  closers.push(() => relay.close());
  const first = client(relay.port);
  await new Promise<void>((resolve) => {
    first.once("data", () => resolve());
    first.write("a");
  });
  await expect(rest(client(relay.port))).rejects.toMatchObject({ code: "ECONNRESET" });
  const end = rest(first);
  end.catch(() => undefined);
  await clock.pass(TCP_IDLE_MS);
  expect(first.readyState).toBe("open");
  await clock.pass(TCP_IDLE_MS);
  await expect(end).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a container's list stays the same object while nothing changes, and goes with its relays", async () => {
  const one = wanted(await echoServer());
  await proxies.hold([one]);
  const before = proxies.byContainer.get("c1");
  await proxies.hold([one, { ...one, containerId: "c2" }]);
  expect(proxies.byContainer.get("c1")).toBe(before);
  expect(proxies.byContainer.get("c2")).toHaveLength(1);
  proxies.keepOnly([one]);
  expect([...proxies.byContainer.keys()]).toEqual(["c1"]);
});

test.each([
  { name: "IPv4 alone", host: "127.0.0.1", found: 1 },
  { name: "both families", host: "::", found: 0 },
])("a port whose task takes $name is found to need its relay: $found", async ({ host, found }) => {
  await proxies.hold([wanted(await echoServer(host))]);
  await proxies.look();
  expect(proxies.proxied).toHaveLength(found);
});

test("datagrams go there and back, for each client by itself, until it is silent", async () => {
  const server = createSocket("udp4");
  const sources = new Set<number>();
  server.on("message", (text, from) => {
    sources.add(from.port);
    server.send(text, from.port, from.address);
  });
  const target = await new Promise<number>((resolve) => {
    server.bind(0, "127.0.0.1", () => resolve(server.address().port));
  });
  closers.push(() => server.close());
  const port = await relayPort(wanted(target, "udp"));
  const ask = (socket: ReturnType<typeof createSocket>, text: string) =>
    new Promise<string>((resolve) => {
      socket.once("message", (answer) => resolve(answer.toString()));
      socket.send(text, port, "::1");
    });
  const [a, b] = [createSocket("udp6"), createSocket("udp6")];
  closers.push(
    () => a.close(),
    () => b.close(),
  );
  expect(await ask(a, "one")).toBe("one");
  expect(await ask(b, "two")).toBe("two");
  expect(await ask(a, "three")).toBe("three");
  expect(sources.size).toBe(2);
  await clock.pass(UDP_IDLE_MS);
  expect(clock.timerCount).toBe(0);
  expect(await ask(a, "four")).toBe("four");
  expect(sources.size).toBe(3);
});
