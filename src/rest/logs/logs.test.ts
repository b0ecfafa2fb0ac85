import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { settle } from "../testing/autopilot.js";
import { makeWorld, type World } from "../testing/world.js";
import { encodeFrame, readFrames, STREAM } from "./frames.js";

const TIME = "2026-11-21T03:26:57.156909120Z";

/** Workers of the fake nodes: one HTTP server on a unix socket stands in for all of them. */
async function withNodes(
  world: World,
  listener: RequestListener,
): Promise<AsyncDisposable & { readonly asked: URL[] }> {
  const dir = mkdtempSync(join(tmpdir(), "rest-nodes-"));
  const path = join(dir, "worker.sock");
  const asked: URL[] = [];
  const server = createServer((incoming, response) => {
    asked.push(new URL(incoming.url ?? "/", "http://node"));
    listener(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  world.cluster.connect = () => Promise.resolve(connect({ path }));
  return {
    asked,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      server.close();
      rmSync(dir, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

async function createWeb(world: World, replicas: number, tty = false): Promise<void> {
  await world.call("POST", "/services/create", {
    Name: "web",
    TaskTemplate: { ContainerSpec: { Image: "bb", TTY: tty } },
    Mode: { Replicated: { Replicas: replicas } },
  });
  await settle(world.cluster);
}

/** One line on each stream, framed as a worker does. */
const twoLines: RequestListener = (incoming, response) => {
  const task = /\/tasks\/([^/]+)\/logs/.exec(incoming.url ?? "")?.[1] ?? "";
  response.writeHead(200, { "Content-Type": "application/vnd.docker.multiplexed-stream" });
  response.write(encodeFrame(STREAM.stdout, Buffer.from(`${TIME} out ${task}\n`)));
  response.end(encodeFrame(STREAM.stderr, Buffer.from(`${TIME} err ${task}\n`)));
};

async function frames(sent: Buffer): Promise<readonly string[]> {
  const found: string[] = [];
  const bytes = (async function* () {
    await Promise.resolve();
    yield sent;
  })();
  for await (const frame of readFrames(bytes)) {
    found.push(`${frame.stream} ${frame.payload.toString("utf8")}`);
  }
  return found.sort();
}

describe("service logs", () => {
  test("come from every task, with details and times as asked", async () => {
    await using world = await makeWorld();
    await using nodes = await withNodes(world, twoLines);
    await createWeb(world, 2);
    const answer = await world.call(
      "GET",
      "/services/web/logs?stdout=1&stderr=1&details=1&timestamps=1&tail=5&since=1700000000",
    );
    expect(answer.headers["content-type"]).toBe("application/vnd.docker.multiplexed-stream");
    const service = world.cluster.store.serviceByName("web");
    const tasks = world.cluster.store.tasksByService(service?.id ?? "");
    const details = (nodeId: string, taskId: string): string =>
      `com.docker.swarm.node.id=${nodeId},com.docker.swarm.service.id=${service?.id},com.docker.swarm.task.id=${taskId}`;
    expect(await frames(answer.bytes)).toEqual(
      tasks
        .flatMap((task) => [
          `1 ${TIME} ${details(task.nodeId, task.id)} out ${task.id}\n`,
          `2 ${TIME} ${details(task.nodeId, task.id)} err ${task.id}\n`,
        ])
        .sort(),
    );
    expect(
      nodes.asked.map((url) => [url.searchParams.get("tail"), url.searchParams.get("since")]),
    ).toEqual([
      ["5", "1700000000"],
      ["5", "1700000000"],
    ]);
  });

  test("without times and details have the bare lines", async () => {
    await using world = await makeWorld();
    await using _nodes = await withNodes(world, twoLines);
    await createWeb(world, 1);
    const answer = await world.call("GET", "/services/web/logs?stdout=1&stderr=1");
    const [task] = world.cluster.store.tasks();
    expect(await frames(answer.bytes)).toEqual([`1 out ${task?.id}\n`, `2 err ${task?.id}\n`]);
  });

  test("name the nodes that are missing, after the data of the others", async () => {
    await using world = await makeWorld();
    await using _nodes = await withNodes(world, twoLines);
    await createWeb(world, 2);
    const lost = world.cluster.nodeNamed("n4").id;
    const reach = world.cluster.connect;
    world.cluster.connect = (nodeId) =>
      nodeId === lost ? Promise.reject(new Error(`node ${lost} is not available`)) : reach(nodeId);
    const answer = await world.call("GET", "/services/web/logs?stdout=1&stderr=1");
    expect(answer.status).toBe(200);
    const found = await frames(answer.bytes);
    expect(found).toHaveLength(3);
    expect(found[2]).toBe(
      `3 Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for the following reasons: node ${lost} is not available\n`,
    );
  });

  test("of a terminal are raw lines", async () => {
    await using world = await makeWorld();
    await using _nodes = await withNodes(world, (_incoming, response) => {
      response.writeHead(200, { "Content-Type": "application/vnd.docker.raw-stream" });
      response.end(`${TIME} one\r\n${TIME} two\r\n`);
    });
    await createWeb(world, 1, true);
    const answer = await world.call("GET", "/services/web/logs?stdout=1");
    expect(answer.headers["content-type"]).toBe("application/vnd.docker.raw-stream");
    expect(answer.text).toBe("one\r\ntwo\r\n");
  });

  test("end in a complaint when a node's stream breaks off", async () => {
    await using world = await makeWorld();
    await using _nodes = await withNodes(world, (_incoming, response) => {
      response.writeHead(200, { "Content-Type": "application/vnd.docker.multiplexed-stream" });
      response.end(encodeFrame(STREAM.stdout, Buffer.from(`${TIME} out\n`)).subarray(0, 12));
    });
    await createWeb(world, 1);
    const answer = await world.call("GET", "/services/web/logs?stdout=1");
    expect((await frames(answer.bytes))[0]).toContain(
      "the log stream ended in the middle of a frame",
    );
  });
});

test.each([
  {
    query: "",
    status: 500,
    message: "rpc-free: Bad parameters: you must choose at least one stream",
  },
  {
    query: "stdout=1&tail=-1",
    status: 400,
    message: "rpc-free: negative tail values not supported",
  },
  {
    query: "stdout=1&tail=x",
    status: 400,
    message: 'rpc-free: tail value must be a positive integer or "all"',
  },
])("parameters '$query' are refused", async ({ query, status, message }) => {
  await using world = await makeWorld();
  await createWeb(world, 1);
  const answer = await world.call("GET", `/services/web/logs?${query}`);
  expect(answer).toMatchObject({ status, json: { message: message.replace("rpc-free: ", "") } });
});

/** Follows until `count` frames have come; then leaves. */
function follow(world: World, path: string, count: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: world.socket, path, agent: false });
    asked.on("error", reject);
    asked.on("response", (response: IncomingMessage) => {
      void (async () => {
        const found: string[] = [];
        for await (const frame of readFrames(response)) {
          found.push(frame.payload.toString("utf8"));
          if (found.length === count) break;
        }
        resolve(found);
      })().catch(reject);
    });
    asked.end();
  });
}

describe("following", () => {
  test("picks up tasks that start later", async () => {
    await using world = await makeWorld();
    await using nodes = await withNodes(world, (incoming, response) => {
      const task = /\/tasks\/([^/]+)\/logs/.exec(incoming.url ?? "")?.[1] ?? "";
      response.writeHead(200, { "Content-Type": "application/vnd.docker.multiplexed-stream" });
      response.write(encodeFrame(STREAM.stdout, Buffer.from(`${TIME} ${task}\n`)));
    });
    await createWeb(world, 1);
    const first = follow(world, "/services/web/logs?stdout=1&follow=1", 2);
    while (nodes.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const service = world.cluster.store.serviceByName("web");
    if (service === undefined) throw new Error("no service");
    await world.call("POST", `/services/web/update?version=${service.versionIndex}`, {
      Name: "web",
      TaskTemplate: service.spec.TaskTemplate,
      Mode: { Replicated: { Replicas: 2 } },
    });
    await settle(world.cluster);
    const tasks = world.cluster.store.tasksByService(service.id);
    expect([...(await first)].sort()).toEqual(tasks.map((task) => `${task.id}\n`).sort());
  });

  test("takes a broken stream up again after its last line", async () => {
    await using world = await makeWorld();
    let callCount = 0;
    await using nodes = await withNodes(world, (_incoming, response) => {
      callCount += 1;
      response.writeHead(200, { "Content-Type": "application/vnd.docker.multiplexed-stream" });
      response.write(encodeFrame(STREAM.stdout, Buffer.from(`${TIME} first\n`)));
      if (callCount === 1) setImmediate(() => response.destroy());
      else
        response.write(
          encodeFrame(STREAM.stdout, Buffer.from("2026-11-21T03:26:58.000000000Z second\n")),
        );
    });
    await createWeb(world, 1);
    const found = await follow(world, "/services/web/logs?stdout=1&follow=1&tail=1", 2);
    expect(found).toEqual(["first\n", "second\n"]);
    expect(
      nodes.asked.map((url) => [url.searchParams.get("tail"), url.searchParams.get("since")]),
    ).toEqual([
      ["1", null],
      ["all", "1795231617.156909120"],
    ]);
  });

  test("of a task ends with the task", async () => {
    await using world = await makeWorld();
    await using _nodes = await withNodes(world, twoLines);
    await createWeb(world, 1);
    const [task] = world.cluster.store.tasks();
    if (task === undefined) throw new Error("no task");
    await world.cluster.write([
      {
        kind: "taskStatus",
        taskId: task.id,
        state: TASK_STATE.complete,
        atMs: 1,
        message: "finished",
        err: "",
        containerId: task.containerId,
        pid: 0,
        exitCode: 0,
        portStatus: [],
      },
    ]);
    const answer = await world.call("GET", `/tasks/${task.id}/logs?stdout=1&stderr=1&follow=1`);
    expect(await frames(answer.bytes)).toHaveLength(2);
  });
});
