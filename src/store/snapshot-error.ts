export type SnapshotErrorCode =
  /** The input ends before the end record. */
  | "TRUNCATED"
  /** Checksum, count, order or content is wrong. */
  | "DAMAGED"
  /** Written by a version with another layout. */
  | "UNSUPPORTED_FORMAT";

/** Why a snapshot cannot be restored. The store is unchanged then. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
  readonly code: SnapshotErrorCode;

  constructor(code: SnapshotErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
