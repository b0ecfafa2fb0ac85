/** The whole resolver over loopback sockets of this namespace; real namespaces are under test/cluster. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SeededRandom, SystemClock, silentLogger } from "../../base/index.js";
import { endpoint, network, service, state } from "../core/testing/dns-states.js";
import { TCP_CONTAINER_MAX } from "./container-sockets.js";
import {
  createDnsService,
  type DnsAttachment,
  type DnsPorts,
  type DnsService,
} from "./dns-service.js";
import { localSockets } from "./local-sockets.js";
import { TCP_IDLE_MS, TCP_PIPELINE_MAX } from "./tcp-connection.js";
import { ManualClock } from "./testing/manual-clock.js";
import { question, read, response } from "./testing/queries.js";

const CLUSTER = state({
  networks: [network({ id: "n1", name: "one" }), network({ id: "n2", name: "two" })],
  services: [
    service({ serviceId: "web", networkId: "n1", vip: "10.0.1.2" }),
    service({ serviceId: "web2", networkId: "n2", vip: "10.0.2.2" }),
    service({ serviceId: "many", networkId: "n1", mode: "dnsrr" }),
  ],
  endpoints: Array.from({ length: 100 }, (_, i) =>
    endpoint("n1", `many.${i}.x`, `10.0.1.${100 + i}`, { serviceId: "many" }),
  ),
});

const C1: DnsAttachment = {
  containerId: "c1",
  netnsPath: "/run/netns/c1",
  networkIds: ["n1"],
  dnsServers: [],
  ndots: 0,
  isInternalOnly: false,
};

let upstream: Upstream;
let clock: ManualClock;
let dns: DnsService;
let client: UdpSocket;
let sockets: Socket[];

/** A server of the outside world on 127.0.0.1, the same port over UDP and TCP. */
class Upstream {
  readonly udp = createSocket("udp4");
  readonly tcp: Server;
  answer: (asked: Buffer) => Buffer[] = (asked) => [
    response(asked, { answers: [{ type: "A", name: "example.com", ttl: 60, data: "192.0.2.1" }] }),
  ];
  readonly ids = new Set<number>();
  readonly ports = new Set<number>();

  constructor() {
    this.udp.on("message", (asked, { port, address }) => {
      this.ids.add(asked.readUInt16BE(0));
      this.ports.add(port);
      for (const bytes of this.answer(asked)) this.udp.send(bytes, port, address);
    });
    this.tcp = createServer((socket) => {
      socket.on("data", (chunk: Buffer) => {
        for (const bytes of this.answer(chunk.subarray(2))) socket.write(framed(bytes));
      });
    });
  }

  async open(): Promise<number> {
    this.tcp.listen(0, "127.0.0.1");
    await once(this.tcp, "listening");
    const { port } = this.tcp.address() as AddressInfo;
    const listening = once(this.udp, "listening");
    this.udp.bind(port, "127.0.0.1");
    try {
      await listening;
      return port;
    } catch (error) {
      // Free over one protocol, taken over the other.
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      this.tcp.close();
      await once(this.tcp, "close");
      return this.open();
    }
  }

  close(): void {
    this.udp.close();
    this.tcp.close();
  }
}

beforeEach(async () => {
  upstream = new Upstream();
  sockets = [];
  clock = new ManualClock();
  client = createSocket("udp4");
  client.bind(0, "127.0.0.1");
  await once(client, "listening");
  dns = createDnsService({
    sockets: localSockets,
    clock,
    random: new SeededRandom(7),
    logger: silentLogger,
    hostResolv: { servers: () => Promise.resolve(["127.0.0.1"]) },
    upstreamPort: await upstream.open(),
  });
  dns.update(CLUSTER);
});

afterEach(async () => {
  await dns.close();
  for (const socket of sockets) socket.destroy();
  client.close();
  upstream.close();
});

async function askUdp(ports: DnsPorts, message: Buffer): Promise<ReturnType<typeof read>> {
  client.send(message, ports.udpPort, "127.0.0.11");
  const [bytes] = (await once(client, "message")) as [Buffer];
  return read(bytes);
}

function framed(bytes: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function dial(ports: DnsPorts): Socket {
  const socket = connect(ports.tcpPort, "127.0.0.11");
  socket.on("error", () => undefined);
  sockets.push(socket);
  return socket;
}

/** Messages until there are `count` of them, or all there were when the other side ended. */
function readFrames(socket: Socket, count: number): Promise<Buffer[]> {
  let all = Buffer.alloc(0);
  const frames: Buffer[] = [];
  return new Promise((resolve) => {
    socket.on("close", () => resolve(frames));
    socket.on("data", (chunk: Buffer) => {
      all = Buffer.concat([all, chunk]);
      while (all.length >= 2 && all.length >= 2 + all.readUInt16BE(0)) {
        const end = 2 + all.readUInt16BE(0);
        frames.push(all.subarray(2, end));
        all = all.subarray(end);
      }
      if (frames.length >= count) resolve(frames);
    });
  });
}

describe("over UDP", () => {
  test("a container gets the names of its networks, another one those of its own", async () => {
    const one = await dns.attach(C1);
    const two = await dns.attach({ ...C1, containerId: "c2", netnsPath: "c2", networkIds: ["n2"] });
    expect((await askUdp(one, question("web"))).data).toEqual(["10.0.1.2"]);
    expect((await askUdp(two, question("web2"))).data).toEqual(["10.0.2.2"]);
    expect((await askUdp(two, question("web"))).data).toEqual(["192.0.2.1"]);
    expect(new Set([one.udpPort, two.udpPort, 53]).size).toBe(3);
  });

  test("answers follow the last state", async () => {
    const ports = await dns.attach(C1);
    dns.update({
      ...CLUSTER,
      services: [service({ serviceId: "web", networkId: "n1", vip: "10.0.1.9" })],
    });
    expect((await askUdp(ports, question("web"))).data).toEqual(["10.0.1.9"]);
  });

  test("other names come from the node's servers, each from a port and under an id of its own", async () => {
    const ports = await dns.attach(C1);
    for (let i = 0; i < 8; i += 1) {
      const got = await askUdp(ports, question("example.com", "A", { id: i }));
      expect([got.id, got.data]).toEqual([i, ["192.0.2.1"]]);
    }
    expect(upstream.ids.size).toBeGreaterThan(6);
    expect(upstream.ports.size).toBeGreaterThan(6);
  });

  test("forged responses before the true one change nothing", async () => {
    const honest = upstream.answer;
    upstream.answer = (asked) => {
      const forged = response(asked, {
        answers: [{ type: "A", name: "example.com", ttl: 60, data: "6.6.6.6" }],
      });
      const otherId = Buffer.from(forged);
      otherId.writeUInt16BE(forged.readUInt16BE(0) ^ 1, 0);
      const otherName = Buffer.from(forged);
      otherName.write("exbmple", 13);
      return [otherId, otherName, Buffer.from("junk"), ...honest(asked)];
    };
    const ports = await dns.attach(C1);
    expect((await askUdp(ports, question("example.com"))).data).toEqual(["192.0.2.1"]);
  });

  test("a user's server is asked through the container's namespace", async () => {
    const ports = await dns.attach({ ...C1, dnsServers: ["127.0.0.1"] });
    expect((await askUdp(ports, question("example.com"))).data).toEqual(["192.0.2.1"]);
  });

  test("bytes that are no question do not stop it", async () => {
    const ports = await dns.attach(C1);
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(5), response(question("web"), {})]) {
      client.send(bytes, ports.udpPort, "127.0.0.11");
    }
    expect((await askUdp(ports, Buffer.alloc(12))).rcode).toBe("FORMERR");
    expect((await askUdp(ports, question("web"))).data).toEqual(["10.0.1.2"]);
    expect(dns.stats()).toMatchObject({ queries: 5, ignored: 3, malformed: 1, answered: 1 });
  });

  test("before the first state nobody else is asked, and the client may try again", async () => {
    const fresh = createDnsService({
      sockets: localSockets,
      clock,
      random: new SeededRandom(7),
      logger: silentLogger,
      hostResolv: { servers: () => Promise.resolve(["127.0.0.1"]) },
    });
    expect((await askUdp(await fresh.attach(C1), question("web"))).rcode).toBe("SERVFAIL");
    expect(fresh.stats().forwarded).toBe(0);
    await fresh.close();
  });
});

describe("over TCP", () => {
  test("an answer that UDP cuts short is complete", async () => {
    const ports = await dns.attach(C1);
    expect((await askUdp(ports, question("many"))).flag_tc).toBe(true);
    const socket = dial(ports);
    socket.write(framed(question("many")));
    const [bytes] = await readFrames(socket, 1);
    expect(new Set(read(bytes ?? Buffer.alloc(0)).data).size).toBe(100);
  });

  test.each([
    { name: "the node's server", fields: {} },
    { name: "a user's server", fields: { dnsServers: ["127.0.0.1"] } },
  ])("other names are asked for over TCP too: $name", async ({ fields }) => {
    const socket = dial(await dns.attach({ ...C1, ...fields }));
    socket.write(framed(question("example.com")));
    const [bytes] = await readFrames(socket, 1);
    expect(read(bytes ?? Buffer.alloc(0)).data).toEqual(["192.0.2.1"]);
    expect(upstream.ports.size).toBe(0);
  });

  test("many questions at once, in pieces, and the client's side closed after them", async () => {
    const count = 5 * TCP_PIPELINE_MAX;
    const socket = dial(await dns.attach(C1));
    const asked = Array.from({ length: count }, (_, id) =>
      framed(question(id % 2 === 0 ? "web" : "example.com", "A", { id })),
    );
    const bytes = Buffer.concat(asked);
    socket.setNoDelay(true);
    for (let at = 0; at < bytes.length; at += 97) socket.write(bytes.subarray(at, at + 97));
    socket.end();
    const frames = (await readFrames(socket, count)).map(read);
    expect(new Set(frames.map(({ id }) => id)).size).toBe(count);
    for (const { id, data } of frames) {
      expect(data).toEqual([(id ?? 0) % 2 === 0 ? "10.0.1.2" : "192.0.2.1"]);
    }
  });

  test.each([
    { name: "a length below a header's", bytes: framed(Buffer.alloc(11)) },
    { name: "a response", bytes: framed(response(question("web"), {})) },
  ])("$name ends the connection", async ({ bytes }) => {
    const socket = dial(await dns.attach(C1));
    socket.write(bytes);
    expect(await readFrames(socket, 1)).toEqual([]);
  });

  test("half a question ends it after a while", async () => {
    const socket = dial(await dns.attach(C1));
    socket.write(framed(question("web")).subarray(0, 9));
    await once(socket, "connect");
    while (dns.stats().tcpConnections === 0) await new Promise((resolve) => setImmediate(resolve));
    const frames = readFrames(socket, 1);
    await clock.pass(TCP_IDLE_MS);
    expect(await frames).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  test("a container has so many connections and no more", async () => {
    const ports = await dns.attach(C1);
    const open = Array.from({ length: TCP_CONTAINER_MAX }, () => dial(ports));
    await Promise.all(open.map((socket) => once(socket, "connect")));
    while (dns.stats().tcpConnections < TCP_CONTAINER_MAX) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await readFrames(dial(ports), 1)).toEqual([]);
    expect(dns.stats().tcpRefused).toBe(1);
    open[0]?.write(framed(question("web")));
    expect((await readFrames(open[0] as Socket, 1)).length).toBe(1);
  });
});

describe("attaching", () => {
  test("again in the same namespace keeps the sockets and takes the new networks", async () => {
    const before = await dns.attach(C1);
    expect(await dns.attach({ ...C1, networkIds: ["n2"] })).toEqual(before);
    expect((await askUdp(before, question("web2"))).data).toEqual(["10.0.2.2"]);
  });

  test("in another namespace makes new ones", async () => {
    const before = await dns.attach(C1);
    const after = await dns.attach({ ...C1, netnsPath: "elsewhere" });
    expect(after.udpPort).not.toBe(before.udpPort);
    expect(dns.stats().containers).toBe(1);
  });

  test("and detaching at once end as they were asked for, and leave no descriptor", async () => {
    const before = openDescriptors();
    const attached = dns.attach(C1);
    await Promise.all([attached, dns.detach("c1"), dns.detach("nobody")]);
    expect(dns.stats().containers).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  test("that fails leaves nothing", async () => {
    const fresh = createDnsService({
      sockets: { ...localSockets, openTcpListener: () => Promise.reject(new Error("no")) },
      clock: new SystemClock(),
      random: new SeededRandom(7),
      logger: silentLogger,
      hostResolv: { servers: () => Promise.resolve([]) },
    });
    await expect(fresh.attach(C1)).rejects.toThrow("no");
    expect(fresh.stats().containers).toBe(0);
    await fresh.close();
  });
});

function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
