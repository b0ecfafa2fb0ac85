/** `swarm join`: root by token, certificate by request, then worker or manager (spec §5.4). Goes on in the background. */
import type { ManagerAddr } from "../api/index.js";
import { ApiError, doorError } from "../base/index.js";
import {
  createCsr,
  isSignedBy,
  parseCertificate,
  parseJoinToken,
  verifyRootDigest,
} from "../manager/ca/index.js";
import type { JoinRequest } from "../rest/index.js";
import { CaError } from "./ca-client.js";
import type { NodeCredentials } from "./certificate-store.js";
import {
  joinHostPort,
  parseRemoteAddr,
  resolveDataPathAddr,
  resolveListenAddr,
  splitHostPort,
  tryAdvertiseAddr,
} from "./core/address.js";
import { joinContinues } from "./core/errors.js";
import type { Admission, JoinAttempt } from "./core/membership.js";
import type { MembershipHost } from "./membership-host.js";

/** Rounds over all remote addresses, and the pause between them. */
const ROUNDS_MAX = 5;
const ROUND_PAUSE_MS = 2_000;
const REMOTE_ADDRS_MAX = 64;

type Admitted = { readonly credentials: NodeCredentials; readonly admission: Admission };

/** Checks the body and notes the attempt; rejects with ApiError 400 or 501. */
export function parseJoin(host: MembershipHost, body: JoinRequest): JoinAttempt {
  if (body.RemoteAddrs.length === 0)
    throw doorError("InvalidArgument", "at least 1 RemoteAddr is required to join");
  if (body.RemoteAddrs.length > REMOTE_ADDRS_MAX)
    throw doorError("InvalidArgument", `RemoteAddrs has more than ${REMOTE_ADDRS_MAX} addresses`);
  try {
    parseJoinToken(body.JoinToken);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw doorError("InvalidArgument", text, { cause });
  }
  const own = host.hostAddresses();
  const listenAddr = resolveListenAddr(body.ListenAddr || host.config.listenAddr, own);
  const wanted = body.AdvertiseAddr || host.config.advertiseAddr;
  const advertiseAddr = tryAdvertiseAddr(wanted, listenAddr, own) ?? "";
  return {
    remoteAddrs: body.RemoteAddrs.map(parseRemoteAddr),
    joinToken: body.JoinToken.trim(),
    availability: body.Availability,
    advertiseAddr,
    listenAddr,
    dataPathAddr: resolveDataPathAddr(body.DataPathAddr, own),
  };
}

/**
 * Runs an attempt that the record already holds. Resolves when the session is up (and the manager ready, if it is one);
 * rejects with ApiError after wiping when the cluster does not take this node.
 */
export async function runJoin(
  host: MembershipHost,
  attempt: JoinAttempt,
  signal: AbortSignal,
): Promise<void> {
  const { state } = host;
  let admitted: Admitted;
  try {
    admitted = await obtainCertificate(host, attempt, signal);
    signal.throwIfAborted();
    await state.setCredentials(admitted.credentials);
    await state.apply({ kind: "admitted", admission: admitted.admission });
  } catch (error) {
    const failure = asApiError(error);
    host.logger.error({ error: failure.message }, "join failed");
    await state.wipe(failure.message);
    throw failure;
  }
  await Promise.all([
    host.sessionUp(signal),
    admitted.admission.role === "manager" ? host.managerReady(signal) : undefined,
  ]);
  await state.apply({ kind: "settled" });
}

/** Answers the client: at the end of the attempt, or at the limit while it goes on. */
export async function answerJoin(host: MembershipHost, running: Promise<void>): Promise<void> {
  const limitMs = host.limits.membershipMs;
  let cancel: () => void = () => undefined;
  const late = new Promise<"late">((resolve) => {
    cancel = host.clock.setTimer(limitMs, () => {
      resolve("late");
    });
  });
  const first = await Promise.race([running, late]);
  cancel();
  if (first === "late") throw joinContinues(limitMs / 1_000, host.managerError());
}

async function obtainCertificate(
  host: MembershipHost,
  attempt: JoinAttempt,
  signal: AbortSignal,
): Promise<Admitted> {
  let lastError: unknown;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    if (round > 0) await host.clock.sleep(ROUND_PAUSE_MS, signal);
    for (const addr of attempt.remoteAddrs) {
      try {
        return await askManager(host, attempt, addr);
      } catch (error) {
        signal.throwIfAborted();
        const isDefinite =
          error instanceof ApiError || (error instanceof CaError && error.isDefinite);
        if (isDefinite) throw error;
        lastError = error;
        host.logger.warn({ addr, round, error: String(error) }, "manager did not admit this node");
      }
    }
  }
  throw lastError;
}

async function askManager(
  host: MembershipHost,
  attempt: JoinAttempt,
  addr: string,
): Promise<Admitted> {
  const { ca, clock } = host;
  const rootBundlePem = await ca.fetchRoot(addr);
  verifyRootDigest(parseJoinToken(attempt.joinToken), rootBundlePem);
  const advertiseAddr = attempt.advertiseAddr || (await advertiseTowards(host, attempt, addr));
  const { csrPem, privateKeyPem } = await createCsr();
  const reply = await ca.issue(addr, rootBundlePem, undefined, {
    csrPem,
    token: attempt.joinToken,
    availability: attempt.availability,
  });
  const { certificatePem } = reply;
  const info = parseCertificate(certificatePem);
  if (!isSignedBy(certificatePem, rootBundlePem, clock.wallMs())) {
    throw doorError(
      "FailedPrecondition",
      `the certificate from ${addr} is not valid here: compare the clocks of this host and the manager`,
    );
  }
  const addrs = reply.managerAddrs.length > 0 ? reply.managerAddrs : [addr];
  const managers: readonly ManagerAddr[] = addrs.map((each) => ({ nodeId: "", addr: each }));
  return {
    credentials: {
      certificatePem,
      privateKeyPem,
      rootBundlePem: reply.rootBundlePem || rootBundlePem,
    },
    admission: {
      nodeId: info.nodeId,
      clusterId: info.clusterId,
      role: info.role,
      managers,
      advertiseAddr,
      listenAddr: attempt.listenAddr,
      dataPathAddr: attempt.dataPathAddr ?? "",
    },
  };
}

/** A host with several addresses is reached at the one it reaches the manager from. */
async function advertiseTowards(
  host: MembershipHost,
  attempt: JoinAttempt,
  addr: string,
): Promise<string> {
  const ip = await host.ca.localAddressTowards(addr);
  const { port } = splitHostPort(attempt.listenAddr, "listen address");
  return joinHostPort(ip, port ?? 0);
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const isToken = error instanceof CaError && error.isDefinite;
  return doorError(isToken ? "InvalidArgument" : "Unavailable", why, { cause: error });
}
