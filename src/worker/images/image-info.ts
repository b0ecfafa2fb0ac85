/** Reads what docker shows of an image from the store. */
import type { ImageInfo } from "../engine/index.js";
import { chainIds } from "./assemble.js";
import { ImageError } from "./errors.js";
import type { ImageStore } from "./image-store.js";
import {
  type BlobDescriptor,
  type ConfigDocument,
  DOCUMENT_BYTES_MAX,
  parseConfig,
  parseManifest,
} from "./manifest.js";
import { choosePlatform, type Platform } from "./platform.js";
import { familiarName, formatReference, parseReference } from "./reference.js";

export type LoadedImage = {
  readonly manifestDigest: string;
  readonly configDigest: string;
  readonly layers: readonly BlobDescriptor[];
  readonly config: ConfigDocument;
  /** Topmost snapshot; "" for an image without layers. */
  readonly chainId: string;
};

/** Follows target → (index →) manifest → config. All three are small and immutable: callers cache by target digest. */
export async function readImage(
  store: ImageStore,
  targetDigest: string,
  platform: Platform,
): Promise<LoadedImage> {
  let digest = targetDigest;
  let document = parseManifest(await store.readBlob(digest, DOCUMENT_BYTES_MAX), digest);
  if (document.kind === "index") {
    const choice = choosePlatform(document.manifests, platform) ?? document.manifests[0];
    if (choice === undefined) throw new ImageError("INVALID", `${digest}: the index is empty`);
    digest = choice.digest;
    document = parseManifest(await store.readBlob(digest, DOCUMENT_BYTES_MAX), digest);
  }
  if (document.kind === "index")
    throw new ImageError("INVALID", `${digest}: index within an index`);
  const configDigest = document.config.digest;
  const config = parseConfig(await store.readBlob(configDigest, DOCUMENT_BYTES_MAX), configDigest);
  return {
    manifestDigest: digest,
    configDigest,
    layers: document.layers,
    config,
    chainId: chainIds(config.diffIds).at(-1) ?? "",
  };
}

/** `names`: the canonical names that point to it, each with its target digest. */
export function toImageInfo(
  image: LoadedImage,
  names: readonly { readonly name: string; readonly targetDigest: string }[],
): ImageInfo {
  const references = names
    .filter(({ name }) => !name.startsWith("sha256:"))
    .map(({ name, targetDigest }) => ({ reference: parseReference(name), targetDigest }));
  const tags = references.flatMap(({ reference }) =>
    reference.digest === undefined ? [formatReference(reference)] : [],
  );
  const digests = references.map(
    ({ reference, targetDigest }) => `${familiarName(reference)}@${targetDigest}`,
  );
  return {
    id: image.configDigest,
    tags: [...new Set(tags)].sort(),
    digests: [...new Set(digests)].sort(),
    sizeBytes: image.layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    createdAtMs: image.config.createdAtMs,
    architecture: image.config.architecture,
    os: image.config.os,
    config: image.config.config,
  };
}
