import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TaskSpec } from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { pathRef, queryOf, type RestContext } from "../context.js";
import { LogFanIn, type LogTarget } from "../logs/fan-in.js";
import { parseLogOptions } from "../logs/log-options.js";
import { nodeStreams } from "../logs/node-stream.js";
import { beginStream } from "../reply.js";
import { resolveService, resolveTask } from "../resolve.js";

export function logRoutes(app: FastifyInstance, context: RestContext): void {
  app.get("/services/:ref/logs", async (request, reply) => {
    const view = await context.read();
    const service = resolveService(view, pathRef(request));
    const target = { kind: "service", serviceId: service.id } as const;
    await stream(context, request, reply, view, target, service.spec.TaskTemplate);
  });

  app.get("/tasks/:ref/logs", async (request, reply) => {
    const view = await context.read();
    const task = resolveTask(view, pathRef(request));
    await stream(context, request, reply, view, { kind: "task", taskId: task.id }, task.spec);
  });
}

async function stream(
  context: RestContext,
  request: FastifyRequest,
  reply: FastifyReply,
  view: StoreView,
  target: LogTarget,
  spec: TaskSpec,
): Promise<void> {
  const { cluster } = context;
  const { clock, logger, workerSocket } = context.deps;
  const log = parseLogOptions(queryOf(request));
  const isTty = spec.ContainerSpec.TTY === true;
  const type =
    isTty || context.isBelow(request, "1.42")
      ? "application/vnd.docker.raw-stream"
      : "application/vnd.docker.multiplexed-stream";
  const raw = beginStream(reply, { "Content-Type": type });
  const gone = new AbortController();
  raw.once("close", () => {
    gone.abort(new Error("the client left"));
  });
  const fanIn = new LogFanIn({
    store: cluster.store,
    target,
    log,
    isTty,
    open: nodeStreams(cluster, workerSocket, clock),
    clock,
    logger,
    write: (bytes) => writeTo(raw, bytes, gone.signal),
  });
  try {
    await fanIn.run(view, gone.signal);
  } catch (error) {
    // The status is out: a cut connection is what is left to say.
    if (!gone.signal.aborted) logger.warn({ err: error }, "a log stream broke");
  }
  raw.end();
}

/** Waits for the client: no source reads on while 64 KiB are unsent. */
async function writeTo(raw: ServerResponse, bytes: Buffer, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted();
  if (!raw.write(bytes)) await once(raw, "drain", { signal: gone });
}
