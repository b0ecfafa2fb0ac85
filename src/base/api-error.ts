/**
 * Failures that reach a user. The code decides HTTP and gRPC status (Engine API and swarm conventions); branch on it,
 * never on the text.
 */
export const API_STATUS = {
  InvalidArgument: { grpc: 3, http: 400 },
  FailedPrecondition: { grpc: 9, http: 400 },
  OutOfRange: { grpc: 11, http: 400 },
  Unauthenticated: { grpc: 16, http: 401 },
  PermissionDenied: { grpc: 7, http: 403 },
  NotFound: { grpc: 5, http: 404 },
  AlreadyExists: { grpc: 6, http: 409 },
  Unimplemented: { grpc: 12, http: 501 },
  Unavailable: { grpc: 14, http: 503 },
  /** Also what a stale version answers: 500 by the Engine's convention, clients match its text. */
  Unknown: { grpc: 2, http: 500 },
  Internal: { grpc: 13, http: 500 },
  DeadlineExceeded: { grpc: 4, http: 500 },
  Aborted: { grpc: 10, http: 500 },
  Cancelled: { grpc: 1, http: 500 },
  ResourceExhausted: { grpc: 8, http: 500 },
} as const;

export type ApiErrorCode = keyof typeof API_STATUS;

export function isApiErrorCode(text: string): text is ApiErrorCode {
  return Object.hasOwn(API_STATUS, text);
}

export type ApiErrorOptions = ErrorOptions & {
  /**
   * "cluster": the error comes from behind the control plane; the REST door prints it as
   * `rpc error: code = <Code> desc = <message>`, as clients expect. "door": found at the door, printed bare.
   */
  readonly origin?: "cluster" | "door";
  /** Overrides the HTTP status where the Engine's own differs from the table. */
  readonly http?: number;
};

/** An expected failure with a message for the user: it names the object or field and, where it can, the remedy. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly origin: "cluster" | "door";
  readonly http: number;

  constructor(code: ApiErrorCode, message: string, options?: ApiErrorOptions) {
    super(message, options);
    this.code = code;
    this.origin = options?.origin ?? "cluster";
    this.http = options?.http ?? API_STATUS[code].http;
  }

  /** The text of the REST answer's `message`. */
  get restMessage(): string {
    return this.origin === "cluster"
      ? `rpc error: code = ${this.code} desc = ${this.message}`
      : this.message;
  }
}

/** An error found at the door (REST lookup, parse): same codes, printed without the rpc prefix. */
export function doorError(
  code: ApiErrorCode,
  message: string,
  options?: ApiErrorOptions,
): ApiError {
  return new ApiError(code, message, { ...options, origin: "door" });
}
