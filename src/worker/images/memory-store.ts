/** An image store without a container engine: documents are kept, layers only hashed. For the simulated engine and tests. */
import { createHash } from "node:crypto";
import { ImageError } from "./errors.js";
import type { BlobWrite, ImageLease, ImageStore } from "./image-store.js";
import { type BlobDescriptor, DOCUMENT_BYTES_MAX } from "./manifest.js";

export class MemoryImageStore implements ImageStore {
  /** Sizes of all blobs; contents only of those small enough to be documents. */
  readonly sizes = new Map<string, number>();
  readonly contents = new Map<string, Uint8Array>();
  readonly labels = new Map<string, Readonly<Record<string, string>>>();
  readonly snapshots = new Set<string>();
  readonly images = new Map<string, BlobDescriptor>();
  readonly leases = new Set<string>();
  /** Halves of interrupted writes, by digest: what a resumed write starts from. */
  readonly #halves = new Map<string, Uint8Array>();

  lease(key: string): Promise<ImageLease> {
    this.leases.add(key);
    return Promise.resolve({
      writeBlob: (write) => this.#write(write),
      label: (digest, labels) => {
        this.labels.set(digest, { ...this.labels.get(digest), ...labels });
        return Promise.resolve();
      },
      hasSnapshot: (chainId) => Promise.resolve(this.snapshots.has(chainId)),
      unpackLayer: (_layer, _diffId, _parent, chainId) => {
        this.snapshots.add(chainId);
        return Promise.resolve();
      },
      setImage: (name, target) => {
        this.images.set(name, target);
        return Promise.resolve();
      },
      release: () => {
        this.leases.delete(key);
        return Promise.resolve();
      },
    });
  }

  readBlob(digest: string, maxBytes: number): Promise<Uint8Array> {
    const bytes = this.contents.get(digest);
    if (bytes === undefined)
      return Promise.reject(new ImageError("IMAGE_NOT_FOUND", `content ${digest} is not here`));
    if (bytes.length > maxBytes)
      return Promise.reject(
        new ImageError("INVALID", `${digest} is larger than ${maxBytes} bytes`),
      );
    return Promise.resolve(bytes);
  }

  hasBlob(digest: string): Promise<boolean> {
    return Promise.resolve(this.sizes.has(digest));
  }

  async #write(write: BlobWrite): Promise<{ digest: string; sizeBytes: number }> {
    if (write.digest !== undefined && this.sizes.has(write.digest)) {
      this.labels.set(write.digest, { ...this.labels.get(write.digest), ...write.labels });
      return { digest: write.digest, sizeBytes: this.sizes.get(write.digest) ?? 0 };
    }
    const half = this.#halves.get(write.digest ?? "") ?? new Uint8Array();
    const hash = createHash("sha256").update(half);
    let size = half.length;
    let kept: Uint8Array[] = [half];
    try {
      for await (const chunk of write.source(size)) {
        hash.update(chunk);
        size += chunk.length;
        if (size <= DOCUMENT_BYTES_MAX) kept.push(Buffer.from(chunk));
        else kept = [];
        write.onProgress?.(size);
      }
    } catch (error) {
      if (write.digest !== undefined) this.#halves.set(write.digest, Buffer.concat(kept));
      throw error;
    }
    const digest = `sha256:${hash.digest("hex")}`;
    this.#halves.delete(write.digest ?? "");
    if (write.digest !== undefined && write.digest !== digest)
      throw new ImageError("FAILED", `${write.digest} arrived damaged: it is ${digest}`);
    this.sizes.set(digest, size);
    if (size <= DOCUMENT_BYTES_MAX) this.contents.set(digest, Buffer.concat(kept));
    this.labels.set(digest, { ...this.labels.get(digest), ...write.labels });
    return { digest, sizeBytes: size };
  }
}
