/** The registry protocol (OCI distribution spec), reading side: manifests and blobs of one repository. */
import type { RegistryAuth } from "../engine/index.js";
import { sha256 } from "./assemble.js";
import { ImageError } from "./errors.js";
import type { HttpTools } from "./http-attempts.js";
import { DOCUMENT_BYTES_MAX, MANIFEST_TYPES } from "./manifest.js";
import { formatReference, type ImageReference } from "./reference.js";
import { RegistrySession } from "./registry-session.js";

/** A blob's stream that brings nothing for so long is given up and resumed on a new connection. */
export const STALL_TIMEOUT_MS = 60_000;
const ERROR_BYTES_MAX = 16 * 1024;

export type RegistryManifest = {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
};

export class RegistryClient {
  readonly #tools: HttpTools;
  readonly #session: RegistrySession;
  readonly #reference: ImageReference;

  constructor(tools: HttpTools, reference: ImageReference, auth: RegistryAuth | undefined) {
    this.#tools = tools;
    this.#reference = reference;
    this.#session = new RegistrySession(tools, registryUrl(reference.domain), reference.path, auth);
  }

  /** Fetches by tag or digest and checks the digest against the bytes, what was asked, and the registry's header. */
  async manifest(tagOrDigest: string, signal: AbortSignal): Promise<RegistryManifest> {
    const headers = { accept: MANIFEST_TYPES.join(", ") };
    const path = `/v2/${this.#reference.path}/manifests/${tagOrDigest}`;
    const response = await this.#session.send(path, { headers }, signal);
    if (!response.ok) throw await this.#failure(response);
    const bytes = await readLimited(response, DOCUMENT_BYTES_MAX);
    const digest = sha256(bytes);
    const claimed = response.headers.get("docker-content-digest");
    const isAsked = !tagOrDigest.includes(":") || tagOrDigest === digest;
    // Another algorithm in the header cannot be compared; the bytes still are what was asked for.
    const isClaimed = claimed === null || !claimed.startsWith("sha256:") || claimed === digest;
    if (!isAsked || !isClaimed) {
      throw new ImageError(
        "FAILED",
        `registry ${this.#reference.domain} sent a manifest for ${formatReference(this.#reference)} that does not match its digest`,
      );
    }
    const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";
    return { digest, mediaType: MANIFEST_TYPES.includes(type) ? type : typeOf(bytes), bytes };
  }

  /** The blob's bytes from `offset` on. A registry that ignores ranges is read from its start. */
  async *blob(digest: string, offset: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const stall = new AbortController();
    const both = AbortSignal.any([signal, stall.signal]);
    const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const path = `/v2/${this.#reference.path}/blobs/${digest}`;
    const response = await this.#session.send(path, { headers }, both);
    if (!response.ok) throw await this.#failure(response);
    let skip = offset > 0 && response.status !== 206 ? offset : 0;
    const arm = (): (() => void) =>
      this.#tools.clock.setTimer(STALL_TIMEOUT_MS, () => {
        stall.abort(new Error(`no data for ${STALL_TIMEOUT_MS} ms`));
      });
    let disarm = arm();
    try {
      for await (const chunk of response.body ?? []) {
        disarm();
        disarm = arm();
        const bytes: Uint8Array = chunk;
        if (skip < bytes.length) yield skip === 0 ? bytes : bytes.subarray(skip);
        skip = Math.max(0, skip - bytes.length);
      }
    } finally {
      disarm();
    }
  }

  async #failure(response: Response): Promise<ImageError> {
    const detail = await errorText(response);
    const name = formatReference(this.#reference);
    const { status } = response;
    if (status === 404) {
      return new ImageError(
        "IMAGE_NOT_FOUND",
        `manifest for ${name} not found: ${detail || "manifest unknown"}`,
      );
    }
    if (status === 401 || status === 403) return this.#session.denied(detail);
    const isPassing = status === 429 || status >= 500;
    return new ImageError(
      isPassing ? "REGISTRY_UNREACHABLE" : "FAILED",
      `registry ${this.#reference.domain} answered ${status} for ${name}${detail === "" ? "" : `: ${detail}`}`,
    );
  }
}

/** Registries on this machine speak plain HTTP, as docker takes them to; all others must have TLS. */
export function registryUrl(domain: string): URL {
  if (domain === "docker.io") return new URL("https://registry-1.docker.io");
  const url = new URL(`http://${domain}`);
  const host = url.hostname;
  const isLocal = host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
  return isLocal ? url : new URL(`https://${domain}`);
}

async function readLimited(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes: Uint8Array = chunk;
    size += bytes.length;
    if (size > maxBytes)
      throw new ImageError("INVALID", `the registry sent a document larger than ${maxBytes} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** The first error of a registry's JSON answer, or "". */
async function errorText(response: Response): Promise<string> {
  try {
    const bytes = await readLimited(response, ERROR_BYTES_MAX);
    const raw: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    const errors: unknown = typeof raw === "object" && raw && Reflect.get(raw, "errors");
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    if (typeof first !== "object" || first === null) return "";
    const [code, message]: unknown[] = [Reflect.get(first, "code"), Reflect.get(first, "message")];
    return typeof message === "string" ? message : typeof code === "string" ? code : "";
  } catch {
    return "";
  }
}

/** Some registries send `application/json`: the document says itself what it is. */
function typeOf(bytes: Uint8Array): string {
  try {
    const raw: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    const type: unknown = typeof raw === "object" && raw && Reflect.get(raw, "mediaType");
    return typeof type === "string" ? type : "";
  } catch {
    return "";
  }
}
