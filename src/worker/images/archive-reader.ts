/** Streams an image archive into the content store: every file becomes a blob, only the small index documents stay in memory. */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import tar from "tar-stream";
import { ImageError } from "./errors.js";
import type { ImageLease } from "./image-store.js";
import { DOCUMENT_BYTES_MAX } from "./manifest.js";

const ENTRIES_MAX = 20_000;
const STREAM_BUFFER_BYTES = 256 * 1024;
const DOCUMENTS = new Set(["index.json", "manifest.json", "oci-layout"]);
/** Left over from docker's first format; nothing refers to them. */
const IGNORED = /(?:^|\/)(?:VERSION|json|repositories)$/;
const GZIP = [0x1f, 0x8b];

export type ArchiveFile = {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly isGzip: boolean;
};

export type Archive = {
  readonly documents: ReadonlyMap<string, Uint8Array>;
  /** By path in the archive; links are resolved by `fileAt`. */
  readonly files: ReadonlyMap<string, ArchiveFile>;
  readonly links: ReadonlyMap<string, string>;
};

/** Reads the whole archive (plain or gzip). Throws ImageError INVALID for what is no image archive. */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  lease: ImageLease,
  signal: AbortSignal,
): Promise<Archive> {
  const documents = new Map<string, Uint8Array>();
  const files = new Map<string, ArchiveFile>();
  const links = new Map<string, string>();
  const extract = tar.extract();
  // destroy() carries a failure of the source into the loop below.
  const feeding = feed(source, extract, signal).catch((error: unknown) => {
    extract.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  let count = 0;
  try {
    for await (const untyped of extract) {
      // tar-stream yields streamx readables of Buffers; its typings do not say so.
      const entry = untyped as typeof untyped & AsyncIterable<Uint8Array>;
      signal.throwIfAborted();
      if (++count > ENTRIES_MAX)
        throw new ImageError("INVALID", `the archive has more than ${ENTRIES_MAX} entries`);
      const name = cleanPath(entry.header.name);
      const { type, linkname } = entry.header;
      if ((type === "symlink" || type === "link") && linkname) {
        links.set(name, linkTarget(name, linkname, type));
        entry.resume();
      } else if (type !== "file" || IGNORED.test(name)) {
        entry.resume();
      } else if (DOCUMENTS.has(name)) {
        documents.set(name, await readDocument(entry, name));
      } else {
        files.set(name, await writeFile(entry, name, entry.header.size, lease));
      }
    }
  } catch (error) {
    if (error instanceof ImageError || signal.aborted || !isTarError(error)) throw error;
    throw new ImageError("INVALID", `this is not an image archive: ${error.message}`, {
      cause: error,
    });
  } finally {
    if (!extract.destroyed) extract.destroy(new Error("done"));
    await feeding;
  }
  return { documents, files, links };
}

/** The file at a path, through at most a few links. */
export function fileAt(archive: Archive, path: string): ArchiveFile | undefined {
  let at = cleanPath(path);
  for (let hop = 0; hop < 8; hop++) {
    const file = archive.files.get(at);
    if (file !== undefined) return file;
    const next = archive.links.get(at);
    if (next === undefined) return undefined;
    at = next;
  }
  return undefined;
}

async function feed(
  source: AsyncIterable<Uint8Array>,
  extract: tar.Extract,
  signal: AbortSignal,
): Promise<void> {
  for await (const chunk of decompress(source)) {
    signal.throwIfAborted();
    if (extract.destroyed) return;
    if (!extract.write(chunk)) await drained(extract);
  }
  extract.end(undefined);
}

/** Also resolves when the stream is destroyed: nobody would drain it then. */
function drained(extract: tar.Extract): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      extract.off("drain", done);
      extract.off("close", done);
      resolve();
    };
    extract.on("drain", done);
    extract.on("close", done);
  });
}

/** Looks at the first bytes: gzip is unpacked, other compressions are named, the rest passes as it is. */
async function* decompress(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 4) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const rest = async function* (): AsyncGenerator<Uint8Array> {
    yield head;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  };
  if (head.length === 0) throw new ImageError("INVALID", "the archive is empty");
  const magic = head.subarray(0, 4).toString("hex");
  if (magic.startsWith("28b52ffd") || magic.startsWith("fd377a58") || magic.startsWith("425a68"))
    throw new ImageError(
      "INVALID",
      "the archive is compressed with zstd, xz or bzip2; use gzip or none",
    );
  if (head[0] !== GZIP[0] || head[1] !== GZIP[1]) {
    yield* rest();
    return;
  }
  const gunzip = createGunzip({ chunkSize: STREAM_BUFFER_BYTES });
  const input = Readable.from(rest(), { objectMode: false, highWaterMark: STREAM_BUFFER_BYTES });
  input.on("error", (error) => gunzip.destroy(error));
  try {
    yield* input.pipe(gunzip);
  } finally {
    input.destroy();
  }
}

async function readDocument(entry: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of entry) {
    size += chunk.length;
    if (size > DOCUMENT_BYTES_MAX)
      throw new ImageError("INVALID", `${name} is larger than ${DOCUMENT_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function writeFile(
  entry: AsyncIterable<Uint8Array>,
  name: string,
  sizeBytes: number | undefined,
  lease: ImageLease,
): Promise<ArchiveFile> {
  const blob = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name);
  let first: Uint8Array | undefined;
  let wasRead = false;
  const source = async function* (offset: number): AsyncGenerator<Uint8Array> {
    wasRead = true;
    let skip = offset;
    for await (const chunk of entry) {
      first ??= chunk.subarray(0, 2);
      if (skip < chunk.length) yield skip === 0 ? chunk : chunk.subarray(skip);
      skip = Math.max(0, skip - chunk.length);
    }
  };
  const written = await lease.writeBlob({
    digest: blob === null ? undefined : `sha256:${blob[1] ?? ""}`,
    sizeBytes,
    labels: {},
    source,
  });
  // The store has it already: the entry must still be read past.
  if (!wasRead) for await (const chunk of entry) first ??= chunk.subarray(0, 2);
  return {
    digest: written.digest,
    sizeBytes: written.sizeBytes,
    isGzip: first?.[0] === GZIP[0] && first?.[1] === GZIP[1],
  };
}

function linkTarget(name: string, linkname: string, type: "symlink" | "link"): string {
  const base = type === "link" || linkname.startsWith("/") ? "" : name.replace(/[^/]*$/, "");
  return cleanPath(base + linkname);
}

function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function isTarError(error: unknown): error is Error {
  return error instanceof Error && /tar|header|Unexpected end|incorrect/i.test(error.message);
}
