/**
 * Load on one URL, from whatever network namespace this process is in, until SIGTERM:
 * `node http-load.mjs URL CLIENTS close|keep-alive [PAUSE_MS]`. Prints one JSON line: {requests, failed, slowestMs}.
 * A request fails by any error, any status but 200, or an answer that takes longer than 5 s.
 */
import { Agent, get } from "node:http";

const [url, clients, mode, pauseMs = "0"] = process.argv.slice(2);
const LIMIT_MS = 5_000;
const FAILURES_KEPT = 20;
const agent = mode === "close" ? false : new Agent({ keepAlive: true });
const failed = [];
let requests = 0;
let failures = 0;
let slowestMs = 0;
let isOver = false;

function once() {
  return new Promise((resolve, reject) => {
    const call = get(url, { agent, timeout: LIMIT_MS }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    call.on("timeout", () => call.destroy(new Error(`no answer within ${LIMIT_MS} ms`)));
    call.on("error", reject);
  });
}

async function client() {
  while (!isOver) {
    const startedAt = performance.now();
    requests++;
    try {
      await once();
    } catch (error) {
      failures++;
      const text = `${new Date().toISOString()} ${error.code ?? ""} ${error.message}`;
      if (failed.length < FAILURES_KEPT) failed.push(text);
    }
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    if (Number(pauseMs) > 0) await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
  }
}

process.on("SIGTERM", () => {
  isOver = true;
});
process.stdout.write("started\n");
const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(clients) }, client));
const seconds = (performance.now() - startedAt) / 1000;
const report = { requests, perSecond: Math.round(requests / seconds), failures, failed, slowestMs };
process.stdout.write(`${JSON.stringify({ ...report, slowestMs: Math.round(slowestMs) })}\n`);
