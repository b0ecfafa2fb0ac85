import type { NodeTunnel } from "../../api/index.js";
import type { NetworkMessage } from "../core/network/network-queue.js";
import {
  type Attachment,
  type AttachRequest,
  type ConnectedNetwork,
  type ConnectReply,
  type ConnectRequest,
  type Flows,
  NetError,
  type NetPort,
  type NetStatus,
  type NetworksReply,
  type VerifyReport,
} from "../net/index.js";

/** A net process in memory: gives addresses in order, can be away or refuse. */
export class FakeNet implements NetPort {
  readonly attached = new Map<string, Attachment>();
  /** By attachment. */
  readonly connected = new Map<string, ConnectRequest>();
  isDown = false;
  refusal = "";
  readonly requests: AttachRequest[] = [];
  /** What it was told of networks, and its answer. */
  readonly told: NetworkMessage[] = [];
  answer: (message: NetworkMessage) => Promise<NetworksReply> = ({ resultsIn }) =>
    Promise.resolve({ appliedIndex: resultsIn, needsComplete: false });
  /** Connections of any container, and the containers that were asked about. */
  open: Flows = { open: 0, drainMs: 2_000 };
  readonly asked: string[] = [];
  /** What `verify` finds. */
  drifts: VerifyReport["drifts"] = [];
  /** Of encrypted networks. */
  tunnel: NodeTunnel | undefined;
  readonly #backListeners = new Set<() => void>();

  async attach(request: AttachRequest): Promise<Attachment> {
    const { containerId: id, mode, hostPorts } = request;
    this.requests.push(request);
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    if (this.refusal !== "") throw new NetError("REFUSED", this.refusal);
    const attachment: Attachment = this.attached.get(id) ?? {
      mode,
      netnsPath: mode === "host" ? "/proc/1/ns/net" : `/run/netns/${id}`,
      address: mode === "default" ? `172.30.0.${this.attached.size + 2}/20` : "",
      gateway: "172.30.0.1",
      mac: "02:42:ac:1e:00:02",
      hostPorts: hostPorts.map((port) => ({ ...port, publishedPort: port.publishedPort || 32768 })),
      nameservers: [request.overlay === undefined ? "10.0.0.2" : "127.0.0.11"],
      search: [],
      options: request.overlay === undefined ? [] : ["ndots:0"],
    };
    this.attached.set(id, attachment);
    return attachment;
  }

  async connect(request: ConnectRequest): Promise<ConnectReply> {
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    if (this.refusal !== "") throw new NetError("REFUSED", this.refusal);
    if (!this.attached.has(request.containerId))
      throw new NetError("REFUSED", `container ${request.containerId} is not attached`);
    this.connected.set(request.taskId, request);
    const network: ConnectedNetwork = {
      ...{ networkId: request.networkId, name: `name-of-${request.networkId}` },
      ...{ address: "10.9.0.7", prefixLength: 24, gateway: "10.9.0.1" },
      ...{ address6: "", prefixLength6: 0, gateway6: "", mac: "02:42:0a:09:00:07" },
    };
    return { network, nameservers: ["127.0.0.11"], search: [], options: ["ndots:0"] };
  }

  async disconnect(_containerId: string, taskId: string): Promise<void> {
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    this.connected.delete(taskId);
  }

  async release(id: string): Promise<void> {
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    this.attached.delete(id);
  }

  async flows(id: string, _signal?: AbortSignal, taskId = ""): Promise<Flows> {
    this.asked.push(taskId === "" ? id : taskId);
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    return this.open;
  }

  async status(): Promise<NetStatus> {
    const plain = { bridge: "br", subnet: "172.30.0.0/20", problems: [] };
    return this.tunnel === undefined ? plain : { ...plain, tunnel: this.tunnel };
  }

  async setNetworks(message: NetworkMessage): Promise<NetworksReply> {
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    this.told.push(message);
    return this.answer(message);
  }

  async verify(networkIds: readonly string[], mayRepair: boolean): Promise<VerifyReport> {
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    const isWanted = (id: string): boolean => networkIds.length === 0 || networkIds.includes(id);
    const drifts = this.drifts.filter(({ networkId }) => isWanted(networkId));
    return {
      drifts: drifts.map((drift) => ({ ...drift, isRepaired: mayRepair })),
      appliedIndex: 1,
      ...(this.tunnel === undefined ? {} : { tunnel: this.tunnel }),
    };
  }

  onBack(listener: () => void): () => void {
    this.#backListeners.add(listener);
    return () => this.#backListeners.delete(listener);
  }

  /** The process was restarted: its memory is empty. */
  restart(): void {
    this.isDown = false;
    for (const listener of this.#backListeners) listener();
  }
}
