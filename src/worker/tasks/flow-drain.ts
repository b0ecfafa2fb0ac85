import type { Clock } from "../../base/index.js";
import type { NetPort } from "../net/index.js";

/** Between questions to net while connections are open. */
const ASK_PAUSE_MS = 100;

export type FlowDrainDeps = {
  readonly net: Pick<NetPort, "flows">;
  readonly clock: Clock;
  readonly containerId: string;
  /** Of an attachment: its endpoint alone. */
  readonly taskId?: string;
  /** Clock time at which the drain began: a step that is tried again does not begin anew. */
  readonly sinceMs: number;
};

/**
 * Between the withdrawal of a task and its stop signal: resolves when nobody has a connection to it any more, or the service's drain time
 * is over (contracts §7). Nobody is sent there by then, so the connections only become fewer. A net process that does not answer holds
 * nothing back. Rejects with the signal's reason only.
 */
export async function drainFlows(deps: FlowDrainDeps, signal: AbortSignal): Promise<void> {
  const { net, clock, containerId, sinceMs, taskId } = deps;
  for (;;) {
    const answer = await net.flows(containerId, signal, taskId).catch(() => undefined);
    signal.throwIfAborted();
    if (answer === undefined || answer.open === 0) return;
    const leftMs = sinceMs + answer.drainMs - clock.nowMs();
    if (leftMs <= 0) return;
    await clock.sleep(Math.min(ASK_PAUSE_MS, leftMs), signal);
  }
}
