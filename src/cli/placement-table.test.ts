import { describe, expect, test } from "vitest";
import { isStuck, planLines, topLines, whyLines } from "./placement-table.js";

const refusal = (Text: string) => ({ Filter: "resource", Text, Fix: "" });

describe("why", () => {
  const stuck = {
    Name: "web",
    Summary: "0 running, 1 waiting for a node",
    Waiting: 1,
    Nodes: [
      { Hostname: "w1", Fits: false, Refusals: [refusal("memory: …"), refusal("CPUs: …")] },
      { Hostname: "w2", Fits: false, Refusals: [refusal("availability is drain")] },
    ],
    Fix: "lower it",
  };

  test("every refusal of every node, then the fix", () => {
    expect(whyLines(stuck)).toEqual([
      "web: 0 running, 1 waiting for a node",
      "NODE   VERDICT   REASON",
      "w1     refuses   memory: …",
      "       refuses   CPUs: …",
      "w2     refuses   availability is drain",
      "fix: lower it",
    ]);
    expect(isStuck(stuck)).toBe(true);
  });

  test.each([
    { name: "one node fits", why: { ...stuck, Nodes: [{ Fits: true, Refusals: [] }] }, is: false },
    { name: "nothing waits", why: { ...stuck, Waiting: 0 }, is: false },
    {
      name: "a node refuses a waiting service",
      why: { Name: "w1", Summary: "", Services: [{ Fits: false, Refusals: [] }] },
      is: true,
    },
  ])("stuck when $name: $is", ({ why, is }) => {
    expect(isStuck(why)).toBe(is);
  });
});

test("a plan: fields, tasks with where they go, and the index to apply it by", () => {
  const lines = planLines({
    Index: 42,
    HasChanges: true,
    Changes: [
      { Path: "TaskTemplate.ContainerSpec.Image", Old: "a", New: "b" },
      { Path: "TaskTemplate.ContainerSpec.Env[]", New: "X=1" },
    ],
    Tasks: [
      { Action: "keep", Slot: 1, Hostname: "w1" },
      { Action: "restart", Slot: 2, Hostname: "w1", ToHostname: "w2" },
      { Action: "start", Slot: 3, Reason: "no suitable node" },
    ],
  });
  expect(lines).toEqual([
    '- TaskTemplate.ContainerSpec.Image: "a"',
    '+ TaskTemplate.ContainerSpec.Image: "b"',
    '+ TaskTemplate.ContainerSpec.Env[]: "X=1"',
    "    ACTION    TASK   NODE",
    "=   keep      1      w1",
    "~   restart   2      w1 -> w2",
    "+   start     3      waits: no suitable node",
    "check index 42",
  ]);
});

test("node top shows what is used and promised of what is there", () => {
  const gpu = (Value: number) => [{ DiscreteResourceSpec: { Kind: "gpu", Value } }];
  const lines = topLines([
    {
      Spec: {},
      Description: { Hostname: "w1" },
      SwarmResources: {
        Capacity: { NanoCPUs: 4e9, MemoryBytes: 8e9, GenericResources: gpu(2) },
        Reserved: { NanoCPUs: 5e8, MemoryBytes: 1e9, GenericResources: gpu(1) },
        Used: { NanoCPUs: 123e7, MemoryBytes: 2.5e9 },
        Tasks: 3,
      },
    },
    {
      Spec: { Name: "w2" },
      SwarmResources: {
        Capacity: { NanoCPUs: 4e9, MemoryBytes: 8e9 },
        Reserved: { NanoCPUs: 0, MemoryBytes: 0 },
        Tasks: 0,
      },
    },
  ]);
  expect(lines).toEqual([
    "NODE   TASKS   CPUS USED   RESERVED   OF   MEMORY USED   RESERVED   OF       GENERIC",
    "w1     3       1.23        0.5        4    2.50GB        1.00GB     8.00GB   gpu 1/2",
    "w2     0       -           0          4    -             0B         8.00GB",
  ]);
});
