/**
 * Load on one URL, from whatever network namespace this process is in, until SIGTERM:
 * `node http-load.mjs URL CLIENTS close|keep-alive [PAUSE_MS]`. Prints one JSON line: {requests, failed, slowestMs}.
 * A request fails by any error, any status but 200, or an answer that takes longer than 5 s.
 */
import { Agent, get } from "node:http";
import { connect } from "node:net";

const [url, clients, mode, pauseMs = "0"] = process.argv.slice(2);
const LIMIT_MS = 5_000;
const FAILURES_KEPT = 20;
const agent = new Agent({ keepAlive: true });
const { hostname, port, pathname, host } = new URL(url);
const CLOSING = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
const failed = [];
let requests = 0;
let failures = 0;
let slowestMs = 0;
let isOver = false;

/** A connection of its own, by hand: Node's client opens 300 in the second in which this opens 2,000. */
function onceClosing() {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port || 80) });
    let text = "";
    let reached = "not connected";
    socket.setEncoding("latin1");
    socket.setTimeout(LIMIT_MS, () => {
      socket.destroy(new Error(`no answer within ${LIMIT_MS} ms`));
    });
    socket.on("connect", () => {
      reached = `connected from port ${socket.localPort}`;
    });
    socket.write(CLOSING);
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", ({ code, message }) => {
      reject(new Error(`${code ?? ""} ${message}, ${reached}, ${text.length} bytes came`));
    });
    socket.on("close", () => {
      const fault = faultOf(text);
      if (fault === undefined) resolve();
      else reject(new Error(fault));
    });
  });
}

/** What is wrong with an answer after which the server closed; undefined: nothing. */
function faultOf(text) {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return `the connection ended after ${text.length} bytes`;
  const head = text.slice(0, headEnd);
  if (!/^HTTP\/1\.[01] 200 /.test(head)) return `status ${head.slice(9, 12)}`;
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  const bodyLength = text.length - headEnd - 4;
  if (length !== undefined && Number(length) !== bodyLength)
    return `${bodyLength} of ${length} bytes came`;
  return undefined;
}

function onceKept() {
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
      await (mode === "close" ? onceClosing() : onceKept());
    } catch (error) {
      failures++;
      const after = Math.round(performance.now() - startedAt);
      const text = `${new Date().toISOString()} after ${after} ms: ${error.code ?? ""} ${error.message}`;
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
