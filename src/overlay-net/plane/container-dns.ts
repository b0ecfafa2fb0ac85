import { type Clock, type Logger, SystemRandom } from "../../base/index.js";
import type { DnsService, NetnsSockets } from "../dns/index.js";

/** A resolver for one cluster's containers. Its `close` leaves what several have in common. */
export type OpenDns = (clock: Clock, logger: Logger) => DnsService;

/** Loaded only here: a host without the library it needs has networks all the same, with the node's own resolvers in containers. */
export async function openContainerDns(logger: Logger): Promise<{
  readonly openDns: OpenDns | undefined;
  readonly sockets: NetnsSockets | undefined;
  readonly problem: string;
}> {
  try {
    const { createDnsService, HostResolvFile, ThreadedSockets } = await import("../dns/index.js");
    const { sockets } = new ThreadedSockets();
    const random = new SystemRandom();
    const openDns: OpenDns = (clock, ownLogger) => {
      const hostResolv = new HostResolvFile("/etc/resolv.conf", clock);
      return createDnsService({ sockets, clock, random, logger: ownLogger, hostResolv });
    };
    return { openDns, sockets, problem: "" };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    logger.error({ error }, "containers have no resolver for names of services");
    return {
      openDns: undefined,
      sockets: undefined,
      problem: `names of services are not resolved on this node: ${text}; koffi has no library for this platform`,
    };
  }
}
