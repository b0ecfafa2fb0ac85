import { expect, test } from "vitest";
import { doorError } from "../base/index.js";
import { makeWorld } from "./testing/world.js";

test.each([
  { path: "/swarm/init", body: { ListenAddr: "0.0.0.0:2377" }, op: "init" },
  { path: "/swarm/join", body: { RemoteAddrs: ["10.0.0.1:2377"], JoinToken: "t" }, op: "join" },
  { path: "/swarm/leave?force=1", body: undefined, op: "leave" },
  { path: "/swarm/unlock", body: { UnlockKey: "k" }, op: "unlock" },
])("$op goes to the supervisor and closes the connection", async ({ path, body, op }) => {
  await using world = await makeWorld({ isManager: false });
  const answer = await world.call("POST", path, body);
  expect(answer.status).toBe(200);
  expect(answer.headers.connection).toBe("close");
  expect(answer.json).toBe(op === "init" ? world.cluster.nodeId : undefined);
  expect(world.membership).toMatchObject([{ op }]);
});

test("forcing a new cluster goes to the supervisor; what the cluster has already is refused here", async () => {
  await using world = await makeWorld({ isManager: false });
  const forced = { ForceNewCluster: true, AdvertiseAddr: "10.0.0.1" };
  expect(await world.call("POST", "/swarm/init", forced)).toMatchObject({
    status: 200,
    headers: { connection: "close" },
  });
  expect(world.membership).toMatchObject([{ op: "init", body: forced }]);
  const refused = await world.call("POST", "/swarm/init", { ...forced, SubnetSize: 16 });
  expect(refused).toMatchObject({
    status: 400,
    json: { message: expect.stringContaining("SubnetSize cannot be set") as string },
  });
  expect(world.membership).toHaveLength(1);
});

test.each([
  { path: "/swarm/leave", force: false },
  { path: "/swarm/leave?force=1", force: true },
  { path: "/swarm/leave?force=False", force: false },
])("$path", async ({ path, force }) => {
  await using world = await makeWorld();
  await world.call("POST", path);
  expect(world.membership).toEqual([{ op: "leave", body: { force } }]);
});

test("what a node that left could not do is told, and only then is there a body", async () => {
  const leave = async (warnings: readonly string[]): Promise<unknown> => {
    await using world = await makeWorld({ deps: { membership: async () => ({ warnings }) } });
    const { status, json } = await world.call("POST", "/swarm/leave?force=1");
    return { status, json };
  };
  const warning = "the node's networks are not removed yet: timed out";
  expect(await leave([warning])).toEqual({ status: 200, json: { Warnings: [warning] } });
  expect(await leave([])).toEqual({ status: 200, json: undefined });
});

test("the unlock key is shown while there is one", async () => {
  await using world = await makeWorld();
  const shown = async (): Promise<unknown> => (await world.call("GET", "/swarm/unlockkey")).json;
  const lock = async (isOn: boolean, query = ""): Promise<number> => {
    const { Spec, Version } = (await world.call("GET", "/swarm")).json as {
      Spec: object;
      Version: { Index: number };
    };
    const spec = { ...Spec, EncryptionConfig: { AutoLockManagers: isOn } };
    const path = `/swarm/update?version=${Version.Index}${query}`;
    return (await world.call("POST", path, spec)).status;
  };
  expect(await shown()).toEqual({ UnlockKey: "" });
  expect(await lock(true)).toBe(200);
  const UnlockKey = expect.stringMatching(/^SWMKEY-1-/) as unknown;
  expect(await shown()).toEqual({ UnlockKey });
  expect(await lock(true, "&rotateManagerUnlockKey=true")).toBe(200);
  expect(await lock(false)).toBe(200);
  expect(await shown()).toEqual({ UnlockKey: "" });
  expect(await lock(false, "&rotateManagerUnlockKey=true")).toBe(400);
});

test("the supervisor's refusal is passed on as it is", async () => {
  const message =
    'This node is already part of a swarm. Use "docker swarm leave" to leave this swarm and join another one.';
  await using world = await makeWorld({
    deps: { membership: () => Promise.reject(doorError("Unavailable", message)) },
  });
  const answer = await world.call("POST", "/swarm/init", {});
  expect(answer).toMatchObject({ status: 503, json: { message } });
});

test("an update of the cluster needs a version and strict flags", async () => {
  await using world = await makeWorld();
  const cluster = await world.call("GET", "/swarm");
  const { Spec: spec, Version: version } = cluster.json as {
    Spec: { Orchestration: object };
    Version: { Index: number };
  };
  const changed = { ...spec, Orchestration: { TaskHistoryRetentionLimit: 3 } };
  const bad = await world.call(
    "POST",
    `/swarm/update?version=${version.Index}&rotateWorkerToken=maybe`,
    changed,
  );
  expect(bad).toMatchObject({
    status: 400,
    json: { message: "invalid value for rotateWorkerToken: maybe" },
  });
  const good = await world.call("POST", `/swarm/update?version=${version.Index}`, changed);
  expect(good).toMatchObject({ status: 200, text: "" });
  const stale = await world.call("POST", "/swarm/update?version=0", spec);
  expect(stale).toMatchObject({
    status: 500,
    json: { message: "rpc error: code = Unknown desc = update out of sequence" },
  });
});
