import { describe, expect, test } from "vitest";
import type { ContainerSpec } from "../../../api/index.js";
import type { ImageConfig } from "../../engine/index.js";
import { resolveArgs, resolveCwd, resolveEnv, resolveHealthcheck } from "./image-config.js";

const spec = (more: Partial<ContainerSpec>): ContainerSpec => ({ Image: "i", ...more });
const IMAGE: ImageConfig = { Entrypoint: ["/entry"], Cmd: ["a", "b"] };

describe("resolveArgs", () => {
  test.each([
    { name: "nothing asked", own: {}, image: IMAGE, want: ["/entry", "a", "b"] },
    { name: "args replace the image's", own: { Args: ["x"] }, image: IMAGE, want: ["/entry", "x"] },
    { name: "a command replaces both", own: { Command: ["c"] }, image: IMAGE, want: ["c"] },
    {
      name: "command and args",
      own: { Command: ["c"], Args: ["x"] },
      image: IMAGE,
      want: ["c", "x"],
    },
    { name: "no entrypoint", own: {}, image: { Cmd: ["sh"] }, want: ["sh"] },
  ])("$name", ({ own, image, want }) => {
    expect(resolveArgs(spec(own), image)).toEqual(want);
  });

  test("nothing to run is refused, naming the field", () => {
    expect(() => resolveArgs(spec({}), {})).toThrow("ContainerSpec.Command");
  });
});

describe("resolveEnv", () => {
  const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  test.each([
    { name: "a PATH always", own: {}, image: {}, want: [PATH, "HOSTNAME=h"] },
    {
      name: "the image's PATH wins",
      own: {},
      image: { Env: ["PATH=/x"] },
      want: ["PATH=/x", "HOSTNAME=h"],
    },
    {
      name: "the service wins over the image",
      own: { Env: ["A=2", "B=x=y"] },
      image: { Env: ["A=1"] },
      want: [PATH, "HOSTNAME=h", "A=2", "B=x=y"],
    },
    {
      name: "an entry without = removes",
      own: { Env: ["A"] },
      image: { Env: ["A=1", "C=3"] },
      want: [PATH, "HOSTNAME=h", "C=3"],
    },
    {
      name: "a terminal has a type",
      own: { TTY: true },
      image: {},
      want: [PATH, "HOSTNAME=h", "TERM=xterm"],
    },
  ])("$name", ({ own, image, want }) => {
    expect(resolveEnv(spec(own), image, "h")).toEqual(want);
  });
});

describe("resolveCwd", () => {
  test.each([
    { own: {}, image: {}, want: "/" },
    { own: {}, image: { WorkingDir: "/w" }, want: "/w" },
    { own: { Dir: "/d" }, image: { WorkingDir: "/w" }, want: "/d" },
  ])("$own over $image is $want", ({ own, image, want }) => {
    expect(resolveCwd(spec(own), image)).toBe(want);
  });

  test("a relative one is refused", () => {
    expect(() => resolveCwd(spec({ Dir: "x" }), {})).toThrow("ContainerSpec.Dir");
  });
});

describe("resolveHealthcheck", () => {
  const image: ImageConfig = { Healthcheck: { Test: ["CMD", "ok"], Interval: 5, Retries: 4 } };
  test.each([
    { name: "none anywhere", own: {}, image: {}, want: undefined },
    { name: "the image's", own: {}, image, want: { Test: ["CMD", "ok"], Interval: 5, Retries: 4 } },
    { name: "NONE turns it off", own: { Healthcheck: { Test: ["NONE"] } }, image, want: undefined },
    {
      name: "fields left out or 0 come from the image",
      own: { Healthcheck: { Interval: 9, Retries: 0 } },
      image,
      want: { Test: ["CMD", "ok"], Interval: 9, Retries: 4 },
    },
    {
      name: "an own test",
      own: { Healthcheck: { Test: ["CMD-SHELL", "x"], StartPeriod: 7 } },
      image,
      want: { Test: ["CMD-SHELL", "x"], Interval: 5, Retries: 4, StartPeriod: 7 },
    },
  ])("$name", ({ own, image: config, want }) => {
    expect(resolveHealthcheck(spec(own), config)).toEqual(want);
  });
});
