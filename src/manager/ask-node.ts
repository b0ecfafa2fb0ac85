import { status } from "@grpc/grpc-js";
import { controlService } from "../api/index.js";
import { ApiError, type Clock } from "../base/index.js";
import type { Dispatcher } from "./dispatcher/index.js";
import { type ChannelPool, RpcError } from "./rpc/index.js";
import type { AskNode } from "./tunnel/index.js";

/** The leader answers when the node failed, or after it had its time to dial. */
const CALL_MS = 7000;
const RETRY_PAUSE_MS = 100;

/**
 * Asks a node to dial `ownAddr`, through whoever leads: here, or by a call to the leader. Tried again through a change of
 * leader until the signal aborts, which the tunnel's own deadline does.
 */
export function createAskNode(parts: {
  readonly dispatcher: Dispatcher;
  readonly channels: ChannelPool;
  readonly clock: Clock;
  readonly ownAddr: () => string;
  readonly leaderAddr: () => string | undefined;
}): AskNode {
  const { dispatcher, channels, clock, ownAddr, leaderAddr } = parts;
  /** Whether the question was settled. */
  const attempt = async (
    nodeId: string,
    tunnelId: string,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const here = dispatcher.openTunnel(nodeId, tunnelId, ownAddr(), signal);
    if (here !== undefined) {
      await here;
      return true;
    }
    const addr = leaderAddr();
    if (addr === undefined || addr === ownAddr()) return false;
    try {
      const reply = await channels.unary(
        addr,
        controlService.requestTunnel,
        { nodeId, tunnelId, managerAddr: ownAddr() },
        { timeoutMs: CALL_MS, signal },
      );
      if (reply.error) throw new ApiError("Unavailable", reply.error);
      return true;
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (error.isTransport || error.grpcCode === status.FAILED_PRECONDITION) return false;
      throw new ApiError("Unavailable", `node ${nodeId} cannot be asked: ${error.message}`, {
        cause: error,
      });
    }
  };
  return async (nodeId, tunnelId, signal) => {
    while (!signal.aborted) {
      if (await attempt(nodeId, tunnelId, signal)) return;
      await clock.sleep(RETRY_PAUSE_MS, signal);
    }
  };
}
