/** Manifests, indexes and image configs: media types and parsing, for Docker's and OCI's spelling alike. */
import type { ImageConfig } from "../engine/index.js";
import { ImageError } from "./errors.js";
import type { Platform } from "./platform.js";
import { isDigest } from "./reference.js";

export const MEDIA = {
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

export const MANIFEST_TYPES: readonly string[] = [
  MEDIA.ociIndex,
  MEDIA.dockerIndex,
  MEDIA.ociManifest,
  MEDIA.dockerManifest,
];

/** Manifests, indexes and configs are documents, not data: what is larger is refused. */
export const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024;
const LAYER_MAX = 512;

const LAYER_TYPES = new Set([
  MEDIA.dockerLayer as string,
  MEDIA.dockerLayerGzip,
  "application/vnd.oci.image.layer.v1.tar",
  "application/vnd.oci.image.layer.v1.tar+gzip",
]);

export type BlobDescriptor = {
  readonly mediaType: string;
  readonly digest: string;
  readonly sizeBytes: number;
};

export type ManifestDocument =
  | {
      readonly kind: "manifest";
      readonly config: BlobDescriptor;
      readonly layers: readonly BlobDescriptor[];
    }
  | {
      readonly kind: "index";
      readonly manifests: readonly (BlobDescriptor & {
        readonly platform: Platform | undefined;
        readonly annotations: Readonly<Record<string, string>>;
      })[];
    };

export type ConfigDocument = {
  readonly architecture: string;
  readonly os: string;
  readonly variant: string | undefined;
  readonly createdAtMs: number;
  readonly diffIds: readonly string[];
  readonly config: ImageConfig;
};

type Fields = Readonly<Record<string, unknown>>;

export function readJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new ImageError("INVALID", `${what} is not JSON`, { cause: error });
  }
}

function parseJson(bytes: Uint8Array, what: string): Fields {
  const raw = readJson(bytes, what);
  if (isFields(raw)) return raw;
  throw new ImageError("INVALID", `${what} is not a JSON object`);
}

/** Throws ImageError INVALID for anything that is neither a v2 manifest nor an index. */
export function parseManifest(bytes: Uint8Array, what: string): ManifestDocument {
  const raw = parseJson(bytes, what);
  const manifests = raw["manifests"];
  if (Array.isArray(manifests)) {
    return {
      kind: "index",
      manifests: manifests.filter(isFields).map((entry) => ({
        ...parseDescriptor(entry, what),
        platform: parsePlatform(entry["platform"]),
        annotations: stringMap(entry["annotations"]),
      })),
    };
  }
  const layers = raw["layers"];
  if (!isFields(raw["config"]) || !Array.isArray(layers)) {
    throw new ImageError(
      "INVALID",
      `${what} has a format that is not supported (schema ${String(raw["schemaVersion"] ?? "unknown")}); push the image again with a current tool`,
    );
  }
  if (layers.length > LAYER_MAX)
    throw new ImageError("INVALID", `${what} has more than ${LAYER_MAX} layers`);
  return {
    kind: "manifest",
    config: parseDescriptor(raw["config"], what),
    layers: layers.filter(isFields).map((layer) => checkLayer(parseDescriptor(layer, what), what)),
  };
}

function checkLayer(layer: BlobDescriptor, what: string): BlobDescriptor {
  if (LAYER_TYPES.has(layer.mediaType)) return layer;
  const why = layer.mediaType.endsWith("zstd") ? "; push it with gzip compression" : "";
  throw new ImageError(
    "INVALID",
    `${what}: layer type ${layer.mediaType} is not supported on this node${why}`,
  );
}

export function parseConfig(bytes: Uint8Array, what: string): ConfigDocument {
  const raw = parseJson(bytes, what);
  const rootfs = raw["rootfs"];
  const diffIds = isFields(rootfs) ? strings(rootfs["diff_ids"]) : [];
  if (!diffIds.every(isDigest)) throw new ImageError("INVALID", `${what} has bad diff_ids`);
  const variant = raw["variant"];
  return {
    architecture: text(raw["architecture"]),
    os: text(raw["os"]),
    variant: typeof variant === "string" && variant !== "" ? variant : undefined,
    createdAtMs: Math.max(0, Date.parse(text(raw["created"])) || 0),
    diffIds,
    config: parseImageConfig(isFields(raw["config"]) ? raw["config"] : {}),
  };
}

function parseImageConfig(raw: Fields): ImageConfig {
  const lists = (["Env", "Cmd", "Entrypoint"] as const).flatMap((key) =>
    Array.isArray(raw[key]) ? [[key, strings(raw[key])] as const] : [],
  );
  const texts = (["User", "WorkingDir", "StopSignal"] as const).flatMap((key) =>
    text(raw[key]) === "" ? [] : [[key, text(raw[key])] as const],
  );
  const maps = (["ExposedPorts", "Volumes"] as const).flatMap((key) => {
    const value = raw[key];
    return isFields(value) ? [[key, value] as const] : [];
  });
  const health = parseHealthcheck(raw["Healthcheck"]);
  return {
    ...Object.fromEntries([...lists, ...texts, ...maps]),
    ...(isFields(raw["Labels"]) ? { Labels: stringMap(raw["Labels"]) } : {}),
    ...(health === undefined ? {} : { Healthcheck: health }),
  };
}

function parseHealthcheck(raw: unknown): ImageConfig["Healthcheck"] | undefined {
  if (!isFields(raw)) return undefined;
  const numbers = (
    ["Interval", "Timeout", "Retries", "StartPeriod", "StartInterval"] as const
  ).flatMap((key) => {
    const value = raw[key];
    return typeof value === "number" ? [[key, value] as const] : [];
  });
  return { Test: strings(raw["Test"]), ...Object.fromEntries(numbers) };
}

function parseDescriptor(raw: Fields, what: string): BlobDescriptor {
  const digest = text(raw["digest"]);
  const size = raw["size"];
  if (!isDigest(digest))
    throw new ImageError("INVALID", `${what} names a digest that is not sha256: "${digest}"`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new ImageError("INVALID", `${what} has a bad size for ${digest}`);
  return { mediaType: text(raw["mediaType"]), digest, sizeBytes: size };
}

function parsePlatform(raw: unknown): Platform | undefined {
  if (!isFields(raw)) return undefined;
  const variant = text(raw["variant"]);
  return {
    os: text(raw["os"]),
    architecture: text(raw["architecture"]),
    ...(variant === "" ? {} : { variant }),
  };
}

function isFields(raw: unknown): raw is Fields {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

function text(raw: unknown): string {
  return typeof raw === "string" ? raw : "";
}

function strings(raw: unknown): readonly string[] {
  return Array.isArray(raw) ? raw.filter((item) => typeof item === "string") : [];
}

function stringMap(raw: unknown): Readonly<Record<string, string>> {
  if (!isFields(raw)) return {};
  return Object.fromEntries(
    Object.entries(raw).flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value]] : [],
    ),
  );
}
