import { expect, test } from "vitest";
import type { JsonObject } from "./json.js";
import { parseMount } from "./mount.js";
import { parsePublish } from "./publish.js";
import { LIST_FLAGS, splitWords, VALUE_FLAGS } from "./service-spec.js";
import { UsageError } from "./units.js";

function value(flag: string, text: string, spec: JsonObject = {}): JsonObject {
  const found = VALUE_FLAGS.find((entry) => entry.flag.split(/[ ,]/).includes(flag));
  if (found === undefined) throw new Error(`no flag ${flag}`);
  found.edit(spec, text);
  return spec;
}

function list(
  flag: string,
  verb: "add" | "remove",
  text: string,
  spec: JsonObject = {},
): JsonObject {
  const found = LIST_FLAGS.find((entry) => entry.flag === flag);
  if (found === undefined) throw new Error(`no flag ${flag}`);
  found[verb](spec, text);
  return spec;
}

test.each([
  { flag: "--replicas", text: "3", spec: { Mode: { Replicated: { Replicas: 3 } } } },
  {
    flag: "--limit-memory",
    text: "64m",
    spec: { TaskTemplate: { Resources: { Limits: { MemoryBytes: 67_108_864 } } } },
  },
  {
    flag: "--reserve-cpu",
    text: "0.25",
    spec: { TaskTemplate: { Resources: { Reservations: { NanoCPUs: 250_000_000 } } } },
  },
  {
    flag: "--restart-delay",
    text: "2s",
    spec: { TaskTemplate: { RestartPolicy: { Delay: 2e9 } } },
  },
  { flag: "--update-delay", text: "1s", spec: { UpdateConfig: { Parallelism: 1, Delay: 1e9 } } },
  {
    flag: "--health-cmd",
    text: "true",
    spec: { TaskTemplate: { ContainerSpec: { Healthcheck: { Test: ["CMD-SHELL", "true"] } } } },
  },
])("$flag $text", ({ flag, text, spec }) => {
  expect(value(flag, text)).toEqual(spec);
});

const newJob = () => ({ Mode: { ReplicatedJob: {} } });

test.each([
  {
    name: "all tasks of a new job run at once",
    flags: [["--replicas", "4"]],
    job: { TotalCompletions: 4, MaxConcurrent: 4 },
  },
  {
    name: "unless it is said otherwise, before or after",
    flags: [
      ["--max-concurrent", "2"],
      ["--replicas", "4"],
    ],
    job: { TotalCompletions: 4, MaxConcurrent: 2 },
  },
  {
    name: "a schedule",
    flags: [
      ["--schedule", "0 3 * * *"],
      ["--tz", "Europe/Berlin"],
      ["--missed-window", "10m"],
      ["--concurrency", "replace"],
    ],
    job: {
      Schedule: {
        Expression: "0 3 * * *",
        TimeZone: "Europe/Berlin",
        MissedWindow: 600e9,
        Concurrency: "replace",
      },
    },
  },
  { name: "no schedule any more", flags: [["--schedule", ""]], job: { Schedule: {} } },
])("$name", ({ flags, job }) => {
  const spec: JsonObject = newJob();
  for (const [flag = "", text = ""] of flags) value(flag, text, spec);
  expect(spec).toEqual({ Mode: { ReplicatedJob: job } });
});

test("what is ours of an endpoint stands beside its mode", () => {
  const spec = value("--drain-time", "500ms", { EndpointSpec: { Mode: "vip" } });
  value("--endpoint-opt", "local=prefer", spec);
  const endpoint = { Mode: "vip", DrainTime: 5e8, Options: { local: "prefer" } };
  expect(spec).toEqual({ EndpointSpec: endpoint });
  value("--endpoint-opt", "local=spread", spec);
  expect(spec).toEqual({ EndpointSpec: { ...endpoint, Options: { local: "spread" } } });
});

test.each(["local", "local=never", "global=prefer", ""])("--endpoint-opt %s is refused", (text) => {
  expect(() => value("--endpoint-opt", text, {})).toThrow(UsageError);
});

test.each([
  { flag: "--replicas", text: "2", mode: { Global: {} } },
  { flag: "--replicas", text: "2", mode: { GlobalJob: {} } },
  { flag: "--max-concurrent", text: "2", mode: { Replicated: {} } },
  { flag: "--schedule", text: "@daily", mode: { GlobalJob: {} } },
  { flag: "--tz", text: "UTC", mode: { Global: {} } },
])("$flag does not go with $mode", ({ flag, text, mode }) => {
  expect(() => value(flag, text, { Mode: mode })).toThrow(UsageError);
});

test("an update config that is present keeps its parallelism", () => {
  expect(value("--update-order", "start-first", { UpdateConfig: { Parallelism: 4 } })).toEqual({
    UpdateConfig: { Parallelism: 4, Order: "start-first" },
  });
});

test.each([
  { flag: "env", before: ["A=1", "B=2"], verb: "add" as const, text: "A=9", after: ["B=2", "A=9"] },
  { flag: "env", before: ["A=1", "B=2"], verb: "remove" as const, text: "A", after: ["B=2"] },
])("$flag $verb $text", ({ flag, before, verb, text, after }) => {
  const spec = { TaskTemplate: { ContainerSpec: { Env: before } } };
  expect(list(flag, verb, text, spec)).toEqual({ TaskTemplate: { ContainerSpec: { Env: after } } });
});

test("a published port is removed by its target", () => {
  const spec = list("publish", "add", "mode=host,target=80,published=8080");
  list("publish", "add", "8443:443", spec);
  list("publish", "remove", "80", spec);
  expect(spec).toEqual({
    EndpointSpec: {
      Ports: [{ Protocol: "tcp", TargetPort: 443, PublishedPort: 8443, PublishMode: "ingress" }],
    },
  });
});

test("a range of ports publishes each of them", () => {
  expect(
    parsePublish("8080-8081:80-81/udp").map((port) => [
      port["PublishedPort"],
      port["TargetPort"],
      port["Protocol"],
    ]),
  ).toEqual([
    [8080, 80, "udp"],
    [8081, 81, "udp"],
  ]);
});

test.each([
  "target",
  "published=80",
  "mode=host,target=0",
  "1:2:3",
  "80-70",
  "8080-8081:80",
  "x=1,target=80",
])("--publish %s is refused", (text) => {
  expect(() => parsePublish(text)).toThrow(UsageError);
});

test("a mount is read in docker's words", () => {
  expect(parseMount("type=tmpfs,dst=/cache,tmpfs-size=1m,tmpfs-mode=1777")).toEqual({
    Type: "tmpfs",
    Target: "/cache",
    TmpfsOptions: { SizeBytes: 1_048_576, Mode: 0o1777 },
  });
  expect(() => parseMount("source=x")).toThrow("target is missing");
  expect(() => parseMount("target=/x,what=1")).toThrow('unknown field "what"');
});

test("words are split at blanks outside quotes", () => {
  expect(splitWords(`sh -c "echo a b" 'c d'`)).toEqual(["sh", "-c", "echo a b", "c d"]);
});
