import { once } from "node:events";
import type { RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { makeWorld } from "./testing/world.js";

const echo: RequestListener = (request, response) => {
  response.writeHead(200, { "Content-Type": "application/json", "X-Worker": "yes" });
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    response.end(
      JSON.stringify({
        method: request.method,
        url: request.url,
        body: Buffer.concat(chunks).toString("utf8"),
        auth: request.headers["x-registry-auth"] ?? "",
      }),
    );
  });
};

describe("node-local routes", () => {
  test.each([
    { method: "GET", path: "/v1.41/containers/json?all=1", asked: "/v1.41/containers/json?all=1" },
    { method: "GET", path: "/images/a/b:1/json", asked: "/v1.50/images/a/b:1/json" },
    { method: "DELETE", path: "/volumes/v", asked: "/v1.50/volumes/v" },
    {
      method: "GET",
      path: "/distribution/r.test/a/b:1/json",
      asked: "/v1.50/distribution/r.test/a/b:1/json",
    },
    { method: "GET", path: "/volumes", asked: "/v1.50/volumes" },
    { method: "POST", path: "/networks/a%2Fb/connect", asked: "/v1.50/networks/a%2Fb/connect" },
    { method: "POST", path: "/v1.44/networks/x/disconnect", asked: "/v1.44/networks/x/disconnect" },
  ])("$method $path goes to the worker", async ({ method, path, asked }) => {
    await using world = await makeWorld({ isManager: false, worker: echo });
    const answer = await world.call(method, path);
    expect(answer).toMatchObject({ status: 200, json: { method, url: asked } });
    expect(answer.headers).toMatchObject({
      "x-worker": "yes",
      "api-version": "1.50",
      ostype: "linux",
    });
  });

  test("connect and disconnect go on with their body, and with the name of a node's own network for its id", async () => {
    await using world = await makeWorld({ isManager: false, worker: echo });
    const { json } = await world.call("GET", "/networks/host");
    const { Id } = json as { Id: string };
    const answer = await world.call("POST", `/networks/${Id}/connect`, { Container: "c" });
    expect(answer.json).toMatchObject({
      ...{ url: "/v1.50/networks/host/connect", body: '{"Container":"c"}' },
    });
  });

  test("bodies and credentials pass through, of any type", async () => {
    await using world = await makeWorld({ worker: echo });
    const answer = await world.call("POST", "/images/load?quiet=1", "tar bytes", {
      "Content-Type": "application/x-tar",
      "X-Registry-Auth": "e30=",
    });
    expect(answer.json).toMatchObject({ body: "tar bytes", auth: "e30=" });
  });

  test("a large body is not gathered: the worker's slowness reaches the client", async () => {
    let paused: (() => void) | undefined;
    await using world = await makeWorld({
      worker: (request, response) => {
        request.once("readable", () => {
          // Reads nothing until told to.
          paused = () => {
            request.resume();
            request.on("end", () => response.end());
          };
        });
      },
    });
    const socket = connect({ path: world.socket });
    socket.write("POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n");
    const chunk = Buffer.alloc(64 * 1024);
    let sentBytes = 0;
    let idleCount = 0;
    // Sockets and pipes take a few MiB at most; then writing has to wait.
    while (idleCount < 200 && sentBytes < 64 * 1024 * 1024) {
      if (socket.writableLength === 0) {
        socket.write(chunk);
        sentBytes += chunk.length;
        idleCount = 0;
      } else idleCount += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(sentBytes).toBeLessThan(16 * 1024 * 1024);
    paused?.();
    socket.destroy();
  });

  test("a worker that is away is a 503 that says so", async () => {
    await using world = await makeWorld({ deps: { workerSocket: "/nowhere/worker.sock" } });
    const answer = await world.call("GET", "/containers/json");
    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({ message: expect.stringContaining("worker") as string });
  });
});

async function upgrade(
  socketPath: string,
  path: string,
): Promise<{ socket: Socket; head: string }> {
  const socket = connect({ path: socketPath });
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`);
  const [head] = (await once(socket, "data")) as [Buffer];
  return { socket, head: head.toString("utf8") };
}

describe("upgrades", () => {
  test("bytes flow both ways, also after the client has ended its side", async () => {
    await using world = await makeWorld();
    world.worker.on("upgrade", (request, socket: Socket) => {
      socket.write(
        `HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nX-Url: ${request.url}\r\n\r\n`,
      );
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.on("end", () => socket.end(`got ${Buffer.concat(chunks).toString("utf8")}`));
    });
    const { socket, head } = await upgrade(world.socket, "/v1.41/exec/abc/start");
    expect(head).toContain("101 UPGRADED");
    expect(head).toContain("X-Url: /v1.41/exec/abc/start");
    socket.end("hello");
    const [tail] = (await once(socket, "data")) as [Buffer];
    expect(tail.toString("utf8")).toBe("got hello");
  });

  test("elsewhere they are a page not found", async () => {
    await using world = await makeWorld();
    const { head } = await upgrade(world.socket, "/nosuch");
    expect(head).toContain("404 Not Found");
    expect(head).toContain("page not found");
  });
});
