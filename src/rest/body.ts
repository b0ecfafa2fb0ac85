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

async function readAll(body: unknown): Promise<Buffer> {
  if (!isReadable(body)) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) continue;
    sizeBytes += chunk.length;
    if (sizeBytes > JSON_BODY_BYTES_MAX) {
      throw doorError("InvalidArgument", "http: request body too large (4 MiB at most)", {
        http: 413,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
