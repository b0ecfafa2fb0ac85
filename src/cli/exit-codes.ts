/** What a wait ended with. 1 is any other failure. */
export const EXIT = {
  converged: 0,
  failed: 1,
  rolledBack: 2,
  paused: 3,
  timedOut: 4,
  unschedulable: 5,
} as const;

/** Ends the program with a code and a sentence; thrown so that every way out is the same. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
