import {
  type Attachment,
  type HostPort,
  NetError,
  type NetPort,
  type NetworkMode,
} from "../net/index.js";

/** A net process in memory: gives addresses in order, can be away or refuse. */
export class FakeNet implements NetPort {
  readonly attached = new Map<string, Attachment>();
  isDown = false;
  refusal = "";

  async attach(id: string, mode: NetworkMode, hostPorts: readonly HostPort[]): Promise<Attachment> {
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    if (this.refusal !== "") throw new NetError("REFUSED", this.refusal);
    const attachment: Attachment = this.attached.get(id) ?? {
      mode,
      netnsPath: mode === "host" ? "/proc/1/ns/net" : `/run/netns/${id}`,
      address: mode === "default" ? `172.30.0.${this.attached.size + 2}/20` : "",
      gateway: "172.30.0.1",
      mac: "02:42:ac:1e:00:02",
      hostPorts: hostPorts.map((port) => ({ ...port, publishedPort: port.publishedPort || 32768 })),
      nameservers: ["10.0.0.2"],
      search: [],
    };
    this.attached.set(id, attachment);
    return attachment;
  }

  async release(id: string): Promise<void> {
    if (this.isDown) throw new NetError("NET_DOWN", "net is away");
    this.attached.delete(id);
  }

  async status(): Promise<{ bridge: string; subnet: string; problems: string[] }> {
    return { bridge: "br", subnet: "172.30.0.0/20", problems: [] };
  }
}
