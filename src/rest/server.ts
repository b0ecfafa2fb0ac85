/** The door: a Fastify instance that never listens itself; connections are handed to it (contracts §4). */
import { createServer, type IncomingMessage, type Server } from "node:http";
import Fastify, { type FastifyInstance } from "fastify";
import { API_VERSION_MAX, API_VERSION_MIN, checkVersion, splitVersion } from "./api-version.js";
import { Connections } from "./connections.js";
import type { RestDeps, RestServer } from "./deps.js";

export async function createRestServer(deps: RestDeps): Promise<RestServer> {
  let server: Server | undefined;
  const versions = new WeakMap<IncomingMessage, string>();
  const app: FastifyInstance = Fastify({
    bodyLimit: 4 * 1024 * 1024,
    serverFactory: (handler) => {
      server = createServer(handler);
      return server;
    },
    rewriteUrl: (request) => {
      const split = splitVersion(request.url ?? "/");
      versions.set(request as IncomingMessage, split.version);
      return split.url;
    },
  });
  app.addHook("onRequest", (request, reply, done) => {
    void reply
      .header("Api-Version", API_VERSION_MAX)
      .header("Ostype", "linux")
      .header("Docker-Experimental", "false")
      .header("Server", `Docker/${deps.version} (linux)`);
    checkVersion(versions.get(request.raw) ?? API_VERSION_MAX);
    done();
  });
  app.get("/_ping", (_request, reply) => reply.type("text/plain; charset=utf-8").send("OK"));
  app.get("/version", () => ({
    Version: deps.version,
    ApiVersion: API_VERSION_MAX,
    MinAPIVersion: API_VERSION_MIN,
  }));
  app.get("/info", () => {
    const local = deps.localState();
    return {
      Name: deps.config.hostname,
      ServerVersion: deps.version,
      Swarm: {
        NodeID: local.nodeId,
        NodeAddr: local.nodeAddr,
        LocalNodeState: local.state,
        ControlAvailable: local.isManager && deps.cluster !== undefined,
        Error: local.error,
        RemoteManagers: local.managers.map((m) => ({ NodeID: m.nodeId, Addr: m.addr })),
      },
    };
  });
  await app.ready();
  if (server === undefined) throw new Error("fastify did not create its server");
  const connections = new Connections(server, deps.clock);
  return {
    acceptSocket: (socket) => {
      connections.accept(socket);
    },
    retire: () => connections.retire(),
    close: async () => {
      connections.cut();
      await app.close();
    },
  };
}
