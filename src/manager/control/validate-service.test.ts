import { describe, expect, test } from "vitest";
import type { Capability } from "./field-types.js";
import { validateService } from "./validate-service.js";

const NONE: ReadonlySet<Capability> = new Set();
const INGRESS: ReadonlySet<Capability> = new Set(["ingress"]);

function validate(spec: unknown, capabilities = NONE) {
  return validateService(spec, "service create", capabilities);
}
function web(set: object = {}): object {
  return { Name: "web", TaskTemplate: { ContainerSpec: { Image: "bb:latest" } }, ...set };
}
function container(set: object): object {
  return web({ TaskTemplate: { ContainerSpec: { Image: "bb:latest", ...set } } });
}
function task(set: object): object {
  return web({ TaskTemplate: { ContainerSpec: { Image: "bb:latest" }, ...set } });
}
function ports(...list: object[]): object {
  return web({ EndpointSpec: { Ports: list.map((port) => ({ PublishMode: "host", ...port })) } });
}
function mounts(...list: object[]): object {
  return container({ Mounts: list });
}

describe("stored as the Engine shows it", () => {
  const minimal = {
    Name: "rmin",
    Labels: {},
    TaskTemplate: {
      ContainerSpec: { Image: "bb:latest", Command: ["/bin/sleep", "1000"], Isolation: "default" },
      ForceUpdate: 0,
      Runtime: "container",
    },
    Mode: { Replicated: { Replicas: 1 } },
  };
  const full = {
    Name: "rsvc",
    Labels: { x: "y" },
    TaskTemplate: {
      ContainerSpec: {
        Image: "bb:latest",
        Labels: { c: "d" },
        Command: ["/bin/sh", "-c", "echo out; echo err >&2; sleep 100000"],
        Env: ["A=2"],
        Isolation: "default",
      },
      Resources: {
        Limits: { NanoCPUs: 500000000, MemoryBytes: 67108864 },
        Reservations: { MemoryBytes: 16777216 },
      },
      Placement: { Constraints: ["node.role==worker"] },
      ForceUpdate: 0,
      Runtime: "container",
    },
    Mode: { Replicated: { Replicas: 3 } },
    UpdateConfig: {
      Parallelism: 2,
      FailureAction: "pause",
      Monitor: 1000000000,
      MaxFailureRatio: 0,
      Order: "start-first",
    },
    EndpointSpec: {
      Mode: "vip",
      Ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: 8088, PublishMode: "ingress" }],
    },
  };
  test.each([
    {
      name: "a minimal service",
      given: {
        Name: "rmin",
        TaskTemplate: {
          ContainerSpec: { Image: "bb:latest", Command: ["/bin/sleep", "1000"] },
        },
      },
      stored: minimal,
    },
    {
      name: "a service with resources, ports and update settings",
      given: {
        ...full,
        UpdateConfig: { Parallelism: 2, Order: "start-first", Monitor: 1000000000 },
        EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 8088, Protocol: "tcp" }] },
      },
      stored: full,
    },
    {
      name: "what the docker CLI sends for `service create`",
      given: {
        Name: "rmin",
        Labels: null,
        TaskTemplate: {
          ContainerSpec: {
            Image: "bb:latest",
            Command: ["/bin/sleep", "1000"],
            DNSConfig: {},
            Init: null,
          },
          Resources: { Limits: {}, Reservations: {} },
          Placement: {},
          ForceUpdate: 0,
        },
        Mode: { Replicated: {} },
        EndpointSpec: { Mode: "vip" },
      },
      stored: {
        ...minimal,
        TaskTemplate: {
          ...minimal.TaskTemplate,
          ContainerSpec: { ...minimal.TaskTemplate.ContainerSpec, DNSConfig: {} },
          Resources: { Limits: {}, Reservations: {} },
          Placement: {},
        },
        EndpointSpec: { Mode: "vip" },
      },
    },
    {
      name: "a present restart policy gets its condition and attempts, not its delay",
      given: task({ RestartPolicy: { Condition: "none" } }),
      stored: {
        ...minimal,
        Name: "web",
        TaskTemplate: {
          ...minimal.TaskTemplate,
          ContainerSpec: { Image: "bb:latest", Isolation: "default" },
          RestartPolicy: { Condition: "none", MaxAttempts: 0 },
        },
      },
    },
    {
      name: "networks in the old place move into the task template",
      given: web({ Networks: [{ Target: "host" }] }),
      stored: {
        ...minimal,
        Name: "web",
        TaskTemplate: {
          ...minimal.TaskTemplate,
          ContainerSpec: { Image: "bb:latest", Isolation: "default" },
          Networks: [{ Target: "host" }],
        },
      },
    },
  ])("$name", ({ given, stored }) => {
    const first = validate(given, INGRESS);
    expect(first).toEqual(stored);
    // Posting back what was read changes nothing: it is even the same object.
    expect(validate(JSON.parse(JSON.stringify(first)), INGRESS)).toBe(first);
  });

  test("zero values are left out, but for those that mean something", () => {
    const given = container({
      TTY: false,
      Env: [],
      Labels: {},
      Dir: "",
      Init: false,
      StopGracePeriod: 0,
      OomScoreAdj: 0,
      Healthcheck: { Test: [], Interval: 0, Retries: 0 },
    });
    expect(validate(given).TaskTemplate.ContainerSpec).toEqual({
      Image: "bb:latest",
      Isolation: "default",
      Init: false,
      StopGracePeriod: 0,
      Healthcheck: {},
    });
  });
});

describe("texts of the Engine", () => {
  test.each([
    {
      name: "a bad name",
      given: web({ Name: "bad name!" }),
      error: {
        http: 400,
        restMessage:
          "rpc error: code = InvalidArgument desc = name must be valid as a DNS name component",
      },
    },
    {
      name: "no image",
      given: { Name: "rnoimg", TaskTemplate: { ContainerSpec: {} } },
      error: {
        http: 400,
        restMessage:
          "rpc error: code = InvalidArgument desc = ContainerSpec: image reference must be provided",
      },
    },
    {
      name: "a bad constraint",
      given: task({ Placement: { Constraints: ["node.role~worker"] } }),
      error: {
        http: 500,
        restMessage:
          "rpc error: code = Unknown desc = constraint expected one operator from ==, !=",
      },
    },
    {
      name: "two modes",
      given: web({ Mode: { Replicated: {}, Global: {} } }),
      error: { http: 400, restMessage: "must specify only one service mode" },
    },
    {
      name: "an unknown network",
      given: task({ Networks: [{ Target: "nope" }] }),
      error: { http: 500, restMessage: "network nope not found" },
    },
  ])("$name", ({ given, error }) => {
    expect(() => validate(given)).toThrow(expect.objectContaining(error));
  });
});

describe("rules of spec §1.10", () => {
  const long = "a".repeat(64);
  test.each<{ name: string; given: unknown; message: string; code?: string }>([
    { name: "no spec", given: null, message: "spec must be an object" },
    { name: "no name", given: { ...web(), Name: "" }, message: "meta: name must be provided" },
    { name: "a name with a dot", given: web({ Name: "a.b" }), message: "valid as a DNS name" },
    { name: "a long name", given: web({ Name: long }), message: "63 characters or fewer" },
    {
      name: "no task template",
      given: { Name: "web" },
      message: "image reference must be provided",
    },
    {
      name: "an image in capitals",
      given: container({ Image: "Foo/Bar:1" }),
      message: 'ContainerSpec: "Foo/Bar:1" is not a valid repository/tag',
    },
    {
      name: "CPU below the minimum",
      given: task({ Resources: { Limits: { NanoCPUs: 999_999 } } }),
      message: "Limits.NanoCPUs: invalid cpu value 0.000999999: Must be at least 0.001",
    },
    {
      name: "a negative reservation",
      given: task({ Resources: { Reservations: { MemoryBytes: -1 } } }),
      message: "Reservations.MemoryBytes: invalid memory value -1: Must be at least 4MiB",
    },
    {
      name: "swap without a memory limit",
      given: task({ Resources: { SwapBytes: 1 } }),
      message: "SwapBytes needs a memory limit",
    },
    {
      name: "a swappiness of 101",
      given: task({ Resources: { MemorySwappiness: 101 } }),
      message: "MemorySwappiness must be from -1 to 100",
    },
    {
      name: "a negative restart delay",
      given: task({ RestartPolicy: { Delay: -1 } }),
      message: "restart-delay cannot be negative",
    },
    {
      name: "a negative restart window",
      given: task({ RestartPolicy: { Window: -1 } }),
      message: "restart-window cannot be negative",
    },
    {
      name: "a negative update delay",
      given: web({ UpdateConfig: { Delay: -1 } }),
      message: "UpdateConfig: update-delay cannot be negative",
    },
    {
      name: "a negative monitor time",
      given: web({ RollbackConfig: { Monitor: -1 } }),
      message: "RollbackConfig: update-monitor cannot be negative",
    },
    {
      name: "a failure ratio above 1",
      given: web({ UpdateConfig: { MaxFailureRatio: 1.1 } }),
      message: "update-maxfailureratio cannot be less than 0 or bigger than 1",
    },
    {
      name: "two mounts on one target",
      given: mounts({ Type: "volume", Target: "/a" }, { Type: "tmpfs", Target: "/a" }),
      message: "duplicate mount point: /a",
    },
    {
      name: "a mount without a type",
      given: mounts({ Target: "/a" }),
      message: 'invalid MountType: ""',
    },
    {
      name: "a mount of an unknown type",
      given: mounts({ Type: "tape", Target: "/a" }),
      message: 'invalid MountType: "tape"',
    },
    {
      name: "a relative target",
      given: mounts({ Type: "tmpfs", Target: "a" }),
      message: "mount a: Target must be an absolute path",
    },
    {
      name: "a relative bind source",
      given: mounts({ Type: "bind", Source: "s", Target: "/a" }),
      message: 'mount /a: Source of a bind must be an absolute path, not "s"',
    },
    {
      name: "a path as volume name",
      given: mounts({ Type: "volume", Source: "/s", Target: "/a" }),
      message: "Source of a volume must be a name",
    },
    {
      name: "a tmpfs with a source",
      given: mounts({ Type: "tmpfs", Source: "s", Target: "/a" }),
      message: "a tmpfs has no Source",
    },
    {
      name: "bind options on a volume",
      given: mounts({ Type: "volume", Target: "/a", BindOptions: { Propagation: "shared" } }),
      message: "BindOptions belong to a mount of type bind, not volume",
    },
    {
      name: "a health interval below a millisecond",
      given: container({ Healthcheck: { Interval: 999_999 } }),
      message: "Interval in HealthConfig cannot be less than 1ms",
    },
    {
      name: "negative health retries",
      given: container({ Healthcheck: { Retries: -1 } }),
      message: "Retries in HealthConfig cannot be negative",
    },
    {
      name: "an unknown kind of health test",
      given: container({ Healthcheck: { Test: ["curl", "x"] } }),
      message: "must begin with NONE, CMD or CMD-SHELL",
    },
    {
      name: "a negative grace period",
      given: container({ StopGracePeriod: -1 }),
      message: "StopGracePeriod cannot be negative",
    },
    {
      name: "a name server that is no address",
      given: container({ DNSConfig: { Nameservers: ["dns.local"] } }),
      message: '"dns.local" is not an IP address',
    },
    {
      name: "a template that nobody expands",
      given: container({ Env: ["OK=1", "A={{.Service.Owner}}"] }),
      message: "Env[1]: template {{.Service.Owner}} is not known",
    },
    {
      name: "a template that does not end",
      given: container({ Hostname: "h{{.Task.Slot" }),
      message: "Hostname: template",
    },
    {
      name: "a template in a mount source",
      given: mounts({ Type: "bind", Source: "/d/{{.Nope}}", Target: "/a" }),
      message: "Mounts[0].Source: template {{.Nope}}",
    },
    {
      name: "a constraint without a key",
      given: task({ Placement: { Constraints: ["==x"] } }),
      message: "key '' is invalid",
      code: "Unknown",
    },
    {
      name: "a spread over something else than labels",
      given: task({ Placement: { Preferences: [{ Spread: { SpreadDescriptor: "node.id" } }] } }),
      message: 'spread over "node.id" is not possible',
    },
    {
      name: "one published port twice",
      given: ports({ TargetPort: 80, PublishedPort: 80 }, { TargetPort: 81, PublishedPort: 80 }),
      message: "duplicate published ports provided: tcp/80",
    },
    {
      name: "a port without a target",
      given: ports({ PublishedPort: 80 }),
      message: "EndpointSpec.Ports[0].TargetPort must be from 1 to 65535, not 0",
    },
    {
      name: "a port beyond the last",
      given: ports({ TargetPort: 80, PublishedPort: 65_536 }),
      message: "PublishedPort must be from 0 to 65535",
    },
    {
      name: "an unknown protocol",
      given: ports({ TargetPort: 80, Protocol: "icmp" }),
      message: 'invalid protocol value "icmp"',
    },
    {
      name: "a drain time beyond an hour",
      given: web({ EndpointSpec: { DrainTime: 3601e9 } }),
      message: "EndpointSpec.DrainTime must be from 0 to 3600s, not 3601s",
    },
    {
      name: "a negative drain time",
      given: web({ EndpointSpec: { DrainTime: -1 } }),
      message: "EndpointSpec.DrainTime must be 0 or more",
    },
    {
      name: "an unknown option of an endpoint",
      given: web({ EndpointSpec: { Options: { global: "prefer" } } }),
      message: 'EndpointSpec.Options: there is no option "global"; use local',
    },
    {
      name: "an unknown value of an endpoint's option",
      given: web({ EndpointSpec: { Options: { local: "never" } } }),
      message: "EndpointSpec.Options: local=never; use local=prefer or local=spread",
    },
    {
      name: "an unknown endpoint mode",
      given: web({ EndpointSpec: { Mode: "magic" } }),
      message: 'invalid ResolutionMode: "magic"',
    },
    {
      name: "an unknown restart condition",
      given: task({ RestartPolicy: { Condition: "maybe" } }),
      message: 'invalid RestartCondition: "maybe"',
    },
    {
      name: "an unknown failure action",
      given: web({ UpdateConfig: { FailureAction: "panic" } }),
      message: "unrecognized update failure action panic",
    },
    {
      name: "an unknown order",
      given: web({ UpdateConfig: { Order: "random" } }),
      message: "unrecognized update order random",
    },
    {
      name: "options for the log driver none",
      given: task({ LogDriver: { Name: "none", Options: { "max-file": "1" } } }),
      message: "log driver none keeps nothing and takes no options",
    },
    {
      name: "a log size that is none",
      given: task({ LogDriver: { Options: { "max-size": "big" } } }),
      message: 'max-size must be a size like 10m, not "big"',
    },
    {
      name: "host and bridge together",
      given: task({ Networks: [{ Target: "host" }, { Target: "bridge" }] }),
      message: "host, bridge cannot be combined",
    },
    {
      name: "a text where a number belongs",
      given: web({ Mode: { Replicated: { Replicas: "3" } } }),
      message: "service create: Mode.Replicated.Replicas must be a whole number",
    },
    {
      name: "a negative number of replicas",
      given: web({ Mode: { Replicated: { Replicas: -1 } } }),
      message: "Mode.Replicated.Replicas must be 0 or more",
    },
    {
      name: "a number where a text belongs",
      given: container({ Env: ["A=1", 2] }),
      message: "TaskTemplate.ContainerSpec.Env[1] must be a text",
    },
    {
      name: "a list where an object belongs",
      given: web({ Labels: ["a"] }),
      message: "Labels must be an object of texts",
    },
    ...[
      { name: "no generic resources", Value: 0, Kind: "gpu" },
      { name: "generic resources of no kind", Value: 1, Kind: "" },
    ].map(({ name, ...DiscreteResourceSpec }) => ({
      name,
      given: web({
        TaskTemplate: {
          ContainerSpec: { Image: "bb" },
          Resources: { Reservations: { GenericResources: [{ DiscreteResourceSpec }] } },
        },
      }),
      message: "must name a kind and a number from 1",
    })),
    {
      name: "a spec too large to be stored",
      given: container({ Env: Array.from({ length: 300 }, () => "x".repeat(2000)) }),
      message: "at most 524288 can be stored",
    },
  ])("refuses $name", ({ given, message, code = "InvalidArgument" }) => {
    expect(() => validate(given)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test("ingress ports do not go with dnsrr", () => {
    const given = web({ EndpointSpec: { Mode: "dnsrr", Ports: [{ TargetPort: 80 }] } });
    expect(() => validate(given, INGRESS)).toThrow("can't be used with dnsrr mode");
  });

  test("a job has no update settings", () => {
    const given = web({ Mode: { GlobalJob: {} }, UpdateConfig: {} });
    expect(() => validate(given, new Set(["jobs"]))).toThrow("a job has none");
  });

  test.each([
    "bb",
    "library/bb:latest",
    "localhost:5000/a_b/c--d:T.1",
    "reg.example.com/x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "[fd00::1]:5000/x",
  ])("accepts the image %s", (Image) => {
    expect(validate(container({ Image })).TaskTemplate.ContainerSpec.Image).toBe(Image);
  });

  test.each(["a//b", "a:b:c", "a@sha256:12", "-a", "a b", `${"a".repeat(256)}`, "0".repeat(64)])(
    "refuses the image %s",
    (Image) => {
      expect(() => validate(container({ Image }))).toThrow("is not a valid repository/tag");
    },
  );

  test.each([
    '{{.Service.Labels.x}}-{{ index .Service.Labels "a.b" }}',
    '{{"{{"}} {{- .Node.ID -}}',
  ])("accepts the template %s", (text) => {
    expect(validate(container({ Env: [text] })).TaskTemplate.ContainerSpec.Env).toEqual([text]);
  });

  test("a label named __proto__ is data", () => {
    const labels: object = JSON.parse('{"__proto__":"x","constructor":"y"}');
    const stored = validate(web({ Labels: labels })).Labels;
    expect(JSON.stringify(stored)).toBe('{"__proto__":"x","constructor":"y"}');
  });
});
