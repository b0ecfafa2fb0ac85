/** Small images made on the spot, for tests: blobs, manifest, and the archives `docker save` would write of them. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import tar from "tar-stream";
import { sha256 } from "./assemble.js";
import { type BlobDescriptor, MEDIA } from "./manifest.js";

export type FixtureFile = {
  readonly path: string;
  readonly text?: string | Uint8Array;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
};

export type FixtureImage = {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly configDigest: string;
  readonly layers: readonly BlobDescriptor[];
  readonly manifest: { readonly digest: string; readonly bytes: Uint8Array };
};

/** Paths that end in `/` are directories. */
export async function packTar(files: readonly FixtureFile[]): Promise<Uint8Array> {
  const pack = tar.pack();
  for (const { path, text, link, mode, uid = 0, gid = 0 } of files) {
    const owner = { name: path, uid, gid };
    if (path.endsWith("/")) pack.entry({ ...owner, type: "directory", mode: mode ?? 0o755 });
    else if (link !== undefined) pack.entry({ ...owner, type: "symlink", linkname: link });
    else pack.entry({ ...owner, mode: mode ?? 0o644 }, Buffer.from(text ?? ""));
  }
  pack.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of pack as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** `layers`: uncompressed tars, lowest first; stored gzipped. */
export function buildImage(
  layers: readonly Uint8Array[],
  config: object = {},
  platform: { readonly architecture: string; readonly os: string } = {
    architecture: "amd64",
    os: "linux",
  },
): FixtureImage {
  const blobs = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array, mediaType: string): BlobDescriptor => {
    const digest = sha256(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, sizeBytes: bytes.length };
  };
  const stored = layers.map((layer) => add(gzipSync(layer, { level: 1 }), MEDIA.dockerLayerGzip));
  const configBlob = add(
    Buffer.from(
      JSON.stringify({
        ...platform,
        created: "2026-01-02T03:04:05Z",
        config,
        rootfs: { type: "layers", diff_ids: layers.map((layer) => sha256(layer)) },
      }),
    ),
    MEDIA.dockerConfig,
  );
  const wire = ({ mediaType, digest, sizeBytes }: BlobDescriptor): object => ({
    mediaType,
    digest,
    size: sizeBytes,
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA.dockerManifest,
      config: wire(configBlob),
      layers: stored.map(wire),
    }),
  );
  return {
    blobs,
    configDigest: configBlob.digest,
    layers: stored,
    manifest: { digest: sha256(bytes), bytes },
  };
}

/** As `docker save` wrote it before version 25: paths by chance, layers plain, the list at the end. */
export function dockerArchive(
  layers: readonly Uint8Array[],
  image: FixtureImage,
  tags: readonly string[],
): Promise<Uint8Array> {
  const configPath = `${image.configDigest.slice(7)}.json`;
  return packTar([
    { path: configPath, text: image.blobs.get(image.configDigest) ?? "" },
    ...layers.map((layer, i) => ({ path: `layer${i}/layer.tar`, text: layer })),
    {
      path: "manifest.json",
      text: JSON.stringify([
        { Config: configPath, RepoTags: tags, Layers: layers.map((_, i) => `layer${i}/layer.tar`) },
      ]),
    },
  ]);
}

export function ociLayout(
  image: FixtureImage,
  annotations: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const { digest, bytes } = image.manifest;
  const index = {
    schemaVersion: 2,
    manifests: [{ mediaType: MEDIA.dockerManifest, digest, size: bytes.length, annotations }],
  };
  return packTar([
    { path: "oci-layout", text: '{"imageLayoutVersion":"1.0.0"}' },
    { path: "index.json", text: JSON.stringify(index) },
    ...[...image.blobs, [digest, bytes] as const].map(([name, text]) => ({
      path: `blobs/sha256/${name.slice(7)}`,
      text,
    })),
  ]);
}

const APPLETS =
  "sh cat date dd echo env false grep head hostname httpd id ip ls mkdir mount nc printf ps pwd seq sleep stat tail test touch true umount wget yes";

/** A file system with busybox and a few users, in two layers. Needs /bin/busybox (package busybox-static). */
export async function busyboxLayers(): Promise<readonly Uint8Array[]> {
  const base = await packTar([
    { path: "bin/" },
    { path: "bin/busybox", text: readFileSync("/bin/busybox"), mode: 0o755 },
    ...APPLETS.split(" ").map((name) => ({ path: `bin/${name}`, link: "busybox" })),
    { path: "tmp/", mode: 0o1777 },
    { path: "etc/" },
    { path: "etc/passwd", text: "nobody-here:x:0:0::/:/bin/false\n" },
    { path: "removed-above", text: "x" },
  ]);
  const accounts = await packTar([
    { path: "etc/real-passwd", text: "root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/:/bin/sh\n" },
    // Absolute on purpose: read from the host it would leave the root.
    { path: "etc/passwd", link: "/etc/real-passwd" },
    { path: "etc/group", text: "root:x:0:\nweb:x:1001:\nextra:x:1002:web\nops:x:2000:\n" },
    { path: "data/", mode: 0o750, uid: 1000, gid: 1001 },
    { path: "data/seed", text: "seed\n" },
    { path: "data/own", text: "own\n", mode: 0o600, uid: 1000, gid: 1001 },
    { path: ".wh.removed-above" },
  ]);
  return [base, accounts];
}
