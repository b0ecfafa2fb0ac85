import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { ApiError, SystemClock } from "../../base/index.js";
import { FakeClock } from "../../manager/testing/fake-clock.js";
import { FakeCluster } from "../testing/fake-cluster.js";
import { makeWorld } from "../testing/world.js";
import { loadEverywhere } from "./load-everywhere.js";
import { STALL_LIMIT_MS } from "./node-upload.js";

/** Workers of the nodes by host name; what is not named cannot be reached. */
class Workers implements AsyncDisposable {
  readonly cluster: FakeCluster;
  readonly #servers = new Map<string, Server>();

  constructor(cluster: FakeCluster) {
    this.cluster = cluster;
    cluster.connect = (nodeId) => {
      const name = cluster.store.node(nodeId)?.description?.Hostname ?? "";
      const server = this.#servers.get(name);
      if (server === undefined)
        return Promise.reject(new ApiError("Unavailable", `node ${nodeId} holds no session`));
      return Promise.resolve(connect((server.address() as AddressInfo).port, "127.0.0.1"));
    };
  }

  async serve(name: string, listener: RequestListener): Promise<void> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#servers.set(name, server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections();
      server.close();
    }
    return Promise.resolve();
  }
}

const loaded = (response: ServerResponse, bytes: number): void => {
  response.end(`${JSON.stringify({ stream: `Loaded image: demo:${bytes}\n` })}\r\n`);
};

/** Reads everything, then says how much it was. */
const good: RequestListener = (request, response) => {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on("end", () => {
    loaded(response, bytes);
  });
};

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function lines(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line): unknown => JSON.parse(line));
}

test("every ready node gets the whole body; what is not ready is named", async () => {
  await using world = await makeWorld({ worker: good });
  await using workers = new Workers(world.cluster);
  for (const name of ["n2", "n3", "n4"]) await workers.serve(name, good);
  const n5 = world.cluster.nodeNamed("n5");
  await world.cluster.write([{ kind: "putNode", node: { ...n5, state: "down" } }]);
  const body = "x".repeat(300_000);
  const answer = await world.call("POST", "/images/load?all-nodes=1", body);
  expect(answer.status).toBe(200);
  expect(
    lines(answer.text)
      .map((line) => JSON.stringify(line))
      .sort(),
  ).toEqual(
    ["n1", "n2", "n3", "n4"]
      .map((name) => JSON.stringify({ stream: `${name}: Loaded image: demo:300000\n` }))
      .concat(JSON.stringify({ stream: "n5: skipped, the node is down\n" })),
  );
});

test("nodes that fail drop out and are named at the end; the others go on", async () => {
  await using world = await makeWorld({ worker: good });
  await using workers = new Workers(world.cluster);
  await workers.serve("n2", good);
  await workers.serve("n3", (_request, response) => {
    response.writeHead(500).end(JSON.stringify({ message: "no space left on device" }));
  });
  await workers.serve("n4", (request) => {
    request.once("data", () => request.socket.destroy());
  });
  const answer = await world.call("POST", "/images/load?all-nodes=1", "x".repeat(2_000_000));
  const said = lines(answer.text);
  expect(said).toContainEqual({ stream: "n1: Loaded image: demo:2000000\n" });
  expect(said).toContainEqual({ stream: "n2: Loaded image: demo:2000000\n" });
  expect(said).toContainEqual({ stream: "n3: failed: no space left on device\n" });
  expect(said).toContainEqual({ stream: expect.stringMatching(/^n4: failed: /) });
  expect(said).toContainEqual({ stream: expect.stringMatching(/^n5: failed: .*holds no session/) });
  expect(said.at(-1)).toMatchObject({
    error: expect.stringMatching(/^the image was not loaded on 3 of 5 nodes: n\d, n\d, n\d$/),
  });
});

test("the slowest node sets the pace", async () => {
  const cluster = await FakeCluster.create();
  await using workers = new Workers(cluster);
  const held = withResolvers<() => void>();
  await workers.serve("n2", (request, response) => {
    // Reads nothing before it is told to.
    held.resolve(() => {
      good(request, response);
    });
  });
  const total = 64 * 1024 * 1024;
  let readBytes = 0;
  const archive = Readable.from(
    (function* () {
      const piece = Buffer.alloc(64 * 1024);
      for (; readBytes < total; readBytes += piece.length) yield piece;
    })(),
  );
  const nodes = [cluster.nodeNamed("n2")];
  const parts = { cluster, workerSocket: "", clock: new SystemClock() };
  const done = loadEverywhere(parts, nodes, archive);
  const go = await held.promise;
  let before = -1;
  while (before !== readBytes) {
    before = readBytes;
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  // Only the kernel's socket buffers are between the two.
  expect(readBytes).toBeLessThan(total / 2);
  go();
  expect(lines(await done)).toEqual([{ stream: `n2: Loaded image: demo:${total}\n` }]);
});

test("a node that takes nothing for a minute is given up", async () => {
  const cluster = await FakeCluster.create();
  await using workers = new Workers(cluster);
  const clock = new FakeClock();
  const arrived = withResolvers<undefined>();
  await workers.serve("n2", () => {
    arrived.resolve(undefined);
  });
  const archive = Readable.from([Buffer.alloc(1024)]);
  const parts = { cluster, workerSocket: "", clock };
  const done = loadEverywhere(parts, [cluster.nodeNamed("n2")], archive);
  await arrived.promise;
  await clock.advance(STALL_LIMIT_MS);
  expect(lines(await done)).toMatchObject([
    { stream: "n2: failed: the node does not answer for 60 s\n" },
    { error: "the image was not loaded on 1 of 1 nodes: n2" },
  ]);
});

test("a worker answers as for every route of the cluster", async () => {
  await using world = await makeWorld({ isManager: false });
  const answer = await world.call("POST", "/images/load?all-nodes=1", "x");
  expect(answer).toMatchObject({
    status: 503,
    json: { message: expect.stringContaining("not a swarm manager") },
  });
});
