/** The door: a Fastify instance that never listens itself; connections are handed to it (contracts §4). */
import { createServer, type IncomingMessage, type Server } from "node:http";
import Fastify, { type FastifyInstance } from "fastify";
import { doorError } from "../base/index.js";
import { API_VERSION_MAX, checkVersion, splitVersion } from "./api-version.js";
import { Connections } from "./connections.js";
import { RestContext } from "./context.js";
import type { RestDeps, RestServer } from "./deps.js";
import { LeadershipWatch } from "./events/leadership-watch.js";
import { sendFailure } from "./failure.js";
import { eventRoutes } from "./routes/events.js";
import { handleUpgrade, localRoutes } from "./routes/local.js";
import { logRoutes } from "./routes/logs.js";
import { metricsRoutes } from "./routes/metrics.js";
import { networkRoutes } from "./routes/networks.js";
import { swarmRoutes } from "./routes/swarm.js";
import { systemRoutes } from "./routes/system.js";
import { unsupportedRoutes } from "./routes/unsupported.js";
import { routesWithoutCluster } from "./routes/without-cluster.js";

/** Longest name in a path: image references and ids fit many times over. */
const PATH_PARAM_MAX = 4_096;

export async function createRestServer(deps: RestDeps): Promise<RestServer> {
  const context = new RestContext(deps);
  // Requests keep their connections for as long as the client likes: CLIs follow logs for days.
  const server: Server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 });
  const connections = new Connections(server, deps.clock);
  const app = buildApp(context, server, connections);
  const watch =
    deps.cluster === undefined ? undefined : new LeadershipWatch(deps.cluster, deps.clock);

  if (deps.cluster === undefined) routesWithoutCluster(app, context);
  else (await import("./routes/cluster-routes.js")).clusterRoutes(app, context);
  systemRoutes(app, context);
  swarmRoutes(app, context);
  logRoutes(app, context);
  networkRoutes(app, context);
  eventRoutes(app, context, watch);
  localRoutes(app, context, () => connections.isRetiring);
  await metricsRoutes(app, context, () => connections.count);
  unsupportedRoutes(app, context);
  await app.ready();

  server.on("upgrade", (request: IncomingMessage, socket, head: Buffer) => {
    const { url, version } = splitVersion(request.url ?? "/");
    handleUpgrade(context, request, socket, head, { path: url, version });
  });

  return {
    acceptSocket: (socket) => {
      connections.accept(socket);
    },
    retire: () => connections.retire(),
    close: async () => {
      watch?.close();
      connections.cut();
      await app.close();
    },
  };
}

function buildApp(context: RestContext, server: Server, connections: Connections): FastifyInstance {
  const { version } = context.deps;
  const app: FastifyInstance = Fastify({
    serverFactory: (handler) => {
      server.on("request", handler);
      return server;
    },
    rewriteUrl: (request) => {
      const split = splitVersion(request.url ?? "/");
      context.setVersion(request, split.version);
      return split.url;
    },
    routerOptions: { maxParamLength: PATH_PARAM_MAX, ignoreDuplicateSlashes: true },
    // Bodies are read by the routes that want them: image uploads and build contexts pass through unread.
    exposeHeadRoutes: true,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => {
    done(null, payload);
  });
  app.setErrorHandler((error, request, reply) => sendFailure(context, error, request, reply));
  app.setNotFoundHandler(() => {
    throw doorError("NotFound", "page not found");
  });
  app.addHook("onRequest", (request, reply, done) => {
    void reply.headers({
      "Api-Version": API_VERSION_MAX,
      Ostype: "linux",
      "Docker-Experimental": "false",
      Server: `Docker/${version} (linux)`,
    });
    checkVersion(context.versionOf(request.raw));
    done();
  });
  // As late as possible: also the answers under way when the front is told to retire carry it.
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (connections.isRetiring) void reply.header("Connection", "close");
    done();
  });
  return app;
}
