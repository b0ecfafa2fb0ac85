/** `GET /metrics` for Prometheus. A node without a cluster counts nothing before it is asked. */
import type { FastifyInstance } from "fastify";
import type { RestContext } from "../context.js";

export async function metricsRoutes(
  app: FastifyInstance,
  context: RestContext,
  connectionCount: () => number,
): Promise<void> {
  const load = async () =>
    (await import("../metrics-registry.js")).metricsRegistry(app, context, connectionCount);
  // Histograms must see what happens from the start.
  let registry = context.deps.cluster === undefined ? undefined : load();
  await registry;
  app.get("/metrics", async (_request, reply) => {
    registry ??= load();
    const register = await registry;
    return reply.header("Content-Type", register.contentType).send(await register.metrics());
  });
}
