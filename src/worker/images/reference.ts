/** Image references as docker reads and writes them (grammar: distribution/reference). */
import { ImageError } from "./errors.js";

export type ImageReference = {
  /** `docker.io`, `registry.example.com:5000`… */
  readonly domain: string;
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
};

const DEFAULT_DOMAIN = "docker.io";
const LEGACY_DOMAIN = "index.docker.io";
const NAME_LENGTH_MAX = 255;

const LABEL = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const SHA256 = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads a reference and fills in what docker does: `docker.io`, `library/`, and `:latest` if there is neither tag nor
 * digest. Throws ImageError INVALID with docker's text.
 */
export function parseReference(text: string): ImageReference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw new ImageError(
      "INVALID",
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const { domain, rest } = splitDomain(text);
  const at = rest.indexOf("@");
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const named = at < 0 ? rest : rest.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const path = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (path !== path.toLowerCase() && PATH.test(path.toLowerCase())) {
    throw new ImageError(
      "INVALID",
      `invalid reference format: repository name (${path}) must be lowercase`,
    );
  }
  const isGood =
    DOMAIN.test(domain) &&
    PATH.test(path) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || (DIGEST.test(digest) && isSupported(digest)));
  if (!isGood) throw new ImageError("INVALID", "invalid reference format");
  if (path.length > NAME_LENGTH_MAX) {
    throw new ImageError(
      "INVALID",
      `repository name must not be more than ${NAME_LENGTH_MAX} characters`,
    );
  }
  return { domain, path, tag: tag ?? (digest === undefined ? "latest" : undefined), digest };
}

/** As docker shows it to people: without `docker.io/` and `library/`. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? "" : `:${reference.tag}`;
  const digest = reference.digest === undefined ? "" : `@${reference.digest}`;
  return `${familiarName(reference)}${tag}${digest}`;
}

/** Repository as people know it: `busybox`, `registry.example.com/team/app`. */
export function familiarName({ domain, path }: ImageReference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  return path.startsWith("library/") && !path.slice(8).includes("/") ? path.slice(8) : path;
}

/** The one full spelling, under which the image is kept. A digest makes the tag meaningless and drops it. */
export function canonicalName(reference: ImageReference): string {
  const name = `${reference.domain}/${reference.path}`;
  return reference.digest === undefined
    ? `${name}:${reference.tag ?? "latest"}`
    : `${name}@${reference.digest}`;
}

export function isDigest(text: string): boolean {
  return SHA256.test(text);
}

function isSupported(digest: string): boolean {
  return !digest.startsWith("sha256:") || SHA256.test(digest);
}

function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf("/");
  const first = slash < 0 ? "" : text.slice(0, slash);
  const isDomain =
    slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  if (!isDomain) return { domain: DEFAULT_DOMAIN, rest: officialPath(text) };
  const rest = text.slice(slash + 1);
  return first === LEGACY_DOMAIN || first === DEFAULT_DOMAIN
    ? { domain: DEFAULT_DOMAIN, rest: officialPath(rest) }
    : { domain: first, rest };
}

function officialPath(path: string): string {
  // `busybox@sha256:…` and `busybox:1/2` (bad, found later): only a plain first part is an official image.
  return path.split("@")[0]?.includes("/") === true || path === "" ? path : `library/${path}`;
}
