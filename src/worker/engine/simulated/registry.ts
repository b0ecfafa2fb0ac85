/** The simulated registry: what an image is follows from its name alone, so that tests can say what shall happen. */
import { createHash } from "node:crypto";
import {
  canonicalName,
  formatReference,
  type ImageReference,
  platformOf,
} from "../../images/index.js";
import { EngineError, type ImageConfig, type ImageInfo, type RegistryAuth } from "../port.js";

export const LAYER_COUNT = 2;
export const LAYER_BYTES = 1_000_000;

/** Throws what a registry would answer. Names decide: see the README's table. */
export function checkAccess(reference: ImageReference, auth: RegistryAuth | undefined): void {
  const name = formatReference(reference);
  if (reference.domain.startsWith("unreachable")) {
    throw new EngineError(
      "REGISTRY_UNREACHABLE",
      `registry ${reference.domain} cannot be reached: simulated`,
    );
  }
  const isLoggedIn =
    auth?.identityToken !== undefined ||
    auth?.registryToken !== undefined ||
    (auth?.username !== undefined && auth.password !== "wrong");
  if (/private/.test(reference.path) && !isLoggedIn) {
    throw new EngineError(
      "AUTH_FAILED",
      `pull access denied for ${reference.path}, repository does not exist or may require 'docker login'`,
    );
  }
  if (/missing|unknown/.test(`${reference.path}:${reference.tag ?? ""}`)) {
    throw new EngineError("IMAGE_NOT_FOUND", `manifest for ${name} not found: manifest unknown`);
  }
}

/** The digest a reference leads to: its own, or one made from its name. */
export function digestOf(reference: ImageReference): string {
  return reference.digest ?? hash(`manifest ${canonicalName(reference)}`);
}

export function simulatedImage(reference: ImageReference): ImageInfo {
  const digest = digestOf(reference);
  return {
    id: hash(`config ${digest}`),
    tags: [],
    digests: [],
    sizeBytes: LAYER_COUNT * LAYER_BYTES,
    createdAtMs: 0,
    architecture: platformOf(process.arch).architecture,
    os: "linux",
    config: configOf(reference),
  };
}

function configOf(reference: ImageReference): ImageConfig {
  const isShell = /(?:^|\/)(?:busybox|alpine|debian|ubuntu)$/.test(reference.path);
  return { Cmd: isShell ? ["sh"] : ["serve", reference.path] };
}

function hash(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
