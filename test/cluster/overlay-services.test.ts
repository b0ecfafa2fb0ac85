/** Services on overlay networks, as their users meet them: by name, by address, from outside, and apart from each other. */
import { existsSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiTask } from "../../src/cli/api-types.js";
import { startLoad } from "./load.js";
import {
  HTTPD,
  makeNetworks,
  on,
  PAGE_ENV,
  pageFrom,
  pidOf,
  removeNetworks,
  taskIn,
  vipOf,
} from "./on-networks.js";
import {
  create,
  docker,
  eventually,
  fetchFrom,
  IS_SOAK,
  leader,
  reset,
  runningTasks,
  type ServiceOptions,
  status,
  swarm,
  type TestNode,
  untilRunning,
} from "./playground.js";

const NETWORKS = ["app", "apart"];
const PORT = 8_181;
/** Between a client's requests: load, but no contest for this machine's cores. */
const PAUSE_MS = 8;
const ROUNDS = IS_SOAK ? 20 : 1;

beforeEach(reset);
afterEach(async () => {
  await reset();
  await removeNetworks(NETWORKS);
});

/** On the network "app", and on every node's PORT. */
function published(replicas: number): ServiceOptions {
  return {
    ...on("app"),
    replicas,
    rest: {
      EndpointSpec: {
        Mode: "vip",
        Ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: PORT, PublishMode: "ingress" }],
      },
    },
  };
}

async function web(manager: TestNode, replicas: number): Promise<readonly ApiTask[]> {
  await create(manager, "web", { command: HTTPD, ...PAGE_ENV, ...published(replicas) });
  return untilRunning(manager, "web", replicas);
}

test("services find and reach each other by name on every node, and no others", async () => {
  const manager = await leader();
  await makeNetworks(manager, NETWORKS);
  const backends = await web(manager, 3);
  await create(manager, "near", { ...on("app"), replicas: 5 });
  await create(manager, "far", { ...on("apart"), replicas: 2 });
  const near = await untilRunning(manager, "near", 5);
  const far = await untilRunning(manager, "far", 2);
  expect(new Set(near.map(({ NodeID }) => NodeID)).size).toBe(5);
  const ids = backends.map(({ ID }) => ID).sort();
  for (const task of near) {
    await eventually("all backends answer under the service's name", 20_000, () => {
      const seen = new Set(Array.from({ length: 12 }, () => taskIn(pageFrom(task, "web"))));
      return [...seen].sort().join() === ids.join();
    });
    expect(pageFrom(task, "tasks.web")).toContain("task web.");
  }
  for (const task of far) {
    expect(() => pageFrom(task, "web")).toThrow("bad address");
  }
  for (const name of NETWORKS) {
    const verified = await swarm(manager, "network", "verify", name);
    expect({ name, ...verified }).toMatchObject({ name, code: 0 });
  }
}, 180_000);

test("a published port answers on every node, through all replicas, with the client's own address", async () => {
  const manager = await leader();
  await makeNetworks(manager, ["app"]);
  const ids = (await web(manager, 2)).map(({ ID }) => ID).sort();
  for (const each of status().nodes) {
    await eventually(`${each.name} leads to all replicas`, 20_000, () => {
      const pages = Array.from({ length: 8 }, () =>
        fetchFrom("swarmpg-outside", `http://${each.addr}:${PORT}/`),
      );
      const isClientTold = pages.every((page) => page.includes("client 10.99.0.100"));
      return isClientTold && [...new Set(pages.map(taskIn))].sort().join() === ids.join();
    });
  }
}, 120_000);

/** A server of the machine's own Node, in a container that sees this machine's programs. */
const FINISHING_SERVER = {
  command: [process.execPath, "/srv/finishing-server.mjs", "80"],
  container: {
    StopGracePeriod: 8_000_000_000,
    Mounts: [
      { Source: new URL(".", import.meta.url).pathname, Target: "/srv" },
      ...["/usr", "/lib", "/lib64"].map((path) => ({ Source: path, Target: path })),
    ]
      .filter(({ Source }) => existsSync(Source))
      .map((mount) => ({ Type: "bind", ReadOnly: true, ...mount })),
    Healthcheck: {
      Test: ["CMD", "/bin/wget", "-qO-", "http://127.0.0.1/"],
      Interval: 1_000_000_000,
      Timeout: 5_000_000_000,
      StartPeriod: 10_000_000_000,
      StartInterval: 200_000_000,
      Retries: 3,
    },
  },
};

test.each([
  { mode: "close", clients: 8 },
  { mode: "keep-alive", clients: 8 },
] as const)(
  `${ROUNDS} rolling updates under load lose no request: Connection: $mode`,
  async ({ mode, clients }) => {
    const manager = await leader();
    await makeNetworks(manager, ["app"]);
    await create(manager, "web", { ...FINISHING_SERVER, ...published(3) });
    await untilRunning(manager, "web", 3);
    await create(manager, "near", { ...on("app"), replicas: 1 });
    const [client] = await untilRunning(manager, "near", 1);
    if (client === undefined) throw new Error("no client");
    await eventually("the service answers", 20_000, () => pageFrom(client, "web"));
    await eventually("its port answers", 20_000, () =>
      fetchFrom("swarmpg-outside", `http://${manager.addr}:${PORT}/`),
    );
    const vip = await vipOf(manager, "web", "app");
    const outside = ["--net=/run/netns/swarmpg-outside"];
    const urls = [`http://${vip}/`, `http://${manager.addr}:${PORT}/`];
    const loads = [
      startLoad(["-t", String(pidOf(client))], urls[0] ?? "", clients, mode, PAUSE_MS),
      startLoad(outside, urls[1] ?? "", clients, mode, PAUSE_MS),
    ];
    for (let round = 0; round < ROUNDS; round++) {
      const updated = await docker(
        manager,
        ...["service", "update", "--update-order", "start-first", "--env-add", `V=${round}`],
        ...["--update-parallelism", "1", "--update-monitor", "100ms", "web"],
      );
      expect(updated).toMatchObject({ code: 0 });
    }
    expect(await runningTasks(manager, "web")).toHaveLength(3);
    const reports = await Promise.all(loads.map((load) => load.stop()));
    console.log(mode, JSON.stringify(reports));
    for (const report of reports) {
      expect(report).toMatchObject({ failures: 0, failed: [] });
      // 5 × the 1 s that no request takes longer than.
      expect(report.slowestMs).toBeLessThan(5_000);
      expect(report.requests).toBeGreaterThan(100 * ROUNDS);
    }
  },
  60_000 + ROUNDS * 60_000,
);
