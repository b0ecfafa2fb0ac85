import {
  Client,
  type ClientDuplexStream,
  type ClientWritableStream,
  experimental,
  Metadata,
  type MethodDefinition,
  status,
} from "@grpc/grpc-js";
import type { IdentityCertificates } from "./certificates.js";
import {
  CHANNELS_MAX,
  KEEPALIVE_TIME_MS,
  KEEPALIVE_TIMEOUT_MS,
  MESSAGE_BYTES_MAX,
  RECONNECT_INITIAL_MS,
  RECONNECT_MAX_MS,
} from "./limits.js";
import { RpcError, toRpcError } from "./status.js";

/**
 * One channel per manager address, under mTLS. The server must show a certificate for `swarm-manager`: addresses change,
 * identities don't.
 */
export class ChannelPool {
  readonly #certificates: IdentityCertificates;
  readonly #clients = new Map<string, Client>();
  #isClosed = false;

  constructor(certificates: IdentityCertificates) {
    this.#certificates = certificates;
  }

  /** Runs one call. Rejects with RpcError; UNAVAILABLE at once while the peer cannot be reached. */
  unary<Req, Res>(
    addr: string,
    method: MethodDefinition<Req, Res>,
    request: Req,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Res> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) {
        reject(new RpcError(status.CANCELLED, "cancelled before it was sent"));
        return;
      }
      const call = this.#client(addr).makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline: Date.now() + options.timeoutMs },
        (error, value) => {
          signal?.removeEventListener("abort", onAbort);
          if (error !== null) reject(toRpcError(error));
          else if (value === undefined) reject(new RpcError(status.INTERNAL, "empty answer"));
          else resolve(value);
        },
      );
      const onAbort = (): void => {
        call.cancel();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** A stream to the peer that ends with one answer. */
  clientStream<Req, Res>(
    addr: string,
    method: MethodDefinition<Req, Res>,
    onEnd: (error: RpcError | undefined) => void,
  ): ClientWritableStream<Req> {
    return this.#client(addr).makeClientStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      new Metadata(),
      {},
      (error) => {
        onEnd(error === null ? undefined : toRpcError(error));
      },
    );
  }

  duplex<Req, Res>(addr: string, method: MethodDefinition<Req, Res>): ClientDuplexStream<Req, Res> {
    return this.#client(addr).makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      new Metadata(),
      {},
    );
  }

  close(): void {
    this.#isClosed = true;
    this.reconnect();
  }

  /** The next call to each peer makes a connection of its own, which is shown the certificate of then. */
  reconnect(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(addr: string): Client {
    if (this.#isClosed) throw new RpcError(status.CANCELLED, "this manager is stopping");
    const known = this.#clients.get(addr);
    if (known !== undefined) {
      this.#clients.delete(addr);
      this.#clients.set(addr, known);
      return known;
    }
    if (this.#clients.size >= CHANNELS_MAX) {
      const oldest = this.#clients.entries().next().value;
      if (oldest !== undefined) {
        oldest[1].close();
        this.#clients.delete(oldest[0]);
      }
    }
    const client = new Client(addr, this.#credentials(), {
      "grpc.ssl_target_name_override": "swarm-manager",
      "grpc.default_authority": "swarm-manager",
      "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
      "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
      "grpc.initial_reconnect_backoff_ms": RECONNECT_INITIAL_MS,
      "grpc.max_reconnect_backoff_ms": RECONNECT_MAX_MS,
      "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
      "grpc.enable_http_proxy": 0,
      "grpc.enable_retries": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#clients.set(addr, client);
    return client;
  }

  #credentials() {
    return experimental.createCertificateProviderChannelCredentials(
      this.#certificates,
      this.#certificates,
    );
  }
}
