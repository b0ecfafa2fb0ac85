/** How containerd says no. Codes are gRPC's; everything from runc or the shim comes as UNKNOWN with a text. */
export const RPC = {
  CANCELLED: 1,
  UNKNOWN: 2,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  FAILED_PRECONDITION: 9,
  UNAVAILABLE: 14,
} as const;

export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly path: string;

  constructor(code: number, details: string, path: string) {
    super(details);
    this.code = code;
    this.path = path;
  }
}

export function isRpc(error: unknown, code: number): error is RpcError {
  return error instanceof RpcError && error.code === code;
}

/** Awaits `call`; NOT_FOUND (the thing is gone, or never was) becomes undefined. */
export async function orMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isRpc(error, RPC.NOT_FOUND)) return undefined;
    throw error;
  }
}

/** The daemon itself is away or mute. A locked ingest is UNAVAILABLE too, but the daemon's answer. */
export function isDaemonAway(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false;
  if (error.code === RPC.DEADLINE_EXCEEDED) return true;
  return error.code === RPC.UNAVAILABLE && !isIngestLocked(error);
}

/** Another writer holds the ingest of this ref (our own previous stream, not yet torn down, or another client). */
export function isIngestLocked(error: unknown): boolean {
  return isRpc(error, RPC.UNAVAILABLE) && /\blocked\b/.test(error.message);
}
