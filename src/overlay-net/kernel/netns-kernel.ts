/**
 * The port between the network plane and a kernel: namespaces are observed and changed as data (core/kernel-model.ts).
 * `netlink/` speaks netlink in a thread of its own, `tools/` runs iproute2, nft and conntrack, `simulated/` keeps
 * everything in memory. All three pass kernel-conformance.ts.
 */
import type { KernelOperation, NetnsOperations, NetnsState } from "../core/kernel-model.js";

export type NetnsKernelErrorCode =
  /** A link of that name, or a VNI, is taken by something else. */
  | "EXISTS"
  /** The UDP port of a tunnel is taken on the host. */
  | "IN_USE"
  /** The namespace, link or sysctl that an operation needs is not there. */
  | "NOT_FOUND"
  /** A value the kernel, or the encoding of it, refuses. */
  | "INVALID"
  /** The process lacks CAP_NET_ADMIN or CAP_SYS_ADMIN. */
  | "NOT_PERMITTED"
  /** A library, tool or kernel feature is not on this host. */
  | "MISSING"
  /** A limit of this port is reached; later it may work. */
  | "BUSY"
  /** The kernel port was closed, or its thread ended. */
  | "CLOSED"
  | "FAILED";

/** Names the namespace, the operation and what the kernel said. */
export class KernelError extends Error {
  override readonly name = "KernelError";
  readonly code: NetnsKernelErrorCode;
  constructor(code: NetnsKernelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface NetnsKernel {
  readonly kind: "netlink" | "tools" | "simulated";
  /**
   * Everything of a namespace that is in the model; undefined when the namespace is not there. Tables: those whose name
   * starts with `tablePrefix`; the hash of one in which somebody else changed chains or rules is "". Links: all of a kind in the model; ownership is judged by the caller via alias. What the kernel
   * makes by itself is left out: link-local IPv6 addresses, routes of addresses, learned and local FDB entries.
   */
  observe(netns: string, tablePrefix: string): Promise<NetnsState | undefined>;
  /**
   * Executes in order. Rejects KernelError naming the first operation that failed and what the kernel said; operations
   * before it are done. As operations travel in batches, some after it may be done as well.
   */
  execute(batch: readonly NetnsOperations[]): Promise<void>;
  /** Names below /run/netns that start with prefix, sorted. */
  list(prefix: string): Promise<readonly string[]>;
  /** nft ruleset generation of a namespace: another number after anybody changed any table there. Rejects NOT_FOUND. */
  nftGeneration(netns: string): Promise<number>;
  /**
   * TCP and SCTP connections of a namespace that are answered from one of these addresses and not over yet: one that only one side has
   * closed may still bring an answer. Rejects NOT_FOUND.
   */
  openFlows(netns: string, addresses: readonly string[]): Promise<number>;
  /**
   * Calls back (debounced by the caller) when links, addresses, routes, neighbours, FDB or nft tables of a watched namespace
   * change by anybody else, and when the namespace comes or goes; what this kernel port does itself may be told too. Names the namespace; says not what changed.
   * The namespace need not exist yet. Ends with the returned function. Rejects BUSY over the number of watched namespaces.
   */
  watch(netns: string, onChange: (netns: string) => void): Promise<() => void>;
  /** Ends threads, processes and sockets. What is in the kernel stays. */
  close(): Promise<void>;
}

export const NETNS_DIR = "/run/netns";

/** Path of a namespace's file; "" is the namespace swarmd was started in. */
export function netnsPath(netns: string): string {
  return netns === "" ? "/proc/self/ns/net" : `${NETNS_DIR}/${netns}`;
}

/** What a namespace is called in messages. */
export function netnsText(netns: string): string {
  return netns === "" ? "the host's namespace" : `netns ${netns}`;
}

/** One operation in a few words, for errors. */
export function operationText(operation: KernelOperation): string {
  const { kind } = operation;
  switch (kind) {
    case "addNetns":
    case "removeNetns":
      return kind;
    case "addLink":
    case "setLink":
      return `${kind} ${operation.link.kind} ${operation.link.name}`;
    case "removeLink":
      return `${kind} ${operation.name}`;
    case "addAddress":
    case "removeAddress":
      return `${kind} ${operation.address.address} on ${operation.address.link}`;
    case "replaceRoute":
    case "removeRoute":
      return `${kind} ${operation.route.dst} via ${operation.route.via || "nothing"} on ${operation.route.link}, table ${operation.route.table}`;
    case "addRule":
    case "removeRule":
      return `${kind} ${operation.rule.priority} for mark ${operation.rule.fwmark}/${operation.rule.mask}`;
    case "replaceFdb":
    case "removeFdb":
      return `${kind} ${operation.entry.mac} on ${operation.entry.link}`;
    case "replaceNeighbour":
    case "removeNeighbour":
      return `${kind} ${operation.entry.address} on ${operation.entry.link}`;
    case "nft":
      return "nft script";
    case "setSysctl":
      return `setSysctl ${operation.sysctl.key}`;
    case "endConnections":
      return "endConnections";
  }
}

/** Error of one operation. `said` is the kernel's or the tool's text. */
export function operationError(
  code: NetnsKernelErrorCode,
  netns: string,
  operation: KernelOperation,
  said: string,
  options?: ErrorOptions,
): KernelError {
  return new KernelError(
    code,
    `${netnsText(netns)}: ${operationText(operation)}: ${said}`,
    options,
  );
}

/** A sysctl key stays below /proc/sys/net: only there the values belong to a namespace. */
export function sysctlPath(key: string): string | undefined {
  const isInside = /^net\/[\w./@:-]+$/.test(key) && !key.split("/").includes("..");
  return isInside ? `/proc/sys/${key}` : undefined;
}

/** The kernel separates several values by tabs. */
export function sysctlValue(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
