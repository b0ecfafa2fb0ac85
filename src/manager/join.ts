/** A new manager's way into the Raft group: asks the managers it knows, following the leader. */
import { status } from "@grpc/grpc-js";
import { controlService, type NodeIdentity, safeUint } from "../api/index.js";
import {
  ApiError,
  type Clock,
  isApiErrorCode,
  type Logger,
  newId,
  type Random,
} from "../base/index.js";
import { type ChannelPool, encodeOperation, RpcError } from "./rpc/index.js";
import { type ForwardReply, JOIN_REPLY_TIMEOUT_MS } from "./submit.js";

/** Pause after all known managers were asked in vain; doubled up to the maximum, with jitter. */
export const JOIN_PAUSE_MIN_MS = 250;
export const JOIN_PAUSE_MAX_MS = 2000;

/** Errors of this kind may be gone at the next attempt; others are the user's to solve. */
const PASSING: ReadonlySet<string> = new Set([
  "Unavailable",
  "Unknown",
  "DeadlineExceeded",
  "Aborted",
  "ResourceExhausted",
]);

type JoinParts = {
  readonly channels: ChannelPool;
  readonly identity: NodeIdentity;
  readonly memberId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
};

/** Resolves once this node is a voter by the leader's word. Rejects with ApiError when it is refused for good. */
export async function joinGroup(parts: JoinParts, signal: AbortSignal): Promise<void> {
  const { identity, clock, random, logger } = parts;
  const known = identity.managers
    .map((manager) => manager.addr)
    .filter((addr) => addr !== identity.advertiseAddr);
  if (known.length === 0)
    throw new ApiError("FailedPrecondition", "no other manager is known to join the group through");
  let pauseMs = JOIN_PAUSE_MIN_MS;
  for (;;) {
    let hint: string | undefined;
    for (const addr of known) {
      const outcome = await attempt(parts, hint ?? addr, signal);
      if (outcome === "joined") return;
      hint = outcome === "failed" ? undefined : outcome.leaderAddr;
    }
    if (hint !== undefined && (await attempt(parts, hint, signal)) === "joined") return;
    logger.info({ known, pauseMs }, "joining the managers did not succeed yet");
    await clock.sleep(pauseMs * (0.5 + random.float()), signal);
    pauseMs = Math.min(pauseMs * 2, JOIN_PAUSE_MAX_MS);
  }
}

type Outcome = "joined" | "failed" | { readonly leaderAddr: string };

async function attempt(parts: JoinParts, addr: string, signal: AbortSignal): Promise<Outcome> {
  const { channels, identity, memberId, random, logger } = parts;
  try {
    const reply = await forward(
      channels,
      addr,
      encodeOperation({
        kind: "raft.join",
        nodeId: identity.nodeId,
        memberId,
        addr: identity.advertiseAddr,
      }),
      {
        requestId: newId(random),
        timeoutMs: JOIN_REPLY_TIMEOUT_MS,
        forwardedBy: identity.nodeId,
        signal,
      },
    );
    if (reply.kind === "done") return "joined";
    if (reply.kind === "notLeader")
      return reply.leaderAddr === "" ? "failed" : { leaderAddr: reply.leaderAddr };
    if (!PASSING.has(reply.error.code)) throw reply.error;
    logger.warn({ addr, err: reply.error }, "the leader could not add this manager yet");
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    if (error instanceof RpcError && error.grpcCode === status.PERMISSION_DENIED)
      throw new ApiError("PermissionDenied", error.message, { cause: error });
    logger.debug({ addr, err: error }, "manager not reached");
  }
  return "failed";
}

/** One Control.Submit. Rejects with RpcError. */
export async function forward(
  channels: ChannelPool,
  addr: string,
  operationJson: Uint8Array,
  call: {
    readonly requestId: string;
    readonly timeoutMs: number;
    readonly forwardedBy: string;
    readonly signal: AbortSignal;
    /** Of a call that came in at the REST door: what the client calls itself. */
    readonly client?: string;
  },
): Promise<ForwardReply> {
  const { requestId, timeoutMs, forwardedBy, signal, client } = call;
  const requester = client === undefined ? {} : { door: "rest", actor: client };
  const reply = await channels.unary(
    addr,
    controlService.submit,
    { requestId, operationJson, timeoutMs, forwardedBy, ...requester },
    { timeoutMs, signal },
  );
  if (reply.notLeader) return { kind: "notLeader", leaderAddr: reply.notLeader.leaderAddr ?? "" };
  if (reply.error) {
    const { code, message, http, origin } = reply.error;
    const apiCode = code != null && isApiErrorCode(code) ? code : "Internal";
    return {
      kind: "failed",
      error: new ApiError(apiCode, message ?? "", {
        origin: origin === "door" ? "door" : "cluster",
        ...(http ? { http } : {}),
      }),
    };
  }
  const resultJson = Buffer.from(reply.resultJson ?? []).toString("utf8");
  return { kind: "done", index: safeUint(reply.index ?? 0, "index"), resultJson };
}
