export type CodecErrorCode =
  /** A format number or message kind this version does not know. */
  | "UNSUPPORTED_FORMAT"
  /** An enum text or number that is none of the known ones. */
  | "UNKNOWN_VALUE"
  /** A number that does not fit its field, or a document beyond its limit. */
  | "OUT_OF_RANGE"
  /** Not protobuf, not JSON, or a value JSON cannot carry. */
  | "MALFORMED"
  /** A message that must be there is not. */
  | "MISSING_FIELD";

/** What is wrong with bytes read, or with an object to be written. The message names the field. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  readonly code: CodecErrorCode;

  constructor(code: CodecErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
