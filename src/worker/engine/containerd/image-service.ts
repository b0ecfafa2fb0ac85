/** Images of one containerd namespace: pull, load, look up, name, remove. */
import type { Random } from "../../../base/index.js";
import {
  canonicalName,
  formatReference,
  type ImageReference,
  type LoadedImage,
  loadImages,
  type Platform,
  parseReference,
  pullImage,
  readImage,
  toImageInfo,
} from "../../images/index.js";
import { Limiter } from "../limiter.js";
import { EngineError, type ImageInfo, type PullProgress, type RegistryAuth } from "../port.js";
import { SharedRuns } from "../shared-runs.js";
import type { Connection } from "./connection.js";
import { ContentStore } from "./content-store.js";
import { orMissing } from "./rpc-error.js";
import { containersService, imagesService } from "./services.js";
import type { containerd } from "./wire.js";

const PULLS_AT_ONCE = 4;
const CACHE_MAX = 256;
/** Containers that start together ask for the names once. */
const NAMES_FRESH_MS = 1_000;

type Named = { readonly name: string; readonly targetDigest: string };
export type FoundImage = { readonly image: LoadedImage; readonly targetDigest: string };

export class ImageService {
  readonly #connection: Connection;
  readonly #random: Random;
  readonly #platform: Platform;
  readonly #snapshotter: string;
  readonly #store: ContentStore;
  readonly #pulls = new SharedRuns<PullProgress, string>();
  readonly #limiter = new Limiter(PULLS_AT_ONCE);
  /** By target digest: content never changes. Oldest first. */
  readonly #read = new Map<string, LoadedImage>();
  #names: { readonly atMs: number; readonly names: Promise<readonly Named[]> } | undefined;

  constructor(connection: Connection, snapshotter: string, platform: Platform, random: Random) {
    this.#connection = connection;
    this.#random = random;
    this.#platform = platform;
    this.#snapshotter = snapshotter;
    this.#store = new ContentStore(connection, snapshotter, random);
  }

  /** Callers that want the same image with the same credentials at the same time share one pull. */
  async pull(
    text: string,
    auth: RegistryAuth | undefined,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<ImageInfo> {
    const reference = parseReference(text);
    const key = `${canonicalName(reference)} ${JSON.stringify(auth ?? {})}`;
    const pulling = this.#pulls.run(key, onProgress, signal, (report, shared) =>
      this.#limiter.run(
        () =>
          pullImage({
            reference,
            auth,
            store: this.#store,
            snapshotter: this.#snapshotter,
            platform: this.#platform,
            tools: { fetch, clock: this.#connection.clock, random: this.#random },
            onProgress: report,
            signal: shared,
          }),
        shared,
      ),
    );
    const targetDigest = await this.#changing(() => pulling);
    return this.#info(await this.#readCached(targetDigest), await this.#list());
  }

  load(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<readonly string[]> {
    return this.#changing(() =>
      loadImages({
        source,
        store: this.#store,
        snapshotter: this.#snapshotter,
        platform: this.#platform,
        leaseKey: `load ${Buffer.from(this.#random.bytes(8)).toString("hex")}`,
        signal,
      }),
    );
  }

  async list(): Promise<readonly ImageInfo[]> {
    const names = await this.#list();
    const images = new Map<string, LoadedImage>();
    for (const { targetDigest } of names) {
      const image = await this.#readCached(targetDigest);
      images.set(image.configDigest, image);
    }
    return [...images.values()].map((image) => this.#info(image, names));
  }

  async inspect(text: string): Promise<ImageInfo | undefined> {
    const found = await this.find(text);
    return found === undefined ? undefined : this.#info(found.image, await this.#list());
  }

  /** By name, by repository digest, or by id (whole or its beginning), in this order. */
  async find(text: string): Promise<FoundImage | undefined> {
    const reference = tryParse(text);
    if (reference !== undefined) {
      const digest = await this.#digestOf(canonicalName(reference));
      if (digest) return { image: await this.#readCached(digest), targetDigest: digest };
    }
    const names = await this.#list();
    if (reference?.digest !== undefined) {
      const repository = `${reference.domain}/${reference.path}`;
      for (const { name, targetDigest } of names) {
        if (!name.startsWith(`${repository}:`) && !name.startsWith(`${repository}@`)) continue;
        const image = await this.#readCached(targetDigest);
        if (targetDigest === reference.digest || image.manifestDigest === reference.digest)
          return { image, targetDigest };
      }
    }
    if (!/^(?:sha256:)?[0-9a-f]{4,64}$/.test(text)) return undefined;
    const prefix = text.startsWith("sha256:") ? text : `sha256:${text}`;
    for (const { targetDigest } of names) {
      const image = await this.#readCached(targetDigest);
      if (image.configDigest.startsWith(prefix)) return { image, targetDigest };
    }
    return undefined;
  }

  async #digestOf(name: string): Promise<string | undefined> {
    const names = await this.#freshNames();
    const known = names?.find((named) => named.name === name);
    if (known !== undefined) return known.targetDigest;
    const reply = await orMissing(this.#connection.call(imagesService.get, { name }));
    return reply?.image?.target?.digest ?? undefined;
  }

  /** Removes a name, or by id all names. Returns what went: the names, and the id if nothing names the image any more. */
  remove(text: string): Promise<readonly string[]> {
    return this.#changing(() => this.#remove(text));
  }

  async #remove(text: string): Promise<readonly string[]> {
    const found = await this.find(text);
    if (found === undefined) throw missing(text);
    const all = await this.#list();
    const same = await this.#namesOf(found.image.configDigest, all);
    const reference = tryParse(text);
    const exact = same.filter(
      ({ name }) => reference !== undefined && name === canonicalName(reference),
    );
    const going = exact.length > 0 ? exact : same;
    const isLast = going.length === same.length;
    if (isLast) await this.#refuseIfUsed(text, new Set(same.map(({ name }) => name)));
    for (const { name } of going)
      await orMissing(this.#connection.call(imagesService.delete, { name, sync: isLast }));
    const shown = going
      .filter(({ name }) => !name.startsWith("sha256:"))
      .map(({ name }) => formatReference(parseReference(name)));
    return isLast ? [...shown, found.image.configDigest] : shown;
  }

  tag(source: string, target: string): Promise<void> {
    return this.#changing(() => this.#tag(source, target));
  }

  async #tag(source: string, target: string): Promise<void> {
    const found = await this.find(source);
    if (found === undefined) throw missing(source);
    const reference = parseReference(target);
    if (reference.digest !== undefined) {
      throw new EngineError("INVALID_SPEC", `refusing to create a tag with a digest reference`);
    }
    const names = await this.#listRaw();
    const known = names.find(({ target: t }) => t?.digest === found.targetDigest)?.target;
    await this.#store.setImage(canonicalName(reference), {
      mediaType: known?.mediaType ?? "",
      digest: found.targetDigest,
      sizeBytes: known?.size ?? 0,
    });
  }

  async #refuseIfUsed(text: string, names: ReadonlySet<string>): Promise<void> {
    for await (const { container } of this.#connection.stream(containersService.list, {})) {
      if (!names.has(container?.image ?? "")) continue;
      throw new EngineError(
        "FAILED",
        `conflict: unable to remove image ${text}: container ${container?.id ?? ""} uses it; remove the container first`,
      );
    }
  }

  async #namesOf(configDigest: string, names: readonly Named[]): Promise<readonly Named[]> {
    const same: Named[] = [];
    for (const named of names) {
      const image = await this.#readCached(named.targetDigest);
      if (image.configDigest === configDigest) same.push(named);
    }
    return same;
  }

  #info(image: LoadedImage, names: readonly Named[]): ImageInfo {
    const same = names.filter(
      ({ targetDigest }) => this.#read.get(targetDigest)?.configDigest === image.configDigest,
    );
    return toImageInfo(image, same);
  }

  async #readCached(targetDigest: string): Promise<LoadedImage> {
    const known = this.#read.get(targetDigest);
    if (known !== undefined) return known;
    const image = await readImage(this.#store, targetDigest, this.#platform);
    this.#read.set(targetDigest, image);
    const oldest = this.#read.keys().next().value;
    if (this.#read.size > CACHE_MAX && oldest !== undefined) this.#read.delete(oldest);
    return image;
  }

  /** Names change by our own pulls, loads, tags and removals, which forget this; others' changes show a second later. */
  #list(): Promise<readonly Named[]> {
    const known = this.#freshNames();
    if (known !== undefined) return known;
    const names = this.#readNames();
    const entry = { atMs: this.#connection.clock.nowMs(), names };
    this.#names = entry;
    names.catch(() => {
      if (this.#names === entry) this.#names = undefined;
    });
    return names;
  }

  #freshNames(): Promise<readonly Named[]> | undefined {
    const known = this.#names;
    if (known === undefined) return undefined;
    return this.#connection.clock.nowMs() - known.atMs < NAMES_FRESH_MS ? known.names : undefined;
  }

  async #readNames(): Promise<readonly Named[]> {
    return (await this.#listRaw()).flatMap(({ name, target }) =>
      name && target?.digest ? [{ name, targetDigest: target.digest }] : [],
    );
  }

  async #changing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#names = undefined;
    }
  }

  async #listRaw(): Promise<readonly containerd.services.images.v1.Image.$Properties[]> {
    return (await this.#connection.call(imagesService.list, {})).images;
  }
}

export function missing(text: string): EngineError {
  return new EngineError("IMAGE_NOT_FOUND", `No such image: ${text}`);
}

function tryParse(text: string): ImageReference | undefined {
  try {
    return parseReference(text);
  } catch {
    // An id is no reference.
    return undefined;
  }
}
