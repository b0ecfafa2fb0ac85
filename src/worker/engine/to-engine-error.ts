/** Failures of the parts below the engine (spec builder, images, disk) as EngineErrors: both engines answer alike. */
import { SpecError } from "../core/oci/index.js";
import { ImageError, type ImageErrorCode } from "../images/index.js";
import { EngineError, type EngineErrorCode } from "./port.js";

const IMAGE_CODES = {
  IMAGE_NOT_FOUND: "IMAGE_NOT_FOUND",
  AUTH_FAILED: "AUTH_FAILED",
  REGISTRY_UNREACHABLE: "REGISTRY_UNREACHABLE",
  INVALID: "INVALID_SPEC",
  FAILED: "FAILED",
} as const satisfies Record<ImageErrorCode, EngineErrorCode>;

/** What it does not know it returns as it is: aborts keep the caller's own reason, bugs are not dressed up. */
export function toEngineError(error: unknown): unknown {
  if (error instanceof SpecError)
    return new EngineError("INVALID_SPEC", error.message, { cause: error });
  if (error instanceof ImageError)
    return new EngineError(IMAGE_CODES[error.code], error.message, { cause: error });
  if (hasCode(error, "ENOSPC") || hasCode(error, "EDQUOT"))
    return new EngineError("NO_SPACE", error.message, { cause: error });
  return error;
}

function hasCode(error: unknown, code: string): error is Error {
  return error instanceof Error && "code" in error && error.code === code;
}
