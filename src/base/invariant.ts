/** Thrown when an assumption of the program is broken. Nothing catches it: the daemon stops and replays its log. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Stops the daemon when an assumption does not hold. Stays on in production. */
export function invariant(condition: unknown, text: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${text}`);
}

/** Ends an exhaustive `switch`; the compiler proves that it is never reached. */
export function unreachable(value: never, where: string): never {
  throw new InvariantError(`${where}: unexpected ${JSON.stringify(value)}`);
}
