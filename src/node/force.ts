/**
 * `swarm init --force-new-cluster`: this node's manager goes on as the only one of its cluster (spec §5.4). The record says so before
 * anything else and until the manager is ready, so that a crash at any line goes on with it; the log itself is rewritten in one piece.
 */
import { ApiError, doorError } from "../base/index.js";
import type { InitRequest } from "../rest/index.js";
import { resolveAdvertiseAddr, resolveDataPathAddr, resolveListenAddr } from "./core/address.js";
import { forceContinues, notForceable, notSupported, stillLocked } from "./core/errors.js";
import { type Addresses, type Member, soleManagerObjection } from "./core/membership.js";
import type { MembershipHost } from "./membership-host.js";

/** What Docker's client and ours send when nobody chose an address. */
const LISTEN_ADDR_UNSET = "0.0.0.0:2377";

/** Resolves with the node id. Rejects with ApiError 400, 501 or 503; the node is as it was before, or goes on in the background. */
export async function forceNewCluster(host: MembershipHost, body: InitRequest): Promise<string> {
  const { state, limits, logger, clock } = host;
  const { record } = state;
  if (state.isLocked) throw stillLocked();
  const why = soleManagerObjection(record);
  if (why !== undefined || record.kind !== "member") throw notForceable(why ?? "");
  if (body.AutoLockManagers) throw notSupported("swarm init", "AutoLockManagers");
  const before = addressesOf(record);
  const addresses = chosenAddresses(host, body, record);
  logger.warn(
    { nodeId: record.nodeId, managers: record.managers },
    "told to go on as the only manager: the others are given up",
  );

  const signal = clock.timeout(limits.membershipMs);
  await state.apply({ kind: "forceStarted", addresses });
  try {
    await host.restartManager(signal);
    await state.apply({ kind: "managerReady", isSole: true });
  } catch (error) {
    if (signal.aborted) throw forceContinues(limits.membershipMs / 1_000, host.managerError());
    await state.apply({ kind: "forceFailed", addresses: before });
    throw asFailure(error);
  }
  try {
    await host.sessionUp(signal);
  } catch {
    logger.warn({}, "the worker has no session with the new cluster yet; it goes on trying");
  }
  return record.nodeId;
}

function addressesOf({ advertiseAddr, listenAddr, dataPathAddr }: Member): Addresses {
  return { advertiseAddr, listenAddr, ...(dataPathAddr !== undefined && { dataPathAddr }) };
}

/** Those of the node, but for what the body names. */
function chosenAddresses(host: MembershipHost, body: InitRequest, record: Member): Addresses {
  const own = host.hostAddresses();
  const isListenAddrGiven = body.ListenAddr !== "" && body.ListenAddr !== LISTEN_ADDR_UNSET;
  const listenAddr = isListenAddrGiven
    ? resolveListenAddr(body.ListenAddr, own)
    : record.listenAddr;
  return {
    ...addressesOf(record),
    listenAddr,
    ...(body.AdvertiseAddr !== "" && {
      advertiseAddr: resolveAdvertiseAddr(body.AdvertiseAddr, listenAddr, own),
    }),
    ...(body.DataPathAddr !== "" && {
      dataPathAddr: resolveDataPathAddr(body.DataPathAddr, own),
    }),
  };
}

function asFailure(error: unknown): ApiError {
  const what = error instanceof Error ? error.message : String(error);
  const text = `swarm init --force-new-cluster failed, the node goes on as before: ${what}`;
  return error instanceof ApiError
    ? new ApiError(error.code, text, { http: error.http, origin: error.origin, cause: error })
    : doorError("Unavailable", text, { cause: error });
}
