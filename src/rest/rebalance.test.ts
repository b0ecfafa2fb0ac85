/** Rebalancing over the whole way from the door to the plan. */
import { expect, test } from "vitest";
import { TASK_STATE } from "../api/index.js";
import { makeTask } from "../manager/core/index.js";
import { makeWorld, type World } from "./testing/world.js";

const SPEC = {
  Name: "web",
  TaskTemplate: { ContainerSpec: { Image: "bb" } },
  Mode: { Replicated: { Replicas: 4 } },
  Rebalance: "manual",
};

type Service = {
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Rebalance?: string };
  readonly RebalanceStatus?: unknown;
};
type Plan = {
  readonly ImbalanceBefore: number;
  readonly ImbalanceAfter: number;
  readonly Moves: readonly { readonly ToHostname: string }[];
  readonly Nodes: readonly { readonly Before: number; readonly After: number }[];
};

async function inspect(world: World): Promise<Service> {
  return (await world.call("GET", "/services/web")).json as Service;
}

/** Four tasks that run, all on the first node that is ready and active. */
async function crowded(world: World): Promise<void> {
  await world.call("POST", "/services/create", SPEC);
  const { store } = world.cluster;
  const service = store.serviceByName("web");
  const node = store
    .nodes()
    .find(({ state, spec }) => state === "ready" && spec.Availability === "active");
  if (!service || !node) throw new Error("no service or no node");
  const tasks = [1, 2, 3, 4].map((slot) => ({
    ...makeTask(service, {
      id: `task${slot}`.padEnd(25, "0"),
      place: { number: slot, nodeId: "", iteration: 0 },
      desiredState: TASK_STATE.running,
      notBeforeMs: 0,
      nowMs: 0,
    }),
    nodeId: node.id,
    state: TASK_STATE.running,
  }));
  await world.cluster.write(tasks.map((task) => ({ kind: "putTask", task })));
}

test("a plan moves nothing; the command begins, and inspect shows both the setting and where it stands", async () => {
  await using world = await makeWorld();
  await crowded(world);
  const { Version, Spec } = await inspect(world);
  expect(Spec.Rebalance).toBe("manual");
  const path = `/services/web/rebalance?version=${Version.Index}`;
  const planned = (await world.call("POST", `${path}&plan=true`)).json as Plan;
  expect(planned.ImbalanceBefore).toBe(4);
  expect(planned.ImbalanceAfter).toBeLessThan(2);
  expect(planned.Moves.length).toBeGreaterThan(1);
  expect(planned.Nodes.reduce((sum, { After }) => sum + After, 0)).toBe(4);
  expect((await inspect(world)).RebalanceStatus).toBeUndefined();
  const begun = await world.call("POST", path);
  expect(begun).toMatchObject({ status: 200, json: planned });
  expect((await inspect(world)).RebalanceStatus).toMatchObject({
    State: "moving",
    Cause: "command",
    ImbalanceBefore: 4,
    Moved: 0,
  });
});

test.each([
  { query: "", status: 400, text: "invalid service version" },
  { query: "?version=0", status: 500, text: "update out of sequence" },
])("rebalance$query is refused: $text", async ({ query, status, text }) => {
  await using world = await makeWorld();
  await crowded(world);
  expect(await world.call("POST", `/services/web/rebalance${query}`)).toMatchObject({
    status,
    json: { message: expect.stringContaining(text) },
  });
});

test("where it is off, the plan is refused too", async () => {
  await using world = await makeWorld();
  await world.call("POST", "/services/create", { ...SPEC, Rebalance: "off" });
  const { Version } = await inspect(world);
  const answer = await world.call(
    "POST",
    `/services/web/rebalance?version=${Version.Index}&plan=1`,
  );
  expect(answer).toMatchObject({
    status: 400,
    json: { message: expect.stringContaining("swarm service update --rebalance manual web") },
  });
});
