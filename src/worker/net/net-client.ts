/** The worker's end of net.proto: what a container's network needs, from the net process of this node. */
import {
  Client,
  connectivityState,
  credentials,
  status as GrpcStatus,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  type NodeDescription,
  type NodeTunnel,
  netService,
  type ProxiedPort6,
  safeUint,
  type swarm,
} from "../../api/index.js";
import type { Logger } from "../../base/index.js";
import type { NetworkMessage } from "../core/network/network-queue.js";

export type NetworkMode = "default" | "host" | "none";
export type HostPort = {
  readonly protocol: string;
  readonly targetPort: number;
  readonly publishedPort: number;
};

/** What a container has on one network. */
export type ConnectedNetwork = {
  readonly networkId: string;
  readonly name: string;
  /** "" = none of that family, here and below. */
  readonly address: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly address6: string;
  readonly prefixLength6: number;
  readonly gateway6: string;
  readonly mac: string;
};

export type ConnectRequest = {
  /** The one that runs. */
  readonly containerId: string;
  /** Of the attachment, whose endpoint it is. */
  readonly taskId: string;
  readonly networkId: string;
  /** As the spec of the container's task has them. */
  readonly dns: DnsSettings;
};

/** What it got, and what its resolv.conf has to say from now on. */
export type ConnectReply = DnsSettings & { readonly network: ConnectedNetwork | undefined };

type DnsSettings = {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
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
  readonly options: readonly string[];
  /** Overlay networks of the request; absent in records of older versions. */
  readonly networks?: readonly ConnectedNetwork[];
};

export type AttachRequest = {
  readonly containerId: string;
  readonly mode: NetworkMode;
  readonly hostPorts: readonly HostPort[];
  /** Overlay networks in the order of the interfaces, as endpoints of the task; none: the node's bridge alone. */
  readonly overlay?: {
    readonly taskId: string;
    readonly networkIds: readonly string[];
    /** As the task's spec has them. */
    readonly dns: DnsSettings;
  };
};

export type NetworksReply = {
  /** Highest store index that the kernel holds entirely. */
  readonly appliedIndex: number;
  /** The message does not follow on what net has; nothing was changed. */
  readonly needsComplete: boolean;
  /** Of encrypted networks; absent before there was one. */
  readonly tunnel?: NodeTunnel;
};

/** Connections to a container on its networks. */
export type Flows = {
  readonly open: number;
  /** How long the container's stop may be held for them. */
  readonly drainMs: number;
};

export type Drift = {
  /** "": of the host itself. */
  readonly networkId: string;
  readonly netns: string;
  readonly what: string;
  readonly isRepaired: boolean;
};

export type VerifyReport = {
  readonly drifts: readonly Drift[];
  readonly appliedIndex: number;
  readonly tunnel?: NodeTunnel;
  /** Absent: none. */
  readonly proxied?: readonly ProxiedPort6[];
};

export type NetStatus = {
  readonly bridge: string;
  readonly subnet: string;
  readonly problems: readonly string[];
  /** What there is to encrypt with; absent: not known. */
  readonly wireGuard?: NonNullable<NodeDescription["WireGuard"]>;
  readonly tunnel?: NodeTunnel;
  /** Absent: none. */
  readonly proxied?: readonly ProxiedPort6[];
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
  attach(request: AttachRequest, signal: AbortSignal): Promise<Attachment>;
  /** One more network for a container that is attached; safe to repeat. */
  connect(request: ConnectRequest, signal: AbortSignal): Promise<ConnectReply>;
  /** Undoes it; nothing there is success. */
  disconnect(containerId: string, taskId: string, signal: AbortSignal): Promise<void>;
  /** Nothing there is success. */
  release(containerId: string, signal: AbortSignal): Promise<void>;
  status(): Promise<NetStatus>;
  /** What the managers say of this node's networks. Resolves when the kernel holds it; calls may overlap. */
  setNetworks(message: NetworkMessage): Promise<NetworksReply>;
  /** Of the endpoint of an attachment alone, where one is named. Answers within a second, or rejects. */
  flows(containerId: string, signal: AbortSignal, taskId?: string): Promise<Flows>;
  /** Compares the kernel with what is desired; no ids: all networks of the node. */
  verify(networkIds: readonly string[], mayRepair: boolean): Promise<VerifyReport>;
  /** Called when net answers again after it was away. Returns how to stop that. */
  onBack(listener: () => void): () => void;
}

const CALL_DEADLINE_MS = 30_000;
/** Asked for `/info`, which does not wait. */
const STATUS_DEADLINE_MS = 300;
/** A stop is held while this is asked. */
const FLOWS_DEADLINE_MS = 1_000;

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
  #isClosed = false;

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

  async attach(request: AttachRequest, signal: AbortSignal): Promise<Attachment> {
    const { containerId, mode, hostPorts, overlay } = request;
    await this.#sync();
    const reply = await this.#call(
      netService.attach,
      {
        containerId,
        mode,
        hostPorts: [...hostPorts],
        taskId: overlay?.taskId ?? "",
        networkIds: [...(overlay?.networkIds ?? [])],
        dnsServers: [...(overlay?.dns.nameservers ?? [])],
        dnsSearch: [...(overlay?.dns.search ?? [])],
        dnsOptions: [...(overlay?.dns.options ?? [])],
      },
      CALL_DEADLINE_MS,
      signal,
    );
    return toAttachment(mode, reply);
  }

  async connect(request: ConnectRequest, signal: AbortSignal): Promise<ConnectReply> {
    const { containerId, taskId, networkId, dns } = request;
    const asked = {
      ...{ containerId, taskId, networkId },
      dnsServers: [...dns.nameservers],
      dnsSearch: [...dns.search],
      dnsOptions: [...dns.options],
    };
    const reply = await this.#call(netService.connect, asked, CALL_DEADLINE_MS, signal);
    const { network, nameservers, search, options } = reply;
    return {
      network: network ? toConnected(network) : undefined,
      ...{ nameservers: nameservers ?? [], search: search ?? [], options: options ?? [] },
    };
  }

  async disconnect(containerId: string, taskId: string, signal: AbortSignal): Promise<void> {
    await this.#call(netService.disconnect, { containerId, taskId }, CALL_DEADLINE_MS, signal);
  }

  async release(containerId: string, signal: AbortSignal): Promise<void> {
    await this.#call(netService.release, { containerId }, CALL_DEADLINE_MS, signal);
  }

  async flows(containerId: string, signal: AbortSignal, taskId = ""): Promise<Flows> {
    const request = { containerId, taskId };
    const reply = await this.#call(netService.flows, request, FLOWS_DEADLINE_MS, signal);
    return { open: reply.open ?? 0, drainMs: reply.drainMs ?? 0 };
  }

  async status(): Promise<NetStatus> {
    const reply = await this.#call(netService.status, {}, STATUS_DEADLINE_MS);
    const { bridge, subnet, problems, plane } = reply;
    return {
      ...{ bridge: bridge ?? "", subnet: subnet ?? "", problems: problems ?? [] },
      ...wireGuardOf(reply.wireguard),
      ...tunnelOf(plane?.tunnel),
      ...proxiedOf(plane?.proxied),
    };
  }

  async setNetworks(message: NetworkMessage): Promise<NetworksReply> {
    const { isComplete: complete, appliesTo, resultsIn, body: bodyJson } = message;
    const request = { complete, appliesTo, resultsIn, bodyJson };
    const reply = await this.#call(netService.setNetworks, request, CALL_DEADLINE_MS);
    return {
      appliedIndex: safeUint(reply.appliedIndex ?? 0, "networks.applied_index"),
      needsComplete: reply.needsComplete ?? false,
      ...tunnelOf(reply.tunnel),
    };
  }

  async verify(networkIds: readonly string[], mayRepair: boolean): Promise<VerifyReport> {
    const request = { networkIds: [...networkIds], repair: mayRepair };
    const reply = await this.#call(netService.verify, request, CALL_DEADLINE_MS);
    return {
      appliedIndex: safeUint(reply.appliedIndex ?? 0, "verify.applied_index"),
      ...tunnelOf(reply.tunnel),
      ...proxiedOf(reply.proxied),
      drifts: (reply.drifts ?? []).map((drift) => ({
        networkId: drift.networkId ?? "",
        netns: drift.netns ?? "",
        what: drift.what ?? "",
        isRepaired: drift.repaired ?? false,
      })),
    };
  }

  onBack(listener: () => void): () => void {
    const channel = this.#client.getChannel();
    let isWatching = true;
    // Before the first connection nothing is known to be lost; calls that fail are tried again by their callers.
    let wasThere = false;
    let wasAway = false;
    const watch = (): void => {
      if (!isWatching || this.#isClosed) return;
      // Asking for the state also connects again: nobody might call for long.
      const state = channel.getConnectivityState(true);
      if (state !== connectivityState.READY) wasAway = wasThere;
      else {
        if (wasAway) listener();
        wasAway = false;
        wasThere = true;
      }
      channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, watch);
    };
    watch();
    return () => {
      isWatching = false;
    };
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
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
    options: reply.options ?? [],
    networks: (reply.networks ?? []).map(toConnected),
  };
}

function toConnected(network: swarm.net.ConnectedNetwork.$Properties): ConnectedNetwork {
  return {
    networkId: network.networkId ?? "",
    name: network.name ?? "",
    address: network.address ?? "",
    prefixLength: network.prefixLength ?? 0,
    gateway: network.gateway ?? "",
    address6: network.address6 ?? "",
    prefixLength6: network.prefixLength6 ?? 0,
    gateway6: network.gateway6 ?? "",
    mac: network.mac ?? "",
  };
}

/** In an order of its own: the same ports give the same description. */
function proxiedOf(ports: readonly swarm.net.ProxiedPort.$Properties[] | null | undefined): {
  readonly proxied?: readonly ProxiedPort6[];
} {
  const proxied = (ports ?? []).map(({ serviceId, taskId, protocol, targetPort }) => ({
    ServiceID: serviceId ?? "",
    TaskID: taskId ?? "",
    Protocol: protocol === "udp" ? ("udp" as const) : ("tcp" as const),
    TargetPort: targetPort ?? 0,
  }));
  const key = ({ TaskID, Protocol, TargetPort }: ProxiedPort6) =>
    `${TaskID} ${Protocol} ${TargetPort}`;
  proxied.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return proxied.length === 0 ? {} : { proxied };
}

/** What a later version may call it counts as not known. */
function wireGuardOf(text: string | null | undefined): Pick<NetStatus, "wireGuard"> {
  const isKnown = text === "kernel" || text === "wireguard-go" || text === "none";
  return isKnown ? { wireGuard: text } : {};
}

/** What a later version may call its implementation is not passed on. */
function tunnelOf(tunnel: swarm.net.Tunnel.$Properties | null | undefined): {
  readonly tunnel?: NodeTunnel;
} {
  const { implementation, publicKey, pairKeys } = tunnel ?? {};
  if (implementation !== "kernel" && implementation !== "wireguard-go") return {};
  return {
    tunnel: {
      Implementation: implementation,
      PublicKey: publicKey ?? "",
      PairKeys: pairKeys ?? [],
    },
  };
}
