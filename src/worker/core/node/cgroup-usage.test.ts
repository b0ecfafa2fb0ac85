import { describe, expect, test } from "vitest";
import { cgroupUsage, cpuRate } from "./cgroup-usage.js";

describe("what a group uses", () => {
  test.each([
    {
      name: "v1",
      texts: {
        version: 1,
        cpu: "1309099164\n",
        memory: "2162688\n",
        memoryStat: "cache 0\ninactive_file 7\ntotal_inactive_file 65536\ntotal_rss 0\n",
      },
      usage: { cpuTimeNano: 1_309_099_164, memBytes: 2_097_152 },
    },
    {
      name: "v2",
      texts: {
        version: 2,
        cpu: "usage_usec 1309099\nuser_usec 1000000\nsystem_usec 309099\n",
        memory: "2162688\n",
        memoryStat: "anon 0\nfile 70000\ninactive_file 65536\n",
      },
      usage: { cpuTimeNano: 1_309_099_000, memBytes: 2_097_152 },
    },
    {
      name: "pages that were given back between two reads make nothing negative",
      texts: { version: 2, cpu: "usage_usec 1", memory: "10", memoryStat: "inactive_file 11" },
      usage: { cpuTimeNano: 1000, memBytes: 0 },
    },
  ] as const)("$name", ({ texts, usage }) => {
    expect(cgroupUsage(texts)).toEqual(usage);
  });

  test.each([
    {
      name: "memory.current",
      texts: { cpu: "usage_usec 1", memory: "max", memoryStat: "inactive_file 1" },
    },
    {
      name: "usage_usec of cpu.stat",
      texts: { cpu: "user_usec 1", memory: "1", memoryStat: "inactive_file 1" },
    },
    {
      name: "inactive_file of memory.stat",
      texts: { cpu: "usage_usec 1", memory: "1", memoryStat: "" },
    },
  ])("a file without its number is named: $name", ({ name, texts }) => {
    expect(() => cgroupUsage({ version: 2, ...texts })).toThrow(`${name} is no count`);
  });
});

describe("CPU per second", () => {
  test.each([
    { name: "between two totals", before: [1e9, 0], now: [6e9, 10_000], rate: 5e8 },
    { name: "of a group that was made anew", before: [9e9, 0], now: [1e9, 10_000], rate: 1e8 },
    { name: "of no time", before: [1e9, 5], now: [2e9, 5], rate: 0 },
  ])("$name", ({ before: [from = 0, fromMs = 0], now: [to = 0, toMs = 0], rate }) => {
    expect(cpuRate({ cpuTimeNano: from, atMs: fromMs }, { cpuTimeNano: to, atMs: toMs })).toBe(
      rate,
    );
  });
});
