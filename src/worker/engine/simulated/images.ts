/** Images of the simulated engine: names, and what the simulated registry says about them. */
import type { Clock, Random } from "../../../base/index.js";
import {
  canonicalName,
  familiarName,
  formatReference,
  loadImages,
  MemoryImageStore,
  parseReference,
  platformOf,
  readImage,
  toImageInfo,
} from "../../images/index.js";
import { EngineError, type ImageInfo, type PullProgress, type RegistryAuth } from "../port.js";
import { checkAccess, digestOf, LAYER_BYTES, LAYER_COUNT, simulatedImage } from "./registry.js";
import type { SavedImage, StateFiles } from "./state-files.js";

/** A pull reports each layer in so many steps. */
const STEPS = 4;

export class SimulatedImages {
  readonly #files: StateFiles;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pullDelayMs: number;
  readonly #images = new Map<string, SavedImage>();

  constructor(files: StateFiles, clock: Clock, random: Random, pullDelayMs: number) {
    this.#files = files;
    this.#clock = clock;
    this.#random = random;
    this.#pullDelayMs = pullDelayMs;
  }

  adopt(images: readonly SavedImage[]): void {
    for (const image of images) this.#images.set(image.name, image);
  }

  async pull(
    text: string,
    auth: RegistryAuth | undefined,
    onProgress: (progress: PullProgress) => void,
    signal: AbortSignal,
  ): Promise<ImageInfo> {
    const reference = parseReference(text);
    await this.#clock.sleep(this.#pullDelayMs / (STEPS + 1), signal);
    checkAccess(reference, auth);
    const info = simulatedImage(reference);
    const layers = Array.from({ length: LAYER_COUNT }, (_, i) => info.id.slice(7 + i, 19 + i));
    for (let step = 1; step <= STEPS; step++) {
      await this.#clock.sleep(this.#pullDelayMs / (STEPS + 1), signal);
      for (const layer of layers) {
        const status = step < STEPS ? "downloading" : "done";
        const currentBytes = (LAYER_BYTES * step) / STEPS;
        onProgress({ layer, status, currentBytes, totalBytes: LAYER_BYTES });
      }
    }
    this.#set(canonicalName(reference), digestOf(reference), info);
    return this.#shown(info);
  }

  async load(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<readonly string[]> {
    const store = new MemoryImageStore();
    const platform = platformOf(process.arch);
    const leaseKey = Buffer.from(this.#random.bytes(8)).toString("hex");
    const made = await loadImages({
      source,
      store,
      snapshotter: "simulated",
      platform,
      leaseKey,
      signal,
    });
    for (const [name, target] of store.images) {
      const image = await readImage(store, target.digest, platform);
      this.#set(name, target.digest, toImageInfo(image, []));
    }
    return made;
  }

  list(): readonly ImageInfo[] {
    const byId = new Map([...this.#images.values()].map(({ info }) => [info.id, info]));
    return [...byId.values()].map((info) => this.#shown(info));
  }

  find(text: string): ImageInfo | undefined {
    const found = this.#findSaved(text);
    return found === undefined ? undefined : this.#shown(found.info);
  }

  remove(text: string): readonly string[] {
    const found = this.#findSaved(text);
    if (found === undefined) throw missing(text);
    const same = [...this.#images.values()].filter(({ info }) => info.id === found.info.id);
    const isId = /^(?:sha256:)?[0-9a-f]{12,64}$/.test(text);
    const going = isId ? same : same.filter(({ name }) => name === found.name);
    for (const { name } of going) this.#images.delete(name);
    this.#save();
    const shown = going
      .filter(({ name }) => !name.startsWith("sha256:"))
      .map(({ name }) => formatReference(parseReference(name)));
    return going.length === same.length ? [...shown, found.info.id] : shown;
  }

  tag(source: string, target: string): void {
    const found = this.#findSaved(source);
    if (found === undefined) throw missing(source);
    this.#set(canonicalName(parseReference(target)), found.targetDigest, found.info);
  }

  #findSaved(text: string): SavedImage | undefined {
    const images = [...this.#images.values()];
    const prefix = text.startsWith("sha256:") ? text : `sha256:${text}`;
    if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(text))
      return images.find(({ info }) => info.id.startsWith(prefix));
    const reference = parseReference(text);
    const exact = this.#images.get(canonicalName(reference));
    if (exact !== undefined || reference.digest === undefined) return exact;
    const repository = `${reference.domain}/${reference.path}:`;
    return images.find(
      ({ name, targetDigest }) => name.startsWith(repository) && targetDigest === reference.digest,
    );
  }

  #shown(info: ImageInfo): ImageInfo {
    const same = [...this.#images.values()].filter(
      ({ name, info: other }) => other.id === info.id && !name.startsWith("sha256:"),
    );
    const named = same.map(({ name, targetDigest }) => ({
      reference: parseReference(name),
      targetDigest,
    }));
    return {
      ...info,
      tags: named
        .filter(({ reference }) => reference.digest === undefined)
        .map(({ reference }) => formatReference(reference))
        .sort(),
      digests: [
        ...new Set(
          named.map(({ reference, targetDigest }) => `${familiarName(reference)}@${targetDigest}`),
        ),
      ].sort(),
    };
  }

  #set(name: string, targetDigest: string, info: ImageInfo): void {
    this.#images.set(name, { name, targetDigest, info });
    this.#save();
  }

  #save(): void {
    this.#files.saveImages([...this.#images.values()]);
  }
}

export function missing(text: string): EngineError {
  return new EngineError("IMAGE_NOT_FOUND", `No such image: ${text}`);
}
