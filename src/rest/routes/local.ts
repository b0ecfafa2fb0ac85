/**
 * `/containers`, `/images`, `/exec`, `/volumes`: this node's own, served by its worker. So are look-ups in registries
 * (`/distribution`): no manager speaks to a registry. And networks of running containers: a container is found on its own node.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { pathRef, queryOf, type RestContext } from "../context.js";
import { loadEverywhere } from "../images/load-everywhere.js";
import { localNetworks } from "../present/network.js";
import { proxyRequest, proxyUpgrade, refuseUpgrade } from "../proxy.js";

const PREFIXES = ["/containers", "/images", "/exec", "/volumes", "/distribution"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"];

function isLocal(path: string): boolean {
  return PREFIXES.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

export function localRoutes(
  app: FastifyInstance,
  context: RestContext,
  isRetiring: () => boolean,
): void {
  for (const url of PREFIXES.flatMap((prefix) => [prefix, `${prefix}/*`])) {
    app.route({
      method: METHODS,
      url,
      handler: (request, reply) => {
        passToWorker(request, reply);
      },
    });
  }

  // A node's own networks have ids that its worker does not know.
  for (const verb of ["connect", "disconnect"]) {
    app.post(`/networks/:ref/${verb}`, (request, reply) => {
      const ref = pathRef(request);
      const own = localNetworks(context.deps.config.stateDir).find(({ Id }) => Id === ref);
      const path = `/networks/${encodeURIComponent(own?.Name ?? ref)}/${verb}`;
      passToWorker(request, reply, path);
    });
  }

  app.post("/images/load", async (request, reply) => {
    if (!queryOf(request).flag("all-nodes")) return passToWorker(request, reply);
    const { cluster } = context;
    const nodes = (await cluster.read()).nodes();
    const parts = { cluster, workerSocket: context.deps.workerSocket, clock: context.deps.clock };
    const lines = await loadEverywhere(parts, nodes, request.raw);
    return reply.header("Content-Type", "application/json").send(lines);
  });

  /** The reply is out of Fastify's hands from here on. */
  function passToWorker(
    request: FastifyRequest,
    reply: FastifyReply,
    path = request.raw.url ?? "/",
  ): void {
    const ownHeaders: Record<string, string> = {};
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (typeof value === "string") ownHeaders[name] = value;
    }
    reply.hijack();
    proxyRequest(request.raw, reply.raw, {
      workerSocket: context.deps.workerSocket,
      path: `/v${context.versionOf(request.raw)}${path}`,
      ownHeaders,
      shouldClose: isRetiring(),
    });
  }
}

/** The server's 'upgrade' event, which Fastify does not route. `path` is bare. */
export function handleUpgrade(
  context: RestContext,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: { readonly path: string; readonly version: string },
): void {
  // Without a listener a reset connection would end the process.
  socket.on("error", () => undefined);
  const pathOnly = target.path.split("?", 1)[0] ?? "";
  if (!isLocal(pathOnly)) {
    refuseUpgrade(socket, 404, "page not found");
    return;
  }
  proxyUpgrade(request, socket, head, {
    workerSocket: context.deps.workerSocket,
    path: `/v${target.version}${target.path}`,
  });
}
