/** `GET /journal`, ours: entries as JSON lines, what `swarm events` and `swarm history` show. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { doorError } from "../../base/index.js";
import {
  ENTRY_ACTIONS,
  ENTRY_TYPES,
  type EntrySelection,
  type JournalEntry,
  type JournalQuery,
  LAST_MAX,
  parsePosition,
  selectionFilter,
} from "../../journal/index.js";
import { queryOf, type RestContext } from "../context.js";
import { parseEventTime } from "../events/event-filter.js";
import { beginHistory, NOTICE_HEADER, noticeHeaders } from "../events/told-history.js";
import { Filters } from "../filters.js";
import type { Query } from "../query.js";
import { beginStream } from "../reply.js";

const FILTERS = ["type", "event", "of", "with-tasks", ...ENTRY_TYPES];

export function journalRoutes(app: FastifyInstance, context: RestContext): void {
  const { clock, logger } = context.deps;

  app.get("/journal", async (request, reply) => {
    const { journal } = context.cluster;
    const closed = new AbortController();
    let cancel: (() => void) | undefined;
    // Before anything is waited for: the client may leave meanwhile.
    reply.raw.once("close", () => {
      cancel?.();
      closed.abort();
    });
    const query = queryOf(request);
    const wanted = journalQuery(query);
    const { untilMs } = wanted;
    // An end that has passed leaves nothing to follow: what was until then is told, all of it.
    const isOver = untilMs !== undefined && untilMs <= clock.wallMs();
    const isFollowing = query.flag("follow") && !isOver;
    const tail = await journal.tail();
    const isHistoryWanted =
      !isFollowing || [wanted.sinceMs, wanted.after, wanted.last].some((set) => set !== undefined);
    const history = isHistoryWanted
      ? await beginHistory(journal, { ...wanted, upTo: tail }, closed.signal)
      : undefined;
    const raw = beginStream(reply, {
      "Content-Type": "application/x-ndjson",
      // Older ones know no trailers.
      ...(request.raw.httpVersion === "1.1" && { Trailer: NOTICE_HEADER }),
      ...noticeHeaders(history),
    });
    const ended = new AbortController();
    if (isFollowing && untilMs !== undefined && !closed.signal.aborted)
      cancel = clock.setTimer(Math.max(0, untilMs - clock.wallMs()), () => {
        ended.abort();
      });
    const run = async (): Promise<void> => {
      const { signal } = closed;
      for await (const entry of history?.entries ?? []) {
        if (signal.aborted) return;
        await give(raw, entry, signal);
      }
      if (history !== undefined) raw.addTrailers(noticeHeaders(history));
      if (!isFollowing) return;
      for await (const entry of journal.follow(tail, AbortSignal.any([signal, ended.signal])))
        if (wanted.filter?.(entry) !== false) await give(raw, entry, signal);
    };
    run().then(
      () => raw.end(),
      (error: unknown) => {
        logger.error({ err: error }, "journal stream failed");
        raw.destroy();
      },
    );
  });
}

/** A slow client is waited for: what it has not read stays on disk. */
async function give(raw: ServerResponse, entry: JournalEntry, signal: AbortSignal): Promise<void> {
  if (raw.writableEnded || raw.write(`${JSON.stringify(entry)}\n`) || signal.aborted) return;
  await once(raw, "drain", { signal }).catch(() => undefined);
}

function journalQuery(query: Query): JournalQuery {
  const sinceMs = parseEventTime(query, "since");
  const untilMs = parseEventTime(query, "until");
  const afterText = query.text("after");
  const after = afterText === "" ? undefined : parsePosition(afterText);
  if (afterText !== "" && after === undefined)
    throw doorError("InvalidArgument", `invalid after value "${afterText}": must be INDEX-SEQ`);
  const lastText = query.text("last");
  const last = lastText === "" ? undefined : Number(lastText);
  if (last !== undefined && !(Number.isInteger(last) && last >= 0 && last <= LAST_MAX))
    throw doorError("InvalidArgument", `invalid last value "${lastText}": must be 0–${LAST_MAX}`);
  const filters = Filters.parse(query.text("filters"), FILTERS);
  const of = filters.values("of");
  return {
    filter: selectionFilter(selectionOf(filters)),
    ...(sinceMs !== undefined && { sinceMs }),
    ...(untilMs !== undefined && { untilMs }),
    ...(after !== undefined && { after }),
    ...(last !== undefined && { last }),
    // As they stand in the JSON of an entry.
    ...(of.length > 0 && { needles: of.map((text) => JSON.stringify(text).slice(1, -1)) }),
  };
}

function selectionOf(filters: Filters): EntrySelection {
  filters.checkWords("type", ENTRY_TYPES);
  filters.checkWords("event", ENTRY_ACTIONS);
  const objects = ENTRY_TYPES.filter((type) => filters.has(type));
  return {
    ...(filters.has("type") && { types: ENTRY_TYPES.filter((t) => filters.exact("type", t)) }),
    ...(filters.has("event") && {
      actions: ENTRY_ACTIONS.filter((a) => filters.exact("event", a)),
    }),
    objects: Object.fromEntries(objects.map((type) => [type, filters.values(type)])),
    ...(filters.has("of") && {
      history: { of: filters.values("of"), withTasks: filters.flag("with-tasks") ?? false },
    }),
  };
}
