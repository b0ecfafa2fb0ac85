/** `/swarm`: membership goes to the supervisor, the cluster's settings to the control plane. */
import type { FastifyInstance, FastifyReply } from "fastify";
import { doorError } from "../../base/index.js";
import { bodyOf, queryOf, type RestContext } from "../context.js";
import type { LeaveReply } from "../membership-bodies.js";
import { parseClusterSpec } from "../parse/cluster-spec.js";
import { parseInit, parseJoin, parseUnlock } from "../parse/membership.js";
import { dropNewerFields, INIT_DROPS } from "../parse/old-api.js";
import { sendEmpty, sendJson } from "../reply.js";

export function swarmRoutes(app: FastifyInstance, context: RestContext): void {
  const { membership } = context.deps;

  app.post("/swarm/init", async (request, reply) => {
    const version = context.versionOf(request.raw);
    const body = dropNewerFields(await bodyOf(request), version, INIT_DROPS);
    return sendJson(lastReply(reply), await membership("init", parseInit(body)));
  });

  app.post("/swarm/join", async (request, reply) => {
    await membership("join", parseJoin(await bodyOf(request)));
    return sendEmpty(lastReply(reply));
  });

  app.post("/swarm/leave", async (request, reply) => {
    const left = await membership("leave", { force: queryOf(request).flag("force") });
    const { warnings } = left as LeaveReply;
    return warnings.length === 0
      ? sendEmpty(lastReply(reply))
      : sendJson(lastReply(reply), { Warnings: warnings });
  });

  app.post("/swarm/unlock", async (request, reply) => {
    await membership("unlock", parseUnlock(await bodyOf(request)));
    return sendEmpty(lastReply(reply));
  });

  app.get("/swarm", async (request, reply) => {
    const cluster = (await context.read()).cluster();
    if (cluster === undefined) throw doorError("NotFound", "the cluster object does not exist yet");
    const { presentCluster, presentJournalStatus } = await import("../present/cluster.js");
    // Ours, for who asks: others get the Engine's keys and no more.
    const isJournalWanted = queryOf(request).flag("journal");
    return sendJson(reply, {
      ...presentCluster(cluster),
      ...(isJournalWanted && presentJournalStatus(context.cluster.journal)),
    });
  });

  app.post("/swarm/update", async (request, reply) => {
    const spec = parseClusterSpec(await bodyOf(request));
    const query = queryOf(request);
    const version = query.version("swarm");
    await context.submit(request, {
      kind: "cluster.update",
      version,
      spec,
      rotateWorkerToken: query.strictFlag("rotateWorkerToken"),
      rotateManagerToken: query.strictFlag("rotateManagerToken"),
      rotateManagerUnlockKey: query.strictFlag("rotateManagerUnlockKey"),
    });
    return sendEmpty(reply);
  });

  app.get("/swarm/unlockkey", async (_request, reply) => {
    const cluster = (await context.read()).cluster();
    return sendJson(reply, { UnlockKey: cluster?.unlockKey ?? "" });
  });
}

/**
 * The front process is replaced after these: the client's next request must come on a new connection, which then reaches the
 * new front (contracts §3).
 */
function lastReply(reply: FastifyReply): FastifyReply {
  return reply.header("Connection", "close");
}
