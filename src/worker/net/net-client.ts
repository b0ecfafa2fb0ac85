/** The worker's end of net.proto: what a container's network needs, from the net process of this node. */
import { Client, credentials, status as GrpcStatus, type ServiceError } from "@grpc/grpc-js";
import { netService, type swarm } from "../../api/index.js";
import type { Logger } from "../../base/index.js";

export type NetworkMode = "default" | "host" | "none";
export type HostPort = {
  readonly protocol: string;
  readonly targetPort: number;
  readonly publishedPort: number;
};

export type Attachment = {
  readonly mode: NetworkMode;
  readonly netnsPath: string;
  /** a.b.c.d/len; "" unless mode is default. */
  readonly address: string;
  readonly gateway: string;
  readonly mac: string;
  readonly hostPorts: readonly HostPort[];
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
};

export type NetStatus = {
  readonly bridge: string;
  readonly subnet: string;
  readonly problems: readonly string[];
};

export type NetErrorCode =
  /** The net process is away or did not answer in time: nothing is known, try again. */
  | "NET_DOWN"
  /** It answered that this cannot be done (host port taken, pool exhausted…). */
  | "REFUSED";

export class NetError extends Error {
  override readonly name = "NetError";
  readonly code: NetErrorCode;
  constructor(code: NetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface NetPort {
  /** Safe to repeat with the same arguments. */
  attach(
    containerId: string,
    mode: NetworkMode,
    hostPorts: readonly HostPort[],
    signal: AbortSignal,
  ): Promise<Attachment>;
  /** Nothing there is success. */
  release(containerId: string, signal: AbortSignal): Promise<void>;
  status(): Promise<NetStatus>;
}

const CALL_DEADLINE_MS = 30_000;
/** Asked for `/info`, which does not wait. */
const STATUS_DEADLINE_MS = 300;

/** Of a container that is on the node's bridge alone. */
const NO_OVERLAY = { taskId: "", networkIds: [], dnsServers: [], dnsSearch: [], dnsOptions: [] };

type UnaryMethod<Req, Res> = {
  readonly path: string;
  requestSerialize(value: Req): Buffer;
  responseDeserialize(bytes: Buffer): Res;
};

export class NetClient implements NetPort, Disposable {
  readonly #client: Client;
  readonly #logger: Logger;
  readonly #wantedIds: () => Promise<readonly string[]>;
  #synced: Promise<void> | undefined;

  /** `wantedIds`: containers that may hold network now; asked before the first call and after each outage of net. */
  constructor(options: {
    readonly socketPath: string;
    readonly wantedIds: () => Promise<readonly string[]>;
    readonly logger: Logger;
  }) {
    this.#client = new Client(`unix:${options.socketPath}`, credentials.createInsecure(), {
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 1_000,
    });
    this.#wantedIds = options.wantedIds;
    this.#logger = options.logger;
  }

  async attach(
    containerId: string,
    mode: NetworkMode,
    hostPorts: readonly HostPort[],
    signal: AbortSignal,
  ): Promise<Attachment> {
    await this.#sync();
    const reply = await this.#call(
      netService.attach,
      { ...NO_OVERLAY, containerId, mode, hostPorts: [...hostPorts] },
      CALL_DEADLINE_MS,
      signal,
    );
    return toAttachment(mode, reply);
  }

  async release(containerId: string, signal: AbortSignal): Promise<void> {
    await this.#call(netService.release, { containerId }, CALL_DEADLINE_MS, signal);
  }

  async status(): Promise<NetStatus> {
    const reply = await this.#call(netService.status, {}, STATUS_DEADLINE_MS);
    const { bridge, subnet, problems } = reply;
    return { bridge: bridge ?? "", subnet: subnet ?? "", problems: problems ?? [] };
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  /** Once per outage of net, before any attach: later, it would take away what is being attached. */
  #sync(): Promise<void> {
    this.#synced ??= (async () => {
      const containerIds = [...(await this.#wantedIds())];
      const reply = await this.#call(netService.sync, { containerIds }, CALL_DEADLINE_MS);
      const released = reply.released ?? [];
      if (released.length > 0) {
        this.#logger.info({ released }, "released networks nobody wants");
      }
    })().catch((error: unknown) => {
      this.#synced = undefined;
      throw error;
    });
    return this.#synced;
  }

  #call<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    deadlineMs: number,
    signal?: AbortSignal,
  ): Promise<Res> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => call.cancel();
      const call = this.#client.makeUnaryRequest(
        method.path,
        (value: Req) => method.requestSerialize(value),
        (bytes: Buffer) => method.responseDeserialize(bytes),
        request,
        { deadline: Date.now() + deadlineMs },
        (error: ServiceError | null, reply?: Res) => {
          signal?.removeEventListener("abort", onAbort);
          if (error === null && reply !== undefined) resolve(reply);
          else reject(this.#toNetError(error));
        },
      );
      if (signal?.aborted === true) call.cancel();
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #toNetError(error: ServiceError | null): NetError {
    const isDown =
      error === null ||
      error.code === GrpcStatus.UNAVAILABLE ||
      error.code === GrpcStatus.DEADLINE_EXCEEDED ||
      error.code === GrpcStatus.CANCELLED;
    if (!isDown) return new NetError("REFUSED", error.details, { cause: error });
    this.#synced = undefined;
    return new NetError(
      "NET_DOWN",
      `the node's network process does not answer: ${error?.details ?? "no reply"}`,
      { cause: error },
    );
  }
}

function toAttachment(mode: NetworkMode, reply: swarm.net.AttachReply.$Properties): Attachment {
  return {
    mode,
    netnsPath: reply.netnsPath ?? "",
    address: reply.address ?? "",
    gateway: reply.gateway ?? "",
    mac: reply.mac ?? "",
    hostPorts: (reply.hostPorts ?? []).map((port) => ({
      protocol: port.protocol ?? "tcp",
      targetPort: port.targetPort ?? 0,
      publishedPort: port.publishedPort ?? 0,
    })),
    nameservers: reply.nameservers ?? [],
    search: reply.search ?? [],
  };
}
