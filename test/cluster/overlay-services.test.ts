/** Services on overlay networks, as their users meet them: by name, by address, from outside, and apart from each other. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiTask } from "../../src/cli/api-types.js";
import {
  HTTPD,
  makeNetworks,
  on,
  PAGE_ENV,
  pageFrom,
  removeNetworks,
  taskIn,
} from "./on-networks.js";
import {
  create,
  eventually,
  fetchFrom,
  leader,
  reset,
  status,
  swarm,
  type TestNode,
  untilRunning,
} from "./playground.js";
import { published } from "./under-load.js";

const NETWORKS = ["app", "apart"];
const PORT = 8_181;

beforeEach(reset);
afterEach(async () => {
  await reset();
  await removeNetworks(NETWORKS);
});

async function web(manager: TestNode, replicas: number): Promise<readonly ApiTask[]> {
  await create(manager, "web", { command: HTTPD, ...PAGE_ENV, ...published(replicas, PORT) });
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
