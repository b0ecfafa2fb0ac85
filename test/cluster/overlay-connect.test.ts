/** Running containers are put on attachable networks and taken off again, by the stock client and by ours, on the node that has them. */
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiTask } from "../../src/cli/api-types.js";
import { ClientError } from "../../src/cli/client.js";
import { HTTPD, inTask, on, pageFrom, pidOf, removeNetworks, startTool } from "./on-networks.js";
import {
  api,
  create,
  docker,
  eventually,
  healthy,
  isAlive,
  kill,
  leader,
  managers,
  node,
  reset,
  startWhatDoesNotRun,
  status,
  swarm,
  type TestNode,
  tasks,
  untilRunning,
} from "./playground.js";

const NETWORKS = ["app", "base", "closed", "tiny"];
const SUBNET = "10.213.0.0/24";
/** 5 × the 2 s within which names are answered again. */
const NAMES_MS = 10_000;

async function clean(): Promise<void> {
  const manager = await leader();
  const listed = await swarm(manager, "task", "ls", "--quiet");
  for (const id of listed.stdout.split("\n").filter((line) => line !== ""))
    await swarm(manager, "task", "rm", id);
  await reset();
  await removeNetworks(NETWORKS);
}

beforeEach(clean);
afterEach(clean);

async function makeNetwork(name: string, ...flags: readonly string[]): Promise<void> {
  const made = await docker(await leader(), "network", "create", "-d", "overlay", ...flags, name);
  expect(made).toMatchObject({ code: 0 });
}

function hostOf(task: ApiTask): TestNode {
  const host = status().nodes.find(({ nodeId }) => nodeId === task.NodeID);
  if (host === undefined) throw new Error(`task ${task.ID} is on no node`);
  return node(host.name);
}

async function one(service: string): Promise<ApiTask> {
  const [task] = await untilRunning(await leader(), service, 1);
  if (task === undefined) throw new Error(`${service} has no task`);
  return task;
}

type Endpoint = { readonly IPAddress: string; readonly Aliases: readonly string[] | null };

/** Of `docker inspect` on the container's node. */
async function networksOf(task: ApiTask): Promise<Readonly<Record<string, Endpoint>>> {
  const shown = await docker(hostOf(task), "inspect", task.ID);
  const [container] = JSON.parse(shown.stdout) as {
    NetworkSettings: { Networks: Record<string, Endpoint> };
  }[];
  return container?.NetworkSettings.Networks ?? {};
}

/** Attachments of the cluster that are no containers. */
async function attachments(): Promise<readonly ApiTask[]> {
  const all = await tasks(await leader(), { runtime: ["attachment"] });
  return all.filter(({ Spec }) => Spec.ContainerSpec === undefined);
}

function links(task: ApiTask): readonly string[] {
  return inTask(task, "ls", "/sys/class/net").trim().split(/\s+/).sort();
}

test("a service's container gets a network with address and names, and all tasks there know them; off it, nobody does", async () => {
  const manager = await leader();
  await makeNetwork("app", "--attachable", "--subnet", SUBNET);
  await makeNetwork("base");
  await create(manager, "web", { ...on("app"), replicas: 5, command: HTTPD });
  await create(manager, "peer", { ...on("base"), command: HTTPD });
  await create(manager, "solo", { ...on("base"), command: HTTPD });
  const webs = await untilRunning(manager, "web", 5);
  await one("peer");
  const solo = await one("solo");
  const host = hostOf(solo);
  const before = links(solo);
  const target = (await docker(host, "ps", "-q", "--filter", "name=solo")).stdout.trim();

  expect(
    await docker(
      host,
      ...["network", "connect", "--alias", "db", "--ip", "10.213.0.77", "app", target],
    ),
  ).toEqual({ code: 0, stdout: "", stderr: "" });
  // Answered means announced: addresses reach each other at once, wherever they are.
  for (const web of webs) inTask(web, "ping", "-c", "1", "-W", "2", "10.213.0.77");
  for (const web of webs)
    for (const name of ["db", target, "db.app"])
      await eventually(`${name} answers on ${hostOf(web).name}`, NAMES_MS, () =>
        pageFrom(web, name),
      );
  await eventually("web answers solo", NAMES_MS, () => pageFrom(solo, "web"));
  // The network of its start is as it was.
  expect(pageFrom(solo, "peer")).not.toBe("");
  expect(links(solo)).toEqual([...before, "eth2"].sort());
  expect(await networksOf(solo)).toMatchObject({
    base: {},
    app: { IPAddress: "10.213.0.77", Aliases: ["db"] },
  });
  if (host.role === "manager") {
    const inspected = await docker(host, "network", "inspect", "app");
    const [shown] = JSON.parse(inspected.stdout) as { Containers: Record<string, object> }[];
    expect(Object.values(shown?.Containers ?? {})).toContainEqual(
      expect.objectContaining({ IPv4Address: "10.213.0.77/24" }),
    );
  }
  expect(await docker(host, "network", "connect", "app", target)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is already attached to network app") as string,
  });
  expect((await swarm(manager, "network", "verify", "app")).code).toBe(0);

  expect(await docker(host, "network", "disconnect", "app", target)).toEqual({
    ...{ code: 0, stdout: "", stderr: "" },
  });
  expect(links(solo)).toEqual(before);
  for (const web of webs)
    await eventually(`db is gone on ${hostOf(web).name}`, NAMES_MS, () => {
      try {
        inTask(web, "nslookup", "db.app");
        return false;
      } catch {
        return true;
      }
    });
  expect(pageFrom(solo, "peer")).not.toBe("");
  await eventually(
    "no attachment is left",
    NAMES_MS,
    async () => (await attachments()).length === 0,
  );
  expect(pidOf(await one("solo"))).toBe(pidOf(solo));
}, 120_000);

test("a container that was on no network gets the resolver with its first; ours connects with the same words", async () => {
  const manager = await leader();
  await makeNetwork("app", "--attachable");
  await create(manager, "web", { ...on("app"), replicas: 2, command: HTTPD });
  await create(manager, "plain", { command: HTTPD });
  const [web] = await untilRunning(manager, "web", 2);
  const plain = await one("plain");
  const host = hostOf(plain);
  expect(inTask(plain, "cat", "/etc/resolv.conf")).not.toContain("127.0.0.11");
  const connected = await swarm(host, "network", "connect", "--alias", "box", "app", plain.ID);
  expect(connected).toMatchObject({ code: 0, stderr: "" });
  await eventually("web answers plain", NAMES_MS, () => pageFrom(plain, "web"));
  await eventually("plain answers web", NAMES_MS, () => web && pageFrom(web, "box"));
  const left = await swarm(host, "network", "disconnect", "--force", "app", plain.ID);
  expect(left).toMatchObject({ code: 0, stderr: "" });
  expect(await networksOf(plain)).not.toHaveProperty("app");
}, 90_000);

test("a container outside services joins a second network, and leaves with it when it is removed", async () => {
  const manager = await leader();
  const host = node("w1");
  await makeNetwork("app", "--attachable");
  await makeNetwork("base", "--attachable");
  await create(manager, "web", { ...on("base"), command: HTTPD });
  const web = await one("web");
  await startTool(manager, "app");
  expect(await docker(host, "network", "connect", "base", "tool")).toMatchObject({ code: 0 });
  await eventually("tool answers web", NAMES_MS, () => pageFrom(web, "tool"));
  expect((await swarm(manager, "task", "ls", "--quiet")).stdout.trim().split("\n")).toHaveLength(1);
  expect(await docker(host, "network", "disconnect", "app", "tool")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("swarm task rm") as string,
  });
  expect(await swarm(manager, "task", "rm", "tool")).toMatchObject({ code: 0 });
  await eventually("it is on no network any more", 20_000, async () => {
    const left = await tasks(manager, { runtime: ["attachment"] });
    return left.length === 0;
  });
}, 90_000);

test("it is one task's alone: its replacement does not have it", async () => {
  const manager = await leader();
  await makeNetwork("app", "--attachable", "--subnet", SUBNET);
  await create(manager, "solo", { command: HTTPD });
  const solo = await one("solo");
  const connect = ["network", "connect", "--ip", "10.213.0.77", "app"];
  expect(await docker(hostOf(solo), ...connect, solo.ID)).toMatchObject({ code: 0 });
  process.kill(pidOf(solo), "SIGKILL");
  const next = await eventually("it is replaced", 30_000, async () => {
    const task = await one("solo");
    return task.ID === solo.ID ? undefined : task;
  });
  await eventually(
    "nothing is left of it",
    NAMES_MS,
    async () => (await attachments()).length === 0,
  );
  expect(await networksOf(next)).not.toHaveProperty("app");
  // Freed like any other address: it rests.
  expect(await docker(hostOf(next), ...connect, next.ID)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("freed less than 60 s ago") as string,
  });
}, 90_000);

test("it outlives net, worker, the managers with their leader, and containerd", async () => {
  const manager = await leader();
  await makeNetwork("app", "--attachable", "--subnet", SUBNET);
  await create(manager, "web", { ...on("app"), replicas: 5, command: HTTPD });
  await create(manager, "solo", { command: HTTPD });
  const webs = await untilRunning(manager, "web", 5);
  const solo = await one("solo");
  const host = hostOf(solo);
  const connect = ["network", "connect", "--alias", "db", "--ip", "10.213.0.77", "app"];
  expect(await docker(host, ...connect, solo.ID)).toMatchObject({ code: 0 });
  const link = inTask(solo, "cat", "/sys/class/net/eth1/ifindex");
  const works = async (after: string): Promise<void> => {
    for (const web of webs)
      await eventually(`db answers after ${after}`, NAMES_MS, () => pageFrom(web, "db"));
    await eventually(`web answers after ${after}`, NAMES_MS, () => pageFrom(solo, "web"));
    expect(inTask(solo, "cat", "/sys/class/net/eth1/ifindex")).toBe(link);
  };
  await works("nothing");
  for (const what of ["net", "worker"] as const) {
    const pid = node(host.name).pids[what];
    kill(pid);
    await eventually(`${what} is back`, 30_000, () => {
      const now = node(host.name).pids[what];
      return now !== null && now !== pid;
    });
    await healthy();
    await works(what);
  }
  const text = readFileSync("/run/swarm-playground/playground.json", "utf8");
  const { containerd } = JSON.parse(text) as { containerd: { pid: number } };
  process.kill(containerd.pid, "SIGKILL");
  await eventually("containerd is gone", 5_000, () => !isAlive(containerd.pid));
  await startWhatDoesNotRun();
  await healthy();
  await works("containerd");
  for (const each of managers()) kill(each.pids.front);
  await startWhatDoesNotRun();
  await healthy();
  await works("the managers");
  expect(await networksOf(solo)).toMatchObject({ app: { IPAddress: "10.213.0.77" } });
  await eventually("no node drifts", 50_000, async () => {
    const verified = await swarm(await leader(), "network", "verify", "app");
    if (verified.code !== 0) throw new Error(verified.stdout);
    return true;
  });
  expect(await docker(host, "network", "disconnect", "app", solo.ID)).toMatchObject({ code: 0 });
  expect(await networksOf(solo)).not.toHaveProperty("app");
}, 240_000);

test("what cannot be is refused with the Engine's status and words, and leaves nothing", async () => {
  const manager = await leader();
  await makeNetwork("app", "--attachable", "--subnet", SUBNET);
  await makeNetwork("closed");
  // Gateway, two containers, their network's own addresses.
  await makeNetwork("tiny", "--attachable", "--subnet", "10.214.0.0/30");
  await create(manager, "solo", { command: HTTPD });
  await create(manager, "full", { ...on("tiny"), rest: { EndpointSpec: { Mode: "dnsrr" } } });
  await create(manager, "onhost", on("host"));
  const solo = await one("solo");
  const onHost = await one("onhost");
  await one("full");
  const refused = async (task: ApiTask, network: string, verb = "connect", config?: object) => {
    const body = { Container: task.ID, ...(config && { EndpointConfig: config }) };
    const path = `/networks/${network}/${verb}`;
    const error = await api(hostOf(task))
      .call("POST", path, { body })
      .then(
        () => undefined,
        (caught: unknown) => caught,
      );
    if (!(error instanceof ClientError))
      throw new Error(`${path} was not refused`, { cause: error });
    return [error.status, error.message] as const;
  };
  const ip = (IPv4Address: string) => ({ IPAMConfig: { IPv4Address } });
  const { Id: appId } = await api(manager).call<{ Id: string }>("GET", "/networks/app");
  const rows: (readonly [Promise<readonly [number, string]>, number, string])[] = [
    [refused(solo, "nope"), 404, "network nope not found"],
    [refused({ ...solo, ID: "nope" }, "app"), 404, "No such container: nope"],
    [refused(solo, "closed"), 403, "network closed not manually attachable"],
    [refused(solo, "ingress"), 403, "network ingress not manually attachable"],
    [refused(solo, "host"), 400, "connected to host network"],
    [refused(solo, "none"), 400, "in private (none) mode"],
    [refused(solo, "bridge"), 403, "already exists in network bridge"],
    [refused(onHost, "app"), 400, "container sharing network namespace"],
    [refused(solo, "tiny"), 500, "no free address in 10.214.0.0/30"],
    [refused(solo, "app", "connect", ip("10.9.9.9")), 400, "no configured subnet contains"],
    [refused(solo, "app", "connect", ip("10.213.0.1")), 403, "Address already in use"],
    [refused(solo, "app", "connect", { MacAddress: "02:42:ac:11:00:02" }), 501, "MacAddress"],
    [refused(solo, "app", "disconnect"), 500, "is not connected to network app"],
    [refused(solo, "nope", "disconnect"), 404, "network nope not found"],
  ];
  for (const [answer, code, words] of rows)
    expect(await answer).toEqual([code, expect.stringContaining(words)]);
  await eventually("nothing is left", NAMES_MS, async () => (await attachments()).length === 0);
  // By the network's id, as scripts have it.
  await api(hostOf(solo)).call("POST", `/networks/${appId}/connect`, {
    body: { Container: solo.ID },
  });
  expect(await refused(solo, "app")).toEqual([409, expect.stringContaining("already attached")]);
  expect(await docker(manager, "network", "rm", "app")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("is in use by task") as string,
  });
}, 120_000);
