/** `docker load`: an OCI layout, a docker-archive, or what is both (docker save since 25), into the store. */
import { createHash } from "node:crypto";
import { type Archive, type ArchiveFile, fileAt, readArchive } from "./archive-reader.js";
import { manifestLabels, once, unpackImage } from "./assemble.js";
import { ImageError } from "./errors.js";
import type { ImageLease, ImageStore } from "./image-store.js";
import {
  type BlobDescriptor,
  DOCUMENT_BYTES_MAX,
  MEDIA,
  parseConfig,
  parseManifest,
  readJson,
} from "./manifest.js";
import { choosePlatform, type Platform } from "./platform.js";
import {
  canonicalName,
  formatReference,
  type ImageReference,
  parseReference,
} from "./reference.js";

const IMAGES_MAX = 1000;

export type LoadRequest = {
  readonly source: AsyncIterable<Uint8Array>;
  readonly store: ImageStore;
  readonly snapshotter: string;
  readonly platform: Platform;
  /** Unique: two loads at once must not share a lease. */
  readonly leaseKey: string;
  readonly signal: AbortSignal;
};

type Found = {
  readonly target: BlobDescriptor;
  /** The image manifest itself, and the index above it if there is one. */
  readonly manifestDigest: string;
  readonly index: { readonly digest: string; readonly childIndex: number } | undefined;
  readonly names: readonly string[];
};

type SavedImage = {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
};

/** Returns the references made (familiar form), or the image ids of untagged images. */
export async function loadImages(request: LoadRequest): Promise<readonly string[]> {
  const { store, signal } = request;
  const lease = await store.lease(request.leaseKey);
  try {
    const archive = await readArchive(request.source, lease, signal);
    const saved = readSaved(archive);
    const index = archive.documents.get("index.json");
    const found =
      index === undefined
        ? await Promise.all(saved.map((image) => assemble(archive, image, lease, store)))
        : await readLayout(index, archive, saved, request);
    if (found.length === 0) {
      throw new ImageError(
        "INVALID",
        `the archive holds no image for ${request.platform.os}/${request.platform.architecture} (no usable index.json or manifest.json)`,
      );
    }
    const made: string[] = [];
    for (const image of found) made.push(...(await finish(image, lease, request)));
    return [...new Set(made)];
  } finally {
    // A load cannot be resumed: whatever has no name by now is garbage.
    await lease.release();
  }
}

async function finish(
  image: Found,
  lease: ImageLease,
  request: LoadRequest,
): Promise<readonly string[]> {
  const { store } = request;
  const what = image.names[0] ?? image.manifestDigest;
  const bytes = await store.readBlob(image.manifestDigest, DOCUMENT_BYTES_MAX);
  const manifest = parseManifest(bytes, what);
  if (manifest.kind === "index") throw new ImageError("INVALID", `${what}: index within an index`);
  for (const layer of manifest.layers) {
    if (!(await store.hasBlob(layer.digest)))
      throw new ImageError("INVALID", `${what}: layer ${layer.digest} is missing in the archive`);
  }
  const config = parseConfig(
    await store.readBlob(manifest.config.digest, DOCUMENT_BYTES_MAX),
    `config of ${what}`,
  );
  await unpackImage(lease, {
    layers: manifest.layers,
    diffIds: config.diffIds,
    config: manifest.config,
    snapshotter: request.snapshotter,
    signal: request.signal,
    ready: () => Promise.resolve(),
    what,
  });
  await lease.label(image.manifestDigest, manifestLabels(manifest.config, manifest.layers));
  if (image.index !== undefined) {
    await lease.label(image.index.digest, {
      [`containerd.io/gc.ref.content.m.${image.index.childIndex}`]: image.manifestDigest,
    });
  }
  const references = image.names.map((name) => parseReference(name));
  for (const reference of references) await lease.setImage(canonicalName(reference), image.target);
  if (references.length > 0) return references.map(formatReference);
  await lease.setImage(manifest.config.digest, image.target);
  return [manifest.config.digest];
}

/** OCI layout: `index.json` names the images; for docker's own archives `manifest.json` knows their tags better. */
async function readLayout(
  bytes: Uint8Array,
  archive: Archive,
  saved: readonly SavedImage[],
  { store, platform }: LoadRequest,
): Promise<readonly Found[]> {
  const layout = parseManifest(bytes, "index.json");
  if (layout.kind !== "index") throw new ImageError("INVALID", "index.json is not an image index");
  const found: Found[] = [];
  for (const entry of layout.manifests.slice(0, IMAGES_MAX)) {
    if (!(await store.hasBlob(entry.digest))) continue;
    let manifestDigest = entry.digest;
    let index: Found["index"];
    let document = parseManifest(
      await store.readBlob(entry.digest, DOCUMENT_BYTES_MAX),
      entry.digest,
    );
    if (document.kind === "index") {
      const choice = choosePlatform(document.manifests, platform);
      if (choice === undefined || !(await store.hasBlob(choice.digest))) continue;
      manifestDigest = choice.digest;
      index = { digest: entry.digest, childIndex: document.manifests.indexOf(choice) };
      document = parseManifest(
        await store.readBlob(manifestDigest, DOCUMENT_BYTES_MAX),
        manifestDigest,
      );
    } else if (entry.platform !== undefined && choosePlatform([entry], platform) === undefined) {
      continue;
    }
    if (document.kind === "index") continue;
    const configDigest = document.config.digest;
    const tags = saved
      .filter((image) => fileAt(archive, image.config)?.digest === configDigest)
      .flatMap((image) => image.tags);
    found.push({
      target: { mediaType: entry.mediaType, digest: entry.digest, sizeBytes: entry.sizeBytes },
      manifestDigest,
      index,
      names: [...new Set([...annotatedNames(entry.annotations), ...tags])],
    });
  }
  return found;
}

/** Names from annotations. `ref.name` is often only a tag, which names nothing by itself. */
function annotatedNames(annotations: Readonly<Record<string, string>>): readonly string[] {
  const full = annotations["io.containerd.image.name"];
  const short = annotations["org.opencontainers.image.ref.name"] ?? "";
  const candidates = full === undefined ? (/[:/]/.test(short) ? [short] : []) : [full];
  return candidates.filter((name) => tryParse(name) !== undefined);
}

function tryParse(name: string): ImageReference | undefined {
  try {
    return parseReference(name);
  } catch {
    return undefined;
  }
}

/** `manifest.json` of docker save; absent or unreadable = none. */
function readSaved(archive: Archive): readonly SavedImage[] {
  const bytes = archive.documents.get("manifest.json");
  if (bytes === undefined) return [];
  const raw = readJson(bytes, "manifest.json");
  if (!Array.isArray(raw)) throw new ImageError("INVALID", "manifest.json is not a list");
  return raw.slice(0, IMAGES_MAX).map((item: unknown) => {
    const field = (name: string): unknown =>
      typeof item === "object" && item !== null ? Reflect.get(item, name) : undefined;
    const strings = (value: unknown): readonly string[] =>
      Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
    const config = field("Config");
    if (typeof config !== "string")
      throw new ImageError("INVALID", "manifest.json names no Config");
    return { config, tags: strings(field("RepoTags")), layers: strings(field("Layers")) };
  });
}

/** docker-archive without a layout: its images have no manifest, so one is written. */
async function assemble(
  archive: Archive,
  image: SavedImage,
  lease: ImageLease,
  store: ImageStore,
): Promise<Found> {
  const need = (path: string): ArchiveFile => {
    const file = fileAt(archive, path);
    if (file === undefined)
      throw new ImageError(
        "INVALID",
        `manifest.json names "${path}", which is missing in the archive`,
      );
    return file;
  };
  const config = need(image.config);
  if (!(await store.hasBlob(config.digest)))
    throw new ImageError("INVALID", `config ${image.config} is missing in the archive`);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.dockerManifest,
    config: { mediaType: MEDIA.dockerConfig, digest: config.digest, size: config.sizeBytes },
    layers: image.layers.map((path) => {
      const { digest, sizeBytes, isGzip } = need(path);
      const mediaType = isGzip ? MEDIA.dockerLayerGzip : MEDIA.dockerLayer;
      return { mediaType, digest, size: sizeBytes };
    }),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  await lease.writeBlob({
    digest,
    sizeBytes: bytes.length,
    labels: {},
    source: (offset) => once(bytes, offset),
  });
  return {
    target: { mediaType: MEDIA.dockerManifest, digest, sizeBytes: bytes.length },
    manifestDigest: digest,
    index: undefined,
    names: image.tags,
  };
}
