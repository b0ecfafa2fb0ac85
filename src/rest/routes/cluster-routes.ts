/**
 * Routes that the cluster alone answers, with all that they need: scheduler, control plane, journal, certificates. A node that is no manager
 * does not load them, which is a quarter of its front's memory.
 */
import type { FastifyInstance } from "fastify";
import type { RestContext } from "../context.js";
import { attachedRoutes } from "./attached.js";
import { journalRoutes } from "./journal.js";
import { networkVerifyRoute } from "./network-verify.js";
import { nodeRoutes } from "./nodes.js";
import { serviceRoutes } from "./services.js";
import { taskRoutes } from "./tasks.js";
import { whyRoutes } from "./why.js";

export function clusterRoutes(app: FastifyInstance, context: RestContext): void {
  nodeRoutes(app, context);
  serviceRoutes(app, context);
  taskRoutes(app, context);
  attachedRoutes(app, context);
  whyRoutes(app, context);
  networkVerifyRoute(app, context);
  journalRoutes(app, context);
}
