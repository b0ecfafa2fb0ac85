import { expect, test } from "vitest";
import type { EndpointSpec } from "../../api/index.js";
import { sampleService, sampleSpec } from "../../store/testing/samples.js";
import { serviceEntries } from "./node-view.js";

const PORT = {
  Protocol: "tcp",
  TargetPort: 80,
  PublishedPort: 8080,
  PublishMode: "ingress",
} as const;

test.each<{
  name: string;
  given: EndpointSpec;
  prefersLocal: boolean;
  drainMs: number | undefined;
}>([
  { name: "of what was not said", given: {}, prefersLocal: false, drainMs: undefined },
  {
    name: "that its node's own tasks come first",
    given: { Options: { local: "prefer" } },
    prefersLocal: true,
    drainMs: undefined,
  },
  {
    name: "that all tasks are the same",
    given: { Options: { local: "spread" } },
    prefersLocal: false,
    drainMs: undefined,
  },
  {
    name: "how long connections hold a stop",
    given: { DrainTime: 7e9 },
    prefersLocal: false,
    drainMs: 7_000,
  },
  {
    name: "that connections hold no stop",
    given: { DrainTime: 0 },
    prefersLocal: false,
    drainMs: 0,
  },
])("nodes are told on each network of a service: $name", ({ given, prefersLocal, drainMs }) => {
  const base = sampleSpec("web");
  const TaskTemplate = { ...base.TaskTemplate, Networks: [{ Target: "net1" }] };
  const service = sampleService(1, {
    spec: { ...base, TaskTemplate, EndpointSpec: { Mode: "vip", ...given } },
    ports: [PORT],
  });
  const entries = serviceEntries(service, "ingress");
  expect(entries.map(({ networkId }) => networkId)).toEqual(["net1", "ingress"]);
  for (const entry of entries)
    expect([entry.prefersLocal, entry.drainMs]).toEqual([prefersLocal, drainMs]);
});
