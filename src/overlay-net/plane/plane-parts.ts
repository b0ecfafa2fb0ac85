/** What a plane works with on this host: once for the life of the process. */
import type { Logger } from "../../base/index.js";
import type { NetnsSockets } from "../dns/index.js";
import { chooseKernel } from "../kernel/choose-kernel.js";
import type { NetnsKernel } from "../kernel/netns-kernel.js";
import { SimulatedNetnsKernel } from "../kernel/simulated/simulated-netns-kernel.js";
import type { OpenDns } from "./container-dns.js";
import { openContainerDns } from "./container-dns.js";

export type PlaneParts = {
  readonly kernel: NetnsKernel;
  /** undefined: containers have no resolver of ours. */
  readonly openDns: OpenDns | undefined;
  /** undefined: none can be made inside containers. */
  readonly sockets: NetnsSockets | undefined;
  /** What cannot work here, with its remedy; "" when all can. */
  readonly problem: string;
};

/** Or why there can be no overlay networks on this host. */
export type PlanePartsOrProblem =
  | PlaneParts
  | { readonly kernel: undefined; readonly problem: string };

/** The simulated network has no resolver: in its containers nobody runs who could ask. */
export async function openPlaneParts(
  isSimulated: boolean,
  runDir: string,
  logger: Logger,
): Promise<PlanePartsOrProblem> {
  if (isSimulated)
    return {
      ...{ kernel: new SimulatedNetnsKernel(), openDns: undefined, sockets: undefined },
      problem: "",
    };
  try {
    const kernel = await chooseKernel(`${runDir}/net-tables.json`, logger);
    return { kernel, ...(await openContainerDns(logger)) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    logger.error({ error }, "overlay networks cannot be programmed on this host");
    return {
      kernel: undefined,
      problem: `overlay networks cannot be programmed on this node: ${text}; install iproute2, nftables and conntrack, or libnftables1`,
    };
  }
}
