/** One blob into containerd's content store: STAT → WRITE… → COMMIT on one stream, resuming where an earlier try ended. */
import { createHash } from "node:crypto";
import { type BlobWrite, ImageError } from "../../images/index.js";
import { type Connection, rpcError } from "./connection.js";
import { isRpc, RPC } from "./rpc-error.js";
import { contentService } from "./services.js";
import { containerd } from "./wire.js";

const CHUNK_BYTES = 1024 * 1024;
/** Chunks sent but not acknowledged: bounds what we hold to 5 MiB per blob. */
const UNACKNOWLEDGED_MAX = 5;
const REPLY_TIMEOUT_MS = 60_000;

const { STAT, WRITE, COMMIT } = containerd.services.content.v1.WriteAction;
type Reply = containerd.services.content.v1.WriteContentResponse.$Properties;
type Request = containerd.services.content.v1.WriteContentRequest.$Properties;

export type WriteResult =
  | { readonly kind: "written"; readonly digest: string; readonly sizeBytes: number }
  /** The store has it; nothing was read and no label was set. */
  | { readonly kind: "exists"; readonly digest: string };

/** Rejects RpcError for the store's failures (a locked ingest too) and whatever the source throws. */
export async function writeContent(
  connection: Connection,
  lease: string,
  ref: string,
  write: BlobWrite,
): Promise<WriteResult> {
  const stream = new WriteStream(connection, lease);
  const base: Request = {
    ref,
    total: write.sizeBytes ?? 0,
    expected: write.digest ?? "",
  };
  // Without a known digest an old half could belong to other data: such writes start anew, and are hashed here.
  const hash = write.digest === undefined ? createHash("sha256") : undefined;
  let digest = write.digest ?? "";
  try {
    stream.send({ ...base, action: STAT });
    const start = (await stream.reply()).offset ?? 0;
    const from = hash === undefined ? start : 0;
    let offset = from;
    let acknowledged = 0;
    let sent = 0;
    try {
      for await (const chunk of inChunks(write.source(from))) {
        hash?.update(chunk);
        stream.send({ ...base, action: WRITE, offset, data: chunk });
        offset += chunk.length;
        sent++;
        for (; sent - acknowledged >= UNACKNOWLEDGED_MAX; acknowledged++) await stream.reply();
        write.onProgress?.(offset);
      }
    } finally {
      // Also when the source broke off: what was received then counts for the next try.
      for (; acknowledged < sent; acknowledged++) await stream.reply();
    }
    if (write.sizeBytes !== undefined && offset !== write.sizeBytes) {
      // Short bodies happen without an error when a proxy closes politely: as good as a broken connection.
      throw new TypeError(`body ended after ${offset} of ${write.sizeBytes} bytes`);
    }
    if (hash !== undefined) digest = `sha256:${hash.digest("hex")}`;
    stream.send({
      ...base,
      action: COMMIT,
      offset,
      total: offset,
      expected: digest,
      labels: { ...write.labels },
    });
    await stream.reply();
    return { kind: "written", digest, sizeBytes: offset };
  } catch (error) {
    if (isRpc(error, RPC.ALREADY_EXISTS)) return { kind: "exists", digest };
    if (isRpc(error, RPC.FAILED_PRECONDITION) && /unexpected commit/.test(error.message))
      throw new ImageError("FAILED", `${write.digest ?? ref} arrived damaged: ${error.message}`);
    throw error;
  } finally {
    stream.close();
  }
}

/** The duplex call as a conversation. */
class WriteStream {
  readonly #call;
  readonly #replies: Reply[] = [];
  readonly #clock;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(connection: Connection, lease: string) {
    this.#clock = connection.clock;
    this.#call = connection.duplex(contentService.write, lease);
    this.#call.on("data", (reply: Reply) => {
      this.#replies.push(reply);
      this.#wake?.();
    });
    this.#call.on("error", (error: Error) => this.#fail(error));
    this.#call.on("end", () => this.#fail(new Error("containerd ended the write stream")));
  }

  send(request: Request): void {
    if (this.#failure === undefined) this.#call.write(request);
  }

  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        const stopTimer = this.#clock.setTimer(REPLY_TIMEOUT_MS, () => {
          this.#fail(
            Object.assign(new Error("no answer to a content write"), {
              code: RPC.DEADLINE_EXCEEDED,
            }),
          );
        });
        this.#wake = () => {
          stopTimer();
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }

  close(): void {
    this.#failure ??= new Error("closed");
    this.#call.end();
    this.#call.cancel();
  }

  #fail(error: Error): void {
    this.#failure ??= rpcError(error, contentService.write.path);
    this.#wake?.();
  }
}

/** Joins small reads and splits large ones. If the source fails, what it gave before still comes out first. */
async function* inChunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of source) {
      let rest = part;
      while (size + rest.length >= CHUNK_BYTES) {
        const head = rest.subarray(0, CHUNK_BYTES - size);
        yield Buffer.concat([...parts, head]);
        rest = rest.subarray(head.length);
        parts = [];
        size = 0;
      }
      if (rest.length > 0) {
        // The source may reuse its buffer.
        parts.push(Buffer.from(rest));
        size += rest.length;
      }
    }
  } catch (error) {
    if (size > 0) yield Buffer.concat(parts);
    throw error;
  }
  if (size > 0) yield Buffer.concat(parts);
}
