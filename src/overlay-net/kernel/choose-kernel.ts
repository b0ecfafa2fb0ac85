import type { Logger } from "../../base/index.js";
import { NetlinkKernel } from "./netlink/netlink-kernel.js";
import { KernelError, type NetnsKernel } from "./netns-kernel.js";
import { ToolsKernel } from "./tools/tools-kernel.js";

/** Netlink where koffi and libnftables load, else the tools; says which, and why. `contentsPath`: as NetlinkKernel.open. Rejects KernelError when neither can be had. */
export async function chooseKernel(contentsPath: string, logger: Logger): Promise<NetnsKernel> {
  try {
    const kernel = await NetlinkKernel.open(contentsPath);
    logger.info({ kernel: kernel.kind }, "the kernel is programmed by netlink and libnftables");
    return kernel;
  } catch (error) {
    if (!(error instanceof KernelError && error.code === "MISSING")) throw error;
    const kernel = await ToolsKernel.open();
    logger.warn(
      { kernel: kernel.kind, reason: error.message },
      "the kernel is programmed by ip, nft and conntrack, which is slower: netlink cannot be used",
    );
    return kernel;
  }
}
