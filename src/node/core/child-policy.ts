/** What follows from a child's end: its exit reason decides (contracts §4). */
import { EXIT_CODE, type ExitReason } from "../../api/index.js";
import { unreachable } from "../../base/index.js";
import { backOffMs, RESTART_BACK_OFF } from "./back-off.js";

/** A child that ran this long has recovered: its earlier failures are forgotten. */
export const RECOVERED_AFTER_MS = 60_000;
/** A full disk is tried again once this much is free. */
export const DISK_FREE_MIN_BYTES = 64 * 1024 * 1024;

export type ExitAction =
  | { readonly kind: "restart"; readonly delayMs: number }
  /** Look at the disk until DISK_FREE_MIN_BYTES are free, then restart. */
  | { readonly kind: "restartWhenSpace" }
  /** Ask the CA for this node's role: the cluster took the manager's role away, or is about to. */
  | { readonly kind: "askRole" }
  /** Not restarted until the operator acts. */
  | { readonly kind: "hold" };

export function actionAfterExit(exit: {
  readonly reason: ExitReason;
  readonly uptimeMs: number;
  /** Ends in a row so far, this one included. */
  readonly failureCount: number;
}): ExitAction {
  switch (exit.reason) {
    case "ok":
    case "crash":
    case "addressInUse":
      return { kind: "restart", delayMs: backOffMs(RESTART_BACK_OFF, exit.failureCount) };
    case "diskFull":
      return { kind: "restartWhenSpace" };
    case "removed":
    case "demoted":
      return { kind: "askRole" };
    case "walDamaged":
    case "locked":
    case "certificateExpired":
      return { kind: "hold" };
    default:
      return unreachable(exit.reason, "actionAfterExit");
  }
}

/** Failures in a row after an end: 1 when the child had recovered in between. */
export function failuresInRow(before: number, uptimeMs: number): number {
  return uptimeMs >= RECOVERED_AFTER_MS ? 1 : before + 1;
}

/** Exit codes other than ours, and signals, are crashes. */
export function exitReasonOf(code: number | null): ExitReason {
  const known = Object.entries(EXIT_CODE).find(([, value]) => value === code);
  return known === undefined ? "crash" : (known[0] as ExitReason);
}
