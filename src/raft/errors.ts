import type { MemberId, RaftErrorCode } from "./types.js";

/** Every expected failure of this package. Branch on `code`; `leader` is a hint where to go instead. */
export class RaftError extends Error {
  override readonly name = "RaftError";
  readonly code: RaftErrorCode;
  readonly leader: MemberId | undefined;

  constructor(
    code: RaftErrorCode,
    message: string,
    options?: ErrorOptions & { leader?: MemberId | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.leader = options?.leader;
  }
}

/** Guards assumptions in production too: going on with a broken one could lose acknowledged writes. */
export function invariant(condition: boolean, text: string): asserts condition {
  if (!condition) throw new Error(`raft invariant broken: ${text}`);
}

export function unreachable(value: never, where: string): never {
  throw new Error(`${where}: unexpected ${JSON.stringify(value)}`);
}
