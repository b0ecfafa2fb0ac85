/** Failures of the local server as Docker answers them. */
import { ApiError, doorError } from "../../base/index.js";
import { FilterError } from "../core/filter/filters.js";
import { EngineError, type EngineErrorCode } from "../engine/index.js";
import { MountError } from "../volumes/index.js";

const ENGINE_STATUS = {
  IMAGE_NOT_FOUND: 404,
  NOT_FOUND: 404,
  AUTH_FAILED: 401,
  REGISTRY_UNREACHABLE: 500,
  INVALID_SPEC: 400,
  ENGINE_DOWN: 503,
  NO_SPACE: 500,
  FAILED: 500,
} as const satisfies Record<EngineErrorCode, number>;

export function noSuchContainer(ref: string): ApiError {
  return doorError("NotFound", `No such container: ${ref}`);
}

export function toHttpError(error: unknown): { readonly status: number; readonly message: string } {
  if (error instanceof ApiError) return { status: error.http, message: error.restMessage };
  if (error instanceof EngineError) {
    return { status: ENGINE_STATUS[error.code], message: error.message };
  }
  if (error instanceof FilterError || error instanceof MountError) {
    return { status: 400, message: error.message };
  }
  // Fastify's own: body too large, bad JSON…
  const { statusCode } = error as { readonly statusCode?: number };
  const message = error instanceof Error ? error.message : String(error);
  return { status: statusCode ?? 500, message };
}
