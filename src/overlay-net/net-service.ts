import { readdir, readFile } from "node:fs/promises";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { netService, type swarm } from "../api/index.js";
import type { Logger } from "../base/index.js";
import { AddressError } from "./core/ipv4.js";
import { type Kernel, KernelError } from "./kernel/port.js";
import {
  type Attachment,
  type HostPort,
  type NodeNetwork,
  NodeNetworkError,
} from "./node-network.js";
import { PortHeldError } from "./port-holder.js";

const CONTAINER_ID_PATTERN = /^[A-Za-z0-9_.-]{1,64}$/;
/** Published ports of one container. */
const HOST_PORTS_MAX = 256;

type Handler<Req, Res> = (call: ServerUnaryCall<Req, Res>, done: sendUnaryData<Res>) => void;

/** Serves net.proto on a private unix socket. Until the node belongs to a cluster there is no network: UNAVAILABLE. */
export class NetService {
  readonly #server = new Server();
  readonly #kernel: Kernel;
  readonly #logger: Logger;
  #network: NodeNetwork | undefined;
  #openError = "this node belongs to no cluster yet";

  constructor(kernel: Kernel, logger: Logger) {
    this.#kernel = kernel;
    this.#logger = logger;
  }

  setNetwork(network: NodeNetwork | undefined, error = ""): void {
    this.#network = network;
    this.#openError = error === "" ? "this node belongs to no cluster yet" : error;
  }

  async listen(socketPath: string): Promise<void> {
    this.#server.addService(netService, {
      attach: this.#handle<swarm.net.AttachRequest, swarm.net.AttachReply.$Properties>((request) =>
        this.#attach(request),
      ),
      release: this.#handle<swarm.net.ReleaseRequest, swarm.net.ReleaseReply.$Properties>(
        async (request) => {
          await this.#need().release(checkId(request.containerId));
          return {};
        },
      ),
      sync: this.#handle<swarm.net.SyncRequest, swarm.net.SyncReply.$Properties>(
        async (request) => ({
          released: [...(await this.#need().sync(request.containerIds.map(checkId)))],
        }),
      ),
      status: this.#handle<swarm.net.StatusRequest, swarm.net.StatusReply.$Properties>(() =>
        this.#status(),
      ),
    });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #need(): NodeNetwork {
    if (this.#network === undefined) throw new UnavailableError(this.#openError);
    return this.#network;
  }

  async #attach(request: swarm.net.AttachRequest): Promise<swarm.net.AttachReply.$Properties> {
    const network = this.#need();
    const ports = request.hostPorts.map(parseHostPort);
    if (ports.length > HOST_PORTS_MAX) {
      throw new NodeNetworkError(`more than ${HOST_PORTS_MAX} published ports on one container`);
    }
    const mode = parseMode(request.mode);
    const attachment = await network.attach(checkId(request.containerId), mode, ports);
    return toReply(network, attachment, await hostResolvers());
  }

  async #status(): Promise<swarm.net.StatusReply.$Properties> {
    const network = this.#network;
    const resolvers = await hostResolvers();
    const problems = await this.#kernel.probe(await containerdPid());
    return {
      bridge: network?.bridge ?? "",
      subnet: network?.subnet ?? "",
      problems: network === undefined ? [...problems, this.#openError] : [...problems],
      attachments: network?.attachments.map((entry) => toReply(network, entry, resolvers)) ?? [],
    };
  }

  #handle<Req, Res>(work: (request: Req) => Promise<Res>): Handler<Req, Res> {
    return (call, done) => {
      work(call.request).then(
        (reply) => done(null, reply),
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          this.#logger.warn({ err: error }, "net call failed");
          done({ code: codeOf(error), details: message });
        },
      );
    };
  }
}

class UnavailableError extends Error {
  override readonly name = "UnavailableError";
}

function codeOf(error: unknown): status {
  if (error instanceof UnavailableError) return status.UNAVAILABLE;
  if (error instanceof PortHeldError) return status.FAILED_PRECONDITION;
  if (error instanceof NodeNetworkError) return status.RESOURCE_EXHAUSTED;
  if (error instanceof AddressError || error instanceof RangeError) return status.INVALID_ARGUMENT;
  if (error instanceof KernelError && error.code === "NOT_PERMITTED")
    return status.PERMISSION_DENIED;
  return status.INTERNAL;
}

function checkId(id: string): string {
  if (!CONTAINER_ID_PATTERN.test(id) || id === "host")
    throw new RangeError(`bad container id "${id}"`);
  return id;
}

function parseMode(mode: string): Attachment["mode"] {
  if (mode === "default" || mode === "host" || mode === "none") return mode;
  throw new RangeError(`bad network mode "${mode}": default, host or none`);
}

function parseHostPort(port: swarm.net.HostPort.$Properties): HostPort {
  const { protocol, targetPort, publishedPort } = port;
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") {
    throw new RangeError(`bad protocol "${protocol}": tcp, udp or sctp`);
  }
  const target = targetPort ?? 0;
  const published = publishedPort ?? 0;
  if (target < 1 || target > 65_535 || published > 65_535) {
    throw new RangeError(`bad port ${published}:${target}: 1 to 65535`);
  }
  return { protocol, targetPort: target, publishedPort: published };
}

function toReply(
  network: NodeNetwork,
  attachment: Attachment,
  resolvers: { readonly nameservers: readonly string[]; readonly search: readonly string[] },
): swarm.net.AttachReply.$Properties {
  const isDefault = attachment.mode === "default";
  return {
    netnsPath: attachment.netnsPath,
    address: isDefault ? `${attachment.address}/${network.prefixLength}` : "",
    gateway: isDefault ? network.gateway : "",
    mac: "",
    hostPorts: attachment.hostPorts.map((port) => ({ ...port })),
    nameservers: [...resolvers.nameservers],
    search: [...resolvers.search],
  };
}

/** The node's resolvers, loopback ones left out: they answer in the host's namespace only. */
async function hostResolvers(): Promise<{ nameservers: string[]; search: string[] }> {
  const text = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const words = text.split("\n").map((line) => line.trim().split(/\s+/));
  return {
    nameservers: words
      .filter(
        ([key, value]) =>
          key === "nameserver" && value !== undefined && !/^(127\.|::1)/.test(value),
      )
      .map(([, value]) => value ?? "")
      .slice(0, 3),
    search: words
      .filter(([key]) => key === "search")
      .flatMap(([, ...domains]) => domains)
      .slice(0, 6),
  };
}

/** Any containerd of this host, to see whether it shares our mounts. */
async function containerdPid(): Promise<number | undefined> {
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const comm = await readFile(`/proc/${entry}/comm`, "utf8").catch(() => "");
    if (comm.trim() === "containerd") return Number(entry);
  }
  return undefined;
}
