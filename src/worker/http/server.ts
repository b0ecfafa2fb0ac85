/** Node-local Engine API routes on a private unix socket: for the REST door of this node and, by tunnel, for managers. */
import { chmod, rm } from "node:fs/promises";
import Fastify, { type FastifyInstance } from "fastify";
import { addConnectionRoutes } from "./connection-routes.js";
import { addContainerRoutes } from "./container-routes.js";
import type { HttpContext } from "./context.js";
import { toHttpError } from "./errors.js";
import { addEventRoutes } from "./event-routes.js";
import { addImageRoutes } from "./image-routes.js";
import { localInfo } from "./local-info.js";
import { addLogRoutes } from "./log-routes.js";
import { addNetworkRoutes } from "./network-routes.js";
import { addVolumeRoutes } from "./volume-routes.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Minor version of the path's `/v1.NN`, undefined without one. */
    apiMinor: number | undefined;
  }
}

const VERSION_PREFIX = /^\/v1\.(\d+)(?=\/)/;
/** JSON bodies are small here; archives are streamed and never gathered. */
const JSON_MAX_BYTES = 1024 * 1024;

/** Routes of the Engine API that would belong here and are not built: said so, instead of "page not found". */
const NOT_BUILT: readonly RegExp[] = [
  /^\/containers\/create$/,
  /^\/containers\/prune$/,
  /^\/containers\/[^/]+$/,
  /^\/containers\/[^/]+\/(start|restart|wait|resize|attach|attach\/ws|exec|pause|unpause|rename|update|top|stats|changes|export|archive)$/,
  /^\/exec\/[^/]+\/(start|resize|json)$/,
  /^\/images\/(search|prune|get|.+\/(get|history|push))$/,
  /^\/volumes\/prune$/,
  /^\/(build|commit|session)(\/.*)?$/,
  /^\/system\/df$/,
];

export async function serveLocal(
  context: HttpContext,
  socketPath: string,
): Promise<AsyncDisposable> {
  const app = buildServer(context);
  await rm(socketPath, { force: true });
  await app.listen({ path: socketPath });
  await chmod(socketPath, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

/** Without a socket: tests inject requests. */
export function buildServer(context: HttpContext): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: JSON_MAX_BYTES,
    // Image names and long filters.
    routerOptions: { maxParamLength: 1_024, ignoreTrailingSlash: true },
    rewriteUrl: (request) => (request.url ?? "/").replace(VERSION_PREFIX, ""),
    exposeHeadRoutes: true,
  });
  app.decorateRequest("apiMinor", undefined);
  app.addHook("onRequest", (request, _reply, done) => {
    const match = VERSION_PREFIX.exec(request.originalUrl);
    request.apiMinor = match === null ? undefined : Number(match[1]);
    done();
  });
  // The docker CLI takes a message out of its JSON only where the type is this very text: no charset.
  app.addHook("onSend", (_request, reply, payload, done) => {
    const type = String(reply.getHeader("content-type") ?? "");
    if (type.startsWith("application/json;")) reply.header("content-type", "application/json");
    done(null, payload);
  });
  // Archives, and POSTs whose content type says nothing: handed on as streams.
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.setErrorHandler((error, request, reply) => {
    const { status, message } = toHttpError(error);
    if (status >= 500) context.logger.warn({ error, url: request.url }, "local request failed");
    return reply.code(status).send({ message });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    if (NOT_BUILT.some((pattern) => pattern.test(path))) {
      const message = `${request.method} ${path} is not supported yet`;
      return reply.code(501).send({ message });
    }
    return reply.code(404).send({ message: "page not found" });
  });
  app.get("/_ping", (_request, reply) => reply.type("text/plain").send("OK"));
  app.get("/local/info", () => localInfo(context));
  addContainerRoutes(app, context);
  addLogRoutes(app, context);
  addEventRoutes(app, context);
  addImageRoutes(app, context);
  addVolumeRoutes(app, context);
  addNetworkRoutes(app, context);
  addConnectionRoutes(app, context);
  return app;
}
