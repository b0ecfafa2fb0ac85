import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { makeWorld } from "./testing/world.js";

type Info = {
  readonly Swarm: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
};

const RECORDED = readFileSync(new URL("./testdata/engine-api-20.10.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as { what: string; response: { body: Info } });

function recordedInfo(what: string): Info {
  const found = RECORDED.find((recording) => recording.what === what);
  if (found === undefined) throw new Error(`no recording ${what}`);
  return found.response.body;
}

describe("_ping", () => {
  test.each([
    { isManager: true, state: "active", header: "active/manager" },
    { isManager: false, state: "active", header: "active/worker" },
    { isManager: false, state: "inactive", header: "inactive" },
    { isManager: false, state: "locked", header: "locked" },
  ] as const)("says $header", async ({ isManager, state, header }) => {
    await using world = await makeWorld({ isManager, local: { state } });
    const answer = await world.call("HEAD", "/_ping");
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      swarm: header,
      "api-version": "1.50",
      ostype: "linux",
      "docker-experimental": "false",
      "builder-version": "1",
      server: "Docker/0.1.0 (linux)",
    });
  });
});

describe("/info", () => {
  /** Facts of one engine that ours does not have, and clients do not read. */
  const GONE = ["KernelMemory", "KernelMemoryTCP", "BridgeNfIptables", "BridgeNfIp6tables"];

  test.each([
    { what: "info manager", isManager: true },
    { what: "info worker", isManager: false },
  ])("has the recorded keys: $what", async ({ what, isManager }) => {
    await using world = await makeWorld({ isManager });
    const { json } = await world.call("GET", "/v1.41/info");
    const recorded = recordedInfo(what);
    const wanted = Object.keys(recorded).filter((key) => !GONE.includes(key));
    expect(Object.keys(json as Info)).toEqual(expect.arrayContaining(wanted));
    const { Swarm: swarm } = json as Info;
    expect(Object.keys(swarm).sort()).toEqual(Object.keys(recorded.Swarm).sort());
    expect(swarm).toMatchObject({
      LocalNodeState: "active",
      ControlAvailable: isManager,
      Error: "",
    });
  });

  test("a manager shows all managers of the store, a worker those it was told of", async () => {
    const shown = async (isManager: boolean): Promise<unknown> => {
      await using world = await makeWorld({ isManager });
      const { json } = await world.call("GET", "/info");
      return (json as Info).Swarm["RemoteManagers"];
    };
    expect(await shown(true)).toHaveLength(3);
    expect(await shown(false)).toEqual([{ NodeID: expect.any(String), Addr: "10.98.0.1:2377" }]);
  });

  test("never shows the join tokens", async () => {
    await using world = await makeWorld();
    expect((await world.call("GET", "/info")).text).not.toContain("SWMTKN");
  });

  test("answers without a leader", async () => {
    await using world = await makeWorld();
    world.cluster.read = () => new Promise(() => undefined);
    const { json } = await world.call("GET", "/info");
    expect((json as Info).Swarm["ControlAvailable"]).toBe(true);
  });

  test("adds what the worker knows, and its problems", async () => {
    await using world = await makeWorld({
      worker: (_request, response) => {
        response.end(
          JSON.stringify({
            containers: { total: 3, running: 2, paused: 0, stopped: 1 },
            images: 4,
            ncpu: 8,
            engine: { kind: "containerd", version: "2.0", problems: ["containerd is away"] },
            net: { problems: [] },
          }),
        );
      },
    });
    const { json } = await world.call("GET", "/info");
    expect(json).toMatchObject({
      Containers: 3,
      ContainersRunning: 2,
      ContainersStopped: 1,
      Images: 4,
      NCPU: 8,
      Warnings: ["WARNING: containerd is away"],
    });
  });

  test.each([
    { name: "crun", says: { kind: "containerd", runtime: "crun" }, runtime: "crun" },
    { name: "runc", says: { kind: "containerd", runtime: "runc" }, runtime: "runc" },
  ])("names the program that runs containers: $name", async ({ says, runtime }) => {
    await using world = await makeWorld({
      worker: (_request, response) => {
        response.end(JSON.stringify({ engine: says }));
      },
    });
    const { json } = await world.call("GET", "/info");
    expect(json).toMatchObject({ DefaultRuntime: runtime });
    expect((json as Info)["Runtimes"]).toEqual({ [runtime]: { path: runtime } });
  });

  test.each([
    { engine: "containerd", runtimes: {}, runtime: "" },
    { engine: "simulated", runtimes: { simulated: {} }, runtime: "simulated" },
  ] as const)("claims no runtime that it does not know: $engine", async (row) => {
    await using world = await makeWorld({ engine: row.engine });
    const { json } = await world.call("GET", "/info");
    expect(json).toMatchObject({ DefaultRuntime: row.runtime });
    expect((json as Info)["Runtimes"]).toEqual(row.runtimes);
  });

  test("says that the engine is simulated", async () => {
    await using world = await makeWorld({ engine: "simulated" });
    const { json } = await world.call("GET", "/info");
    expect(json).toMatchObject({ Engine: "simulated", ServerVersion: "0.1.0 (engine: simulated)" });
    await world.call("POST", "/services/create", {
      Name: "web",
      TaskTemplate: { ContainerSpec: { Image: "bb" } },
    });
    const services = await world.call("GET", "/services");
    expect(services.json).toMatchObject([{ Engine: "simulated" }]);
  });

  test("tells reason and remedy of a manager that cannot run", async () => {
    const error =
      "the write-ahead log is damaged: restore it, or leave with --force and join again";
    await using world = await makeWorld({ isManager: false, local: { state: "error", error } });
    const { json } = await world.call("GET", "/info");
    expect((json as Info).Swarm).toMatchObject({ LocalNodeState: "error", Error: error });
    const refused = await world.call("GET", "/services");
    expect(refused.status).toBe(503);
    expect(refused.json).toEqual({ message: `This node is not a swarm manager. ${error}` });
  });
});

test("a manager that runs on with an expired certificate says so on every cluster route", async () => {
  const error = "swarm certificates have expired: join again";
  await using world = await makeWorld({ local: { state: "error", error } });
  const { json } = await world.call("GET", "/info");
  expect((json as Info).Swarm).toMatchObject({ LocalNodeState: "error", Error: error });
  const refused = await world.call("GET", "/services");
  expect(refused).toMatchObject({
    status: 503,
    json: { message: `This node is not a swarm manager. ${error}` },
  });
});

describe("cluster routes where there is no manager", () => {
  test.each([
    {
      state: "active",
      message:
        "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or promote the current node to a manager.",
    },
    {
      state: "inactive",
      message:
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
    },
    {
      state: "locked",
      message:
        'Swarm is encrypted and needs to be unlocked before it can be used. Please use "docker swarm unlock" to unlock it.',
    },
  ] as const)("$state", async ({ state, message }) => {
    await using world = await makeWorld({ isManager: false, local: { state } });
    for (const path of [
      "/swarm",
      "/nodes",
      "/services",
      "/tasks/x",
      "/secrets",
      "/services/x/logs",
    ]) {
      const answer = await world.call("GET", path);
      expect([path, answer.status, answer.json]).toEqual([path, 503, { message }]);
    }
  });
});

test.each([
  { method: "POST", path: "/configs/create", message: "POST /configs/create is not supported yet" },
  { method: "GET", path: "/system/df", message: "GET /system/df is not supported yet" },
])("$method $path is refused by name", async ({ method, path, message }) => {
  await using world = await makeWorld();
  const answer = await world.call(method, path, method === "POST" ? {} : undefined);
  expect(answer).toMatchObject({ status: 501, json: { message } });
});

test("an old client gets its complaint as plain text", async () => {
  await using world = await makeWorld();
  const answer = await world.call("GET", "/v1.20/info");
  expect(answer.status).toBe(400);
  expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
  expect(answer.text).toBe(
    "client version 1.20 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version\n",
  );
});

test("a failure nobody expected is a 500 with its text", async () => {
  await using world = await makeWorld();
  world.cluster.read = () => Promise.reject(new Error("broken"));
  const answer = await world.call("GET", "/nodes");
  expect(answer).toMatchObject({ status: 500, json: { message: "broken" } });
});

test("metrics count what the store holds", async () => {
  await using world = await makeWorld();
  world.cluster.tick(60);
  const answer = await world.call("GET", "/metrics");
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('swarm_nodes{state="ready"} 5');
  expect(answer.text).toContain("swarm_manager_leader 1");
  expect(answer.text).toContain("swarm_raft_term 3");
  expect(answer.text).toContain("swarm_network_late_nodes_total 2");
  expect(answer.text).toContain('swarm_raft_tick_lateness_seconds_bucket{le="0.05"} 0');
  expect(answer.text).toContain('swarm_raft_tick_lateness_seconds_bucket{le="0.075"} 1');
  expect(answer.text).toContain("process_resident_memory_bytes");
});
