export type ImageErrorCode =
  | "IMAGE_NOT_FOUND"
  | "AUTH_FAILED"
  | "REGISTRY_UNREACHABLE"
  /** The reference, header, archive or manifest itself is wrong: no retry helps. */
  | "INVALID"
  | "FAILED";

/** What can go wrong with images. The texts follow docker's, which tools match. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly code: ImageErrorCode;
  constructor(code: ImageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
