/**
 * One gRPC channel to containerd. Adds the namespace header and a deadline to each call. No keepalive: containerd ends a
 * connection that pings oftener than every five minutes, and a unix socket's death is noticed at once anyway.
 */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import type { Clock } from "../../../base/index.js";
import { RPC, RpcError } from "./rpc-error.js";
import type { Method } from "./services.js";

/** containerd's own limit for one message. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
/** For calls that only touch containerd's records. */
export const CALL_TIMEOUT_MS = 10_000;

export type CallOptions = {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Lease that keeps what the call makes from the garbage collector. */
  readonly lease?: string;
};

export class Connection implements AsyncDisposable {
  readonly socketPath: string;
  readonly #namespace: string;
  readonly clock: Clock;
  readonly #client: Client;

  constructor(address: string, namespace: string, clock: Clock) {
    this.socketPath = address.replace(/^unix:(\/\/)?/, "");
    this.#namespace = namespace;
    this.clock = clock;
    this.#client = new Client(`unix:${this.socketPath}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1000,
      // What failed is looked at and repeated by those who know whether it may be.
      "grpc.enable_retries": 0,
      "grpc.enable_channelz": 0,
      // Each engine watches its own daemon: no channel shared by address within one process (tests run several).
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  /** Rejects RpcError; an aborted call rejects with the signal's reason. */
  call<Req, Res>(method: Method<Req, Res>, request: Req, options: CallOptions = {}): Promise<Res> {
    const timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted) {
        reject(options.signal.reason);
        return;
      }
      let isLate = false;
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.serialize,
        method.deserialize,
        request,
        this.#metadata(options.lease),
        (error: ServiceError | null, reply?: Res) => {
          stopTimer();
          options.signal?.removeEventListener("abort", cancel);
          if (error === null && reply !== undefined) resolve(reply);
          else if (options.signal?.aborted) reject(options.signal.reason);
          else if (isLate) reject(this.#late(method.path, timeoutMs));
          else reject(rpcError(error, method.path));
        },
      );
      const cancel = (): void => call.cancel();
      const stopTimer = Number.isFinite(timeoutMs)
        ? this.clock.setTimer(timeoutMs, () => {
            isLate = true;
            call.cancel();
          })
        : () => undefined;
      options.signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /** A stream of replies, without deadline. Ends with RpcError if the connection goes; leaving the loop cancels it. */
  async *stream<Req, Res>(
    method: Method<Req, Res>,
    request: Req,
    options: { readonly signal?: AbortSignal; readonly onOpen?: () => void } = {},
  ): AsyncGenerator<Res> {
    options.signal?.throwIfAborted();
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.serialize,
      method.deserialize,
      request,
      this.#metadata(undefined),
    );
    const cancel = (): void => call.cancel();
    options.signal?.addEventListener("abort", cancel, { once: true });
    try {
      for await (const message of call) yield message as Res;
    } catch (error) {
      options.signal?.throwIfAborted();
      throw rpcError(error, method.path);
    } finally {
      options.signal?.removeEventListener("abort", cancel);
      // An error after the cancel has no listener otherwise and would end the process.
      call.on("error", () => undefined);
      call.cancel();
    }
  }

  duplex<Req, Res>(method: Method<Req, Res>, lease: string): ClientDuplexStream<Req, Res> {
    return this.#client.makeBidiStreamRequest(
      method.path,
      method.serialize,
      method.deserialize,
      this.#metadata(lease),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await Promise.resolve();
  }

  #metadata(lease: string | undefined): Metadata {
    const metadata = new Metadata();
    metadata.set("containerd-namespace", this.#namespace);
    if (lease !== undefined) metadata.set("containerd-lease", lease);
    return metadata;
  }

  #late(path: string, timeoutMs: number): RpcError {
    return new RpcError(
      RPC.DEADLINE_EXCEEDED,
      `containerd at ${this.socketPath} did not answer ${path} within ${timeoutMs} ms`,
      path,
    );
  }
}

export function rpcError(error: unknown, path: string): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof Error && "code" in error && typeof error.code === "number") {
    const details = "details" in error && typeof error.details === "string" ? error.details : "";
    return new RpcError(error.code, details === "" ? error.message : details, path);
  }
  return new RpcError(RPC.UNKNOWN, error instanceof Error ? error.message : String(error), path);
}
