/** Contracts §7: what runs on a node may die in any order; flows through the overlay and the mesh do not notice. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiTask } from "../../src/cli/api-types.js";
import { Flows } from "./flow.js";
import { inTask, makeNetworks, on, pidOf, removeNetworks, vipOf } from "./on-networks.js";
import {
  allContainerPids,
  create,
  eventually,
  healthy,
  IS_SOAK,
  isAlive,
  kill,
  leader,
  node,
  patientCluster,
  reset,
  startWhatDoesNotRun,
  status,
  swarm,
  untilRunning,
} from "./playground.js";

const FLOW_PORT = 7_000;
const PUBLISHED = 8_182;
/** 5 × the 2 s within which names are answered again. */
const NAMES_AGAIN_MS = 10_000;
const OUTSIDE = ["--net=/run/netns/swarmpg-outside"];
const WHAT = ["net", "worker", "containerd", "front", "all"] as const;
type What = (typeof WHAT)[number];
/** All of them, or a chance one. */
const ORDERS: readonly (readonly What[])[] = IS_SOAK
  ? shuffled(permutations(WHAT))
  : [shuffled(WHAT)];
/** An order takes half a minute on two cores. */
const ORDER_LIMIT_MS = 150_000;

beforeEach(reset);
afterEach(async () => {
  await reset();
  await removeNetworks(["app"]);
});

function netnsOf(task: ApiTask): string[] {
  return ["-t", String(pidOf(task)), "-n"];
}

/** Every link of the networks' namespaces and of the tasks, with its kernel's number. */
function links(served: readonly ApiTask[]): Map<string, string> {
  const places = new Map(served.map((task) => [task.ID, netnsOf(task)]));
  const sandboxes = status().nodes.map(({ nodeId }) => `swarm-${nodeId.slice(0, 8)}.net-`);
  for (const name of readdirSync("/run/netns"))
    if (sandboxes.some((prefix) => name.startsWith(prefix)))
      places.set(name, [`--net=/run/netns/${name}`]);
  return new Map(
    [...places].map(([name, where]) => {
      const text = execFileSync("nsenter", [...where, "--", "ip", "-j", "link"], {
        encoding: "utf8",
      });
      const found = JSON.parse(text) as { ifindex: number; ifname: string }[];
      return [name, found.map(({ ifindex, ifname }) => `${ifindex} ${ifname}`).join(", ")];
    }),
  );
}

/** Kills, and waits until what was killed runs again. */
async function killAndWait(what: What): Promise<void> {
  if (what === "containerd") {
    const text = readFileSync("/run/swarm-playground/playground.json", "utf8");
    const { containerd } = JSON.parse(text) as { containerd: { pid: number } };
    process.kill(containerd.pid, "SIGKILL");
    await eventually("containerd is gone", 5_000, () => !isAlive(containerd.pid));
    await startWhatDoesNotRun();
  } else if (what === "all") {
    const pids = status().nodes.flatMap((each) => Object.values(each.pids));
    // Some end by themselves once their supervisor is gone.
    for (const pid of pids) if (pid !== null && isAlive(pid)) kill(pid);
    await startWhatDoesNotRun();
  } else {
    const victims = status().nodes.filter((each) => what !== "front" || each.role === "manager");
    for (const victim of victims) kill(victim.pids[what]);
    await eventually(`every ${what} is back`, 30_000, () =>
      victims.every(({ name, pids }) => {
        const pid = node(name).pids[what];
        return pid !== null && pid !== pids[what];
      }),
    );
  }
  await healthy();
}

/** Over the service's address from beside it, and over its port from outside. */
async function startFlows(
  servers: readonly ApiTask[],
  clients: readonly ApiTask[],
  vip: string,
): Promise<Flows> {
  const flows = new Flows();
  for (const server of servers) await flows.serve(netnsOf(server), FLOW_PORT);
  for (const client of clients)
    await flows.call(`client.${client.Slot}`, netnsOf(client), vip, FLOW_PORT);
  for (const each of status().nodes.filter(({ name }) => ["m1", "w1"].includes(name)))
    await flows.call(`outside, through ${each.name}`, OUTSIDE, each.addr, PUBLISHED);
  return flows;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, i) => {
    const others = items.filter((_, j) => j !== i);
    return permutations(others).map((rest) => [first, ...rest]);
  });
}

test(
  `net, worker, containerd, managers and all killed, ${ORDERS.length} orders: no flow loses a packet`,
  async () => {
    const manager = await leader();
    await using _patience = await patientCluster();
    await makeNetworks(manager, ["app"]);
    await create(manager, "server", {
      ...on("app"),
      replicas: 2,
      rest: {
        EndpointSpec: {
          Ports: ["tcp", "udp"].map((Protocol) => ({
            Protocol,
            TargetPort: FLOW_PORT,
            PublishedPort: PUBLISHED,
          })),
        },
      },
    });
    await create(manager, "client", { ...on("app"), replicas: 5 });
    await create(manager, "filler", { ...on("app"), replicas: 13 });
    const servers = await untilRunning(manager, "server", 2);
    const clients = await untilRunning(manager, "client", 5);
    await untilRunning(manager, "filler", 13);
    const before = allContainerPids();
    const vip = await vipOf(manager, "server", "app");
    const linksBefore = links([...servers, ...clients]);
    const [asking] = clients;
    if (asking === undefined) throw new Error("no client");
    for (const [at, order] of ORDERS.entries()) {
      await using flows = await startFlows(servers, clients.slice(0, 3), vip);
      for (const what of order) {
        const from = performance.now();
        await killAndWait(what);
        await eventually(`names are answered after ${what} was killed`, NAMES_AGAIN_MS, () =>
          inTask(asking, "nslookup", "server").includes(vip),
        );
        console.log(`${what} killed: whole again after ${Math.round(performance.now() - from)} ms`);
      }
      expect(allContainerPids()).toEqual(before);
      expect(links([...servers, ...clients])).toEqual(linksBefore);
      const reports = await flows.reports();
      console.log(
        `order ${at + 1} of ${ORDERS.length}, ${order.join()}`,
        JSON.stringify([...reports]),
      );
      for (const [name, report] of reports) {
        expect({ name, ...report }).toMatchObject({ name, tcpLost: 0, udpLost: 0, error: "" });
        expect(report.sent).toBeGreaterThan(100);
      }
    }
    await eventually("no node drifts", 50_000, async () => {
      const verified = await swarm(await leader(), "network", "verify", "app");
      if (verified.code !== 0) throw new Error(verified.stdout);
      return true;
    });
  },
  60_000 + ORDERS.length * ORDER_LIMIT_MS,
);
