import { status } from "@grpc/grpc-js";
import type { ManagerAddr, swarm } from "../../api/index.js";
import { ApiError, type Clock, type Logger } from "../../base/index.js";
import type { LeaderContext, NodeUsage } from "../port.js";
import { type KnownCaller, serviceError, toServiceError } from "../rpc/index.js";
import type { AgentSession, SessionCall } from "./agent-session.js";
import { redirectMessage } from "./messages.js";
import { DispatcherTerm } from "./term.js";

/** How long a fresh stream may wait with its Hello. */
export const HELLO_MS = 10_000;
/** What a manager that does not answer costs an agent: 3 s for its Welcome, 2 s until it dials the next. */
export const SILENT_MANAGER_MS = 5_000;

type DispatcherParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly managers: () => readonly ManagerAddr[];
  readonly leaderAddr: () => string | undefined;
  readonly readBarrier: (signal: AbortSignal) => Promise<unknown>;
};

/** Takes agents' streams on every manager: the leader serves them, others tell where the leader is. */
export class Dispatcher {
  readonly #parts: DispatcherParts;
  #term: DispatcherTerm | undefined;
  #lateNodeCount = 0;
  #detourMs = 0;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** The leader loop. */
  readonly lead = async (context: LeaderContext): Promise<void> => {
    const onLate = (nodeCount: number): void => {
      this.#lateNodeCount += nodeCount;
    };
    const detourMs = this.#detourMs;
    const term = new DispatcherTerm({ ...this.#parts, ...context, onLate, detourMs });
    this.#term = term;
    try {
      await term.run();
    } finally {
      if (this.#term === term) this.#term = undefined;
    }
  };

  /**
   * Agents have so many managers on their lists that may neither answer nor refuse. From the next term on each node is given the time
   * to try all of them before its turn at this one.
   */
  expectDetours(silentManagerCount: number): void {
    this.#detourMs = silentManagerCount * SILENT_MANAGER_MS;
  }

  /** How often a node did not confirm a change of its networks in time, since this process began. */
  get lateNodeCount(): number {
    return this.#lateNodeCount;
  }

  /** What containers use, by node; undefined when this manager does not lead. */
  usages(): readonly NodeUsage[] | undefined {
    return this.#term?.usages();
  }

  /** As DispatcherTerm.openTunnel; undefined when this manager does not lead. */
  openTunnel(
    nodeId: string,
    tunnelId: string,
    managerAddr: string,
    signal: AbortSignal,
  ): Promise<void> | undefined {
    return this.#term?.openTunnel(nodeId, tunnelId, managerAddr, signal);
  }

  accept(call: SessionCall, caller: KnownCaller): void {
    let session: AgentSession | undefined;
    let state: "new" | "registering" | "open" | "over" = "new";
    const term = this.#term;
    const fail = (error: unknown): void => {
      if (state === "over") return;
      state = "over";
      call.emit("error", toServiceError(error));
    };
    const stopTimer = this.#parts.clock.setTimer(HELLO_MS, () => {
      fail(serviceError(status.DEADLINE_EXCEEDED, "no Hello came"));
    });
    const register = async (hello: swarm.dispatcher.IHello): Promise<void> => {
      if (term === undefined) {
        state = "over";
        call.write(redirectMessage(this.#parts.leaderAddr(), this.#parts.managers()));
        call.end();
        return;
      }
      state = "registering";
      // What the agent sends before it has its Welcome waits in the stream.
      call.pause();
      session = await term.register(call, caller, hello);
      if (state === "registering") state = session === undefined ? "over" : "open";
      else if (session !== undefined) term.disconnected(session);
      call.resume();
    };
    call.on("data", (message: swarm.dispatcher.AgentMessage) => {
      try {
        if (state === "open" && session !== undefined) term?.message(session, message);
        else if (state === "new" && message.hello) {
          stopTimer();
          register(message.hello).catch((error: unknown) => {
            this.#log(caller, error);
            fail(error);
          });
        } else if (state === "new")
          throw new ApiError("InvalidArgument", "session: the first message must be Hello");
      } catch (error) {
        this.#log(caller, error);
        fail(error);
      }
    });
    const closed = (): void => {
      stopTimer();
      state = "over";
      if (session !== undefined) term?.disconnected(session);
    };
    call.on("cancelled", closed);
    call.on("end", () => {
      closed();
      call.end();
    });
  }

  #log(caller: KnownCaller, error: unknown): void {
    const { nodeId } = caller.peer;
    this.#parts.logger.warn({ nodeId, from: caller.remoteIp, err: error }, "agent session failed");
  }
}
