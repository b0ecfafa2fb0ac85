import type { ExitReason } from "../api/index.js";

/** Why a manager cannot start or go on. `reason` is what the process exits with; the supervisor acts on it. */
export class ManagerError extends Error {
  override readonly name = "ManagerError";
  readonly reason: ExitReason;

  constructor(reason: ExitReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
