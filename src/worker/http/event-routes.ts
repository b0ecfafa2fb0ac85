/** Events of this node's containers: those kept from `since` on, then those that come, until `until`. */
import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { doorError } from "../../base/index.js";
import { parseFilters } from "../core/filter/filters.js";
import {
  type ContainerEvent,
  EVENT_FILTER_KEYS,
  eventLine,
  eventMatches,
} from "../core/view/container-event.js";
import type { HttpContext } from "./context.js";

/** A reader who leaves this much unread has lost touch: it is cut off rather than buffered for. */
const UNREAD_BYTES_MAX = 256 * 1024;
const STREAMS_MAX = 64;

type Query = Readonly<Record<string, string | undefined>>;

export function addEventRoutes(app: FastifyInstance, context: HttpContext): void {
  let openCount = 0;
  app.get<{ Querystring: Query }>("/events", (request, reply) => {
    const { clock, tasks } = context;
    const filters = parseFilters(request.query["filters"] ?? "", EVENT_FILTER_KEYS);
    const sinceMs = timeOf(request.query, "since");
    const untilMs = timeOf(request.query, "until");
    if (openCount >= STREAMS_MAX)
      throw doorError("ResourceExhausted", `${STREAMS_MAX} event streams are open; end one first`);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "Content-Type": "application/json" });
    raw.flushHeaders();
    const give = (event: ContainerEvent): void => {
      if (eventMatches(event, filters)) write(raw, eventLine(event));
    };
    if (sinceMs !== undefined)
      for (const event of tasks.events.kept())
        if (event.atMs >= sinceMs && event.atMs <= (untilMs ?? event.atMs)) give(event);
    const leftMs = untilMs === undefined ? undefined : untilMs - clock.wallMs();
    if (leftMs !== undefined && leftMs <= 0) {
      raw.end();
      return;
    }
    openCount++;
    const unsubscribe = tasks.events.subscribe(give);
    const cancel = leftMs === undefined ? undefined : clock.setTimer(leftMs, () => raw.end());
    raw.once("close", () => {
      openCount--;
      unsubscribe();
      cancel?.();
    });
  });
}

function write(raw: ServerResponse, line: string): void {
  if (raw.writableEnded || raw.destroyed) return;
  raw.write(line);
  if (raw.writableLength > UNREAD_BYTES_MAX) raw.destroy();
}

/** Unix seconds with a fraction, or RFC 3339 → Unix ms; undefined when absent. */
function timeOf(query: Query, name: "since" | "until"): number | undefined {
  const text = query[name] ?? "";
  if (text === "") return undefined;
  const atMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(atMs))
    throw doorError("InvalidArgument", `invalid value for "${name}": ${text}`);
  return atMs;
}
