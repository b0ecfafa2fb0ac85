import { request as httpRequest, type ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { queryOf, type RestContext } from "../context.js";
import type { ClusterEvent } from "../events/cluster-event.js";
import { eventLine } from "../events/cluster-event.js";
import {
  eventMatches,
  parseEventFilters,
  parseEventTime,
  wantsLocalEvents,
} from "../events/event-filter.js";
import type { EventLog } from "../events/event-log.js";
import { beginStream } from "../reply.js";

/** A client that leaves this much unread has lost touch: it is cut off rather than buffered for. */
const UNREAD_BYTES_MAX = 256 * 1024;

/** `log` is undefined where this node is no manager: then only its own containers' events come. */
export function eventRoutes(
  app: FastifyInstance,
  context: RestContext,
  log: EventLog | undefined,
): void {
  const { clock } = context.deps;

  app.get("/events", (request, reply) => {
    const query = queryOf(request);
    const filters = parseEventFilters(query);
    const sinceMs = parseEventTime(query, "since");
    const untilMs = parseEventTime(query, "until");
    const raw = beginStream(reply, { "Content-Type": "application/json" });

    const give = (event: ClusterEvent): void => {
      if (!eventMatches(event, filters)) return;
      raw.write(eventLine(event));
      if (raw.writableLength > UNREAD_BYTES_MAX) raw.destroy();
    };
    if (sinceMs !== undefined || untilMs !== undefined) {
      for (const event of log?.history() ?? []) {
        const isWanted = event.atMs >= (sinceMs ?? 0) && event.atMs <= (untilMs ?? Infinity);
        if (isWanted && sinceMs !== undefined) give(event);
      }
    }
    const waitMs = untilMs === undefined ? undefined : untilMs - clock.wallMs();
    const isOver = waitMs !== undefined && waitMs <= 0;
    if (wantsLocalEvents(filters)) followWorker(context, request.url, raw, isOver);
    else if (isOver) raw.end();
    if (isOver) return;

    const stopListening = log?.listen(give);
    const cancel = waitMs === undefined ? undefined : clock.setTimer(waitMs, () => raw.end());
    raw.once("close", () => {
      stopListening?.();
      cancel?.();
    });
  });
}

/** Adds the worker's events; a worker that is away or has none takes nothing from the stream. */
function followWorker(
  context: RestContext,
  path: string,
  raw: ServerResponse,
  endWithIt: boolean,
): void {
  const done = (): void => {
    if (endWithIt && !raw.writableEnded) raw.end();
  };
  const asked = httpRequest({ socketPath: context.deps.workerSocket, path });
  asked.on("error", done);
  asked.on("response", (answer) => {
    if (answer.statusCode !== 200) {
      answer.resume();
      done();
      return;
    }
    let rest = "";
    answer.setEncoding("utf8");
    answer.on("data", (chunk: string) => {
      // Whole lines only: the cluster's own events go in between.
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (!raw.writableEnded) raw.write(`${line}\n`);
      if (raw.writableLength > UNREAD_BYTES_MAX || rest.length > UNREAD_BYTES_MAX) raw.destroy();
    });
    answer.on("error", done);
    answer.on("end", done);
  });
  asked.end();
  raw.once("close", () => {
    asked.destroy();
  });
}
