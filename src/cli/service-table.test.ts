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

test("a port that each task chooses for itself is shown with the tasks, not here", () => {
  const Ports = [{ Protocol: "tcp" as const, TargetPort: 80, PublishMode: "host" as const }];
  const [, row] = serviceTable([{ ...web, Endpoint: { Ports } }]);
  expect(row).toMatch(/bb:1$/);
});

const named = (name: string, Mode: ApiService["Spec"]["Mode"], fields: Partial<ApiService>) => ({
  ...web,
  Spec: { Name: name, Mode, TaskTemplate: { ContainerSpec: { Image: "bb:1" } } },
  Endpoint: {},
  ...fields,
});

test("jobs say what has completed, and those with a schedule when they run next", () => {
  const replicated = { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 4 } };
  const services = [
    named("glob", { Global: {} }, { ServiceStatus: { RunningTasks: 3, DesiredTasks: 3 } }),
    named("job", replicated, {
      ServiceStatus: { RunningTasks: 1, DesiredTasks: 2, CompletedTasks: 3 },
      ScheduleStatus: { NextTick: "2026-11-22T02:00:00Z" },
    }),
    named(
      "each",
      { GlobalJob: {} },
      {
        ServiceStatus: { RunningTasks: 1, DesiredTasks: 1, CompletedTasks: 4 },
      },
    ),
  ];
  expect(serviceTable(services).map((line) => line.slice(15))).toEqual([
    "NAME   MODE             REPLICAS              IMAGE   PORTS   NEXT RUN",
    "glob   global           3/3                   bb:1",
    "job    replicated job   1/2 (3/4 completed)   bb:1            2026-11-22T02:00:00Z",
    "each   global job       1/1 (4/5 completed)   bb:1",
  ]);
});

test("a simulated engine is said in a line of its own", () => {
  expect(serviceTable([{ ...web, Engine: "simulated" }]).at(-1)).toContain("engine: simulated");
});
