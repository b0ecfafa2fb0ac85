/** Waiting for a rebalance, and its plan for people. The waiting is pure: it is told what is seen and when. */
import type { ApiService } from "./api-types.js";
import { EXIT } from "./exit-codes.js";
import { table } from "./output.js";
import { failed, UNREACHABLE_MS, type WaitEnd } from "./waiting.js";

/** `POST /services/{id}/rebalance` (extension). */
export type ApiRebalancePlan = {
  readonly ImbalanceBefore: number;
  readonly ImbalanceAfter: number;
  readonly IsCut: boolean;
  readonly Moves: readonly {
    readonly Slot: number;
    readonly Hostname: string;
    readonly ToHostname: string;
  }[];
  readonly Nodes: readonly {
    readonly Hostname: string;
    readonly Before: number;
    readonly After: number;
  }[];
};

export function rebalanceLines(service: string, plan: ApiRebalancePlan): string[] {
  const imbalance = `imbalance ${plan.ImbalanceBefore} before, ${plan.ImbalanceAfter} after`;
  if (plan.Moves.length === 0) return [`${service}: nothing to move (${imbalance})`];
  const nodes = plan.Nodes.map((node) => [node.Hostname, `${node.Before}`, `${node.After}`]);
  const moves = plan.Moves.map((move) => [
    `${service}.${move.Slot}`,
    move.Hostname,
    move.ToHostname,
  ]);
  const more = plan.IsCut ? ` at least; the first ${plan.Moves.length} are shown` : "";
  return [
    ...table([["NODE", "TASKS BEFORE", "AFTER"], ...nodes]),
    ...table([["TASK", "FROM", "TO"], ...moves]),
    `${service}: ${plan.Moves.length} moves${more}, ${imbalance}`,
  ];
}

export class Rebalancing {
  readonly #timeoutMs: number | undefined;
  readonly #fromMs: number;
  #lostMs: number | undefined;
  #line = "";

  constructor(timeoutMs: number | undefined, nowMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#fromMs = nowMs;
  }

  /** `line`: progress that was not told yet. */
  see(service: ApiService, nowMs: number): { readonly line?: string; readonly end?: WaitEnd } {
    this.#lostMs = undefined;
    const { RebalanceStatus: status } = service;
    const name = service.Spec.Name;
    if (!status) return { end: failed(`service ${name} is not being rebalanced`) };
    const end = this.#end(name, status, nowMs);
    const line = `${name}: ${status.Moved} moved, ${status.Moving} on their way`;
    const isNew = line !== this.#line;
    this.#line = line;
    return { ...(isNew && { line }), ...(end && { end }) };
  }

  /** No manager answered. Undefined: one may yet. */
  lost(reason: string, nowMs: number): WaitEnd | undefined {
    this.#lostMs ??= nowMs;
    const late = this.#late("no manager answers", nowMs);
    if (late) return late;
    if (nowMs - this.#lostMs < UNREACHABLE_MS) return undefined;
    return failed(`no manager has answered for ${UNREACHABLE_MS / 1000} s: ${reason}`);
  }

  #end(
    name: string,
    status: NonNullable<ApiService["RebalanceStatus"]>,
    nowMs: number,
  ): WaitEnd | undefined {
    const counts = `${status.Moved} tasks moved`;
    switch (status.State) {
      case "completed": {
        const imbalance = `imbalance ${status.ImbalanceBefore} before, ${status.ImbalanceAfter ?? 0} now`;
        const message = `service ${name}: ${counts}, ${imbalance}`;
        return { result: "converged", exitCode: EXIT.converged, message };
      }
      case "stopped": {
        const why = status.Message ?? "no reason was given";
        const message = `service ${name}: stopped after ${counts}: ${why}\nsee: swarm service ps ${name}`;
        return { result: "paused", exitCode: EXIT.paused, message };
      }
      default:
        return this.#late(`service ${name}: ${counts}`, nowMs);
    }
  }

  #late(what: string, nowMs: number): WaitEnd | undefined {
    const tookMs = nowMs - this.#fromMs;
    if (tookMs <= (this.#timeoutMs ?? Number.POSITIVE_INFINITY)) return undefined;
    const seconds = Math.round(tookMs / 1000);
    const message = `${what}, not finished after ${seconds} s\nit goes on in the background; see: swarm service inspect`;
    return { result: "timed-out", exitCode: EXIT.timedOut, message };
  }
}
