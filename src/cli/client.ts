import { type Agent, type IncomingMessage, request } from "node:http";

/** Longest error or JSON body that is read. */
const BODY_MAX_BYTES = 64 * 1024 * 1024;

/** The API's answer to a refused call, or why it could not be reached (status 0). */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export type CallOptions = {
  readonly body?: unknown;
  /** Sent as is instead of a JSON body. */
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

/** Speaks the Engine API over a node's unix socket. */
export class EngineClient {
  readonly socket: string;
  readonly #agent: Agent | false;

  /** An `agent` keeps connections for the next calls; without one each call has its own. */
  constructor(socket: string, agent: Agent | false = false) {
    this.socket = socket;
    this.#agent = agent;
  }

  /** Parsed JSON body; undefined when it is empty. Rejects ClientError with the API's message. */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const text = await readAll(await this.open(method, path, options));
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** The response itself once its status is known to be good. */
  async open(method: string, path: string, options: CallOptions = {}): Promise<IncomingMessage> {
    const response = await this.#send(method, path, options);
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    throw new ClientError(status, messageOf(await readAll(response), status));
  }

  #send(method: string, path: string, options: CallOptions): Promise<IncomingMessage> {
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    return new Promise((resolve, reject) => {
      const call = request(
        {
          socketPath: this.socket,
          method,
          path,
          agent: this.#agent,
          headers: {
            Host: "swarm",
            ...(body === undefined
              ? {}
              : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
            ...(options.stream === undefined ? {} : { "Content-Type": "application/x-tar" }),
            ...options.headers,
          },
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        },
        resolve,
      );
      call.on("error", (cause: NodeJS.ErrnoException) =>
        reject(unreachableError(this.socket, cause)),
      );
      if (options.stream === undefined) call.end(body);
      else void pump(options.stream, call).catch((error: unknown) => call.destroy(error as Error));
    });
  }
}

async function pump(
  stream: AsyncIterable<Uint8Array>,
  call: ReturnType<typeof request>,
): Promise<void> {
  for await (const chunk of stream) {
    if (!call.write(chunk)) await new Promise((resolve) => call.once("drain", resolve));
  }
  call.end();
}

function unreachableError(socket: string, cause: NodeJS.ErrnoException): ClientError {
  const why =
    cause.code === "ENOENT" || cause.code === "ECONNREFUSED"
      ? `no swarmd answers on ${socket}: is it running? (systemctl status swarmd; another socket: --host unix://PATH)`
      : cause.code === "EACCES"
        ? `no permission to use ${socket}: run as root or join the socket's group`
        : `connection to ${socket} failed: ${cause.message}`;
  return new ClientError(0, why, { cause });
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES)
      throw new ClientError(0, `answer is larger than ${BODY_MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function messageOf(text: string, status: number): string {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) {
      return String(parsed.message);
    }
  } catch {
    // Not JSON: very old API versions answer plain text, which is the message itself.
  }
  return text.trim() || `HTTP status ${status}`;
}
