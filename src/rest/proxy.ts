/**
 * Node-local routes go on to the worker's socket: bytes are passed through with back-pressure (Node's default buffers, 64 KiB each
 * way), nothing is parsed. Upgrades become a plain byte tunnel.
 */
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream";
import { API_VERSION_MAX } from "./api-version.js";

/** Headers that belong to one connection. */
const HOP_HEADERS = new Set(["connection", "keep-alive", "proxy-connection", "te", "trailer"]);

export type ProxyOptions = {
  readonly workerSocket: string;
  /** With the version that the client speaks, and its query. */
  readonly path: string;
  /** Headers that every answer of this door carries. */
  readonly ownHeaders: Readonly<Record<string, string>>;
  readonly shouldClose: boolean;
};

export function proxyRequest(
  client: IncomingMessage,
  reply: ServerResponse,
  options: ProxyOptions,
): void {
  const asked = request({
    socketPath: options.workerSocket,
    method: client.method,
    path: options.path,
    headers: passedOn(client),
  });
  asked.on("error", (error) => {
    if (reply.headersSent) {
      reply.destroy(error);
      return;
    }
    const body = `${JSON.stringify({ message: workerAway(error) })}\n`;
    reply.writeHead(503, { ...options.ownHeaders, "Content-Type": "application/json" });
    reply.end(body);
  });
  asked.on("response", (answer) => {
    const headers: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined && !HOP_HEADERS.has(name) && name !== "transfer-encoding") {
        headers[name] = value;
      }
    }
    if (options.shouldClose) headers["connection"] = "close";
    reply.writeHead(answer.statusCode ?? 502, { ...headers, ...options.ownHeaders });
    // A followed stream may stay silent for long: the client waits for the status.
    reply.flushHeaders();
    pipeline(answer, reply, () => undefined);
  });
  reply.once("close", () => {
    asked.destroy();
  });
  pipeline(client, asked, () => undefined);
}

function passedOn(client: IncomingMessage): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(client.headers)) {
    if (value !== undefined && !HOP_HEADERS.has(name)) headers[name] = value;
  }
  return headers;
}

/** A request to upgrade: its head goes to the worker as it came, then bytes flow both ways until either side ends. */
export function proxyUpgrade(
  client: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: Pick<ProxyOptions, "workerSocket" | "path">,
): void {
  const worker = connect({ path: options.workerSocket, allowHalfOpen: true });
  worker.once("error", (error) => {
    refuseUpgrade(socket, 503, workerAway(error));
  });
  worker.once("connect", () => {
    worker.removeAllListeners("error");
    const lines = [`${client.method} ${options.path} HTTP/1.1`];
    for (let i = 0; i + 1 < client.rawHeaders.length; i += 2) {
      lines.push(`${client.rawHeaders[i]}: ${client.rawHeaders[i + 1]}`);
    }
    worker.write(`${lines.join("\r\n")}\r\n\r\n`);
    if (head.length > 0) worker.write(head);
    // Half-closed sockets stay open: `docker exec -i` ends its input before the output is complete.
    pipeline(socket, worker, () => undefined);
    pipeline(worker, socket, () => {
      socket.destroy();
    });
  });
}

/** Answers an upgrade request without upgrading. */
export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  const body = `${JSON.stringify({ message })}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${status === 404 ? "Not Found" : "Refused"}\r\nContent-Type: application/json\r\nApi-Version: ${API_VERSION_MAX}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

function workerAway(error: Error): string {
  return `the worker of this node does not answer (${error.message}); it is restarted by swarmd, see its log if this lasts`;
}
