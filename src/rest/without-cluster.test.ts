import Fastify from "fastify";
import { expect, test } from "vitest";
import type { RestContext } from "./context.js";
import { clusterRoutes } from "./routes/cluster-routes.js";
import { CLUSTER_PATHS } from "./routes/without-cluster.js";

test("every route that is left out on other nodes is refused there", async () => {
  const app = Fastify();
  const left: string[] = [];
  app.addHook("onRoute", ({ url }) => {
    left.push(url);
  });
  // Routes ask it when they are called, not when they are made.
  const deps = { config: { engine: "simulated" } } as RestContext["deps"];
  clusterRoutes(app, { deps } as RestContext);
  await app.ready();
  const isRefused = (url: string): boolean =>
    CLUSTER_PATHS.some((path) => url === path || url.startsWith(`${path}/`));
  expect(left.length).toBeGreaterThan(15);
  expect(left.filter((url) => !isRefused(url))).toEqual(["/networks/:ref/verify"]);
});
