import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MountSpec } from "../../api/index.js";
import { SeededRandom } from "../../base/index.js";
import { LocalVolumes, MountError, type VolumeUse } from "./local-volumes.js";

let dir = "";
let volumes: LocalVolumes;
beforeEach(async () => {
  dir = await mkdtemp(`${tmpdir()}/volumes-`);
  volumes = new LocalVolumes({
    root: `${dir}/v`,
    random: new SeededRandom(3),
    wallMs: () => 1_000,
  });
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const plan = (
  mounts: readonly MountSpec[],
  known: readonly VolumeUse[] = [],
  imageVolumes: readonly string[] = [],
) => volumes.plan({ Image: "x", Mounts: mounts }, imageVolumes, known);

test("a named volume becomes a bind mount of its directory and is no longer in the spec", async () => {
  const made = await plan([
    { Type: "volume", Source: "data", Target: "/d", ReadOnly: true },
    { Type: "tmpfs", Target: "/t" },
  ]);
  expect(made.extraMounts).toEqual([
    { source: `${dir}/v/data/_data`, target: "/d", isReadOnly: true, isCopyUp: true },
  ]);
  expect(made.spec.Mounts).toEqual([{ Type: "tmpfs", Target: "/t" }]);
  expect(made.anonymousNames).toEqual([]);
  expect((await stat(`${dir}/v/data/_data`)).isDirectory()).toBe(true);
});

test("a volume keeps its data and labels when it is used again", async () => {
  await volumes.create("data", { a: "1" }, false);
  await writeFile(`${dir}/v/data/_data/file`, "kept");
  await plan([
    { Type: "volume", Source: "data", Target: "/d", VolumeOptions: { Labels: { a: "2" } } },
  ]);
  expect((await volumes.list()).map((volume) => volume.labels)).toEqual([{ a: "1" }]);
  expect((await stat(`${dir}/v/data/_data/file`)).size).toBe(4);
});

test("anonymous volumes are the same again for the same container", async () => {
  const mounts: readonly MountSpec[] = [
    { Type: "volume", Target: "/a" },
    { Type: "volume", Target: "/b" },
  ];
  const first = await plan(mounts);
  expect(first.anonymousNames).toHaveLength(2);
  expect(first.anonymousNames[0]).toMatch(/^[0-9a-f]{64}$/);
  const again = await plan([...mounts].reverse(), first.volumes);
  expect(again.extraMounts).toEqual([...first.extraMounts].reverse());
  for (const name of first.anonymousNames) await volumes.remove(name);
  expect(await volumes.list()).toEqual([]);
});

test("an image's VOLUME becomes an anonymous volume, unless the service mounts something there", async () => {
  const mounts: readonly MountSpec[] = [
    { Type: "tmpfs", Target: "/var/cache/" },
    { Type: "volume", Source: "data", Target: "/data", VolumeOptions: { NoCopy: true } },
  ];
  const made = await plan(mounts, [], ["/var/cache", "/data", "/b/../logs", "/logs/"]);
  expect(made.spec.Mounts).toEqual([mounts[0]]);
  expect(made.extraMounts.map(({ target, isCopyUp }) => ({ target, isCopyUp }))).toEqual([
    { target: "/data", isCopyUp: false },
    { target: "/logs", isCopyUp: true },
  ]);
  expect(made.anonymousNames).toHaveLength(1);
  await expect(plan([], [], ["/"])).rejects.toThrow('VOLUME "/" cannot be mounted');
});

test("a volume that an image no longer asks for still goes with its container", async () => {
  const first = await plan([], [], ["/a", "/b"]);
  const again = await plan([], first.volumes, ["/b"]);
  expect(again.volumes).toEqual([first.volumes[1]]);
  expect(again.anonymousNames).toEqual(first.anonymousNames);
});

test("a missing bind source is made only when asked", async () => {
  const source = `${dir}/made/here`;
  const bind: MountSpec = { Type: "bind", Source: source, Target: "/d" };
  await expect(plan([bind])).rejects.toThrow(`bind source path does not exist: ${source}`);
  await plan([{ ...bind, BindOptions: { CreateMountpoint: true } }]);
  expect((await stat(source)).isDirectory()).toBe(true);
});

test.each<{ name: string; mount: MountSpec; want: string }>([
  {
    name: "another driver",
    mount: {
      Type: "volume",
      Source: "d",
      Target: "/d",
      VolumeOptions: { DriverConfig: { Name: "nfs" } },
    },
    want: 'volume driver "nfs" is not supported',
  },
  {
    name: "driver options",
    mount: {
      Type: "volume",
      Source: "d",
      Target: "/d",
      VolumeOptions: { DriverConfig: { Options: { type: "nfs" } } },
    },
    want: "DriverConfig.Options is not supported",
  },
  {
    name: "a part of a volume",
    mount: { Type: "volume", Source: "d", Target: "/d", VolumeOptions: { Subpath: "x" } },
    want: "Subpath is not supported",
  },
  {
    name: "a name that climbs out",
    mount: { Type: "volume", Source: "../x", Target: "/d" },
    want: 'volume name "../x" is not valid',
  },
  {
    name: "a relative bind source",
    mount: { Type: "bind", Source: "x", Target: "/d" },
    want: "mount path must be absolute",
  },
])("refuses $name", async ({ mount, want }) => {
  await expect(plan([mount])).rejects.toThrow(MountError);
  await expect(plan([mount])).rejects.toThrow(want);
});
