import { ApiError } from "../../base/index.js";

/** A spec that breaks a rule of §1.10. */
export function invalid(message: string): ApiError {
  return new ApiError("InvalidArgument", message);
}
