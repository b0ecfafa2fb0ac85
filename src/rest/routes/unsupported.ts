/** Routes that the Engine has and this version does not serve: 501 naming the route, so that nothing looks like a typing error. */
import type { FastifyInstance } from "fastify";
import { doorError } from "../../base/index.js";
import { pathRef, type RestContext } from "../context.js";
import { sendJson } from "../reply.js";

const ROUTES: readonly (readonly [method: "GET" | "POST" | "PUT" | "DELETE", path: string])[] = [
  ["POST", "/secrets/create"],
  ["POST", "/secrets/:id/update"],
  ["POST", "/configs/create"],
  ["POST", "/configs/:id/update"],
  ["POST", "/build"],
  ["POST", "/build/prune"],
  ["POST", "/build/cancel"],
  ["POST", "/commit"],
  ["POST", "/session"],
  ["POST", "/grpc"],
  ["GET", "/system/df"],
  ["GET", "/plugins/privileges"],
  ["POST", "/plugins/pull"],
  ["POST", "/plugins/create"],
  ["GET", "/plugins/:name/json"],
  ["DELETE", "/plugins/:name"],
  ["POST", "/plugins/:name/enable"],
  ["POST", "/plugins/:name/disable"],
  ["POST", "/plugins/:name/push"],
  ["POST", "/plugins/:name/set"],
  ["POST", "/plugins/:name/upgrade"],
];

export function unsupportedRoutes(app: FastifyInstance, context: RestContext): void {
  for (const [method, url] of ROUTES) {
    const shown = url.replaceAll(/:(\w+)/g, "{$1}");
    app.route({
      method,
      url,
      handler: () => {
        throw doorError("Unimplemented", `${method} ${shown} is not supported yet`);
      },
    });
  }

  // There are no secrets and configs yet; lists say so, and so does every single one.
  for (const type of ["secret", "config"] as const) {
    app.get(`/${type}s`, async (_request, reply) => {
      await context.read();
      return sendJson(reply, []);
    });
    const missing = async (ref: string): Promise<never> => {
      await context.read();
      throw doorError("NotFound", `${type} ${ref} not found`);
    };
    app.get(`/${type}s/:ref`, (request) => missing(pathRef(request)));
    app.delete(`/${type}s/:ref`, (request) => missing(pathRef(request)));
  }
}
