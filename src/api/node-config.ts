import type { GenericResource } from "./spec.js";

/** What one node's processes need to know of their surroundings: parsed from swarmd's flags by the supervisor, handed to every child. */
export type NodeConfig = {
  readonly hostname: string;
  /** Durable: certificates/, node.json, raft/, worker/. */
  readonly stateDir: string;
  /** Gone after a reboot: sockets, netns names, secret tmpfs. */
  readonly runDir: string;
  /** Path of the REST socket (unix). */
  readonly socket: string;
  /** Unix socket path of containerd. */
  readonly containerdAddress: string;
  readonly containerdNamespace: string;
  readonly cgroupParent: string;
  /** Engine and net ports: the real ones, or the simulated ones (same processes around them). */
  readonly engine: "containerd" | "simulated";
  /** Program that runs the containers; auto = crun where it works, else runc. */
  readonly runtime: "auto" | "runc" | "crun";
  /** From flags, overridden by init/join bodies; "" = choose. */
  readonly advertiseAddr: string;
  readonly listenAddr: string;
  /** Address pool the node's bridge takes its /20 from. */
  readonly gwbridgePool: string;
  /** What this node has besides CPUs and memory; tasks reserve it by kind. */
  readonly genericResources: readonly GenericResource[];
  readonly logLevel: "debug" | "info" | "warn" | "error";
};

/** Paths derived from a NodeConfig: one place, so that no two processes disagree. */
export function nodePaths(config: NodeConfig): {
  readonly certificatesDir: string;
  readonly nodeFile: string;
  readonly lockFile: string;
  readonly raftDir: string;
  readonly journalDir: string;
  readonly workerDir: string;
  readonly workerSocket: string;
  readonly netSocket: string;
} {
  return {
    certificatesDir: `${config.stateDir}/certificates`,
    nodeFile: `${config.stateDir}/node.json`,
    lockFile: `${config.stateDir}/lock`,
    raftDir: `${config.stateDir}/raft`,
    /** One directory per cluster id: history of changes, read by managers. */
    journalDir: `${config.stateDir}/journal`,
    workerDir: `${config.stateDir}/worker`,
    /** Node-local Engine API routes, served by the worker process. */
    workerSocket: `${config.runDir}/worker.sock`,
    /** gRPC of net.proto, served by the net process. */
    netSocket: `${config.runDir}/net.sock`,
  };
}
