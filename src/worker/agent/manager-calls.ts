/** Single questions of this node to the cluster: any manager takes them and passes them on to whoever leads. */
import {
  type ChannelCredentials,
  Client,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { dispatcherService, type swarm } from "../../api/index.js";
import { ApiError, type Clock, isApiErrorCode, newId, type Random } from "../../base/index.js";
import { MANAGER_CHANNEL_OPTIONS } from "./credentials.js";

/** A network for one of this node's containers. */
export type ConnectionRequest = {
  /** Of the attachment, made by the caller: asked again with it, nothing is made twice. */
  readonly taskId: string;
  readonly containerTaskId: string;
  readonly containerId: string;
  readonly containerName: string;
  /** Id, name or unique beginning of an id. */
  readonly network: string;
  readonly aliases: readonly string[];
  readonly addresses: readonly string[];
};

/** Both resolve with the attachments that begin, or are to end, and reject with ApiError. */
export interface ConnectionsPort {
  connect(request: ConnectionRequest, signal: AbortSignal): Promise<readonly string[]>;
  disconnect(container: string, network: string, signal: AbortSignal): Promise<readonly string[]>;
}

export type ManagerCallsParts = {
  /** `ip:port`, the one of the session first. */
  readonly addrs: () => readonly string[];
  readonly credentials: () => ChannelCredentials;
  readonly clock: Clock;
  readonly random: Random;
};

/** The manager's own budgets, for the write and for the address, fit in. */
const CALL_MAX_MS = 45_000;
/** Managers are asked one after the other, until one answers, for this long. */
const TRY_MAX_MS = 20_000;
const RETRY_PAUSE_MS = 250;
/** Nothing is known of what was decided: asked again, of another manager. */
const LOST: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
]);

type Reply = swarm.dispatcher.ConnectionReply.$Properties;

export class ManagerCalls implements ConnectionsPort {
  readonly #parts: ManagerCallsParts;

  constructor(parts: ManagerCallsParts) {
    this.#parts = parts;
  }

  connect(request: ConnectionRequest, signal: AbortSignal): Promise<readonly string[]> {
    const { aliases, addresses, ...rest } = request;
    const message = { ...rest, aliases: [...aliases], addresses: [...addresses] };
    return this.#ask(dispatcherService.connect, message, signal);
  }

  disconnect(container: string, network: string, signal: AbortSignal): Promise<readonly string[]> {
    // Of an answer that is lost the next manager is asked, and knows the call again: the container would be on no such network by then.
    const requestId = newId(this.#parts.random);
    return this.#ask(dispatcherService.disconnect, { container, network, requestId }, signal);
  }

  async #ask<Req>(
    method: MethodDefinition<Req, Reply>,
    request: Req,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const { addrs, clock } = this.#parts;
    const deadlineMs = clock.nowMs() + TRY_MAX_MS;
    let reason = "this node knows none; is it part of a cluster?";
    for (;;) {
      for (const addr of addrs()) {
        const answer = await this.#call(addr, method, request, signal);
        if ("taskIds" in answer) return answer.taskIds;
        reason = `${addr}: ${answer.lost}`;
      }
      if (clock.nowMs() >= deadlineMs)
        throw new ApiError("Unavailable", `no manager answers: ${reason}`);
      await clock.sleep(RETRY_PAUSE_MS, signal);
    }
  }

  /** Rejects with what the cluster answered. */
  async #call<Req>(
    addr: string,
    method: MethodDefinition<Req, Reply>,
    request: Req,
    signal: AbortSignal,
  ): Promise<{ readonly taskIds: readonly string[] } | { readonly lost: string }> {
    const client = new Client(addr, this.#parts.credentials(), MANAGER_CHANNEL_OPTIONS);
    try {
      const reply = await unary(client, method, request, signal);
      if (reply.error) throw errorOf(reply.error);
      return { taskIds: reply.taskIds ?? [] };
    } catch (error) {
      signal.throwIfAborted();
      if (!isServiceError(error)) throw error;
      if (LOST.has(error.code)) return { lost: error.details };
      throw new ApiError("Unavailable", `manager ${addr} refused the call: ${error.details}`);
    } finally {
      client.close();
    }
  }
}

function unary<Req>(
  client: Client,
  method: MethodDefinition<Req, Reply>,
  request: Req,
  signal: AbortSignal,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      { deadline: Date.now() + CALL_MAX_MS },
      (error: ServiceError | null, reply?: Reply) => {
        signal.removeEventListener("abort", onAbort);
        if (error === null && reply !== undefined) resolve(reply);
        else reject(error ?? new Error("empty answer"));
      },
    );
    const onAbort = (): void => call.cancel();
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error;
}

function errorOf(error: swarm.dispatcher.ConnectionError.$Properties): ApiError {
  const code = error.code ?? "";
  const options = { origin: error.origin === "door" ? "door" : "cluster" } as const;
  const http = error.http ? { http: error.http } : {};
  return new ApiError(isApiErrorCode(code) ? code : "Unknown", error.message ?? "", {
    ...options,
    ...http,
  });
}
