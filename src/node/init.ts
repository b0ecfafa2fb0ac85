/** `swarm init`: makes a cluster of this node (contracts §3). What was made is wiped when it does not come to its end. */
import { createServer } from "node:net";
import type { ManagerStart } from "../api/index.js";
import { ApiError, doorError, newId } from "../base/index.js";
import {
  createCsr,
  createRoot,
  makeJoinTokens,
  makeUnlockKey,
  parseUnlockKey,
  signCertificate,
} from "../manager/ca/index.js";
import type { InitRequest } from "../rest/index.js";
import {
  resolveAdvertiseAddr,
  resolveDataPathAddr,
  resolveListenAddr,
  splitHostPort,
} from "./core/address.js";
import { addressPlan } from "./core/address-plan.js";
import type { Addresses, Admission } from "./core/membership.js";
import { isErrno } from "./durable-file.js";
import type { MembershipHost } from "./membership-host.js";

type Bootstrap = Extract<ManagerStart, { kind: "bootstrap" }>;
type InitAddresses = Addresses & { readonly dataPathAddr: string };

/** Resolves with the node id. Rejects with ApiError 400, 501 or 503; the node is inactive again then. */
export async function initSwarm(host: MembershipHost, body: InitRequest): Promise<string> {
  const { state, limits } = host;
  const plan = addressPlan(body);
  const addresses = resolveAddresses(host, body);
  await assertListenable(addresses.listenAddr);

  await state.apply({ kind: "initStarted" });
  try {
    const signal = host.clock.timeout(limits.membershipMs);
    const { admission, bootstrap } = await createCluster(host, body, plan, addresses);
    if (bootstrap.unlockKey !== undefined)
      await state.setUnlockKey(parseUnlockKey(bootstrap.unlockKey));
    host.setBootstrap(bootstrap);
    state.setProvisional(admission, false);
    await within(signal, "the first manager did not start in time", host.managerReady(signal));
    state.setProvisional(admission, true);
    await within(
      signal,
      "the worker did not connect to the manager in time",
      host.sessionUp(signal),
    );
    await state.apply({ kind: "initDone", admission });
    host.setBootstrap(undefined);
    state.setProvisional(undefined, false);
    return admission.nodeId;
  } catch (error) {
    const failure = asApiError(error);
    host.logger.error({ error: failure.message }, "init failed; wiping what was made");
    host.setBootstrap(undefined);
    await state.apply({ kind: "wipeStarted", reason: failure.message });
    await host.reconciled();
    await state.wipe(failure.message);
    throw failure;
  }
}

async function createCluster(
  host: MembershipHost,
  body: InitRequest,
  plan: ReturnType<typeof addressPlan>,
  addresses: InitAddresses,
): Promise<{ readonly admission: Admission; readonly bootstrap: Bootstrap }> {
  const { random, clock, state } = host;
  const nodeId = newId(random);
  const clusterId = newId(random);
  const nowMs = clock.wallMs();
  const isLocked = body.AutoLockManagers || body.Spec.EncryptionConfig.AutoLockManagers;
  const [root, request] = await Promise.all([createRoot(nowMs, random), createCsr()]);
  const certificatePem = await signCertificate({
    root,
    csrPem: request.csrPem,
    nodeId,
    clusterId,
    role: "manager",
    nowMs,
    nodeCertExpiryNs: body.Spec.CAConfig.NodeCertExpiry,
    random,
  });
  await state.setCredentials({
    certificatePem,
    privateKeyPem: request.privateKeyPem,
    rootBundlePem: root.certificatePem,
  });
  return {
    admission: {
      nodeId,
      clusterId,
      role: "manager",
      managers: [{ nodeId, addr: addresses.advertiseAddr }],
      ...addresses,
    },
    bootstrap: {
      kind: "bootstrap",
      clusterId,
      rootCertPem: root.certificatePem,
      rootKeyPem: root.privateKeyPem,
      joinTokens: makeJoinTokens(root.certificatePem, random),
      spec: { ...body.Spec, EncryptionConfig: { AutoLockManagers: isLocked } },
      ...(isLocked && { unlockKey: makeUnlockKey(random) }),
      availability: body.Availability,
      ...plan,
    },
  };
}

export function resolveAddresses(
  host: MembershipHost,
  body: Pick<InitRequest, "ListenAddr" | "AdvertiseAddr" | "DataPathAddr">,
): InitAddresses {
  const own = host.hostAddresses();
  const listenAddr = resolveListenAddr(body.ListenAddr || host.config.listenAddr, own);
  const wanted = body.AdvertiseAddr || host.config.advertiseAddr;
  const advertiseAddr = resolveAdvertiseAddr(wanted, listenAddr, own);
  const dataPathAddr = resolveDataPathAddr(body.DataPathAddr, own);
  return { listenAddr, advertiseAddr, dataPathAddr };
}

/** Finds out before anything is made whether the manager will be able to listen. */
async function assertListenable(listenAddr: string): Promise<void> {
  const { name, port } = splitHostPort(listenAddr, "listen address");
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => {
      const why = isErrno(error, "EADDRINUSE")
        ? "the address is already in use; stop the program that has it or choose another with --listen-addr"
        : error.message;
      reject(
        doorError("InvalidArgument", `cannot listen on ${listenAddr}: ${why}`, { cause: error }),
      );
    });
    probe.listen({ host: name, port: port ?? 0, exclusive: true }, () => {
      probe.close(() => {
        resolve();
      });
    });
  });
}

async function within(signal: AbortSignal, what: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (cause) {
    if (signal.aborted)
      throw doorError("Unavailable", `swarm init: ${what}; the log of swarmd says more`, { cause });
    throw cause;
  }
}

function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return doorError("Unavailable", `swarm init failed: ${why}`, { cause: error });
}
