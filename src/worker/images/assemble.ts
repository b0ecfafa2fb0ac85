/** The common end of pull and load: blobs are in (or coming); unpack, label for the garbage collector, and name the image. */
import { createHash } from "node:crypto";
import { ImageError } from "./errors.js";
import type { ImageLease } from "./image-store.js";
import type { BlobDescriptor } from "./manifest.js";

/** Snapshot ids of each layer (OCI image spec, "ChainID"): what lies below is part of the name. */
export function chainIds(diffIds: readonly string[]): readonly string[] {
  const chains: string[] = [];
  for (const diffId of diffIds) {
    const parent = chains.at(-1);
    chains.push(parent === undefined ? diffId : sha256(`${parent} ${diffId}`));
  }
  return chains;
}

export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

export async function* once(bytes: Uint8Array, offset: number): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes.subarray(offset));
}

/** Label keys that keep a manifest's children from the collector. */
export function manifestLabels(
  config: BlobDescriptor,
  layers: readonly BlobDescriptor[],
): Readonly<Record<string, string>> {
  return {
    "containerd.io/gc.ref.content.config": config.digest,
    ...Object.fromEntries(
      layers.map((layer, i) => [`containerd.io/gc.ref.content.l.${i}`, layer.digest]),
    ),
  };
}

export type Unpack = {
  readonly layers: readonly BlobDescriptor[];
  readonly diffIds: readonly string[];
  readonly config: BlobDescriptor;
  readonly snapshotter: string;
  readonly signal: AbortSignal;
  /** Resolves when layer `index` is in the content store. */
  readonly ready: (index: number) => Promise<void>;
  readonly onLayer?: (index: number, status: "extracting" | "done") => void;
  readonly what: string;
};

/** Unpacks layer on layer, each as soon as it has arrived, and ties the snapshots to the config blob. */
export async function unpackImage(lease: ImageLease, unpack: Unpack): Promise<void> {
  const { layers, diffIds } = unpack;
  if (layers.length !== diffIds.length) {
    throw new ImageError(
      "INVALID",
      `${unpack.what}: ${layers.length} layers but ${diffIds.length} diff_ids`,
    );
  }
  const chains = chainIds(diffIds);
  for (const [i, layer] of layers.entries()) {
    const chain = chains[i] ?? "";
    await unpack.ready(i);
    unpack.signal.throwIfAborted();
    unpack.onLayer?.(i, "extracting");
    await lease.label(layer.digest, { "containerd.io/uncompressed": diffIds[i] ?? "" });
    if (!(await lease.hasSnapshot(chain)))
      await lease.unpackLayer(layer, diffIds[i] ?? "", chains[i - 1] ?? "", chain);
    unpack.onLayer?.(i, "done");
  }
  const top = chains.at(-1);
  if (top !== undefined)
    await lease.label(unpack.config.digest, {
      [`containerd.io/gc.ref.snapshot.${unpack.snapshotter}`]: top,
    });
}
