/** Pulls an image: manifest, then config and layers three at a time, each unpacked as soon as it and its parent are in. */
import type { PullProgress, RegistryAuth } from "../engine/index.js";
import { manifestLabels, once, unpackImage } from "./assemble.js";
import { ImageError } from "./errors.js";
import { ATTEMPTS_MAX, backoffMs, type HttpTools, reasonOf } from "./http-attempts.js";
import type { ImageLease, ImageStore } from "./image-store.js";
import {
  type BlobDescriptor,
  DOCUMENT_BYTES_MAX,
  type ManifestDocument,
  parseConfig,
  parseManifest,
} from "./manifest.js";
import { choosePlatform, type Platform } from "./platform.js";
import { canonicalName, formatReference, type ImageReference } from "./reference.js";
import { RegistryClient, type RegistryManifest } from "./registry-client.js";

const LAYERS_AT_ONCE = 3;

export type PullRequest = {
  readonly reference: ImageReference;
  readonly auth: RegistryAuth | undefined;
  readonly store: ImageStore;
  readonly snapshotter: string;
  readonly platform: Platform;
  readonly tools: HttpTools;
  readonly onProgress: (progress: PullProgress) => void;
  readonly signal: AbortSignal;
};

type Manifest = Extract<ManifestDocument, { kind: "manifest" }>;
type Resolved = {
  readonly top: RegistryManifest;
  /** Present if `top` is an index: the image chosen from it. */
  readonly child: RegistryManifest | undefined;
  readonly childIndex: number;
  readonly manifest: Manifest;
};

/** Returns the digest the name now points to. On failure the lease stays, so that the next try resumes. */
export async function pullImage(request: PullRequest): Promise<string> {
  const client = new RegistryClient(request.tools, request.reference, request.auth);
  const name = canonicalName(request.reference);
  const resolved = await resolveImage(request, client);
  const { manifest, top, child } = resolved;
  const source = {
    [`containerd.io/distribution.source.${request.reference.domain.replaceAll(":", ".")}`]:
      request.reference.path,
  };
  const lease = await request.store.lease(name);
  const fetcher = new BlobFetcher(request, client, lease, source);

  await fetcher.fetch(manifest.config, undefined);
  const configBytes = await request.store.readBlob(manifest.config.digest, DOCUMENT_BYTES_MAX);
  const config = parseConfig(configBytes, `config of ${formatReference(request.reference)}`);
  const arrivals = fetcher.fetchLayers(manifest.layers);
  await unpackImage(lease, {
    layers: manifest.layers,
    diffIds: config.diffIds,
    config: manifest.config,
    snapshotter: request.snapshotter,
    signal: request.signal,
    ready: (index) => arrivals[index] ?? Promise.resolve(),
    onLayer: (index, status) => fetcher.report(manifest.layers[index], status),
    what: formatReference(request.reference),
  }).finally(() => Promise.allSettled(arrivals));

  // Parents after children: each is only ever visible with all that it names.
  const labels = { ...manifestLabels(manifest.config, manifest.layers), ...source };
  await writeDocument(lease, child ?? top, labels);
  if (child !== undefined) {
    const key = `containerd.io/gc.ref.content.m.${resolved.childIndex}`;
    await writeDocument(lease, top, { [key]: child.digest, ...source });
  }
  await lease.setImage(name, {
    mediaType: top.mediaType,
    digest: top.digest,
    sizeBytes: top.bytes.length,
  });
  await lease.release();
  return top.digest;
}

async function resolveImage(request: PullRequest, client: RegistryClient): Promise<Resolved> {
  const { reference, platform } = request;
  const what = formatReference(reference);
  const top = await fetchManifest(request, client, reference.digest ?? reference.tag ?? "latest");
  const document = parseManifest(top.bytes, `manifest of ${what}`);
  if (document.kind === "manifest")
    return { top, child: undefined, childIndex: -1, manifest: document };
  const choice = choosePlatform(document.manifests, platform);
  if (choice === undefined) {
    const have = document.manifests.flatMap(({ platform: p }) =>
      p === undefined || p.os === "unknown" ? [] : [`${p.os}/${p.architecture}`],
    );
    throw new ImageError(
      "IMAGE_NOT_FOUND",
      `no matching manifest for ${platform.os}/${platform.architecture} in the manifest list entries of ${what} (it has ${[...new Set(have)].join(", ") || "none"})`,
    );
  }
  const child = await fetchManifest(request, client, choice.digest);
  const manifest = parseManifest(child.bytes, `manifest of ${what}`);
  if (manifest.kind === "index") throw new ImageError("INVALID", `${what}: index within an index`);
  return { top, child, childIndex: document.manifests.indexOf(choice), manifest };
}

/** By digest, what is already here need not be asked for: a pinned image starts without its registry. */
async function fetchManifest(
  { store, signal }: PullRequest,
  client: RegistryClient,
  tagOrDigest: string,
): Promise<RegistryManifest> {
  if (tagOrDigest.includes(":") && (await store.hasBlob(tagOrDigest))) {
    const bytes = await store.readBlob(tagOrDigest, DOCUMENT_BYTES_MAX);
    const type: unknown = JSON.parse(Buffer.from(bytes).toString("utf8")).mediaType;
    if (typeof type === "string" && type !== "")
      return { digest: tagOrDigest, mediaType: type, bytes };
  }
  return client.manifest(tagOrDigest, signal);
}

async function writeDocument(
  lease: ImageLease,
  document: RegistryManifest,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  await lease.writeBlob({
    digest: document.digest,
    sizeBytes: document.bytes.length,
    labels,
    source: (offset) => once(document.bytes, offset),
  });
}

class BlobFetcher {
  readonly #request: PullRequest;
  readonly #client: RegistryClient;
  readonly #lease: ImageLease;
  readonly #labels: Readonly<Record<string, string>>;

  constructor(
    request: PullRequest,
    client: RegistryClient,
    lease: ImageLease,
    labels: Readonly<Record<string, string>>,
  ) {
    this.#request = request;
    this.#client = client;
    this.#lease = lease;
    this.#labels = labels;
  }

  /** One promise per layer; LAYERS_AT_ONCE of them are in flight, lowest first, because unpacking starts there. */
  fetchLayers(layers: readonly BlobDescriptor[]): readonly Promise<void>[] {
    for (const layer of layers) this.report(layer, "waiting");
    const arrivals: Promise<void>[] = [];
    // Layer i starts when i − 3 has arrived; a failure below passes upward, for nothing above could be unpacked.
    for (const [i, layer] of layers.entries()) {
      const before = arrivals[i - LAYERS_AT_ONCE] ?? Promise.resolve();
      const arrival = before.then(() =>
        this.fetch(layer, (bytes) => this.report(layer, "downloading", bytes)),
      );
      // Awaited in order by the unpacking loop; an early rejection must not count as unhandled until then.
      arrival.catch(() => undefined);
      arrivals.push(arrival);
    }
    return arrivals;
  }

  /** Brings one blob in. Every try resumes where the last one broke off; only tries without progress are counted. */
  async fetch(
    blob: BlobDescriptor,
    onBytes: ((writtenBytes: number) => void) | undefined,
  ): Promise<void> {
    const { signal, tools, store } = this.#request;
    let reached = 0;
    let isDamaged = false;
    if (await store.hasBlob(blob.digest)) this.report(blob, "exists");
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#lease.writeBlob({
          digest: blob.digest,
          sizeBytes: blob.sizeBytes,
          labels: this.#labels,
          source: (offset) => this.#client.blob(blob.digest, offset, signal),
          onProgress: (bytes) => {
            if (bytes > reached) attempt = 0;
            reached = Math.max(reached, bytes);
            onBytes?.(bytes);
          },
        });
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ImageError) {
          // A damaged transfer is worth exactly one more try, from the start.
          if (error.code !== "FAILED" || isDamaged) throw error;
          isDamaged = true;
          reached = 0;
        } else if (!isNetworkFailure(error)) {
          throw error;
        } else if (attempt + 1 >= ATTEMPTS_MAX) {
          throw new ImageError(
            "REGISTRY_UNREACHABLE",
            `${blob.digest} broke off after ${reached} of ${blob.sizeBytes} bytes: ${reasonOf(error)}`,
            { cause: error },
          );
        }
        await tools.clock.sleep(backoffMs(attempt, tools.random), signal);
      }
    }
  }

  report(
    layer: BlobDescriptor | undefined,
    status: PullProgress["status"],
    currentBytes?: number,
  ): void {
    if (layer === undefined) return;
    const isAll = status === "done" || status === "exists";
    this.#request.onProgress({
      layer: layer.digest.slice("sha256:".length, "sha256:".length + 12),
      status,
      currentBytes: currentBytes ?? (isAll ? layer.sizeBytes : 0),
      totalBytes: layer.sizeBytes,
    });
  }
}

/** Thrown by fetch while the body is read: `terminated`, socket errors, our own stall timer. */
function isNetworkFailure(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    (error instanceof Error && error.name === "AbortError") ||
    (error instanceof Error && /no data for|other side closed|ECONN|socket/i.test(error.message))
  );
}
