/** Contracts §7: a worker that only its managers lost keeps its containers and their addresses; no one else ever gets these meanwhile. */
import { readdirSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiNode } from "../../src/cli/api-types.js";
import { demoImageTar } from "../../src/cli/playground/index.js";
import { ExtraHost } from "./extra-host.js";
import {
  type Attached,
  addressOn,
  HTTPD,
  inContainer,
  makeNetworks,
  on,
  PAGE_ENV,
  pidOf,
  removeNetworks,
  taskIn,
} from "./on-networks.js";
import {
  api,
  create,
  docker,
  eventually,
  healthy,
  leader,
  reset,
  runningTasks,
  swarm,
  type TestNode,
  untilRunning,
} from "./playground.js";

const REPLICAS = 12;
/** 5 × the 8 s that the bench asserts. */
const ELSEWHERE_MS = 40_000;
const STOPPED_MS = 30_000;
/** No packet to a manager leaves the host; the overlay's do. */
const CUT =
  "add table inet t-cut; add chain inet t-cut out { type filter hook output priority 0; }; \
add rule inet t-cut out tcp dport 2377 drop";

const host = new ExtraHost("stray", 151);

beforeEach(reset);
afterEach(async () => {
  await reset();
  await removeNetworks(["app"]);
  await host[Symbol.asyncDispose]();
  await healthy();
});

/** Address → the task that has it, of all tasks that run; rejects when two have one. */
async function addresses(manager: TestNode): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const task of (await runningTasks(manager, "web")) as Attached[]) {
    const address = addressOn(task, "app");
    expect({ address, of: found.get(address) }).toEqual({ address, of: undefined });
    found.set(address, task.ID);
  }
  return found;
}

/** Who answers at these addresses, asked from a container on the network. */
function answering(pid: number, asked: Iterable<string>): Map<string, string> {
  return new Map(
    [...asked].map((address) => [
      address,
      taskIn(inContainer(pid, "busybox", "timeout", "3", "wget", "-qO-", `http://${address}/`)),
    ]),
  );
}

test("cut off, replaced, removed and healed: no address ever has two containers", async () => {
  host.plug();
  await host.start();
  const manager = await leader();
  const id = await host.joinAsWorker(manager);
  await host.client.call("POST", "/images/load", {
    stream: (async function* () {
      yield await demoImageTar();
    })(),
  });
  await makeNetworks(manager, ["app"]);
  const task = on("app");
  await create(manager, "web", { ...task, replicas: REPLICAS, command: HTTPD, ...PAGE_ENV });
  await create(manager, "near", {
    task: {
      ...(task as { task: object }).task,
      Placement: { Constraints: ["node.hostname==w1"] },
    },
  });
  const [near] = await untilRunning(manager, "near", 1);
  if (near === undefined) throw new Error("nobody asks");
  const asking = pidOf(near);
  const all = (await untilRunning(manager, "web", REPLICAS)) as Attached[];
  const cut = new Map(
    all.filter(({ NodeID }) => NodeID === id).map((each) => [addressOn(each, "app"), each.ID]),
  );
  expect(cut.size).toBeGreaterThanOrEqual(1);
  expect(answering(asking, cut.keys())).toEqual(cut);

  host.inNetns("nft", CUT);
  await eventually("its tasks run elsewhere", ELSEWHERE_MS, async () => {
    const running = await runningTasks(manager, "web");
    return running.filter(({ NodeID }) => NodeID !== id).length === REPLICAS;
  });
  expect(host.containerPids().size).toBe(cut.size);
  const replaced = await addresses(manager);
  expect([...cut.keys()].filter((address) => replaced.has(address))).toEqual([]);
  expect(answering(asking, replaced.keys())).toEqual(replaced);

  expect(await swarm(manager, "node", "rm", "--force", id)).toMatchObject({ code: 0 });
  await docker(manager, "service", "scale", "--detach", `web=${REPLICAS + 8}`);
  await untilRunning(manager, "web", REPLICAS + 8);
  const more = await addresses(manager);
  expect([...cut.keys()].filter((address) => more.has(address))).toEqual([]);
  expect(answering(asking, more.keys())).toEqual(more);

  host.inNetns("nft", "delete table inet t-cut");
  await eventually("the removed node stops its containers", STOPPED_MS, () => {
    return host.containerPids().size === 0;
  });
  expect(answering(asking, more.keys())).toEqual(more);
  const nodes = await api(manager).call<ApiNode[]>("GET", "/nodes");
  expect(nodes.map((each) => each.ID)).not.toContain(id);
  expect(await host.docker("swarm", "leave", "--force")).toMatchObject({ code: 0 });
  await eventually("nothing of its networks is left there", STOPPED_MS, () => {
    const netns = readdirSync("/run/netns").filter((name) => name.includes(id.slice(0, 8)));
    const links = host.inNetns("ip", "-o", "link").split("\n").filter(Boolean);
    const ours = links.filter((line) => !/: (lo|eth0@)/.test(line));
    const tables = host.inNetns("nft", "list tables").split("\n").filter(Boolean);
    const left = [...netns, ...ours, ...tables];
    if (left.length > 0) throw new Error(left.join("; "));
    return true;
  });
}, 300_000);
