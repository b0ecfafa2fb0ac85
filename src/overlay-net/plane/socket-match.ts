import type { Logger } from "../../base/index.js";
import type { NodeNames } from "../core/names.js";
import { SOCKET_FOUND } from "../core/rulesets/task-ingress.js";
import type { NetnsKernel } from "../kernel/netns-kernel.js";

/**
 * Whether this host's nft and kernel can tell that a packet has a socket to go to (CONFIG_NFT_SOCKET): a table that uses it is made and
 * deleted in one transaction, of which nothing stays.
 */
export async function canMatchSockets(
  kernel: NetnsKernel,
  names: NodeNames,
  logger: Logger,
): Promise<boolean> {
  const table = `table inet ${names.nftTable}_try`;
  const hook = "type nat hook prerouting priority -100; policy accept;";
  const script = `${table} { chain pre { ${hook} meta nfproto ipv6 ${SOCKET_FOUND} accept; }; }\ndelete ${table}\n`;
  try {
    await kernel.execute([{ netns: "", operations: [{ kind: "nft", script }] }]);
    return true;
  } catch (error) {
    logger.warn(
      { error },
      "published ports of tasks that take IPv4 alone do not answer on IPv6: the kernel has no nft match for sockets (CONFIG_NFT_SOCKET)",
    );
    return false;
  }
}
