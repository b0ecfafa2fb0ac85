import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { SeededRandom, SystemClock, silentLogger } from "../../base/index.js";
import { EngineError } from "../engine/index.js";
import { containerIdOf } from "../tasks/index.js";
import { type FakeClock, until } from "../testing/fake-clock.js";
import { fakeImage } from "../testing/fake-engine.js";
import {
  completeSet,
  fakeAssignment,
  NO_MANAGERS,
  NODE,
  NodeKit,
  taskId,
} from "../testing/node-kit.js";
import type { HttpContext } from "./context.js";
import { buildServer, serveLocal } from "./server.js";

const S = TASK_STATE;

function contextOf(kit: NodeKit): HttpContext {
  return {
    engine: kit.engine,
    net: kit.net,
    tasks: kit.tasks,
    logs: kit.logs,
    store: kit.store,
    volumes: kit.volumes,
    volumeRoot: `${kit.dir}/volumes`,
    node: () => NODE,
    clock: kit.clock,
    connections: NO_MANAGERS,
    random: new SeededRandom(1),
    logger: silentLogger,
    engineProblem: () => "",
    isSessionUp: () => true,
  };
}

async function running(kit: NodeKit, ...names: readonly string[]): Promise<void> {
  const image = fakeImage("bb:latest", {
    Cmd: ["sh"],
    Env: ["A=image"],
    ExposedPorts: { "80/tcp": {} },
  });
  kit.engine.registry.set("bb:latest", image);
  const spec = {
    ContainerSpec: {
      Image: "bb:latest",
      Command: ["/bin/sh", "-c", "echo out; sleep 100"],
      Labels: { c: "d" },
    },
  };
  const hostPorts = [
    { Protocol: "tcp" as const, TargetPort: 80, PublishedPort: 8080, PublishMode: "host" as const },
  ];
  kit.tasks.apply(
    completeSet(
      1,
      names.map((name) => fakeAssignment(name, { spec, hostPorts })),
    ),
  );
  await until(() => names.every((name) => kit.stateOf(name) === S.running), "running");
}

test("the container list has Docker's keys and values", async () => {
  await using kit = await NodeKit.make();
  await running(kit, "a");
  const app = buildServer(contextOf(kit));
  const answer = await app.inject("/v1.41/containers/json");
  expect(answer.statusCode).toBe(200);
  const [container] = answer.json<Record<string, unknown>[]>();
  // Keys of the recorded answer of a real engine.
  expect(Object.keys(container ?? {})).toEqual([
    "Id",
    "Names",
    "Image",
    "ImageID",
    "Command",
    "Created",
    "Ports",
    "Labels",
    "State",
    "Status",
    "HostConfig",
    "NetworkSettings",
    "Mounts",
  ]);
  expect(container).toMatchObject({
    Id: containerIdOf(taskId("a")),
    Names: [`/web.1.${taskId("a")}`],
    Image: "bb:latest",
    Command: "/bin/sh -c 'echo out; sleep 100'",
    State: "running",
    Status: "Up Less than a second",
    Ports: [{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }],
    HostConfig: { NetworkMode: "default" },
  });
  expect(container?.["Labels"]).toEqual({
    c: "d",
    "com.docker.swarm.node.id": NODE.nodeId,
    "com.docker.swarm.service.id": "service1service1service10",
    "com.docker.swarm.service.name": "web",
    "com.docker.swarm.task": "",
    "com.docker.swarm.task.id": taskId("a"),
    "com.docker.swarm.task.name": `web.1.${taskId("a")}`,
  });
});

test.each([
  ["all by default: only running ones", "", ["b"]],
  ["all=1", "?all=1", ["a", "b"]],
  ["by state", `?filters=${encodeURIComponent('{"status":["exited"]}')}`, ["a"]],
  ["by exit code", `?filters=${encodeURIComponent('{"exited":["4"]}')}`, ["a"]],
  ["by label", `?all=1&filters=${encodeURIComponent('{"label":["c=d"]}')}`, ["a", "b"]],
  ["by other label", `?all=1&filters=${encodeURIComponent('{"label":["c=e"]}')}`, []],
  ["by name", `?all=1&filters=${encodeURIComponent('{"name":["b00"]}')}`, ["b"]],
  ["tasks only", `?filters=${encodeURIComponent('{"is-task":["true"]}')}`, ["b"]],
  ["no tasks", `?filters=${encodeURIComponent('{"is-task":["false"]}')}`, []],
])("container list, %s", async (_name, query, want) => {
  await using kit = await NodeKit.make(undefined, new SystemClock());
  await running(kit, "a", "b");
  kit.engine.exit(taskId("a"), 4);
  await until(() => kit.stateOf("a") === S.failed, "failed");
  const app = buildServer(contextOf(kit));
  const answer = await app.inject(`/containers/json${query}`);
  const ids = answer
    .json<{ Id: string }[]>()
    .map((container) => container.Id)
    .sort();
  expect(ids).toEqual(want.map((name) => containerIdOf(taskId(name))).sort());
});

test("a container outside services has the name it was given, and is no task", async () => {
  await using kit = await NodeKit.make();
  kit.engine.registry.set("bb:latest", fakeImage("bb:latest", { Cmd: ["sh"] }));
  const attached = {
    ...fakeAssignment("a", {
      spec: { ContainerSpec: { Image: "bb:latest" }, Runtime: "attachment" },
    }),
    ...{ serviceId: "", serviceName: "tool", slot: 0 },
  };
  kit.tasks.apply(completeSet(1, [attached]));
  await until(() => kit.stateOf("a") === S.running, "running");
  const app = buildServer(contextOf(kit));
  const namesOf = async (isTask: string): Promise<readonly (readonly string[])[]> => {
    const filters = encodeURIComponent(JSON.stringify({ "is-task": [isTask] }));
    const answer = await app.inject(`/containers/json?filters=${filters}`);
    return answer.json<{ Names: string[] }[]>().map(({ Names }) => Names);
  };
  expect(await namesOf("false")).toEqual([["/tool"]]);
  expect(await namesOf("true")).toEqual([]);
  expect((await app.inject("/containers/tool/json")).statusCode).toBe(200);
});

test("a container is found by beginnings of both ids and by name", async () => {
  await using kit = await NodeKit.make();
  await running(kit, "a");
  const app = buildServer(contextOf(kit));
  const id = containerIdOf(taskId("a"));
  for (const ref of [id, id.slice(0, 12), taskId("a"), "a000", `web.1.${taskId("a")}`]) {
    const answer = await app.inject(`/v1.50/containers/${ref}/json`);
    expect(answer.json()).toMatchObject({
      Id: id,
      Path: "/bin/sh",
      Args: ["-c", "echo out; sleep 100"],
      State: { Status: "running", Running: true, ExitCode: 0 },
      Config: { Tty: false, Image: "bb:latest", ExposedPorts: { "80/tcp": {} } },
      NetworkSettings: { Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] } },
    });
    expect(answer.json<{ Config: { Env: string[] } }>().Config.Env).toContain("A=image");
  }
});

test.each([
  ["GET", "/containers/nope/json", 404, "No such container: nope"],
  ["GET", "/containers/nope/logs?stdout=1", 404, "No such container: nope"],
  ["GET", "/images/nope/json", 404, "No such image: nope"],
  ["GET", "/nothing/here", 404, "page not found"],
  ["POST", "/containers/create", 501, "POST /containers/create is not supported yet"],
  ["POST", "/containers/a000/exec", 501, "POST /containers/a000/exec is not supported yet"],
  ["GET", "/images/x/history", 501, "/images/x/history is not supported yet"],
  ["GET", "/containers/a000/logs", 400, "Bad parameters: you must choose at least one stream"],
  ["GET", "/containers/a000/logs?stdout=1&tail=x", 400, 'invalid tail "x": use a number or "all"'],
  ["GET", "/tasks/zzz/logs?stdout=1", 404, "task zzz not found"],
  [
    "GET",
    `/containers/json?filters=${encodeURIComponent('{"x":["1"]}')}`,
    400,
    "invalid filter 'x'",
  ],
  ["POST", "/images/create?fromImage=nope&tag=1", 404, "manifest unknown"],
] as const)("%s %s answers %i", async (method, url, status, message) => {
  await using kit = await NodeKit.make();
  await running(kit, "a");
  const answer = await buildServer(contextOf(kit)).inject({ method, url });
  expect(answer.json()).toEqual({ message });
  expect(answer.statusCode).toBe(status);
  expect(answer.headers["content-type"]).toBe("application/json");
});

/** Payloads of a multiplexed stream, `1:text`. */
function frames(body: Buffer): readonly string[] {
  const out: string[] = [];
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at + 4);
    out.push(`${body[at]}:${body.subarray(at + 8, at + 8 + length).toString()}`);
    at += 8 + length;
  }
  return out;
}

test("logs come as frames with details and time stamps when asked", async () => {
  await using kit = await NodeKit.make();
  await running(kit, "a");
  await kit.engine.print(taskId("a"), "hello\n");
  await kit.engine.print(taskId("a"), "oops\n", "stderr");
  const app = buildServer(contextOf(kit));
  const plain = await app.inject("/containers/a000/logs?stdout=1&stderr=1");
  expect(plain.headers["content-type"]).toBe("application/vnd.docker.multiplexed-stream");
  expect(frames(plain.rawPayload)).toEqual(["1:hello\n", "2:oops\n"]);
  const old = await app.inject("/v1.41/containers/a000/logs?stderr=1");
  expect(old.headers["content-type"]).toBe("application/vnd.docker.raw-stream");
  expect(frames(old.rawPayload)).toEqual(["2:oops\n"]);
  const task = await app.inject(`/tasks/${taskId("a")}/logs?stdout=1&details=1&timestamps=1`);
  const ids = `com.docker.swarm.node.id=${NODE.nodeId},com.docker.swarm.service.id=service1service1service10,com.docker.swarm.task.id=${taskId("a")}`;
  expect(frames(task.rawPayload)).toEqual([
    expect.stringMatching(/^1:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z com\.docker/),
  ]);
  expect(frames(task.rawPayload)[0]).toContain(` ${ids} hello\n`);
});

test("a TTY's log is raw, a discarded one cannot be read", async () => {
  await using kit = await NodeKit.make();
  const tty = { ContainerSpec: { Image: "bb:latest", TTY: true } };
  const none = { ContainerSpec: { Image: "bb:latest" }, LogDriver: { Name: "none" } };
  kit.tasks.apply(
    completeSet(1, [fakeAssignment("a", { spec: tty }), fakeAssignment("b", { spec: none })]),
  );
  await until(() => ["a", "b"].every((name) => kit.stateOf(name) === S.running), "running");
  await kit.engine.print(taskId("a"), "raw\r\n");
  const app = buildServer(contextOf(kit));
  expect((await app.inject("/containers/a000/logs?stdout=1")).body).toBe("raw\r\n");
  const refused = await app.inject("/containers/b000/logs?stdout=1");
  expect(refused.statusCode).toBe(501);
  expect(refused.json()).toEqual({ message: "configured logging driver does not support reading" });
});

test("a follower over the socket gets lines as they come and ends with the container", async () => {
  const dir = await mkdtemp(`${tmpdir()}/http-`);
  await using kit = await NodeKit.make(undefined, new SystemClock());
  await running(kit, "a");
  const server = await serveLocal(contextOf(kit), `${dir}/s.sock`);
  const text = new Promise<readonly string[]>((resolve, reject) => {
    const path = "/containers/a000/logs?stdout=1&follow=1";
    request({ socketPath: `${dir}/s.sock`, path }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(frames(Buffer.concat(chunks))));
      response.on("error", reject);
    }).end();
  });
  await kit.engine.print(taskId("a"), "one\n");
  await kit.engine.print(taskId("a"), "two\n");
  await new Promise((resolve) => setImmediate(resolve));
  kit.engine.exit(taskId("a"), 0);
  expect(await text).toEqual(["1:one\n", "1:two\n"]);
  await server[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

test("images: list, inspect, pull, tag, load, remove", async () => {
  await using kit = await NodeKit.make();
  kit.engine.registry.set("bb:latest", {
    ...fakeImage("bb:latest"),
    digests: ["bb@sha256:abc"],
  });
  const app = buildServer(contextOf(kit));
  const pulled = await app.inject({
    method: "POST",
    url: "/v1.50/images/create?fromImage=bb&tag=latest",
  });
  const lines = pulled.body.trim().split("\r\n");
  expect(lines.map((line) => (JSON.parse(line) as { status: string }).status)).toEqual([
    "Pulling from bb",
    "Digest: sha256:abc",
    "Status: Image is up to date for bb:latest",
  ]);
  const tagged = await app.inject({
    method: "POST",
    url: "/images/bb:latest/tag?repo=reg.example/x/y&tag=2",
  });
  expect(tagged.statusCode).toBe(201);
  const [image] = (await app.inject("/images/json")).json<{ RepoTags: string[] }[]>();
  expect(image?.RepoTags).toEqual(["bb:latest", "reg.example/x/y:2"]);
  const detail = await app.inject("/images/reg.example/x/y:2/json");
  expect(detail.json()).toMatchObject({ Os: "linux", Architecture: "amd64" });
  const loaded = await app.inject({
    method: "POST",
    url: "/images/load?quiet=1",
    headers: { "content-type": "application/x-tar" },
    payload: Buffer.alloc(5_000),
  });
  expect(JSON.parse(loaded.body)).toEqual({ stream: "Loaded image: loaded:latest\n" });
  const removed = await app.inject({ method: "DELETE", url: "/images/bb:latest" });
  expect(removed.statusCode).toBe(200);
});

test("an image of a running container is not removed", async () => {
  await using kit = await NodeKit.make();
  await running(kit, "a");
  const app = buildServer(contextOf(kit));
  const answer = await app.inject({ method: "DELETE", url: "/images/bb:latest?force=1" });
  expect(answer.statusCode).toBe(409);
  expect(answer.json<{ message: string }>().message).toContain("is running from it");
});

test("volumes: made, listed, kept while used, removed", async () => {
  await using kit = await NodeKit.make();
  const app = buildServer(contextOf(kit));
  const made = await app.inject({
    method: "POST",
    url: "/volumes/create",
    payload: { Name: "data" },
  });
  expect(made.statusCode).toBe(201);
  const Mounts = [{ Type: "volume" as const, Source: "data", Target: "/d" }];
  const spec = { ContainerSpec: { Image: "bb:latest", Mounts } };
  kit.tasks.apply(completeSet(1, [fakeAssignment("a", { spec })]));
  await until(() => kit.stateOf("a") === S.running, "running");
  expect(kit.engine.containers.get(taskId("a"))?.request.extraMounts).toEqual([
    { source: `${kit.dir}/volumes/data/_data`, target: "/d", isReadOnly: false, isCopyUp: true },
  ]);
  expect((await app.inject({ method: "DELETE", url: "/volumes/data" })).statusCode).toBe(409);
  kit.tasks.apply(completeSet(2, []));
  const clock = kit.clock as FakeClock;
  await clock.advanceUntil(() => kit.engine.containers.size === 0, "container gone");
  await clock.advanceUntil(() => kit.stateOf("a") === -1, "task forgotten");
  const list = await app.inject("/volumes");
  expect(list.json()).toMatchObject({ Volumes: [{ Name: "data", Driver: "local" }] });
  expect((await app.inject({ method: "DELETE", url: "/volumes/data" })).statusCode).toBe(204);
  expect((await app.inject("/volumes/data")).statusCode).toBe(404);
});

test("an image's VOLUME is an anonymous volume of the container, shown, and gone with it", async () => {
  await using kit = await NodeKit.make();
  kit.engine.registry.set("bb:latest", fakeImage("bb:latest", { Volumes: { "/var/db": {} } }));
  const app = buildServer(contextOf(kit));
  kit.tasks.apply(completeSet(1, [fakeAssignment("a")]));
  await until(() => kit.stateOf("a") === S.running, "running");
  const [volume] = await kit.volumes.list();
  expect(volume).toMatchObject({ name: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(kit.engine.containers.get(taskId("a"))?.request.extraMounts).toEqual([
    { source: volume?.mountpoint, target: "/var/db", isReadOnly: false, isCopyUp: true },
  ]);
  const view = await app.inject(`/containers/${containerIdOf(taskId("a"))}/json`);
  expect(view.json()).toMatchObject({
    Mounts: [{ Type: "volume", Name: volume?.name, Destination: "/var/db", RW: true }],
  });
  kit.tasks.apply(completeSet(2, []));
  const clock = kit.clock as FakeClock;
  await clock.advanceUntil(() => kit.stateOf("a") === -1, "task forgotten");
  expect(await kit.volumes.list()).toEqual([]);
});

test("the node's own facts", async () => {
  await using kit = await NodeKit.make(undefined, new SystemClock());
  await running(kit, "a", "b");
  const answer = await buildServer(contextOf(kit)).inject("/local/info");
  expect(answer.json()).toMatchObject({
    containers: { total: 2, running: 2, paused: 0, stopped: 0 },
    images: 1,
    hostname: "w1",
    engine: { kind: "simulated", version: "1.0-fake", problems: [] },
    net: { subnet: "172.30.0.0/20", problems: [] },
    isSessionUp: true,
  });
});

test("an engine that is away answers 503 with its text", async () => {
  await using kit = await NodeKit.make();
  const app = buildServer(contextOf(kit));
  kit.engine.images = () =>
    Promise.reject(new EngineError("ENGINE_DOWN", "containerd at /x is away"));
  const answer = await app.inject("/images/json");
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ message: "containerd at /x is away" });
});

test("the node's networks are compared with its kernel, and repaired on request", async () => {
  await using kit = await NodeKit.make();
  const drift = { networkId: "net1", netns: "swarm-x", what: "no route", isRepaired: false };
  kit.net.drifts = [drift, { ...drift, networkId: "net2" }];
  const app = buildServer(contextOf(kit));
  const url = "/local/networks/verify?network=net1";
  const seen = await app.inject({ method: "POST", url });
  const found = { NetworkID: "net1", Netns: "swarm-x", What: "no route", Repaired: false };
  expect(seen.json()).toEqual({ AppliedIndex: 1, Drifts: [found] });
  const repaired = await app.inject({ method: "POST", url: `${url}&repair=true` });
  expect(repaired.json()).toEqual({ AppliedIndex: 1, Drifts: [{ ...found, Repaired: true }] });
  kit.net.tunnel = { Implementation: "kernel", PublicKey: "p", PairKeys: ["q"] };
  const encrypted = await app.inject({ method: "POST", url });
  expect(encrypted.json()).toMatchObject({ Tunnel: "kernel" });
  kit.net.isDown = true;
  expect((await app.inject({ method: "POST", url })).statusCode).toBe(503);
});
