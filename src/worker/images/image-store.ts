/** What pulling and loading need from the place images are kept in. containerd's content store and snapshotter fit it. */
import type { BlobDescriptor } from "./manifest.js";

export type BlobWrite = {
  /** undefined: not known before the data has been read. */
  readonly digest: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Called with the number of bytes the store already has from an interrupted try; yields the rest. */
  readonly source: (offset: number) => AsyncIterable<Uint8Array>;
  readonly onProgress?: (writtenBytes: number) => void;
};

export interface ImageStore {
  /**
   * Opens the lease for one image: everything made through it survives the garbage collector until `release`, also across
   * restarts of this process (for `LEASE_HOURS`), so that an interrupted pull resumes.
   */
  lease(key: string): Promise<ImageLease>;
  /** Throws ImageError INVALID beyond `maxBytes`, IMAGE_NOT_FOUND if absent. */
  readBlob(digest: string, maxBytes: number): Promise<Uint8Array>;
  hasBlob(digest: string): Promise<boolean>;
}

export interface ImageLease {
  /** Writes a blob and checks its digest (ImageError FAILED on mismatch). Already there: sets the labels, reads nothing. */
  writeBlob(write: BlobWrite): Promise<{ readonly digest: string; readonly sizeBytes: number }>;
  label(digest: string, labels: Readonly<Record<string, string>>): Promise<void>;
  hasSnapshot(chainId: string): Promise<boolean>;
  /** Unpacks a layer on its parent ("" for the lowest) as `chainId`; checks the diff id. */
  unpackLayer(
    layer: BlobDescriptor,
    diffId: string,
    parent: string,
    chainId: string,
  ): Promise<void>;
  /** Makes or moves a name. */
  setImage(name: string, target: BlobDescriptor): Promise<void>;
  release(): Promise<void>;
}
