import {
  experimental,
  type MethodDefinition,
  Server,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import type { Clock, Logger } from "../../base/index.js";
import { ManagerError } from "../errors.js";
import { type AuthDecision, NO_VALID_CERTIFICATE, type Peer, peerOfSubject } from "./auth.js";
import type { IdentityCertificates } from "./certificates.js";
import {
  MESSAGE_BYTES_MAX,
  RECEIVED_BYTES_MAX,
  SERVER_KEEPALIVE_MS,
  STREAMS_PER_CONNECTION_MAX,
} from "./limits.js";
import { RefusalLog } from "./refusal-log.js";
import { isUnexpected, serviceError, toServiceError } from "./status.js";

/** What a handler knows of its caller. */
export type Caller = {
  /** Verified; undefined only where the method's table entry allows it. */
  readonly peer: Peer | undefined;
  /** Remote IP without port; IPv4-mapped addresses as IPv4. */
  readonly remoteIp: string;
};

/** Caller of a method whose table entry requires a certificate. */
export type KnownCaller = Caller & { readonly peer: Peer };

/** Decides each call; may take a second look after a read barrier. */
export type Gate = (path: string, peer: Peer | undefined) => AuthDecision | Promise<AuthDecision>;

type AnyCall = {
  getPath(): string;
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: { readonly subject: unknown } };
};

/**
 * The gRPC server on 2377. Client certificates are asked for but optional: the gate decides per method, before the handler
 * sees anything. Whatever is not gRPC over TLS on the port ends its own connection only.
 */
export class RpcServer {
  readonly #server = new Server({
    "grpc.max_receive_message_length": RECEIVED_BYTES_MAX,
    "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_concurrent_streams": STREAMS_PER_CONNECTION_MAX,
    "grpc.keepalive_time_ms": SERVER_KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": SERVER_KEEPALIVE_MS,
  });
  readonly #certificates: IdentityCertificates;
  readonly #gate: Gate;
  readonly #logger: Logger;
  readonly #refusals: RefusalLog;

  constructor(parts: {
    readonly certificates: IdentityCertificates;
    readonly gate: Gate;
    readonly logger: Logger;
    readonly clock: Clock;
  }) {
    this.#certificates = parts.certificates;
    this.#gate = parts.gate;
    this.#logger = parts.logger;
    this.#refusals = new RefusalLog(parts.clock);
  }

  unary<Req, Res>(
    method: MethodDefinition<Req, Res>,
    handle: (request: Req, caller: Caller, signal: AbortSignal) => Promise<Res>,
  ): void {
    this.#add(method, (call: ServerUnaryCall<Req, Res>, callback: sendUnaryData<Res>) => {
      const controller = new AbortController();
      call.on("cancelled", () => {
        controller.abort(new Error("the caller went away"));
      });
      const run = async (): Promise<void> => {
        try {
          callback(null, await handle(call.request, await this.#admit(call), controller.signal));
        } catch (error) {
          callback(this.#failure(call, error));
        }
      };
      void run(); // never rejects: reports through the callback
    });
  }

  /** The handler owns the stream from here on and ends it with `end(error)`. */
  clientStream<Req, Res>(
    method: MethodDefinition<Req, Res>,
    handle: (
      call: ServerReadableStream<Req, Res>,
      caller: KnownCaller,
      end: (error: unknown) => void,
    ) => void,
  ): void {
    this.#add(method, (call: ServerReadableStream<Req, Res>, callback: sendUnaryData<Res>) => {
      let isEnded = false;
      const end = (error: unknown): void => {
        if (isEnded) return;
        isEnded = true;
        callback(this.#failure(call, error));
      };
      call.on("error", ignoreBrokenStream);
      const run = async (): Promise<void> => {
        try {
          handle(call, known(await this.#admit(call)), end);
        } catch (error) {
          end(error);
        }
      };
      void run(); // never rejects: reports through `end`
    });
  }

  /** The handler owns the stream from here on. */
  duplex<Req, Res>(
    method: MethodDefinition<Req, Res>,
    handle: (call: ServerDuplexStream<Req, Res>, caller: KnownCaller) => void,
  ): void {
    this.#add(method, (call: ServerDuplexStream<Req, Res>) => {
      call.on("error", ignoreBrokenStream);
      const run = async (): Promise<void> => {
        try {
          handle(call, known(await this.#admit(call)));
        } catch (error) {
          call.emit("error", this.#failure(call, error));
        }
      };
      void run(); // never rejects: reports on the stream
    });
  }

  /** Listens on `ip:port`; resolves with the port. Rejects with ManagerError addressInUse. */
  listen(addr: string): Promise<number> {
    const credentials = experimental.createCertificateProviderServerCredentials(
      this.#certificates,
      this.#certificates,
      false,
    );
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(addr, credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(listenError(addr, error));
      });
    });
  }

  /** Ends every stream at once. */
  close(): void {
    this.#server.forceShutdown();
  }

  #add<Req, Res>(method: MethodDefinition<Req, Res>, handler: UntypedHandleCall): void {
    this.#server.addService({ handler: method }, { handler });
  }

  async #admit(call: AnyCall): Promise<Caller> {
    const peer = peerOfSubject(call.getAuthContext().sslPeerCertificate?.subject);
    const method = call.getPath();
    const decision = await this.#gate(method, peer);
    const remoteIp = ipOf(call.getPeer());
    if (decision.kind === "allowed") return { peer, remoteIp };
    const { reason } = decision;
    if (this.#refusals.isNew({ from: remoteIp, method, reason }))
      this.#logger.warn(
        { method, from: remoteIp, nodeId: peer?.nodeId },
        `call refused: ${reason}`,
      );
    throw serviceError(status.PERMISSION_DENIED, reason);
  }

  #failure(call: AnyCall, error: unknown): ServiceError {
    if (isUnexpected(error))
      this.#logger.error(
        { method: call.getPath(), from: call.getPeer(), err: error },
        "call failed",
      );
    return toServiceError(error);
  }
}

/** `1.2.3.4:5`, `[::ffff:1.2.3.4]:5`, `[fe80::1]:5` → the IP alone. */
export function ipOf(peer: string): string {
  const at = peer.lastIndexOf(":");
  const host = (at < 0 ? peer : peer.slice(0, at)).replace(/^\[|\]$/g, "");
  return host.startsWith("::ffff:") && host.includes(".") ? host.slice("::ffff:".length) : host;
}

function known(caller: Caller): KnownCaller {
  const { peer, remoteIp } = caller;
  if (peer === undefined) throw serviceError(status.PERMISSION_DENIED, NO_VALID_CERTIFICATE);
  return { peer, remoteIp };
}

function listenError(addr: string, error: Error): ManagerError {
  if (/EADDRINUSE|address already in use/.test(error.message)) {
    return new ManagerError(
      "addressInUse",
      `cannot listen on ${addr}: the address is in use; stop the program that has it, or choose another with --listen-addr`,
      { cause: error },
    );
  }
  return new ManagerError("crash", `cannot listen on ${addr}: ${error.message}`, { cause: error });
}

/** A broken stream also reports "cancelled" and "close"; those are acted on. */
function ignoreBrokenStream(): void {}
