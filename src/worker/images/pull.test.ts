import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Clock, SeededRandom, SystemClock } from "../../base/index.js";
import type { PullProgress, RegistryAuth } from "../engine/index.js";
import { chainIds } from "./assemble.js";
import { FakeRegistry } from "./fake-registry.js";
import { buildImage, type FixtureImage, packTar } from "./image-fixture.js";
import { readImage, toImageInfo } from "./image-info.js";
import { MEDIA } from "./manifest.js";
import { MemoryImageStore } from "./memory-store.js";
import { pullImage } from "./pull.js";
import { parseReference } from "./reference.js";
import { resolveDistribution } from "./resolve.js";

/** Waits are noted instead of waited for; timers never fire. */
class ImpatientClock extends SystemClock implements Clock {
  readonly sleeps: number[] = [];
  override sleep(delayMs: number): Promise<void> {
    this.sleeps.push(delayMs);
    return Promise.resolve();
  }
  override setTimer(): () => void {
    return () => undefined;
  }
}

const PLATFORM = { os: "linux", architecture: "amd64" };
const never = new AbortController().signal;

describe("pullImage", () => {
  let image: FixtureImage;
  let store: MemoryImageStore;
  let clock: ImpatientClock;
  const open: FakeRegistry[] = [];

  beforeEach(async () => {
    store = new MemoryImageStore();
    clock = new ImpatientClock();
    const noise = randomBytes(300_000);
    image = buildImage(
      [await packTar([{ path: "a", text: noise }]), await packTar([{ path: "b", text: "b" }])],
      { Cmd: ["run"], Env: ["A=1"], Healthcheck: { Test: ["CMD", "x"], Retries: 2 } },
    );
  });
  afterEach(async () => {
    for (const registry of open.splice(0)) await registry[Symbol.asyncDispose]();
  });

  async function registryWith(
    ...rule: Parameters<typeof FakeRegistry.start>
  ): Promise<FakeRegistry> {
    const registry = await FakeRegistry.start(...rule);
    open.push(registry);
    registry.push("team/app", "1", image);
    return registry;
  }

  function pull(
    reference: string,
    auth?: RegistryAuth,
    onProgress: (progress: PullProgress) => void = () => undefined,
  ): Promise<string> {
    return pullImage({
      reference: parseReference(reference),
      auth,
      store,
      snapshotter: "overlayfs",
      platform: PLATFORM,
      tools: { fetch, clock, random: new SeededRandom(1) },
      onProgress,
      signal: never,
    });
  }

  test("everything arrives, is unpacked in order, labelled for the collector and named", async () => {
    const registry = await registryWith();
    const seen: PullProgress[] = [];
    const digest = await pull(`${registry.host}/team/app:1`, undefined, (step) => seen.push(step));
    expect(digest).toBe(image.manifest.digest);
    expect([...store.images.keys()]).toEqual([`${registry.host}/team/app:1`]);
    expect([...image.blobs.keys()].every((name) => store.sizes.has(name))).toBe(true);
    expect(store.labels.get(digest)).toMatchObject({
      "containerd.io/gc.ref.content.config": image.configDigest,
      "containerd.io/gc.ref.content.l.0": image.layers[0]?.digest,
      "containerd.io/gc.ref.content.l.1": image.layers[1]?.digest,
    });
    const chain = [...store.snapshots].at(-1);
    expect(store.labels.get(image.configDigest)?.["containerd.io/gc.ref.snapshot.overlayfs"]).toBe(
      chain,
    );
    expect(store.leases.size).toBe(0);
    expect(seen.filter(({ status }) => status === "done")).toHaveLength(2);
    const loaded = await readImage(store, digest, PLATFORM);
    expect(loaded.chainId).toBe(chain);
    expect(
      toImageInfo(loaded, [{ name: `${registry.host}/team/app:1`, targetDigest: digest }]),
    ).toMatchObject({
      id: image.configDigest,
      tags: [`${registry.host}/team/app:1`],
      digests: [`${registry.host}/team/app@${digest}`],
      createdAtMs: Date.parse("2026-01-02T03:04:05Z"),
      config: { Cmd: ["run"], Env: ["A=1"], Healthcheck: { Test: ["CMD", "x"], Retries: 2 } },
    });
  });

  test("what is there already is not fetched again; by digest the registry is not even asked", async () => {
    const registry = await registryWith();
    const { host } = registry;
    await pull(`${host}/team/app:1`);
    const before = registry.requests.length;
    await pull(`${registry.host}/team/app:1`);
    expect(registry.requests.slice(before).map(({ url }) => url)).toEqual([
      "/v2/team/app/manifests/1",
    ]);
    await registry[Symbol.asyncDispose]();
    expect(await pull(`${host}/team/app@${image.manifest.digest}`)).toBe(image.manifest.digest);
  });

  test("of an index the node's own platform is taken", async () => {
    const registry = await registryWith();
    const other = buildImage(
      [await packTar([{ path: "c", text: "c" }])],
      {},
      { architecture: "arm64", os: "linux" },
    );
    registry.push("team/app", "arm", other);
    const entry = (from: FixtureImage, architecture: string): object => ({
      mediaType: MEDIA.dockerManifest,
      digest: from.manifest.digest,
      size: from.manifest.bytes.length,
      platform: { architecture, os: "linux" },
    });
    const digest = registry.pushIndex("team/app", "multi", [
      entry(other, "arm64"),
      entry(image, "amd64"),
    ]);
    expect(await pull(`${registry.host}/team/app:multi`)).toBe(digest);
    expect((await readImage(store, digest, PLATFORM)).configDigest).toBe(image.configDigest);
    expect(store.labels.get(digest)).toHaveProperty(
      ["containerd.io/gc.ref.content.m.1"],
      image.manifest.digest,
    );
    expect(store.sizes.has(other.configDigest)).toBe(false);
    registry.pushIndex("team/app", "only-arm", [entry(other, "arm64")]);
    await expect(pull(`${registry.host}/team/app:only-arm`)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
      message: expect.stringMatching(/no matching manifest for linux\/amd64.*it has linux\/arm64/),
    });
  });

  const login = { kind: "bearer", user: "u", password: "p" } as const;
  test.each([
    { name: "token, anonymous", rule: { kind: "bearer" }, auth: undefined, code: undefined },
    { name: "token, right", rule: login, auth: { username: "u", password: "p" }, code: undefined },
    {
      name: "token, wrong",
      rule: login,
      auth: { username: "u", password: "x" },
      code: "AUTH_FAILED",
    },
    { name: "token, none", rule: login, auth: undefined, code: "AUTH_FAILED" },
    { name: "token given", rule: login, auth: { registryToken: "good-token" }, code: undefined },
    {
      name: "basic, right",
      rule: { ...login, kind: "basic" },
      auth: { username: "u", password: "p" },
      code: undefined,
    },
    {
      name: "basic, wrong",
      rule: { ...login, kind: "basic" },
      auth: { username: "u", password: "x" },
      code: "AUTH_FAILED",
    },
    {
      name: "basic, none",
      rule: { ...login, kind: "basic" },
      auth: undefined,
      code: "AUTH_FAILED",
    },
  ] as const)("credentials: $name", async ({ rule, auth, code }) => {
    const registry = await registryWith(rule);
    const outcome = await pull(`${registry.host}/team/app:1`, auth).then(
      () => undefined,
      (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
    );
    expect(outcome).toBe(code);
  });

  test("a missing tag says so in the registry's words, without retries", async () => {
    const registry = await registryWith();
    await expect(pull(`${registry.host}/team/app:2`)).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
      message: `manifest for ${registry.host}/team/app:2 not found: manifest unknown`,
    });
    expect(registry.requests).toHaveLength(1);
  });

  test("credentials do not follow a redirect to another host", async () => {
    const registry = await registryWith({ kind: "basic", user: "u", password: "p" });
    const storage = await registryWith();
    registry.blobOrigin = `http://${storage.host}`;
    await pull(`${registry.host}/team/app:1`, { username: "u", password: "p" });
    expect(storage.requests.length).toBeGreaterThan(0);
    expect(storage.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test("a registry cannot send credentials to a token service without TLS elsewhere", async () => {
    const tools = {
      clock,
      random: new SeededRandom(1),
      fetch: (() =>
        Promise.resolve(
          new Response("", {
            status: 401,
            headers: { "www-authenticate": 'Bearer realm="http://evil/token"' },
          }),
        )) as typeof fetch,
    };
    const auth = { username: "u", password: "p" };
    await expect(resolveDistribution("r.example.com/a", auth, never, tools)).rejects.toMatchObject({
      code: "AUTH_FAILED",
      message: expect.stringContaining("unsafe token service"),
    });
  });

  test.each([
    {
      name: "429 with Retry-After is waited out",
      status: 429,
      headers: { "retry-after": "3" },
      least: 3000,
    },
    { name: "503 is tried again", status: 503, headers: {}, least: 250 },
  ])("$name", async ({ status, headers, least }) => {
    const registry = await registryWith();
    let left = 2;
    registry.fault = (_request, response) => {
      if (left-- <= 0) return false;
      response.writeHead(status, headers).end();
      return true;
    };
    await pull(`${registry.host}/team/app:1`);
    expect(clock.sleeps).toHaveLength(2);
    expect(Math.min(...clock.sleeps)).toBeGreaterThanOrEqual(least);
  });

  test("a registry that stays broken is given up after five tries", async () => {
    const registry = await registryWith();
    registry.fault = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    await expect(pull(`${registry.host}/team/app:1`)).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
    });
    expect(registry.requests).toHaveLength(5);
  });

  test("nobody listening is REGISTRY_UNREACHABLE and says who", async () => {
    const registry = await registryWith();
    const { host } = registry;
    await registry[Symbol.asyncDispose]();
    await expect(pull(`${host}/team/app:1`)).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: expect.stringContaining(host),
    });
  });

  test.each([
    { name: "honours ranges", isRanged: true },
    { name: "ignores ranges", isRanged: false },
  ])("a broken transfer is resumed from a registry that $name", async ({ isRanged }) => {
    const registry = await registryWith();
    const layer = image.layers[0];
    const bytes = image.blobs.get(layer?.digest ?? "") ?? new Uint8Array();
    const ranges: (string | undefined)[] = [];
    registry.fault = (request, response) => {
      if (request.url?.endsWith(layer?.digest ?? "?") !== true) return false;
      ranges.push(request.headers.range);
      if (ranges.length > 1 && isRanged) return false;
      response.writeHead(200, { "content-length": bytes.length });
      if (ranges.length > 1) response.end(bytes);
      else response.write(bytes.subarray(0, 100_000), () => response.socket?.end());
      return true;
    };
    expect(await pull(`${registry.host}/team/app:1`)).toBe(image.manifest.digest);
    expect(ranges).toEqual([undefined, "bytes=100000-"]);
  });

  test("a damaged blob is tried once more and then refused; the lease stays for a later try", async () => {
    const registry = await registryWith();
    const layer = image.layers[1];
    let tries = 0;
    registry.fault = (request, response) => {
      if (request.url?.endsWith(layer?.digest ?? "?") !== true) return false;
      tries++;
      response.writeHead(200).end(Buffer.alloc(layer?.sizeBytes ?? 0));
      return true;
    };
    await expect(pull(`${registry.host}/team/app:1`)).rejects.toMatchObject({
      code: "FAILED",
      message: expect.stringContaining("damaged"),
    });
    expect(tries).toBe(2);
    expect(store.images.size).toBe(0);
    expect(store.leases.size).toBe(1);
  });

  test("a manifest that does not match its digest is refused", async () => {
    const registry = await registryWith();
    registry.fault = (_request, response) => {
      response.writeHead(200, { "content-type": MEDIA.dockerManifest }).end("{}");
      return true;
    };
    await expect(pull(`${registry.host}/team/app@sha256:${"0".repeat(64)}`)).rejects.toMatchObject({
      code: "FAILED",
      message: expect.stringContaining("does not match its digest"),
    });
  });

  test.each([
    { name: "schema 1", manifest: { schemaVersion: 1, fsLayers: [] }, text: "schema 1" },
    {
      name: "zstd layers",
      manifest: {
        config: { digest: `sha256:${"1".repeat(64)}`, size: 1 },
        layers: [
          {
            mediaType: "application/vnd.oci.image.layer.v1.tar+zstd",
            digest: `sha256:${"2".repeat(64)}`,
            size: 1,
          },
        ],
      },
      text: "push it with gzip",
    },
  ])("$name are refused with the remedy", async ({ manifest, text }) => {
    const registry = await registryWith();
    registry.fault = (_request, response) => {
      response.writeHead(200, { "content-type": MEDIA.ociManifest }).end(JSON.stringify(manifest));
      return true;
    };
    await expect(pull(`${registry.host}/team/app:1`)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining(text),
    });
  });

  test("resolveDistribution reports digest, type and platforms without a store", async () => {
    const registry = await registryWith();
    const tools = { fetch, clock, random: new SeededRandom(1) };
    expect(
      await resolveDistribution(`${registry.host}/team/app:1`, undefined, never, tools),
    ).toEqual({
      mediaType: MEDIA.dockerManifest,
      digest: image.manifest.digest,
      sizeBytes: image.manifest.bytes.length,
      platforms: [PLATFORM],
    });
  });
});

test("chain ids name a layer together with all below it", () => {
  const [a, b] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  const chains = chainIds([a, b]);
  expect(chains[0]).toBe(a);
  // sha256("<a> <b>"), computed with sha256sum.
  expect(chains[1]).toBe("sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c");
});
