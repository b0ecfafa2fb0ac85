/** What survives a restart of the process: one small JSON file per container, one for all images. Written by rename. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ResourceRequirements } from "../../../api/index.js";
import type { ExitStatus, ImageInfo } from "../port.js";

export type SavedContainer = {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly words: readonly string[];
  readonly env: readonly string[];
  readonly resources: ResourceRequirements;
  readonly stdoutPath: string;
  readonly stderrPath: string;
  readonly pid: number;
  readonly isStarted: boolean;
  /** Next instruction, and since when (Unix ms) it has been running. */
  readonly cursor: number;
  readonly sinceMs: number;
  /** By signal name; null = ignored. */
  readonly traps: Readonly<Record<string, number | null>>;
  readonly exit: ExitStatus | undefined;
};

export type SavedImage = {
  /** Canonical name. */
  readonly name: string;
  readonly targetDigest: string;
  readonly info: ImageInfo;
};

export class StateFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  open(): { containers: readonly SavedContainer[]; images: readonly SavedImage[] } {
    mkdirSync(join(this.#dir, "containers"), { recursive: true });
    const containers = readdirSync(join(this.#dir, "containers"))
      .filter((name) => name.endsWith(".json"))
      .map((name) => this.#read(join("containers", name)) as SavedContainer);
    const images = readdirSync(this.#dir).includes("images.json")
      ? (this.#read("images.json") as readonly SavedImage[])
      : [];
    return { containers, images };
  }

  saveContainer(container: SavedContainer): void {
    this.#write(this.#pathOf(container.id), container);
  }

  removeContainer(id: string): void {
    rmSync(join(this.#dir, this.#pathOf(id)), { force: true });
  }

  saveImages(images: readonly SavedImage[]): void {
    this.#write("images.json", images);
  }

  #pathOf(id: string): string {
    return join("containers", `${encodeURIComponent(id)}.json`);
  }

  #read(path: string): unknown {
    return JSON.parse(readFileSync(join(this.#dir, path), "utf8"));
  }

  #write(path: string, value: object): void {
    const full = join(this.#dir, path);
    writeFileSync(`${full}.new`, JSON.stringify(value));
    renameSync(`${full}.new`, full);
  }
}
