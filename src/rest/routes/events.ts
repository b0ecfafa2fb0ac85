import { once } from "node:events";
import { request as httpRequest, type ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Position } from "../../journal/index.js";
import { queryOf, type RestContext } from "../context.js";
import type { ClusterEvent } from "../events/cluster-event.js";
import { eventLine } from "../events/cluster-event.js";
import {
  eventMatches,
  parseEventFilters,
  parseEventTime,
  wantsLocalEvents,
} from "../events/event-filter.js";
import { journalEvent } from "../events/journal-event.js";
import type { LeadershipWatch } from "../events/leadership-watch.js";
import { beginHistory, noticeHeaders, type ToldHistory } from "../events/told-history.js";
import type { Filters } from "../filters.js";
import { beginStream } from "../reply.js";

/** A client that leaves this much of a worker's events unread has lost touch: it is cut off rather than buffered for. */
const UNREAD_BYTES_MAX = 256 * 1024;

type Span = {
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  /** `untilMs` has passed: what was until then is told, and nothing is followed. */
  readonly isOver: boolean;
};

/** `watch` is undefined where this node is no manager: then only its own containers' events come. */
export function eventRoutes(
  app: FastifyInstance,
  context: RestContext,
  watch: LeadershipWatch | undefined,
): void {
  const { clock, logger } = context.deps;

  app.get("/events", async (request, reply) => {
    const query = queryOf(request);
    const filters = parseEventFilters(query);
    const sinceMs = parseEventTime(query, "since");
    const untilMs = parseEventTime(query, "until");
    const closed = new AbortController();
    let cancel: (() => void) | undefined;
    // Before anything is waited for: the client may leave meanwhile.
    reply.raw.once("close", () => {
      cancel?.();
      closed.abort();
    });
    const isOver = untilMs !== undefined && untilMs <= clock.wallMs();
    const span = { sinceMs, untilMs, isOver };
    const past = watch && (await pastOf(context, span, closed.signal));
    const raw = beginStream(reply, {
      "Content-Type": "application/json",
      ...noticeHeaders(past?.history),
    });
    const ended = new AbortController();
    const signal = AbortSignal.any([closed.signal, ended.signal]);
    const ofCluster =
      watch &&
      past &&
      clusterEvents(context, watch, filters, span, past, raw, closed.signal, signal);
    const parts = [
      ofCluster,
      wantsLocalEvents(filters) && !closed.signal.aborted
        ? workerEvents(context, request.url, raw)
        : undefined,
    ];
    if (!isOver && untilMs !== undefined && !closed.signal.aborted)
      cancel = clock.setTimer(Math.max(0, untilMs - clock.wallMs()), () => {
        ended.abort();
        // Behind the history, if that is still being told.
        void Promise.allSettled([ofCluster]).then(() => raw.end());
      });
    Promise.all(parts).then(
      () => {
        if (isOver && !raw.writableEnded) raw.end();
      },
      (error: unknown) => {
        logger.error({ err: error }, "event stream failed");
        raw.destroy();
      },
    );
  });
}

/** What the journal has of the time before the answer; no history where none is wanted. */
type Past = { readonly tail: Position; readonly history: ToldHistory | undefined };

async function pastOf(
  context: RestContext,
  { sinceMs, untilMs, isOver }: Span,
  closed: AbortSignal,
): Promise<Past> {
  const { journal } = context.cluster;
  const tail = await journal.tail();
  if (sinceMs === undefined && !isOver) return { tail, history: undefined };
  const query = {
    upTo: tail,
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
  };
  return { tail, history: await beginHistory(journal, query, closed) };
}

/** History from the journal, then what comes. A slow client is waited for: what it has not read stays on disk. */
async function clusterEvents(
  context: RestContext,
  watch: LeadershipWatch,
  filters: Filters,
  { sinceMs = 0, untilMs = Number.POSITIVE_INFINITY, isOver }: Span,
  { tail, history }: Past,
  raw: ServerResponse,
  closed: AbortSignal,
  /** Also at `untilMs`. */
  ended: AbortSignal,
): Promise<void> {
  const { journal } = context.cluster;
  const give = async (event: ClusterEvent | undefined): Promise<void> => {
    if (event === undefined || raw.writableEnded || !eventMatches(event, filters)) return;
    if (!raw.write(eventLine(event))) await drained(raw, closed);
  };
  if (history !== undefined) {
    const observed = watch
      .history()
      .filter((event) => event.atMs >= sinceMs && event.atMs <= untilMs);
    for await (const entry of history.entries) {
      if (closed.aborted) return;
      while ((observed[0]?.atMs ?? Infinity) < entry.atMs) await give(observed.shift());
      await give(journalEvent(entry));
    }
    for (const event of observed) await give(event);
  }
  if (isOver) return;
  const stopListening = watch.listen((event) => void give(event)); // few and small
  try {
    for await (const entry of journal.follow(tail, ended)) await give(journalEvent(entry));
  } finally {
    stopListening();
  }
}

async function drained(raw: ServerResponse, signal: AbortSignal): Promise<void> {
  if (signal.aborted || raw.destroyed) return;
  await once(raw, "drain", { signal }).catch(() => undefined);
}

/** Adds the worker's events, resolves at their end; a worker that is away or has none takes nothing from the stream. */
function workerEvents(context: RestContext, path: string, raw: ServerResponse): Promise<void> {
  return new Promise((done) => {
    const finish = (): void => {
      done();
    };
    const asked = httpRequest({ socketPath: context.deps.workerSocket, path });
    asked.on("error", finish);
    asked.on("response", (answer) => {
      if (answer.statusCode !== 200) {
        answer.resume();
        finish();
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
      answer.on("error", finish);
      answer.on("end", finish);
    });
    asked.end();
    raw.once("close", () => {
      asked.destroy();
      finish();
    });
  });
}
