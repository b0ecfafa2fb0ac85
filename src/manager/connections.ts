/** Networks of running containers, as their nodes ask for them: a write by the leader, then the wait for what the allocator says. */
import {
  dispatcherService,
  type Operation,
  type OperationKind,
  type ResultOf,
  type swarm,
  TASK_STATE,
  type Task,
} from "../api/index.js";
import { ApiError, type Clock } from "../base/index.js";
import type { Store } from "../store/index.js";
import type { RpcServer } from "./rpc/index.js";

/** A container waits for its address this long (spec §6.1). */
export const ADDRESS_MAX_MS = 20_000;
/** Aliases and addresses of one call. */
const ALIASES_MAX = 64;
const TEXT_CHARS_MAX = 256;

/** As nodes make them. */
const REQUEST_ID = /^[0-9a-z]{1,25}$/;

type Reply = swarm.dispatcher.IConnectionReply;
type ConnectCall = Pick<
  swarm.dispatcher.ConnectRequest,
  | "taskId"
  | "containerTaskId"
  | "containerId"
  | "containerName"
  | "network"
  | "aliases"
  | "addresses"
>;
type DisconnectCall = Pick<
  swarm.dispatcher.DisconnectRequest,
  "container" | "network" | "requestId"
>;

export type ConnectionParts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly submit: <K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    signal: AbortSignal,
    client: string,
    requestId?: string,
  ) => Promise<ResultOf<K>>;
};

export function registerConnections(server: RpcServer, parts: ConnectionParts): void {
  server.unary(dispatcherService.connect, (request, caller, signal) =>
    answer(() => connect(parts, request, caller.peer?.nodeId ?? "", signal)),
  );
  server.unary(dispatcherService.disconnect, (request, caller, signal) =>
    answer(() => disconnect(parts, request, caller.peer?.nodeId ?? "", signal)),
  );
}

/** Resolves when the container has its address. Without one nothing is left of it. Rejects ApiError. */
export async function connect(
  parts: ConnectionParts,
  request: ConnectCall,
  nodeId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { taskId, containerTaskId, network, containerId, containerName } = request;
  const { aliases, addresses } = request;
  for (const text of [taskId, containerTaskId, network, containerId, containerName, ...aliases])
    checkLength(text);
  if (aliases.length + addresses.length > ALIASES_MAX)
    throw new ApiError("InvalidArgument", `at most ${ALIASES_MAX} aliases can be given`);
  const client = clientOf(nodeId);
  try {
    await parts.submit<"network.connect">(
      {
        kind: "network.connect",
        ...{ taskId, nodeId, containerTaskId, containerId, containerName, network },
        ...{ aliases, addresses },
      },
      signal,
      client,
    );
    await placed(parts, taskId, network, signal);
  } catch (error) {
    // Whoever asked is gone, or is told that it failed: nothing may come of it later. Most often there is nothing to undo.
    const undo = parts.clock.timeout(ADDRESS_MAX_MS);
    await parts
      .submit<"network.disconnect">(
        { kind: "network.disconnect", nodeId, container: taskId, network },
        undo,
        client,
      )
      .catch(() => undefined);
    throw error;
  }
  return [taskId];
}

export async function disconnect(
  { submit }: ConnectionParts,
  { container, network, requestId }: DisconnectCall,
  nodeId: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  checkLength(container);
  checkLength(network);
  if (requestId !== "" && !REQUEST_ID.test(requestId))
    throw new ApiError("InvalidArgument", `request id "${requestId}" is none`);
  const { taskIds } = await submit<"network.disconnect">(
    { kind: "network.disconnect", nodeId, container, network },
    signal,
    clientOf(nodeId),
    // With the node's own id, so that no other node is given its answer.
    requestId === "" ? undefined : `${nodeId}.${requestId}`,
  );
  return taskIds;
}

/** Resolves when the attachment has its address and its node; rejects with what it lacks. */
function placed(
  { store, clock }: ConnectionParts,
  taskId: string,
  network: string,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      unsubscribe();
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      done();
    };
    const look = (): void => {
      const verdict = verdictOn(store.task(taskId), network);
      if (verdict === "placed") settle(resolve);
      else if (verdict !== "waits") settle(() => reject(verdict));
    };
    const onAbort = (): void =>
      settle(() => reject(new ApiError("Cancelled", "the call was cancelled")));
    const unsubscribe = store.subscribe(look);
    const stopTimer = clock.setTimer(ADDRESS_MAX_MS, () =>
      settle(() =>
        reject(
          new ApiError(
            "DeadlineExceeded",
            `attaching to network ${network} failed: no address within ${ADDRESS_MAX_MS / 1000} s`,
          ),
        ),
      ),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else look();
  });
}

function verdictOn(task: Task | undefined, network: string): "placed" | "waits" | ApiError {
  if (task === undefined || task.desiredState >= TASK_STATE.shutdown)
    return new ApiError("Aborted", `network ${network}: disconnected meanwhile`);
  // Of what it lacks the allocator tells at once; it would go on trying.
  if (task.state === TASK_STATE.new)
    return task.err === "" ? "waits" : new ApiError("ResourceExhausted", task.err);
  return task.state >= TASK_STATE.complete
    ? new ApiError("Aborted", `network ${network}: ${task.err || task.message}`)
    : "placed";
}

async function answer(work: () => Promise<readonly string[]>): Promise<Reply> {
  try {
    return { taskIds: [...(await work())] };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, message, http, origin } = error;
    return { error: { code, message, http, origin } };
  }
}

function checkLength(text: string): void {
  if (text === "" || text.length > TEXT_CHARS_MAX)
    throw new ApiError(
      "InvalidArgument",
      `a name or id has ${text.length} characters; 1 to ${TEXT_CHARS_MAX} are taken`,
    );
}

/** For the journal. */
function clientOf(nodeId: string): string {
  return `node ${nodeId}`;
}
