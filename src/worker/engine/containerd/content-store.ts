/** The image store of one containerd namespace: content, snapshots, leases and image names. */
import { createHash } from "node:crypto";
import type { Random } from "../../../base/index.js";
import {
  type BlobDescriptor,
  type BlobWrite,
  ImageError,
  type ImageLease,
  type ImageStore,
} from "../../images/index.js";
import { KeyedQueue } from "../limiter.js";
import type { Connection } from "./connection.js";
import { writeContent } from "./content-writer.js";
import { isIngestLocked, isRpc, orMissing, RPC } from "./rpc-error.js";
import {
  contentService,
  diffService,
  imagesService,
  leasesService,
  snapshotsService,
} from "./services.js";

/** An interrupted pull can be taken up again for so long; then the collector gets its pieces. */
const LEASE_HOURS = 24;
/** Unpacking a large layer on a slow disk. */
const APPLY_TIMEOUT_MS = 20 * 60_000;
const LOCK_RETRY_MS = 100;
const LOCK_RETRIES_MAX = 100;

export class ContentStore implements ImageStore {
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #snapshotter: string;
  /** Two pulls that share a layer fetch it once. */
  readonly #byDigest = new KeyedQueue();
  readonly #bySnapshot = new KeyedQueue();

  constructor(connection: Connection, snapshotter: string, random: Random) {
    this.#connection = connection;
    this.#snapshotter = snapshotter;
    this.#random = random;
  }

  async lease(key: string): Promise<ImageLease> {
    const id = `swarm-image-${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
    const expiresAt = new Date(this.#connection.clock.wallMs() + LEASE_HOURS * 3_600_000);
    try {
      await this.#connection.call(leasesService.create, {
        id,
        labels: { "containerd.io/gc.expire": expiresAt.toISOString() },
      });
    } catch (error) {
      // Left by an interrupted pull: that is what makes this one resume.
      if (!isRpc(error, RPC.ALREADY_EXISTS)) throw error;
    }
    return new ContentLease(this, id);
  }

  async readBlob(digest: string, maxBytes: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const { data } of this.#connection.stream(contentService.read, { digest })) {
        size += data.length;
        if (size > maxBytes)
          throw new ImageError("INVALID", `${digest} is larger than ${maxBytes} bytes`);
        chunks.push(data);
      }
    } catch (error) {
      if (!isRpc(error, RPC.NOT_FOUND)) throw error;
      throw new ImageError("IMAGE_NOT_FOUND", `content ${digest} is not on this node`);
    }
    return Buffer.concat(chunks);
  }

  async hasBlob(digest: string): Promise<boolean> {
    return (await orMissing(this.#connection.call(contentService.info, { digest }))) !== undefined;
  }

  writeBlob(lease: string, write: BlobWrite): Promise<{ digest: string; sizeBytes: number }> {
    const ref =
      write.digest === undefined ? `load-${this.#token()}` : `blob-${write.digest.slice(7)}`;
    return this.#byDigest.run(ref, async () => {
      for (let retry = 0; ; retry++) {
        try {
          const result = await writeContent(this.#connection, lease, ref, write);
          if (result.kind === "written") return result;
          return {
            digest: result.digest,
            sizeBytes: await this.#adopt(lease, result.digest, write),
          };
        } catch (error) {
          // The stream of a try that just broke off may still hold the ingest.
          if (!isIngestLocked(error) || retry >= LOCK_RETRIES_MAX) throw error;
          await this.#connection.clock.sleep(LOCK_RETRY_MS);
        }
      }
    });
  }

  async label(
    lease: string,
    digest: string,
    labels: Readonly<Record<string, string>>,
  ): Promise<number> {
    const { info } = await this.#connection.call(
      contentService.update,
      {
        info: { digest, labels: { ...labels } },
        updateMask: { paths: Object.keys(labels).map((key) => `labels.${key}`) },
      },
      { lease },
    );
    return info?.size ?? 0;
  }

  async hasSnapshot(key: string): Promise<boolean> {
    const request = { snapshotter: this.#snapshotter, key };
    return (await orMissing(this.#connection.call(snapshotsService.stat, request))) !== undefined;
  }

  unpackLayer(
    lease: string,
    layer: BlobDescriptor,
    diffId: string,
    parent: string,
    chainId: string,
  ): Promise<void> {
    return this.#bySnapshot.run(chainId, async () => {
      if (await this.hasSnapshot(chainId)) return;
      const snapshotter = this.#snapshotter;
      const key = `extract-${this.#token()} ${chainId}`;
      const options = { lease };
      const { mounts } = await this.#connection.call(
        snapshotsService.prepare,
        { snapshotter, key, parent, labels: { "containerd.io/snapshot.ref": chainId } },
        options,
      );
      try {
        const { applied } = await this.#connection.call(
          diffService.apply,
          {
            diff: { mediaType: layer.mediaType, digest: layer.digest, size: layer.sizeBytes },
            mounts,
          },
          { lease, timeoutMs: APPLY_TIMEOUT_MS },
        );
        if (applied?.digest !== diffId) {
          throw new ImageError(
            "INVALID",
            `layer ${layer.digest} unpacks to ${applied?.digest ?? "nothing"}, the image's config says ${diffId}`,
          );
        }
        await this.#connection.call(
          snapshotsService.commit,
          {
            snapshotter,
            key,
            name: chainId,
            labels: { "containerd.io/snapshot.ref": chainId },
          },
          options,
        );
      } catch (error) {
        await orMissing(this.#connection.call(snapshotsService.remove, { snapshotter, key }));
        // Somebody else unpacked it meanwhile: good.
        if (!isRpc(error, RPC.ALREADY_EXISTS)) throw error;
      }
    });
  }

  async setImage(name: string, target: BlobDescriptor): Promise<void> {
    const image = {
      name,
      target: { mediaType: target.mediaType, digest: target.digest, size: target.sizeBytes },
    };
    try {
      await this.#connection.call(imagesService.create, { image });
    } catch (error) {
      if (!isRpc(error, RPC.ALREADY_EXISTS)) throw error;
      await this.#connection.call(imagesService.update, {
        image,
        updateMask: { paths: ["target"] },
      });
    }
  }

  async release(lease: string): Promise<void> {
    await orMissing(this.#connection.call(leasesService.delete, { id: lease }));
  }

  /** A blob that was there already still needs the labels of this image. */
  async #adopt(lease: string, digest: string, write: BlobWrite): Promise<number> {
    if (Object.keys(write.labels).length > 0) return this.label(lease, digest, write.labels);
    const { info } = await this.#connection.call(contentService.info, { digest });
    return info?.size ?? 0;
  }

  #token(): string {
    return Buffer.from(this.#random.bytes(8)).toString("hex");
  }
}

class ContentLease implements ImageLease {
  readonly #store: ContentStore;
  readonly #id: string;

  constructor(store: ContentStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  writeBlob(write: BlobWrite): Promise<{ readonly digest: string; readonly sizeBytes: number }> {
    return this.#store.writeBlob(this.#id, write);
  }

  async label(digest: string, labels: Readonly<Record<string, string>>): Promise<void> {
    await this.#store.label(this.#id, digest, labels);
  }

  hasSnapshot(chainId: string): Promise<boolean> {
    return this.#store.hasSnapshot(chainId);
  }

  unpackLayer(
    layer: BlobDescriptor,
    diffId: string,
    parent: string,
    chainId: string,
  ): Promise<void> {
    return this.#store.unpackLayer(this.#id, layer, diffId, parent, chainId);
  }

  setImage(name: string, target: BlobDescriptor): Promise<void> {
    return this.#store.setImage(name, target);
  }

  release(): Promise<void> {
    return this.#store.release(this.#id);
  }
}
