/** What an implementation of NetnsKernel brings to its conformance suite. */
import type { NetnsKernel } from "../netns-kernel.js";

/** Flows that a harness opens in a namespace: `protocol address:port`. The last one is in conntrack zone 7. */
export const FLOWS = [
  { protocol: "tcp", dst: "127.0.0.1", port: 7001, zone: 0 },
  { protocol: "tcp", dst: "127.0.0.2", port: 7002, zone: 0 },
  { protocol: "udp", dst: "127.0.0.1", port: 7001, zone: 0 },
  { protocol: "udp", dst: "127.0.0.2", port: 7002, zone: 0 },
  { protocol: "tcp", dst: "127.0.0.3", port: 7003, zone: 7 },
] as const;

export type KernelHarness = {
  readonly kernel: NetnsKernel;
  /** Another port on the same host, where there is one of another implementation: what it sees and does is a stranger's view. */
  readonly stranger: NetnsKernel;
  /** Of namespaces; they are removed by `close`. */
  readonly prefix: string;
  /** First of ten VNIs that nobody else uses. */
  readonly vni: number;
  /** How long no notification may come before a watched namespace counts as quiet; 0 = they come at once. */
  readonly quietMs: number;
  /** Opens FLOWS inside the namespace and keeps them open. */
  openFlows(netns: string): Promise<void>;
  /** Takes the name of a namespace away while something stays in it: its links stay too, and nobody can reach it any more. */
  abandon(netns: string): Promise<void>;
  /** Those of FLOWS that connection tracking knows, as `protocol address:port`, sorted. */
  flows(netns: string): Promise<readonly string[]>;
  close(): Promise<void>;
};
