/** Request bodies: read whole up to a limit, parsed with Go's error texts. */
import type { Readable } from "node:stream";
import { doorError } from "../base/index.js";

/** Larger JSON bodies are refused: nothing that a cluster can store needs one. */
export const JSON_BODY_BYTES_MAX = 4 * 1024 * 1024;

/** The parsed body of a request that must have one. */
export async function readJson(body: unknown, contentType: string | undefined): Promise<unknown> {
  checkContentType(contentType);
  const bytes = await readAll(body);
  const source = bytes.toString("utf8");
  if (source.trim() === "") {
    throw doorError("InvalidArgument", "got EOF while reading request body");
  }
  return parseJson(source);
}

function checkContentType(contentType: string | undefined): void {
  if (contentType === undefined) return;
  const mediaType = contentType.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw doorError(
      "InvalidArgument",
      `unsupported Content-Type header (${contentType}): must be 'application/json'`,
    );
  }
}

/** By events: most bodies are one chunk, for which an async iterator costs more than everything else here. */
function readAll(body: unknown): Promise<Buffer> {
  if (!isReadable(body)) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const cut = (): void => {
      if (body.readableEnded) return;
      reject(doorError("InvalidArgument", "the request ended before its body was complete"));
    };
    if (body.destroyed) cut();
    body.on("data", (chunk: unknown) => {
      if (!Buffer.isBuffer(chunk)) return;
      sizeBytes += chunk.length;
      if (sizeBytes <= JSON_BODY_BYTES_MAX) {
        chunks.push(chunk);
        return;
      }
      body.destroy();
      reject(
        doorError("InvalidArgument", "http: request body too large (4 MiB at most)", {
          http: 413,
        }),
      );
    });
    body.once("end", () => {
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    body.once("error", reject);
    body.once("close", cut);
  });
}

function isReadable(body: unknown): body is Readable {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

export function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw doorError(
      "InvalidArgument",
      goSyntaxError(source, error instanceof Error ? error.message : ""),
      { cause: error },
    );
  }
}

/** What V8 says → where Go says it happened. */
const SYNTAX_PLACES: readonly (readonly [RegExp, string])[] = [
  [/^Expected (?:double-quoted )?property name/, "looking for beginning of object key string"],
  [/^Expected ':'/, "after object key"],
  [/^Expected ',' or '}'/, "after object key:value pair"],
  [/^Expected ',' or ']'/, "after array element"],
  [/^Bad control character/, "in string literal"],
  [/^Bad (?:escaped|Unicode)/, "in string escape code"],
];

function goSyntaxError(source: string, complaint: string): string {
  if (/^Unexpected end|^Unterminated string/.test(complaint)) return "unexpected EOF";
  if (complaint.startsWith("Unexpected non-whitespace character after JSON")) {
    return "unexpected content after JSON";
  }
  const at = /at position (\d+)/.exec(complaint)?.[1];
  const token = /^Unexpected token '(.)'/su.exec(complaint)?.[1];
  const character = token ?? (at === undefined ? undefined : source[Number(at)]);
  if (character === undefined) return "unexpected EOF";
  const place = SYNTAX_PLACES.find(([pattern]) => pattern.test(complaint))?.[1];
  return `invalid character '${character}' ${place ?? "looking for beginning of value"}`;
}
