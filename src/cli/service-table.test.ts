import { expect, test } from "vitest";
import type { ApiService } from "./api-types.js";
import { serviceTable } from "./service-table.js";

const web: ApiService = {
  ID: "abcdefghijklmnop",
  Version: { Index: 1 },
  Spec: {
    Name: "web",
    Mode: { Replicated: { Replicas: 3 } },
    TaskTemplate: { ContainerSpec: { Image: `bb:1@sha256:${"0".repeat(64)}` } },
  },
  Endpoint: { Ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: 8080 }] },
  ServiceStatus: { RunningTasks: 2, DesiredTasks: 3 },
};

test("a row per service", () => {
  expect(serviceTable([web])).toEqual([
    "ID             NAME   MODE         REPLICAS   IMAGE   PORTS",
    "abcdefghijkl   web    replicated   2/3        bb:1    *:8080->80/tcp",
  ]);
});

test("a simulated engine is said in a line of its own", () => {
  expect(serviceTable([{ ...web, Engine: "simulated" }]).at(-1)).toContain("engine: simulated");
});
