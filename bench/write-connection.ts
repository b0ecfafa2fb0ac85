import { connect, type Socket } from "node:net";
import type { Reply } from "./engine.js";

const HEAD_END = "\r\n\r\n";
const LIMIT_MS = 30_000;

type Waiter = { readonly resolve: (reply: Reply) => void; readonly reject: (error: Error) => void };

/**
 * One kept connection to an engine, one POST at a time, by hand: with 32 of them the client is on the same processors as what is measured,
 * and Node's own takes four times as much of them. Understands what both clusters answer: a body with its length.
 */
export class WriteConnection {
  readonly #socket: Socket;
  #text = "";
  #waiter: Waiter | undefined;

  constructor(path: string) {
    this.#socket = connect(path);
    this.#socket.setEncoding("latin1");
    this.#socket.setTimeout(LIMIT_MS, () => this.#socket.destroy(new Error("no answer in time")));
    this.#socket.on("data", (chunk) => this.#receive(String(chunk)));
    this.#socket.on("error", (error) => this.#waiter?.reject(error));
    this.#socket.on("close", () => this.#waiter?.reject(new Error("the connection was closed")));
  }

  post(path: string, body: unknown): Promise<Reply> {
    const text = JSON.stringify(body);
    this.#socket.write(
      `POST /v1.41${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}${HEAD_END}${text}`,
    );
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  close(): void {
    this.#waiter = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    this.#text += chunk;
    const headEnd = this.#text.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const length = /^content-length: *(\d+)/im.exec(this.#text.slice(0, headEnd))?.[1];
    if (length === undefined) {
      this.#waiter?.reject(new Error(`an answer without a length: ${this.#text}`));
      return;
    }
    const bodyAt = headEnd + HEAD_END.length;
    if (this.#text.length < bodyAt + Number(length)) return;
    const status = Number(this.#text.slice(9, 12));
    const text = this.#text.slice(bodyAt, bodyAt + Number(length));
    this.#text = this.#text.slice(bodyAt + Number(length));
    this.#waiter?.resolve({ status, text });
  }
}
