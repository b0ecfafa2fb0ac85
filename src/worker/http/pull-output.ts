/** Docker's progress lines for a pull. Nothing is sent before the first progress, so that an early error has its own status. */
import type { ServerResponse } from "node:http";
import type { ImageInfo, PullProgress } from "../engine/index.js";

/** Lines of one layer in the same state come no faster than this. */
const QUIET_MS = 100;
/** Progress is dropped while this much waits for the client. */
const BUFFERED_MAX_BYTES = 256 * 1024;

const STATUS_TEXT = {
  waiting: "Waiting",
  downloading: "Downloading",
  extracting: "Extracting",
  exists: "Already exists",
  done: "Pull complete",
} as const satisfies Record<PullProgress["status"], string>;

export function pullReference(image: string, tag: string): string {
  if (tag === "") return image;
  return tag.includes(":") ? `${image}@${tag}` : `${image}:${tag}`;
}

export class PullOutput {
  readonly #response: ServerResponse;
  readonly #reference: string;
  readonly #nowMs: () => number;
  readonly #last = new Map<string, { readonly status: string; readonly atMs: number }>();
  #hasBegun = false;

  constructor(response: ServerResponse, reference: string, nowMs: () => number) {
    this.#response = response;
    this.#reference = reference;
    this.#nowMs = nowMs;
  }

  progress(progress: PullProgress): void {
    const last = this.#last.get(progress.layer);
    const nowMs = this.#nowMs();
    if (last?.status === progress.status && nowMs - last.atMs < QUIET_MS) return;
    this.#last.set(progress.layer, { status: progress.status, atMs: nowMs });
    if (this.#response.writableLength > BUFFERED_MAX_BYTES) return;
    const { currentBytes: current, totalBytes: total } = progress;
    const hasBar = progress.status === "downloading" || progress.status === "extracting";
    this.#write({
      status: STATUS_TEXT[progress.status],
      progressDetail: hasBar ? { current, total } : {},
      ...(hasBar ? { progress: bar(current, total) } : {}),
      id: progress.layer.replace(/^sha256:/, "").slice(0, 12),
    });
  }

  done(image: ImageInfo): void {
    const digest = image.digests[0]?.split("@")[1];
    if (digest !== undefined) this.#write({ status: `Digest: ${digest}` });
    const isNew = [...this.#last.values()].some((layer) => layer.status === "done");
    const what = isNew ? "Downloaded newer image" : "Image is up to date";
    this.#write({ status: `Status: ${what} for ${this.#reference}` });
    this.#response.end();
  }

  failed(error: { readonly status: number; readonly message: string }): void {
    if (this.#hasBegun) {
      this.#write({ errorDetail: { message: error.message }, error: error.message });
      this.#response.end();
      return;
    }
    this.#response.writeHead(error.status, { "Content-Type": "application/json" });
    this.#response.end(JSON.stringify({ message: error.message }));
  }

  #write(line: object): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#response.writeHead(200, { "Content-Type": "application/json" });
      const name = this.#reference.split("@")[0] ?? "";
      const colon = name.lastIndexOf(":");
      const hasTag = colon > name.lastIndexOf("/");
      const repository = hasTag ? name.slice(0, colon) : name;
      const id = hasTag ? name.slice(colon + 1) : "latest";
      this.#write({ status: `Pulling from ${repository}`, id });
    }
    this.#response.write(`${JSON.stringify(line)}\r\n`);
  }
}

const BAR_WIDTH = 50;

/** `[====>      ]  1.2MB/3MB` */
function bar(current: number, total: number): string {
  if (total <= 0) return size(current);
  const filled = Math.min(BAR_WIDTH, Math.floor((current / total) * BAR_WIDTH));
  const head = filled < BAR_WIDTH ? `${"=".repeat(filled)}>` : "=".repeat(BAR_WIDTH);
  return `[${head.padEnd(BAR_WIDTH)}]  ${size(current)}/${size(total)}`;
}

function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}
