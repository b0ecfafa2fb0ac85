import type { Duplex } from "node:stream";
import { status } from "@grpc/grpc-js";
import type { swarm } from "../../api/index.js";
import { ApiError, type Clock, newId, type Random } from "../../base/index.js";
import { type KnownCaller, serviceError } from "../rpc/index.js";
import { type TunnelCall, TunnelDuplex } from "./tunnel-duplex.js";

/** How long a node may take to dial back. */
export const TUNNEL_OPEN_MS = 5000;
/** Tunnels asked for and not yet open. */
export const PENDING_TUNNELS_MAX = 1024;

type Pending = {
  readonly nodeId: string;
  readonly resolve: (stream: Duplex) => void;
};

/**
 * Tells a node, through the leader's dispatcher, to dial this manager. Rejects with ApiError when it cannot be told or says
 * that it cannot dial; may stay pending as long as the node may still come.
 */
export type AskNode = (nodeId: string, tunnelId: string, signal: AbortSignal) => Promise<void>;

/**
 * Byte streams to nodes' local sockets. The node dials us and names the id it was given, so nodes need no open port; this
 * manager's own node takes the same path.
 */
export class Tunnels {
  readonly #pending = new Map<string, Pending>();
  readonly #ask: AskNode;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(parts: { readonly ask: AskNode; readonly clock: Clock; readonly random: Random }) {
    this.#ask = parts.ask;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  /** Rejects with ApiError Unavailable naming the node. */
  connect(nodeId: string, signal?: AbortSignal): Promise<Duplex> {
    if (this.#pending.size >= PENDING_TUNNELS_MAX) {
      return Promise.reject(
        new ApiError("ResourceExhausted", "too many connections to nodes are being opened"),
      );
    }
    const tunnelId = newId(this.#random);
    const stop = new AbortController();
    return new Promise<Duplex>((resolve, reject) => {
      const onAbort = (): void => {
        reject(new ApiError("Cancelled", `connection to node ${nodeId} was given up`));
      };
      const stopTimer = this.#clock.setTimer(TUNNEL_OPEN_MS, () => {
        reject(
          new ApiError(
            "Unavailable",
            `node ${nodeId} did not open a connection within ${TUNNEL_OPEN_MS / 1000} s; ` +
              "check that it is up and can reach this manager's port 2377",
          ),
        );
      });
      stop.signal.addEventListener("abort", () => {
        stopTimer();
        signal?.removeEventListener("abort", onAbort);
      });
      signal?.addEventListener("abort", onAbort, { once: true });
      if (signal?.aborted) onAbort();
      this.#pending.set(tunnelId, { nodeId, resolve });
      this.#ask(nodeId, tunnelId, stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) reject(error);
      });
    }).finally(() => {
      this.#pending.delete(tunnelId);
      stop.abort();
    });
  }

  /** A node dialled: the first frame must name a tunnel that was asked of exactly this node. */
  accept(call: TunnelCall, caller: KnownCaller): void {
    const refuse = (text: string): void => {
      call.emit("error", serviceError(status.NOT_FOUND, text));
    };
    const stopTimer = this.#clock.setTimer(TUNNEL_OPEN_MS, () => {
      call.off("data", onFirst);
      refuse("no tunnel id came");
    });
    const onFirst = (frame: swarm.tunnel.TunnelFrame): void => {
      stopTimer();
      call.off("data", onFirst);
      const pending = this.#pending.get(frame.tunnelId);
      if (pending?.nodeId !== caller.peer.nodeId) {
        refuse("this tunnel is not waited for");
        return;
      }
      this.#pending.delete(frame.tunnelId);
      pending.resolve(new TunnelDuplex(call, frame));
    };
    call.once("cancelled", stopTimer);
    call.on("data", onFirst);
  }
}
