import { describe, expect, test } from "vitest";
import { DEFAULT_CAPABILITIES, resolveCapabilities } from "./capabilities.js";

const LAST = 40;

describe("resolveCapabilities", () => {
  test("asks for nothing: the 14 defaults", () => {
    expect(resolveCapabilities([], [], LAST)).toEqual(DEFAULT_CAPABILITIES);
    expect(DEFAULT_CAPABILITIES).toHaveLength(14);
  });

  test.each([
    {
      name: "add comes on top, prefix and case do not matter",
      add: ["net_admin"],
      drop: [],
      has: ["CAP_NET_ADMIN", "CAP_CHOWN"],
      hasNot: [],
      size: 15,
    },
    {
      name: "drop takes away",
      add: [],
      drop: ["CAP_CHOWN", "KILL"],
      has: ["CAP_MKNOD"],
      hasNot: ["CAP_CHOWN", "CAP_KILL"],
      size: 12,
    },
    {
      name: "drop ALL leaves only what is added",
      add: ["CAP_CHOWN"],
      drop: ["ALL"],
      has: ["CAP_CHOWN"],
      hasNot: ["CAP_KILL"],
      size: 1,
    },
    {
      name: "add ALL leaves only out what is dropped",
      add: ["ALL"],
      drop: ["CAP_SYS_ADMIN"],
      has: ["CAP_SYS_TIME", "CAP_CHECKPOINT_RESTORE"],
      hasNot: ["CAP_SYS_ADMIN"],
      size: 40,
    },
    {
      name: "what is dropped and added is there",
      add: ["CAP_CHOWN"],
      drop: ["CAP_CHOWN"],
      has: ["CAP_CHOWN"],
      hasNot: [],
      size: 14,
    },
  ])("$name", ({ add, drop, has, hasNot, size }) => {
    const result = resolveCapabilities(add, drop, LAST);
    expect(result).toEqual(expect.arrayContaining(has));
    for (const name of hasNot) expect(result).not.toContain(name);
    expect(result).toHaveLength(size);
  });

  test("ALL stops at what the kernel knows: runc refuses the rest", () => {
    expect(resolveCapabilities(["ALL"], [], 37)).toHaveLength(38);
  });

  test.each([
    { name: "unknown", add: ["CAP_FLY"], last: LAST, text: 'CapabilityAdd: "CAP_FLY": unknown' },
    { name: "too new for the kernel", add: ["BPF"], last: 37, text: "kernel does not have it" },
  ])("refuses a capability that is $name", ({ add, last, text }) => {
    expect(() => resolveCapabilities(add, [], last)).toThrow(text);
  });
});
