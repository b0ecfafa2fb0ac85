/** Answers: JSON as Go's encoder ends it (with a newline), long lists printed in slices. */
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";

/** Lists longer than this are streamed, so that printing one never holds up a heartbeat. */
export const LIST_AT_ONCE_MAX = 500;
/** Elements printed between two turns of the event loop: some 100 tasks take about 1 ms. */
const SLICE_COUNT = 100;

export function sendJson(reply: FastifyReply, value: unknown, status = 200): FastifyReply {
  return (
    reply
      .code(status)
      .header("Content-Type", "application/json")
      // As bytes: to a text Fastify would add a charset that the Engine does not send.
      .send(Buffer.from(`${JSON.stringify(value)}\n`))
  );
}

export function sendEmpty(reply: FastifyReply, status = 200): FastifyReply {
  return reply.code(status).send();
}

/** Prints `present(item)` of each item as one JSON array. */
export function sendList<T>(
  reply: FastifyReply,
  items: readonly T[],
  present: (item: T) => unknown,
): FastifyReply {
  if (items.length <= LIST_AT_ONCE_MAX) return sendJson(reply, items.map(present));
  return reply
    .code(200)
    .header("Content-Type", "application/json")
    .send(Readable.from(slices(items, present), { objectMode: false, highWaterMark: 64 * 1024 }));
}

async function* slices<T>(
  items: readonly T[],
  present: (item: T) => unknown,
): AsyncGenerator<string> {
  for (let lo = 0; lo < items.length; lo += SLICE_COUNT) {
    const part = items.slice(lo, lo + SLICE_COUNT).map((item) => JSON.stringify(present(item)));
    yield `${lo === 0 ? "[" : ","}${part.join(",")}`;
    await new Promise((resolve) => setImmediate(resolve));
  }
  yield "]\n";
}

/** Sends status 200 and the headers at once and hands out the response for streaming. */
export function beginStream(
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
): ServerResponse {
  const { raw } = reply;
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers })) {
    if (value !== undefined) raw.setHeader(name, value);
  }
  reply.hijack();
  // Many sources may wait for the same client.
  raw.setMaxListeners(0);
  raw.writeHead(200);
  raw.flushHeaders();
  return raw;
}
