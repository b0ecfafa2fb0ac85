import type { PeerChanges } from "../../core/wireguard/peers.js";
import {
  type PresentTunnel,
  type TunnelDevice,
  TunnelError,
  type TunnelSettings,
} from "../tunnel-device.js";

/** WireGuard interfaces in memory: handshakes happen when a test says so. */
export class MemoryTunnelDevice implements TunnelDevice {
  readonly links = new Map<string, PresentTunnel>();
  /** What was changed, in order. */
  readonly calls: string[] = [];
  /** Why nothing can be opened. */
  refusal = "";

  async look(link: string): Promise<PresentTunnel | undefined> {
    return this.links.get(link);
  }

  async open({ link, alias, address, port, mtu, privateKey }: TunnelSettings): Promise<void> {
    this.calls.push(`open ${link} ${address}`);
    if (this.refusal !== "") throw new TunnelError("MISSING", this.refusal);
    const peers = this.links.get(link)?.peers ?? [];
    this.links.set(link, {
      ...{ implementation: "kernel", alias, mtu, port, privateKey, peers, isUp: true },
      addresses: [address],
    });
  }

  async setPeers(link: string, { removed, set }: PeerChanges): Promise<void> {
    this.calls.push(`peers -${removed.length} +${set.length}`);
    const present = this.links.get(link);
    if (present === undefined) throw new TunnelError("FAILED", `no link ${link}`);
    const peers = new Map(present.peers.map((peer) => [peer.publicKey, peer]));
    for (const key of removed) peers.delete(key);
    for (const peer of set) {
      const handshakeMs = peers.get(peer.publicKey)?.handshakeMs ?? 0;
      peers.set(peer.publicKey, { ...peer, handshakeMs });
    }
    this.links.set(link, { ...present, peers: [...peers.values()] });
  }

  async remove(link: string): Promise<void> {
    if (this.links.delete(link)) this.calls.push(`remove ${link}`);
  }

  /** With all peers, at this time. */
  shakeHands(link: string, handshakeMs: number): void {
    const present = this.links.get(link);
    if (present === undefined) return;
    this.links.set(link, {
      ...present,
      peers: present.peers.map((peer) => ({ ...peer, handshakeMs })),
    });
  }
}
