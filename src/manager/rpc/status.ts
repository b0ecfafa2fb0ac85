/** Errors ⇄ gRPC statuses: the one place for managers. */
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { API_STATUS, ApiError, InvariantError } from "../../base/index.js";

/** A failed call to another manager. `isTransport`: it may or may not have been carried out there. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly grpcCode: number;

  constructor(grpcCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.grpcCode = grpcCode;
  }

  get isTransport(): boolean {
    return (
      this.grpcCode === status.UNAVAILABLE ||
      this.grpcCode === status.DEADLINE_EXCEEDED ||
      this.grpcCode === status.CANCELLED ||
      this.grpcCode === status.INTERNAL ||
      this.grpcCode === status.UNKNOWN
    );
  }
}

export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (isServiceError(error)) return new RpcError(error.code, error.details, { cause: error });
  return new RpcError(status.UNKNOWN, error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

/** What the peer sees. Texts of unexpected errors stay here: they could hold anything. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ApiError) return serviceError(API_STATUS[error.code].grpc, error.message);
  if (error instanceof RpcError) return serviceError(error.grpcCode, error.message);
  if (isServiceError(error)) return error;
  return serviceError(status.INTERNAL, "internal error; the manager's log says more");
}

export function serviceError(code: number, details: string): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata: new Metadata() });
}

/** Whether an error is the program's own fault and belongs in the log. */
export function isUnexpected(error: unknown): boolean {
  if (error instanceof InvariantError) return true;
  return !(error instanceof ApiError || error instanceof RpcError || isServiceError(error));
}

function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "number" &&
    "details" in error &&
    typeof error.details === "string"
  );
}
