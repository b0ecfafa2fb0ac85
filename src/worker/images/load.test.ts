import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  buildImage,
  dockerArchive,
  type FixtureImage,
  ociLayout,
  packTar,
} from "./image-fixture.js";
import { loadImages } from "./load.js";
import { MemoryImageStore } from "./memory-store.js";

const PLATFORM = { os: "linux", architecture: "amd64" };
const never = new AbortController().signal;

describe("loadImages", () => {
  let layers: readonly Uint8Array[];
  let image: FixtureImage;
  let store: MemoryImageStore;

  beforeAll(async () => {
    layers = [
      await packTar([{ path: "a", text: "a".repeat(100_000) }]),
      await packTar([{ path: "b", text: "b" }]),
    ];
    image = buildImage(layers, { Cmd: ["run"] });
  });
  beforeEach(() => {
    store = new MemoryImageStore();
  });

  function load(tar: Uint8Array | Readable): Promise<readonly string[]> {
    return loadImages({
      // In odd pieces: no header may depend on how the bytes arrive.
      source: tar instanceof Readable ? tar : inPieces(tar, 777),
      store,
      snapshotter: "overlayfs",
      platform: PLATFORM,
      leaseKey: "test",
      signal: never,
    });
  }

  async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size)
      yield await Promise.resolve(bytes.subarray(at, at + size));
  }

  test("a docker archive gets a manifest of its own and all its tags", async () => {
    const made = await load(await dockerArchive(layers, image, ["demo:1", "r.io/x:2"]));
    expect(made).toEqual(["demo:1", "r.io/x:2"]);
    expect([...store.images.keys()]).toEqual(["docker.io/library/demo:1", "r.io/x:2"]);
    expect(store.snapshots.size).toBe(2);
    expect(store.leases.size).toBe(0);
  });

  test("the same, gzipped", async () => {
    expect(await load(gzipSync(await dockerArchive(layers, image, ["demo:1"])))).toEqual([
      "demo:1",
    ]);
  });

  test("an archive without tags is known by its id", async () => {
    expect(await load(await dockerArchive(layers, image, []))).toEqual([image.configDigest]);
    expect([...store.images.keys()]).toEqual([image.configDigest]);
  });

  test("loading again moves the tag", async () => {
    await load(await dockerArchive(layers, image, ["demo:1"]));
    const first = store.images.get("docker.io/library/demo:1")?.digest;
    const other = buildImage(layers, { Cmd: ["other"] });
    await load(await dockerArchive(layers, other, ["demo:1"]));
    expect(store.images.get("docker.io/library/demo:1")?.digest).not.toBe(first);
  });

  test.each([
    {
      name: "the whole name",
      annotations: { "io.containerd.image.name": "docker.io/library/a:1" },
      want: ["a:1"],
    },
    {
      name: "a reference in ref.name",
      annotations: { "org.opencontainers.image.ref.name": "r.io/a:1" },
      want: ["r.io/a:1"],
    },
    {
      name: "only a tag in ref.name",
      annotations: { "org.opencontainers.image.ref.name": "latest" },
      want: "id",
    },
  ])("an OCI layout named by $name keeps its manifest", async ({ annotations, want }) => {
    const made = await load(await ociLayout(image, annotations));
    expect(made).toEqual(want === "id" ? [image.configDigest] : want);
    expect([...store.images.values()][0]?.digest).toBe(image.manifest.digest);
  });

  test("layers that are links to others are found", async () => {
    const config = `${image.configDigest.slice(7)}.json`;
    const tar = await packTar([
      { path: config, text: image.blobs.get(image.configDigest) ?? "" },
      { path: "x/layer.tar", text: layers[0] ?? "" },
      { path: "y/layer.tar", text: layers[1] ?? "" },
      { path: "z/layer.tar", link: "../x/layer.tar" },
      {
        path: "manifest.json",
        text: JSON.stringify([
          { Config: config, RepoTags: ["l:1"], Layers: ["z/layer.tar", "y/layer.tar"] },
        ]),
      },
    ]);
    expect(await load(tar)).toEqual(["l:1"]);
  });

  const rows: readonly {
    readonly name: string;
    readonly tar: () => Promise<Uint8Array>;
    readonly text: string;
  }[] = [
    { name: "nothing", tar: () => Promise.resolve(new Uint8Array()), text: "empty" },
    {
      name: "no tar",
      tar: () => Promise.resolve(Buffer.alloc(2048, "x")),
      text: "not an image archive",
    },
    {
      name: "a tar without an image",
      tar: () => packTar([{ path: "a", text: "a" }]),
      text: "no image",
    },
    {
      name: "zstd",
      tar: () => Promise.resolve(Buffer.from("28b52ffd00000000", "hex")),
      text: "use gzip",
    },
    {
      name: "a manifest.json that is too large",
      tar: () => packTar([{ path: "manifest.json", text: " ".repeat(5_000_000) }]),
      text: "larger than",
    },
    {
      name: "a manifest.json that is no JSON",
      tar: () => packTar([{ path: "manifest.json", text: "{" }]),
      text: "manifest.json is not JSON",
    },
    {
      name: "a layer that is not there",
      tar: () =>
        packTar([
          { path: "c.json", text: image.blobs.get(image.configDigest) ?? "" },
          {
            path: "manifest.json",
            text: JSON.stringify([{ Config: "c.json", RepoTags: [], Layers: ["no"] }]),
          },
        ]),
      text: 'names "no", which is missing',
    },
    {
      name: "layers that do not fit the config",
      tar: () => dockerArchive(layers.slice(0, 1), image, ["a:1"]),
      text: "1 layers but 2 diff_ids",
    },
    {
      name: "a blob that is not what its name says",
      tar: () => packTar([{ path: `blobs/sha256/${"0".repeat(64)}`, text: "x" }]),
      text: "damaged",
    },
    {
      name: "half an archive",
      tar: async () => (await ociLayout(image, {})).subarray(0, 3000),
      text: "not an image archive",
    },
  ];
  test.each(rows)("refuses $name and leaves no name and no lease", async ({ tar, text }) => {
    await expect(load(await tar())).rejects.toMatchObject({
      name: "ImageError",
      message: expect.stringContaining(text),
    });
    expect([store.images.size, store.leases.size]).toEqual([0, 0]);
  });

  test("a source that fails carries its own error", async () => {
    const reason = new Error("the client went away");
    const source = Readable.from(
      (async function* () {
        yield Buffer.alloc(512);
        throw reason;
      })(),
    );
    await expect(load(source)).rejects.toBe(reason);
  });
});
