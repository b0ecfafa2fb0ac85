/** A minimal Engine API client, the same for both clusters, so that neither is measured through better code. */
import { Agent, request } from "node:http";

export type Reply = { readonly status: number; readonly text: string };

export class Engine {
  readonly socket: string;
  readonly #agent: Agent;

  constructor(socket: string) {
    this.socket = socket;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  send(method: string, path: string, body?: unknown, limitMs = 30_000): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const call = request(
        {
          socketPath: this.socket,
          agent: this.#agent,
          method,
          path: `/v1.41${path}`,
          timeout: limitMs,
          headers:
            text === undefined
              ? {}
              : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
          response.on("error", reject);
        },
      );
      call.on("timeout", () => call.destroy(new Error(`no answer within ${limitMs} ms`)));
      call.on("error", reject);
      call.end(text);
    });
  }

  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const reply = await this.send(method, path, body);
    if (reply.status >= 400) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    return (reply.text === "" ? undefined : JSON.parse(reply.text)) as T;
  }

  upload(path: string, bytes: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          socketPath: this.socket,
          method: "POST",
          path,
          headers: { "Content-Type": "application/x-tar", "Content-Length": bytes.length },
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      call.on("error", reject);
      call.end(bytes);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
