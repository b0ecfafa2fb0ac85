/** In place of `cluster-routes.ts` on a node that is no manager: every one of those routes says so. */
import type { FastifyInstance } from "fastify";
import type { RestContext } from "../context.js";

/** All that `clusterRoutes` serves is at or below one of these. */
export const CLUSTER_PATHS = ["/nodes", "/services", "/tasks", "/journal"];

export function routesWithoutCluster(app: FastifyInstance, context: RestContext): void {
  // Throws, with the reason that the node has.
  const refuse = (): unknown => context.cluster;
  for (const path of CLUSTER_PATHS) {
    app.all(path, refuse);
    app.all(`${path}/*`, refuse);
  }
  app.post("/networks/:ref/verify", refuse);
}
