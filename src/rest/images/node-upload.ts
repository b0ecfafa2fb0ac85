/** One POST to a node's local Engine API whose body comes in pieces: takes a piece when the node has room for it. */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "../../base/index.js";

/** A node that takes nothing for this long, or does not answer this long after the last piece, is given up. */
export const STALL_LIMIT_MS = 60_000;
/** Answers are lists of image names or one message. */
const ANSWER_BYTES_MAX = 1024 * 1024;

/** What a node said in the end. */
export type UploadOutcome =
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "failed"; readonly reason: string };

export class NodeUpload {
  readonly #request: ClientRequest;
  readonly #bytes: Duplex;
  readonly #clock: Clock;
  #outcome: UploadOutcome | undefined;
  #settle: (outcome: UploadOutcome) => void = () => undefined;
  /** Resolves when the node has answered or was given up; never rejects. */
  readonly ended: Promise<UploadOutcome>;

  /** Owns `bytes` from here on. */
  constructor(bytes: Duplex, path: string, clock: Clock) {
    this.#bytes = bytes;
    this.#clock = clock;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#request = request({
      createConnection: () => bytes,
      method: "POST",
      path,
      headers: { Host: "node", "Content-Type": "application/x-tar", Connection: "close" },
    });
    this.#request.on("error", (error) => {
      this.fail(error.message);
    });
    this.#request.on("close", () => {
      this.fail("the connection to the node ended");
    });
    this.#request.on("response", (response) => {
      void this.#read(response); // reports its own failures
    });
  }

  get hasEnded(): boolean {
    return this.#outcome !== undefined;
  }

  /**
   * Resolves when the node has room for more: at most `piece` and Node's own buffer (64 KiB) wait here. A node that has ended takes
   * everything.
   */
  async write(piece: Buffer): Promise<void> {
    if (this.#outcome !== undefined || this.#request.write(piece)) return;
    await this.#orEnd("takes no more data", (resume) => {
      this.#request.once("drain", resume);
    });
  }

  /** After the last piece. Resolves with what the node says. */
  async finish(): Promise<UploadOutcome> {
    if (this.#outcome === undefined) this.#request.end();
    await this.#orEnd("does not answer", () => undefined);
    return this.ended;
  }

  /** Gives the node up, unless it has answered already. */
  fail(reason: string): void {
    this.#end({ kind: "failed", reason });
  }

  #end(outcome: UploadOutcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#settle(outcome);
    this.#request.destroy();
    this.#bytes.destroy();
  }

  /** Waits for `arm` to resume, or for the end, which comes at the latest after STALL_LIMIT_MS. */
  async #orEnd(what: string, arm: (resume: () => void) => void): Promise<void> {
    const cancel = this.#clock.setTimer(STALL_LIMIT_MS, () => {
      this.fail(`the node ${what} for ${STALL_LIMIT_MS / 1000} s`);
    });
    await Promise.race([new Promise<void>(arm), this.ended]);
    cancel();
  }

  async #read(response: IncomingMessage): Promise<void> {
    let text = "";
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        text += chunk.toString("utf8");
        if (text.length > ANSWER_BYTES_MAX) throw new Error("the node's answer is too large");
      }
      const error = errorIn(text);
      if (error !== undefined || response.statusCode !== 200)
        this.fail(error ?? `the node answered ${response.statusCode}`);
      else this.#end({ kind: "done", text });
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }
}

/** The message of an error answer, or of an error line in a stream that began well. */
function errorIn(text: string): string | undefined {
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    try {
      const entry: unknown = JSON.parse(line);
      if (typeof entry !== "object" || entry === null) continue;
      const { message, error } = entry as { message?: unknown; error?: unknown };
      if (typeof message === "string") return message;
      if (typeof error === "string") return error;
    } catch {
      return `the node's answer is no JSON: ${line.slice(0, 200)}`;
    }
  }
  return undefined;
}
