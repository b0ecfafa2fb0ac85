/** Subnets that are in each other's or the hosts' way: each works, or is refused where its user looks. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiNode, ApiTask } from "../../src/cli/api-types.js";
import {
  api,
  containerPids,
  create,
  docker,
  eventually,
  fetchFrom,
  inNetns,
  leader,
  reset,
  status,
  swarm,
  type TestNode,
  tasks,
  untilRunning,
} from "./playground.js";

/** The playground's own bridge, which every node has its address in. */
const LAN = "10.99.0.0/24";
const PORT = 8_182;
const TINY = "10.200.0.0/29";
const NETWORKS = ["lan", "tiny", "mine"];

beforeEach(reset);
afterEach(async () => {
  await reset();
  for (const name of NETWORKS) await docker(await leader(), "network", "rm", name);
});

function network(manager: TestNode, name: string, subnet: string) {
  return docker(manager, ...["network", "create", "-d", "overlay", "--subnet", subnet, name]);
}

function on(name: string): object {
  return { task: { Networks: [{ Target: name }] } };
}

function pageFrom(task: ApiTask, name: string): string {
  const host = status().nodes.find(({ nodeId }) => nodeId === task.NodeID);
  const pid = host === undefined ? undefined : containerPids(host).get(task.ID);
  if (pid === undefined) throw new Error(`task ${task.ID} has no process`);
  const args = ["-t", String(pid), "-m", "-n", "--", "wget", "-qO-", `http://${name}/`];
  return execFileSync("nsenter", args, { encoding: "utf8", timeout: 10_000 });
}

async function messageOf(manager: TestNode): Promise<string> {
  const node = await api(manager).call<ApiNode>("GET", `/nodes/${manager.nodeId}`);
  return node.Status.Message ?? "";
}

test("a network with the subnet of the hosts' LAN works, and nodes say what it costs", async () => {
  const manager = await leader();
  const made = await swarm(manager, "network", "create", "--subnet", LAN, "lan");
  expect(made.code).toBe(0);
  expect(made.stderr).toContain(`overlaps route ${LAN} of`);
  await create(manager, "web", {
    ...on("lan"),
    replicas: 2,
    command: ["httpd", "-f", "-p", "80", "-h", "/www"],
    rest: {
      EndpointSpec: {
        Mode: "vip",
        Ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: PORT, PublishMode: "ingress" }],
      },
    },
  });
  await create(manager, "near", { ...on("lan"), replicas: 5 });
  await untilRunning(manager, "web", 2);
  for (const task of await untilRunning(manager, "near", 5))
    await eventually("web answers by its name", 20_000, () => pageFrom(task, "web"));
  // The client's own address is one of the network's subnet too.
  for (const each of status().nodes)
    await eventually(`${each.name} leads to web`, 20_000, () =>
      fetchFrom("swarmpg-outside", `http://${each.addr}:${PORT}/`).includes("client 10.99.0.100"),
    );
  expect(await messageOf(manager)).toContain(`route ${LAN} overlaps network lan (${LAN})`);
}, 60_000);

test("addresses that another network or a node's bridge has are refused on the command", async () => {
  const manager = await leader();
  expect(await network(manager, "tiny", TINY)).toMatchObject({ code: 0 });
  expect(await network(manager, "mine", "10.200.0.0/16")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`overlaps a subnet of network tiny`) as string,
  });
  const bridge = await eventually("the node's bridge is known", 10_000, () => {
    const routes = inNetns(manager.netns, "ip", "-4", "-o", "route", "show", "proto", "kernel");
    return /^(\S+) dev swgw/m.exec(routes)?.[1];
  });
  // The description with the bridge comes some seconds after the start at the latest.
  expect(await network(manager, "mine", bridge)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--gwbridge-pool") as string,
  });
}, 30_000);

test("a network without a free address has its tasks say so, and takes them when one is free", async () => {
  const manager = await leader();
  expect(await network(manager, "tiny", TINY)).toMatchObject({ code: 0 });
  // Six hosts, less the gateway and the service's own address.
  await create(manager, "full", { ...on("tiny"), replicas: 6 });
  await untilRunning(manager, "full", 4);
  await eventually("the other two say why they wait", 10_000, async () => {
    const all = await tasks(manager, { service: ["full"] });
    const reasons = all.flatMap(({ Status }) => (Status.Err ? [Status.Err] : []));
    return (
      reasons.length === 2 && reasons.every((text) => text.includes(`no free address in ${TINY}`))
    );
  });
  const ps = await docker(manager, "service", "ps", "--no-trunc", "full");
  expect(ps.stdout).toContain("network tiny: no free address");
}, 60_000);
