import { controlService } from "../api/index.js";
import type { Logger } from "../base/index.js";
import type { Dispatcher } from "./dispatcher/index.js";
import type { NodeUsage } from "./port.js";
import { type ChannelPool, RpcError } from "./rpc/index.js";

/** Gauges are a view beside others: what does not come soon is left out. */
const CALL_MS = 1000;

/** What containers use, by node: the dispatcher's own when this manager leads, else the leader's. */
export async function askUsages(parts: {
  readonly dispatcher: Dispatcher;
  readonly channels: ChannelPool;
  readonly leaderAddr: () => string | undefined;
  readonly ownAddr: () => string;
  readonly logger: Logger;
}): Promise<ReadonlyMap<string, NodeUsage>> {
  const usages = parts.dispatcher.usages() ?? (await askLeader(parts));
  return new Map(usages.map((usage) => [usage.nodeId, usage]));
}

async function askLeader({
  channels,
  leaderAddr,
  ownAddr,
  logger,
}: Parameters<typeof askUsages>[0]): Promise<readonly NodeUsage[]> {
  const addr = leaderAddr();
  if (addr === undefined || addr === ownAddr()) return [];
  try {
    const options = { timeoutMs: CALL_MS };
    const { nodes } = await channels.unary(addr, controlService.nodeUsages, {}, options);
    return (nodes ?? []).map((usage) => ({
      nodeId: usage.nodeId ?? "",
      cpuNano: usage.cpuNano ?? 0,
      memBytes: usage.memBytes ?? 0,
      atMs: usage.atMs ?? 0,
    }));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    logger.debug({ err: error }, "the leader does not tell what nodes use");
    return [];
  }
}
