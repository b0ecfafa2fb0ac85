/** What this manager serves on 2377, besides the dispatcher's and Raft's streams: thin maps from wire to domain. */
import { status } from "@grpc/grpc-js";
import {
  type Availability,
  caService,
  controlService,
  dispatcherService,
  type Operation,
  type OperationKind,
  type Requester,
  type ResultOf,
  raftService,
  tunnelService,
} from "../api/index.js";
import { ApiError, type Clock, newId, type Random } from "../base/index.js";
import type { Store } from "../store/index.js";
import { registerConnections } from "./connections.js";
import type { Dispatcher } from "./dispatcher/index.js";
import { registerJournal, type ServePage } from "./journal-pages.js";
import type { OperationExecutor } from "./port.js";
import type { RaftReceiver } from "./raft/index.js";
import { managersOf } from "./role-manager.js";
import { parseOperation, type RpcServer, serviceError } from "./rpc/index.js";
import { asApiError, JOIN_REPLY_TIMEOUT_MS, mayBeRetried, type Submitter } from "./submit.js";
import type { Tunnels } from "./tunnel/index.js";

export type ServiceParts = {
  readonly server: RpcServer;
  readonly store: Store;
  readonly executor: OperationExecutor;
  readonly submitter: Submitter;
  readonly dispatcher: Dispatcher;
  readonly receiver: RaftReceiver;
  readonly tunnels: Tunnels;
  readonly journalPage: ServePage;
  readonly clock: Clock;
  readonly random: Random;
  readonly isLeader: () => boolean;
  readonly leaderAddr: () => string | undefined;
  readonly clusterId: () => string;
  /** Served before the store has a cluster object: while this manager is joining. */
  readonly ownRootPem: () => string;
};

export function registerServices(parts: ServiceParts): void {
  registerControl(parts);
  registerJournal(parts.server, parts.journalPage);
  registerCa(parts);
  registerConnections(parts.server, {
    ...parts,
    submit: (operation, signal, client, requestId) =>
      parts.submitter.submit(operation, signal, client, requestId),
  });
  const { server, receiver, dispatcher, tunnels } = parts;
  server.clientStream(raftService.stream, (call, caller, end) => {
    receiver.accept(call, caller, end);
  });
  server.duplex(dispatcherService.session, (call, caller) => {
    dispatcher.accept(call, caller);
  });
  server.duplex(tunnelService.open, (call, caller) => {
    tunnels.accept(call, caller);
  });
}

type Executed = { readonly index: number; readonly result: unknown };

function registerControl(parts: ServiceParts): void {
  const { server, executor, dispatcher, clock } = parts;
  const running = new Map<string, Promise<Executed>>();
  const notLeader = () => ({ notLeader: { leaderAddr: parts.leaderAddr() ?? "" } });

  /** A retry that comes while the first attempt still runs waits for that one: its requestId is not stored yet. */
  const execute = (
    operation: Operation,
    requestId: string,
    requester: Requester,
    timeoutMs: number,
  ) => {
    const first = running.get(requestId);
    if (first !== undefined) return first;
    const run = executor
      .execute<OperationKind>(operation, {
        requestId,
        callerNodeId: requester.nodeId,
        requester,
        // The caller may be gone and come back with the same requestId: only time ends the operation.
        signal: clock.timeout(Math.min(timeoutMs, JOIN_REPLY_TIMEOUT_MS)),
      })
      .finally(() => running.delete(requestId));
    running.set(requestId, run);
    return run;
  };

  server.unary(controlService.submit, async (request, caller) => {
    if (!parts.isLeader()) return notLeader();
    if (running.size >= RUNNING_OPERATIONS_MAX)
      throw new ApiError("Unavailable", "too many operations are running; try again");
    try {
      const { requestId, timeoutMs } = request;
      if (requestId === "" || requestId.length > 64)
        throw new ApiError("InvalidArgument", "forwarded operation: bad request_id");
      const operation = parseOperation(request.operationJson);
      const { index, result } = await execute(
        operation,
        requestId,
        {
          nodeId: caller.peer?.nodeId ?? "",
          door: request.door === "rest" ? "rest" : "node",
          actor: request.door === "rest" ? (request.actor ?? "") : operation.kind,
        },
        timeoutMs,
      );
      return { index, resultJson: Buffer.from(JSON.stringify(result)) };
    } catch (caught) {
      if (mayBeRetried(caught)) return notLeader();
      const error = asApiError(caught);
      if (!(error instanceof ApiError)) throw error;
      const { code, message, http, origin } = error;
      return { error: { code, message, http, origin } };
    }
  });

  server.unary(controlService.nodeUsages, () => {
    const usages = dispatcher.usages();
    if (usages === undefined)
      throw serviceError(status.FAILED_PRECONDITION, "this manager does not lead");
    return Promise.resolve({ nodes: usages.map((usage) => ({ ...usage })) });
  });

  server.unary(controlService.requestTunnel, async (request, _caller, signal) => {
    const { nodeId, tunnelId, managerAddr } = request;
    const asked = dispatcher.openTunnel(nodeId, tunnelId, managerAddr, signal);
    if (asked === undefined)
      throw serviceError(status.FAILED_PRECONDITION, "this manager does not lead");
    try {
      await asked;
      return {};
    } catch (error) {
      if (error instanceof ApiError) return { error: error.message };
      throw error;
    }
  });
}

/** Forwarded operations at once; each waits for a commit. */
export const RUNNING_OPERATIONS_MAX = 10_000;

function registerCa(parts: ServiceParts): void {
  const { server, store, submitter, random } = parts;

  server.unary(caService.getRoot, () =>
    Promise.resolve({ rootBundlePem: store.cluster()?.rootCertPem ?? parts.ownRootPem() }),
  );

  server.unary(caService.issue, async (request, caller, signal) => {
    const isRenewal = request.token === "";
    const { peer } = caller;
    // Not "permission denied": that would tell the node that it was removed.
    if (isRenewal && peer === undefined) {
      throw serviceError(
        status.UNAUTHENTICATED,
        "a renewal needs this node's own certificate, and it must not have expired: check the node's clock; " +
          "else run `docker swarm leave --force` there and join again with a current token",
      );
    }
    if (isRenewal && peer?.clusterId !== parts.clusterId())
      throw new ApiError("PermissionDenied", "the certificate belongs to another cluster");
    const result: ResultOf<"ca.issue"> = await submitter.submit(
      {
        kind: "ca.issue",
        nodeId: isRenewal ? (peer?.nodeId ?? "") : "",
        newNodeId: newId(random),
        csrPem: request.csrPem,
        token: request.token,
        availability: availabilityOf(request.availability),
      },
      signal,
    );
    return {
      ...result,
      clusterId: parts.clusterId(),
      managerAddrs: managersOf(store).map((manager) => manager.addr),
    };
  });
}

function availabilityOf(text: string): Availability {
  if (text === "") return "active";
  if (text === "active" || text === "pause" || text === "drain") return text;
  throw new ApiError(
    "InvalidArgument",
    `availability must be active, pause or drain, not "${text}"`,
  );
}
