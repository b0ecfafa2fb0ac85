/** The port to a WireGuard interface, whoever runs it. All calls may be repeated. */
import type { NodeTunnel } from "../../api/index.js";
import type { ObservedTunnel, PeerChanges } from "../core/wireguard/peers.js";

export type Implementation = NodeTunnel["Implementation"];

export type TunnelErrorCode =
  /** A tool, a device node or a kernel feature is not on this host. */
  "MISSING" | "FAILED";

/** Says what to do. */
export class TunnelError extends Error {
  override readonly name = "TunnelError";
  readonly code: TunnelErrorCode;
  constructor(code: TunnelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type TunnelSettings = {
  readonly link: string;
  readonly alias: string;
  /** With prefix length. */
  readonly address: string;
  readonly port: number;
  readonly mtu: number;
  readonly privateKey: string;
};

export type PresentTunnel = ObservedTunnel & {
  readonly implementation: Implementation;
  readonly alias: string;
  readonly isUp: boolean;
  readonly mtu: number;
  /** With prefix length, IPv4. */
  readonly addresses: readonly string[];
};

export interface TunnelDevice {
  /** undefined: there is no such interface, or one that does not answer. Rejects TunnelError. */
  look(link: string): Promise<PresentTunnel | undefined>;
  /** Makes it, unless it is there, and brings all but its peers to what is said. Rejects TunnelError. */
  open(settings: TunnelSettings): Promise<void>;
  /** Sessions with peers that are set again go on. Rejects TunnelError. */
  setPeers(link: string, changes: PeerChanges): Promise<void>;
  /** Ends it with all sessions, and the process that runs it. Nothing there is success. */
  remove(link: string): Promise<void>;
}
