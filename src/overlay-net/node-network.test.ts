import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, SystemClock, silentLogger } from "../base/index.js";
import { SimulatedKernel } from "./kernel/simulated-kernel.js";
import { NodeNetwork } from "./node-network.js";

const NODE_ID = "abcdefgh0123456789abcdefg";
let dir: string;
let kernel: SimulatedKernel;
/** Timers fire when the test says so. */
let timers: (() => void)[];

class HeldClock extends SystemClock {
  override setTimer(_delayMs: number, callback: () => void): () => void {
    timers.push(callback);
    return () => {
      timers = timers.filter((timer) => timer !== callback);
    };
  }
}
const clock: Clock = new HeldClock();

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "swarm-net-"));
  kernel = new SimulatedKernel();
  timers = [];
});
afterEach(() => rm(dir, { recursive: true }));

function open(): Promise<NodeNetwork> {
  return NodeNetwork.open(kernel, {
    nodeId: NODE_ID,
    gwbridgePool: "172.20.0.0/14",
    stateFile: join(dir, "net-state.json"),
    logger: silentLogger,
    clock,
    spareCount: 2,
  });
}

test("the bridge's subnet is chosen clear of the host's routes", async () => {
  kernel.hostRoutes = ["172.20.0.0/20"];
  expect((await open()).subnet).toBe("172.20.16.0/20");
});

test("a pool that is full of routes is refused with the routes and the flag named", async () => {
  kernel.hostRoutes = ["172.16.0.0/12"];
  await expect(open()).rejects.toThrow(/172\.16\.0\.0\/12; choose another --gwbridge-pool/);
});

test("attaching twice gives the same namespace and address", async () => {
  const network = await open();
  const [first, second] = await Promise.all([
    network.attach("c1", "default", []),
    network.attach("c1", "default", []),
  ]);
  expect(second).toEqual(first);
  expect(first.address).toBe("172.20.0.2");
});

test("a port chosen by the node is held, translated, and free again after release", async () => {
  const network = await open();
  const attachment = await network.attach("c1", "default", [
    { protocol: "tcp", targetPort: 80, publishedPort: 0 },
  ]);
  const port = attachment.hostPorts[0]?.publishedPort ?? 0;
  expect(port).toBeGreaterThan(0);
  expect(kernel.ruleset).toContain(
    `h_tcp_${port} {\n    meta l4proto tcp dnat ip to ${attachment.address}:80`,
  );
  await expect(listen(port)).rejects.toThrow("EADDRINUSE");
  await network.release("c1");
  expect(kernel.ruleset).not.toContain(`tcp_${port}`);
  (await listen(port)).close();
});

test("a published port that another program holds is refused by name and leaves nothing behind", async () => {
  const network = await open();
  const other = await listen(0);
  const { port } = other.address() as { port: number };
  await expect(
    network.attach("c1", "default", [{ protocol: "tcp", targetPort: 80, publishedPort: port }]),
  ).rejects.toThrow(`port ${port}/tcp is held by another program`);
  expect(network.attachments).toEqual([]);
  expect([...kernel.netns.keys()]).toEqual(["swarm-abcdefgh-host"]);
  other.close();
});

test("after a restart attachments and their addresses are known, and the next address is another one", async () => {
  const before = await (await open()).attach("c1", "default", []);
  const network = await open();
  expect(network.attachments).toEqual([before]);
  expect((await network.attach("c2", "default", [])).address).not.toBe(before.address);
});

test("a damaged state file is not believed", async () => {
  await (await open()).attach("c1", "default", []);
  const file = join(dir, "net-state.json");
  await writeFile(file, (await readFile(file, "utf8")).replace("172.20.0.2", "172.20.0.9"));
  const network = await open();
  expect(network.attachments).toEqual([]);
  // c1 still runs with its address: nobody else gets it.
  expect((await network.attach("c2", "default", [])).address).toBe("172.20.0.3");
});

test("sync releases what is not wanted, also namespaces nobody remembers", async () => {
  const network = await open();
  await network.attach("c1", "default", []);
  await network.attach("c2", "none", []);
  await kernel.addNetns("swarm-abcdefgh-lost");
  await kernel.addNetns("swarm-otherone-c9");
  expect(await network.sync(["c1"])).toEqual(["c2", "lost"]);
  expect([...kernel.netns.keys()].sort()).toEqual([
    "swarm-abcdefgh-c1",
    "swarm-abcdefgh-host",
    "swarm-otherone-c9",
  ]);
});

async function quietMoment(until = 'spare3"'): Promise<void> {
  for (const timer of timers.splice(0)) timer();
  while (!(await readFile(join(dir, "net-state.json"), "utf8")).includes(until)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function storedSpares(): Promise<number> {
  const [, body = "{}"] = (await readFile(join(dir, "net-state.json"), "utf8")).split("\n");
  return (JSON.parse(body) as { spares?: unknown[] }).spares?.length ?? 0;
}

test("endpoints made ahead are given out first, and are not taken for strays", async () => {
  const network = await open();
  await quietMoment();
  expect(await network.sync([])).toEqual([]);
  const given = await network.attach("c1", "default", []);
  expect(given.netnsPath).toContain("spare2");
  expect(given.address).toBe("172.20.0.2");
  await network.release("c1");
  expect([...kernel.netns.keys()].filter((name) => name.includes("spare2"))).toEqual([]);
});

test("without its state file a restart still finds whose endpoint is whose", async () => {
  const network = await open();
  await quietMoment();
  const before = await network.attach("c1", "default", []);
  await quietMoment('spare4"');
  await rm(join(dir, "net-state.json"));
  const again = await open();
  await again.sync(["c1"]);
  expect(await again.attach("c1", "default", [])).toEqual(before);
});

test("endpoints made ahead after a restart leave those of living containers alone", async () => {
  const attached = new Map<string, string>();
  for (const [round, ids] of [["c1"], ["c2", "c3"], ["c4"], ["c5", "c6", "c7"]].entries()) {
    const network = await open();
    for (const timer of timers.splice(0)) timer();
    // The file names all spares: this process has nothing more under way when the next one opens.
    while ((await storedSpares()) < 2) await new Promise((resolve) => setImmediate(resolve));
    for (const id of ids) {
      const { netnsPath, address } = await network.attach(id, "default", []);
      attached.set(netnsPath.replace("/run/netns/", ""), address);
    }
    // The last to come leaves: counts of the past come again.
    if (round === 1) {
      await network.release("c3");
      attached.delete([...attached.keys()].at(-1) ?? "");
    }
  }
  expect(attached.size).toBe(6);
  for (const [netns, address] of attached)
    expect(kernel.netns.get(netns)?.address).toBe(`${address}/20`);
});

test("endpoints made ahead are known after a restart and gone when the node leaves", async () => {
  await open();
  await quietMoment();
  const network = await open();
  expect((await network.attach("c1", "default", [])).netnsPath).toContain("spare2");
  await network.removeAll();
  expect([...kernel.netns.keys()]).toEqual([]);
});

test("a node that leaves while an endpoint is made ahead leaves nothing of it", async () => {
  const network = await open();
  const addEndpoint = kernel.addEndpoint.bind(kernel);
  const steps: string[] = [];
  kernel.addEndpoint = async (endpoint) => {
    steps.push("begun");
    await new Promise((resolve) => setImmediate(resolve));
    await addEndpoint(endpoint);
    steps.push("made");
  };
  for (const timer of timers.splice(0)) timer();
  expect(steps).toEqual(["begun"]);
  await network.removeAll();
  expect(steps).toEqual(["begun", "made"]);
  expect([...kernel.netns.keys()]).toEqual([]);
});

test("host network is this process's namespace under a lasting name and survives a release", async () => {
  const network = await open();
  const attachment = await network.attach("c1", "host", []);
  expect(attachment.netnsPath).toBe("/run/netns/swarm-abcdefgh-host");
  await network.release("c1");
  expect(kernel.netns.has("swarm-abcdefgh-host")).toBe(true);
});

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => resolve(server));
  });
}

test("links are mended with the addresses they had, those that are nobody's any more are not", async () => {
  const network = await open();
  const { netns, address } = await network.attach("c1", "default", []);
  await network.attach("c2", "none", []);
  expect(network.links).toMatchObject({ bridge: network.bridge, address: `${network.gateway}/20` });
  expect(network.links.endpoints.map((one) => one.netns)).toEqual([netns]);
  kernel.bridges.clear();
  await network.repairLinks([netns, "swarm-abcdefgh-gone"]);
  expect([...kernel.bridges]).toEqual([[network.bridge, network.links.address]]);
  const [expected] = network.links.endpoints;
  expect(kernel.repaired).toEqual([
    expect.objectContaining({
      ...expected,
      ...{ bridge: network.bridge, gateway: network.gateway, address: `${address}/20` },
    }),
  ]);
});

const RESOLVER = { dnsServers: ["9.9.9.9"], ndots: 0 };

test("a running container joins networks and leaves them; its other interfaces keep their names, also over a restart", async () => {
  const network = await open();
  await network.attach("c1", "default", [], {
    ...{ taskId: "t1", networkIds: ["net1"], dnsServers: [], ndots: 0, isInternalOnly: false },
  });
  const join = (networkId: string, taskId: string) =>
    network.join("c1", { networkId, taskId }, RESOLVER);
  await join("net2", "t2");
  await join("net3", "t3");
  expect(await join("net2", "t2")).toEqual(await join("net3", "t3"));
  await network.leave("c1", "t2");
  const joined = [{ networkId: "net3", taskId: "t3", place: 2 }];
  const reopened = await open();
  expect(reopened.attachments).toMatchObject([{ overlay: { networkIds: ["net1"], joined } }]);
  const after = await reopened.join("c1", { networkId: "net4", taskId: "t4" }, RESOLVER);
  expect(after.overlay?.joined).toContainEqual({ networkId: "net4", taskId: "t4", place: 1 });
});

test("a container that was on no network keeps the resolver that it gets with its first one", async () => {
  const network = await open();
  await network.attach("c1", "default", []);
  await network.join("c1", { networkId: "net2", taskId: "t2" }, RESOLVER);
  await network.leave("c1", "t2");
  expect(network.attachments).toMatchObject([
    { overlay: { taskId: "", networkIds: [], joined: [], ...RESOLVER, isInternalOnly: false } },
  ]);
});

test.each(["host", "none"] as const)(
  "a container in mode %s joins nothing, nor does one that is not there",
  async (mode) => {
    const network = await open();
    await network.attach("c1", mode, []);
    for (const id of ["c1", "c2"])
      await expect(network.join(id, { networkId: "n", taskId: "t" }, RESOLVER)).rejects.toThrow(
        `container ${id} has no network of its own here`,
      );
    expect(await network.leave("c1", "t")).toBe(undefined);
    expect(await network.leave("c2", "t")).toBe(undefined);
  },
);
