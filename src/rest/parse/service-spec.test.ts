import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ApiError } from "../../base/index.js";
import { presentServiceSpec } from "../present/service-spec.js";
import { parseServiceSpec } from "./service-spec.js";

const MINIMAL = { Name: "web", TaskTemplate: { ContainerSpec: { Image: "bb" } } };
const TEMPLATE = { ContainerSpec: { Image: "bb" }, ForceUpdate: 0, Runtime: "container" };

describe("fill-ins", () => {
  test.each([
    { name: "no mode is one replica", body: {}, mode: { Replicated: { Replicas: 1 } } },
    {
      name: "an empty Replicated is one replica (the CLI sends it)",
      body: { Mode: { Replicated: {} } },
      mode: { Replicated: { Replicas: 1 } },
    },
    {
      name: "no replicas at all stay none",
      body: { Mode: { Replicated: { Replicas: 0 } } },
      mode: { Replicated: { Replicas: 0 } },
    },
    {
      name: "a null mode beside another does not count",
      body: { Mode: { Replicated: null, Global: {} } },
      mode: { Global: {} },
    },
    {
      name: "a job runs one at a time",
      body: { Mode: { ReplicatedJob: {} } },
      mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
    },
    {
      name: "a job completes as often as it runs at a time",
      body: { Mode: { ReplicatedJob: { MaxConcurrent: 3 } } },
      mode: { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 3 } },
    },
  ])("$name", ({ body, mode }) => {
    expect(parseServiceSpec({ ...MINIMAL, ...body })).toEqual({
      Name: "web",
      Labels: {},
      TaskTemplate: TEMPLATE,
      Mode: mode,
    });
  });

  test("what a spec with every optional part becomes", () => {
    const spec = parseServiceSpec({
      ...MINIMAL,
      labels: { "any case": "of a field name" },
      Labels: null,
      UpdateConfig: { Parallelism: 2, MaxFailureRatio: 0.5 },
      EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 8080 }] },
      TaskTemplate: {
        ...MINIMAL.TaskTemplate,
        RestartPolicy: { Delay: 0 },
        ContainerSpec: {
          Image: "bb",
          TTY: false,
          Env: [],
          Init: false,
          StopGracePeriod: 0,
          Isolation: "default",
          Mounts: [{ Target: "/data" }],
          Privileges: { CredentialSpec: null, SELinuxContext: null, NoNewPrivileges: false },
        },
      },
      Unknown: { field: "ignored" },
    });
    expect(spec).toEqual({
      Name: "web",
      Labels: {},
      UpdateConfig: {
        Parallelism: 2,
        FailureAction: "pause",
        MaxFailureRatio: 0.5,
        Order: "stop-first",
      },
      EndpointSpec: {
        Mode: "vip",
        Ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "ingress" }],
      },
      TaskTemplate: {
        ...TEMPLATE,
        RestartPolicy: { Condition: "any", Delay: 0, MaxAttempts: 0 },
        ContainerSpec: {
          Image: "bb",
          Init: false,
          StopGracePeriod: 0,
          Mounts: [{ Type: "bind", Target: "/data" }],
          Privileges: {},
        },
      },
      Mode: { Replicated: { Replicas: 1 } },
    });
  });

  test("networks at the old place count when the template has none", () => {
    const old = { ...MINIMAL, Networks: [{ Target: "a" }] };
    expect(parseServiceSpec(old).TaskTemplate.Networks).toEqual([{ Target: "a" }]);
    const both = {
      ...old,
      TaskTemplate: { ...MINIMAL.TaskTemplate, Networks: [{ Target: "b" }] },
    };
    expect(parseServiceSpec(both).TaskTemplate.Networks).toEqual([{ Target: "b" }]);
  });
});

describe("refusals", () => {
  test.each([
    {
      name: "two modes",
      body: { Mode: { Replicated: {}, Global: {} } },
      code: "InvalidArgument",
      message: "must specify only one service mode",
    },
    {
      name: "a number where a text belongs",
      body: { Name: 5 },
      code: "InvalidArgument",
      message:
        "json: cannot unmarshal number 5 into Go struct field ServiceSpec.Name of type string",
    },
    {
      name: "a text where a number belongs, deep inside",
      body: { TaskTemplate: { ContainerSpec: { Image: "bb", Healthcheck: { Interval: "5s" } } } },
      code: "InvalidArgument",
      message:
        "json: cannot unmarshal string into Go struct field ServiceSpec.TaskTemplate.ContainerSpec.Healthcheck.Interval of type time.Duration",
    },
    {
      name: "a negative count",
      body: { Mode: { Replicated: { Replicas: -1 } } },
      code: "InvalidArgument",
      message:
        "json: cannot unmarshal number -1 into Go struct field ServiceSpec.Mode.Replicated.Replicas of type uint64",
    },
    {
      name: "a fraction of a nano CPU",
      body: { TaskTemplate: { Resources: { Limits: { NanoCPUs: 0.5 } } } },
      code: "InvalidArgument",
      message:
        "json: cannot unmarshal number 0.5 into Go struct field ServiceSpec.TaskTemplate.Resources.Limits.NanoCPUs of type int64",
    },
    {
      name: "an object where a list belongs",
      body: { TaskTemplate: { ContainerSpec: { Env: { A: "1" } } } },
      code: "InvalidArgument",
      message:
        "json: cannot unmarshal object into Go struct field ServiceSpec.TaskTemplate.ContainerSpec.Env of type []string",
    },
    {
      name: "an unknown restart condition",
      body: { TaskTemplate: { RestartPolicy: { Condition: "sometimes" } } },
      code: "InvalidArgument",
      message: 'invalid RestartCondition: "sometimes"',
    },
    {
      name: "an unknown update order",
      body: { UpdateConfig: { Order: "both" } },
      code: "InvalidArgument",
      message: "unrecognized update order both",
    },
    {
      name: "an unknown mount type",
      body: { TaskTemplate: { ContainerSpec: { Mounts: [{ Type: "cloud" }] } } },
      code: "InvalidArgument",
      message: 'invalid MountType: "cloud"',
    },
  ])("$name", ({ body, code, message }) => {
    const act = (): unknown => parseServiceSpec({ ...MINIMAL, ...body });
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({ code, origin: "door" }) as ApiError);
  });
});

test("what this version does not build is handed on, for the control plane to refuse by name", () => {
  const plugin = { Name: "p" };
  const body = { ...MINIMAL, TaskTemplate: { ...MINIMAL.TaskTemplate, PluginSpec: plugin } };
  expect(parseServiceSpec(body).TaskTemplate).toMatchObject({ PluginSpec: plugin });
  const empty = { ...MINIMAL, TaskTemplate: { ...MINIMAL.TaskTemplate, PluginSpec: { Name: "" } } };
  expect(parseServiceSpec(empty).TaskTemplate).not.toHaveProperty("PluginSpec");
});

const words = fc.string({ maxLength: 4 });
const optional = <T>(arb: fc.Arbitrary<T>) => fc.option(arb, { nil: undefined });
const bodies = fc.record(
  {
    Name: words,
    Labels: fc.option(fc.dictionary(words, words), { nil: null }),
    Mode: fc.constantFrom({}, { Global: {} }, { Replicated: { Replicas: 2 } }, { GlobalJob: {} }),
    UpdateConfig: optional(
      fc.record(
        {
          Parallelism: fc.nat(5),
          Delay: fc.nat(9),
          Monitor: fc.nat(9),
          Order: fc.constant("start-first"),
        },
        { requiredKeys: [] },
      ),
    ),
    EndpointSpec: optional(
      fc.record({
        Ports: fc.array(fc.record({ TargetPort: fc.nat(9), PublishedPort: fc.nat(9) })),
      }),
    ),
    TaskTemplate: fc.record(
      {
        ContainerSpec: fc.record(
          {
            Image: words,
            Env: fc.array(words),
            TTY: fc.boolean(),
            Init: fc.boolean(),
            Isolation: fc.constantFrom("", "default"),
            Privileges: fc.constant({ NoNewPrivileges: true }),
            StopGracePeriod: fc.nat(9),
          },
          { requiredKeys: [] },
        ),
        RestartPolicy: fc.record(
          { Condition: fc.constantFrom("", "none", "any"), MaxAttempts: fc.nat(3) },
          { requiredKeys: [] },
        ),
        Resources: fc.constantFrom({}, { Limits: {} }, { Limits: { NanoCPUs: 5 } }),
        ForceUpdate: fc.nat(3),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

test("a spec that was read and posted back is the same spec", () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const stored = parseServiceSpec(JSON.parse(JSON.stringify(body)));
      const shown: unknown = JSON.parse(JSON.stringify(presentServiceSpec(stored)));
      expect(parseServiceSpec(shown)).toEqual(stored);
    }),
  );
});
