/** What the registry says about an image now: for `/distribution` and for pinning a service to a digest. */
import { SystemClock, SystemRandom } from "../../base/index.js";
import type { RegistryAuth } from "../engine/index.js";
import type { HttpTools } from "./http-attempts.js";
import { DOCUMENT_BYTES_MAX, parseConfig, parseManifest } from "./manifest.js";
import type { Platform } from "./platform.js";
import { type ImageReference, parseReference } from "./reference.js";
import { RegistryClient } from "./registry-client.js";

export type Distribution = {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly platforms: readonly Platform[];
};

/** Throws ImageError: INVALID, IMAGE_NOT_FOUND, AUTH_FAILED, REGISTRY_UNREACHABLE. */
export async function resolveDistribution(
  reference: ImageReference | string,
  auth: RegistryAuth | undefined,
  signal: AbortSignal,
  tools: HttpTools = { fetch, clock: new SystemClock(), random: new SystemRandom() },
): Promise<Distribution> {
  const parsed = typeof reference === "string" ? parseReference(reference) : reference;
  const client = new RegistryClient(tools, parsed, auth);
  const top = await client.manifest(parsed.digest ?? parsed.tag ?? "latest", signal);
  const document = parseManifest(top.bytes, "manifest");
  const base = { mediaType: top.mediaType, digest: top.digest, sizeBytes: top.bytes.length };
  if (document.kind === "index") {
    const platforms = document.manifests.flatMap(({ platform }) =>
      // Attestations sit in the index as platform unknown/unknown.
      platform === undefined || platform.os === "unknown" ? [] : [platform],
    );
    return { ...base, platforms };
  }
  const { os, architecture, variant } = parseConfig(
    await readAll(client.blob(document.config.digest, 0, signal)),
    "image config",
  );
  return {
    ...base,
    platforms: [{ os, architecture, ...(variant === undefined ? {} : { variant }) }],
  };
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > DOCUMENT_BYTES_MAX) break;
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
