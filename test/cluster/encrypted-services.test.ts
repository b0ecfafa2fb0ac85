/** A service on an encrypted network, from the command to its containers on five hosts, and back to nothing. */
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HTTPD, pidOf, unreachableFrom } from "./on-networks.js";
import {
  api,
  create,
  docker,
  eventually,
  leader,
  reset,
  status,
  swarm,
  type TestNode,
  untilRunning,
} from "./playground.js";

const NETWORK = "sealed";
type ApiNode = {
  readonly Description: { readonly Encryption?: { readonly Implementation: string } };
};

beforeEach(reset);
afterEach(async () => {
  await reset();
  await docker(await leader(), "network", "rm", NETWORK);
});

/** Of the service's tasks, without prefix length. */
async function addressesOf(manager: TestNode): Promise<readonly string[]> {
  type Attached = {
    readonly NetworksAttachments?: readonly { readonly Addresses: readonly string[] }[];
  };
  const filters = encodeURIComponent('{"service":["web"],"desired-state":["running"]}');
  const found = await api(manager).call<readonly Attached[]>("GET", `/tasks?filters=${filters}`);
  return found.flatMap(({ NetworksAttachments = [] }) =>
    NetworksAttachments.flatMap(({ Addresses }) => Addresses.map((one) => one.split("/")[0] ?? "")),
  );
}

/** Of all hosts, those with a WireGuard interface. */
function tunnelCount(): number {
  return status().nodes.filter(({ pids }) => {
    const links = execFileSync("nsenter", [
      "-t",
      String(pids.supervisor),
      "-n",
      "ip",
      "-o",
      "link",
    ]);
    return /: swwg/.test(links.toString());
  }).length;
}

test("tasks on five hosts reach each other through WireGuard, which is shown, and goes with the last of them", async () => {
  const manager = await leader();
  const made = await docker(
    manager,
    ...["network", "create", "--driver", "overlay", "--opt", "encrypted", NETWORK],
  );
  expect(made).toMatchObject({ code: 0 });
  await create(manager, "web", {
    task: { Networks: [{ Target: NETWORK }] },
    replicas: 5,
    command: HTTPD,
  });
  const tasks = await untilRunning(manager, "web", 5);
  expect(new Set(tasks.map(({ NodeID }) => NodeID)).size).toBe(5);
  const addresses = await addressesOf(manager);
  expect(addresses).toHaveLength(5);
  for (const task of tasks) {
    await eventually("all others answer", 20_000, () => {
      const missed = unreachableFrom(pidOf(task), addresses);
      if (missed.length > 0) throw new Error(missed.join(", "));
      return true;
    });
  }
  const verified = await swarm(manager, "network", "verify", NETWORK);
  expect(verified).toMatchObject({ code: 0 });
  expect(verified.stdout.match(/encrypted by/g)).toHaveLength(5);
  const nodes = await api(manager).call<readonly ApiNode[]>("GET", "/nodes");
  for (const { Description } of nodes)
    expect(["kernel", "wireguard-go"]).toContain(Description.Encryption?.Implementation);
  expect(tunnelCount()).toBe(5);
  await docker(manager, "service", "rm", "web");
  await eventually("no interface is left", 30_000, () => tunnelCount() === 0);
}, 180_000);
