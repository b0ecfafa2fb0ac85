export { ImageError, type ImageErrorCode } from "./errors.js";
export { type LoadedImage, readImage, toImageInfo } from "./image-info.js";
export type { BlobWrite, ImageLease, ImageStore } from "./image-store.js";
export { loadImages } from "./load.js";
export type { BlobDescriptor, ConfigDocument } from "./manifest.js";
export { MemoryImageStore } from "./memory-store.js";
export { type Platform, platformOf } from "./platform.js";
export { pullImage } from "./pull.js";
export {
  canonicalName,
  familiarName,
  formatReference,
  type ImageReference,
  parseReference,
} from "./reference.js";
export { decodeRegistryAuth } from "./registry-auth.js";
export { type Distribution, resolveDistribution } from "./resolve.js";
