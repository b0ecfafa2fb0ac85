import { expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import { EngineError, type ImageInfo } from "../engine/index.js";
import { FakeClock, settle } from "../testing/fake-clock.js";
import { FakeEngine, fakeImage } from "../testing/fake-engine.js";
import { ImageSource, parseRegistryAuth } from "./image-source.js";

const NEVER = new AbortController().signal;

function kit(): { clock: FakeClock; engine: FakeEngine; source: ImageSource } {
  const clock = new FakeClock();
  const engine = new FakeEngine();
  return { clock, engine, source: new ImageSource({ engine, clock, logger: silentLogger }) };
}

const pulls = (engine: FakeEngine): number =>
  engine.calls.filter((call) => call.startsWith("pull")).length;

test("an image given by digest that is here needs no registry", async () => {
  const { engine, source } = kit();
  const image = { ...fakeImage("a:1"), digests: [`a@sha256:${"0".repeat(64)}`] };
  engine.addLocal(image);
  expect(await source.get(image.digests[0] ?? "", "", NEVER)).toBe(image);
  expect(await source.get(image.id, "", NEVER)).toBe(image);
  expect(pulls(engine)).toBe(0);
});

test("a tag is asked for again once the last answer is 10 s old", async () => {
  const { clock, engine, source } = kit();
  engine.registry.set("a:1", fakeImage("a:1"));
  await source.get("a:1", "", NEVER);
  await clock.advance(9_000);
  await source.get("a:1", "", NEVER);
  expect(pulls(engine)).toBe(1);
  await clock.advance(2_000);
  await source.get("a:1", "", NEVER);
  expect(pulls(engine)).toBe(2);
});

test("a silent registry costs 2 s when the image is here, and nothing for the next 30 s", async () => {
  const { clock, engine, source } = kit();
  engine.addLocal(fakeImage("a:1"));
  engine.addLocal(fakeImage("b:1"));
  let asked = 0;
  engine.pull = () => {
    asked += 1;
    return new Promise<ImageInfo>(() => undefined);
  };
  const first = source.get("a:1", "", NEVER);
  await clock.advance(2_000, 100);
  expect((await first).tags).toEqual(["a:1"]);
  expect((await source.get("b:1", "", NEVER)).tags).toEqual(["b:1"]);
  expect(asked).toBe(1);
  await clock.advance(30_000);
  void source.get("b:1", "", NEVER);
  await settle();
  expect(asked).toBe(2);
});

test("a pull that moves is waited for, however long it takes", async () => {
  const { clock, engine, source } = kit();
  engine.addLocal(fakeImage("a:1"));
  const fresh = fakeImage("a:new");
  engine.pull = async (_reference, options) => {
    options?.onProgress?.({ layer: "x", status: "downloading", currentBytes: 1, totalBytes: 2 });
    await clock.sleep(60_000);
    return fresh;
  };
  const got = source.get("a:1", "", NEVER);
  await clock.advance(60_000, 1_000);
  expect(await got).toBe(fresh);
});

test.each([
  ["IMAGE_NOT_FOUND", "manifest unknown", "No such image: a:1 (manifest unknown)"],
  ["AUTH_FAILED", "access denied", "No such image: a:1 (access denied)"],
  ["REGISTRY_UNREACHABLE", "no route", "No such image: a:1 (no route)"],
  ["NO_SPACE", "disk full", "disk full"],
] as const)("%s without a local image is explained", async (code, text, want) => {
  const { engine, source } = kit();
  engine.pull = () => Promise.reject(new EngineError(code, text));
  await expect(source.get("a:1", "", NEVER)).rejects.toThrow(new EngineError(code, want));
});

test("one task that gives up does not end the pull of another", async () => {
  const { engine, source } = kit();
  let finish: (image: ImageInfo) => void = () => undefined;
  let pullSignal: AbortSignal | undefined;
  engine.pull = (_reference, options) => {
    pullSignal = options?.signal;
    return new Promise<ImageInfo>((resolve) => {
      finish = resolve;
    });
  };
  const controller = new AbortController();
  const first = source.get("a:1", "", controller.signal);
  const second = source.get("a:1", "", NEVER);
  await settle();
  controller.abort(new Error("not wanted"));
  await expect(first).rejects.toThrow("not wanted");
  expect(pullSignal?.aborted).toBe(false);
  const image = fakeImage("a:1");
  finish(image);
  expect(await second).toBe(image);
});

test.each([
  ["nothing", "", undefined],
  ["no base64 of JSON", "!!!", undefined],
  ["empty fields", Buffer.from('{"username":""}').toString("base64"), undefined],
  [
    "name and password, url-safe",
    Buffer.from('{"username":"u>?","password":"p","serveraddress":"r"}').toString("base64url"),
    { username: "u>?", password: "p" },
  ],
])("credentials: %s", (_name, text, want) => {
  expect(parseRegistryAuth(text)).toEqual(want);
});
