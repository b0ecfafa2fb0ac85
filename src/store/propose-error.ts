import type { Rejection } from "../api/index.js";
import type { ProposeErrorCode } from "./port.js";

/** Why a transaction did not (certainly) happen. `rejection` is set exactly for REJECTED. */
export class ProposeError extends Error {
  override readonly name = "ProposeError";
  readonly code: ProposeErrorCode;
  readonly rejection: Rejection | undefined;

  constructor(
    code: ProposeErrorCode,
    message: string,
    options?: ErrorOptions & { rejection?: Rejection },
  ) {
    super(message, options);
    this.code = code;
    this.rejection = options?.rejection;
  }
}
