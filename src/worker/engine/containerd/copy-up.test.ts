import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import { COPY_UP_LIMITS, copyUp, isToBeFilled } from "./copy-up.js";

const never = new AbortController().signal;
let dir = "";
let source = "";
let target = "";
beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/copy-up-`);
  [source, target] = [`${dir}/image`, `${dir}/volume/_data`];
  mkdirSync(`${source}/deep`, { recursive: true });
  mkdirSync(target, { recursive: true });
  writeFileSync(`${source}/file`, "of the image");
  writeFileSync(`${source}/deep/.hidden`, "h", { mode: 0o600 });
  chmodSync(source, 0o1777);
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

test("an empty volume gets the files, their modes, and the mode of the directory itself", async () => {
  const { ino } = statSync(target);
  expect(await isToBeFilled(target)).toBe(true);
  await copyUp(source, target, never);
  expect(readFileSync(`${target}/file`, "utf8")).toBe("of the image");
  expect(statSync(`${target}/deep/.hidden`).mode & 0o7777).toBe(0o600);
  expect(statSync(target).mode & 0o7777).toBe(0o1777);
  // The very directory that other containers may have mounted.
  expect(statSync(target).ino).toBe(ino);
  expect(readdirSync(`${dir}/volume`)).toEqual(["_data"]);
  expect(await isToBeFilled(target)).toBe(false);
});

test("a volume with anything in it is not touched", async () => {
  writeFileSync(`${target}/own`, "");
  expect(await isToBeFilled(target)).toBe(false);
});

test("a copy cut off is begun anew, one cut off while moving in is completed", async () => {
  mkdirSync(`${target}.copying`);
  writeFileSync(`${target}.copying/half`, "");
  await copyUp(source, target, never);
  expect(readdirSync(target).sort()).toEqual(["deep", "file"]);

  mkdirSync(`${target}.copied`, { mode: 0o750 });
  writeFileSync(`${target}.copied/later`, "l");
  writeFileSync(`${target}.copied/file`, "older than what is there");
  expect(await isToBeFilled(target)).toBe(false);
  expect(readdirSync(target).sort()).toEqual(["deep", "file", "later"]);
  expect(readFileSync(`${target}/file`, "utf8")).toBe("of the image");
  expect(readdirSync(`${dir}/volume`)).toEqual(["_data"]);
});

test.each([
  { name: "bytes", limits: { ...COPY_UP_LIMITS, bytesMax: 4 } },
  { name: "files", limits: { ...COPY_UP_LIMITS, entriesMax: 3 } },
])(
  "more $name than a volume starts with are refused, and nothing is copied",
  async ({ limits }) => {
    await expect(copyUp(source, target, never, limits)).rejects.toMatchObject({
      name: "SpecError",
      message: expect.stringContaining("set VolumeOptions.NoCopy"),
    });
    expect(readdirSync(`${dir}/volume`)).toEqual(["_data"]);
    expect(readdirSync(target)).toEqual([]);
  },
);

test("an abort rejects with its reason and leaves the volume to be filled", async () => {
  const reason = new Error("enough");
  await expect(copyUp(source, target, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(await isToBeFilled(target)).toBe(true);
});
