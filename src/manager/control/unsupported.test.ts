/** Every field of spec §1.6 is enforced (it reaches the stored spec) or refused by name. Nothing is accepted and ignored. */
import { describe, expect, test } from "vitest";
import { type Capability, fieldPaths } from "./field-types.js";
import { SERVICE_FIELDS } from "./unsupported.js";
import { validateService } from "./validate-service.js";

type Json = { [key: string]: unknown };
const NONE: ReadonlySet<Capability> = new Set();

/** A value that means something, and what else the spec needs for it. */
type Sample = {
  readonly value: unknown;
  readonly is?: "refused";
  readonly beside?: Readonly<Record<string, unknown>>;
};
const C = "TaskTemplate.ContainerSpec";
const MOUNT = `${C}.Mounts[]`;
const bind = { [`${MOUNT}.Type`]: "bind", [`${MOUNT}.Source`]: "/s", [`${MOUNT}.Target`]: "/t" };
const volume = { [`${MOUNT}.Type`]: "volume", [`${MOUNT}.Target`]: "/t" };
const tmpfs = { [`${MOUNT}.Type`]: "tmpfs", [`${MOUNT}.Target`]: "/t" };
const PORT = "EndpointSpec.Ports[]";
const port = { [`${PORT}.TargetPort`]: 80, [`${PORT}.PublishMode`]: "host" };
const GENERIC = "TaskTemplate.Resources.Reservations.GenericResources[]";
const ulimit = { [`${C}.Ulimits[].Name`]: "nofile" };
const refused = (value: unknown, beside?: Sample["beside"]): Sample => ({
  value,
  is: "refused",
  ...(beside && { beside }),
});

const rollout = (name: string): Record<string, Sample> => ({
  [`${name}.Parallelism`]: { value: 3 },
  [`${name}.Delay`]: { value: 1e9 },
  [`${name}.FailureAction`]: { value: "continue" },
  [`${name}.Monitor`]: { value: 2e9 },
  [`${name}.MaxFailureRatio`]: { value: 0.5 },
  [`${name}.Order`]: { value: "start-first" },
  [`${name}.ProgressDeadline`]: { value: 60e9 },
});

const SAMPLES: Record<string, Sample> = {
  Name: { value: "other" },
  Labels: { value: { a: "b" } },
  [`${C}.Image`]: { value: "registry.local:5000/a/b:1" },
  [`${C}.Labels`]: { value: { a: "b" } },
  [`${C}.Command`]: { value: ["sh"] },
  [`${C}.Args`]: { value: ["-c"] },
  [`${C}.Hostname`]: { value: "h-{{.Task.Slot}}" },
  [`${C}.Env`]: { value: ["A={{.Service.Name}}"] },
  [`${C}.Dir`]: { value: "/w" },
  [`${C}.User`]: { value: "1:1" },
  [`${C}.Groups`]: { value: ["5"] },
  [`${C}.Privileges.CredentialSpec`]: refused({ File: "spec.json" }),
  [`${C}.Privileges.SELinuxContext`]: refused({ User: "u" }),
  [`${C}.Privileges.Seccomp.Mode`]: { value: "unconfined" },
  [`${C}.Privileges.Seccomp.Profile`]: { value: "e30=" },
  [`${C}.Privileges.AppArmor.Mode`]: { value: "disabled" },
  [`${C}.Privileges.NoNewPrivileges`]: { value: true },
  [`${C}.Init`]: { value: false },
  [`${C}.StopSignal`]: { value: "SIGINT" },
  [`${C}.TTY`]: { value: true },
  [`${C}.OpenStdin`]: { value: true },
  [`${C}.ReadOnly`]: { value: true },
  [`${MOUNT}.Type`]: { value: "bind", beside: bind },
  [`${MOUNT}.Source`]: { value: "/elsewhere", beside: bind },
  [`${MOUNT}.Target`]: { value: "/there", beside: bind },
  [`${MOUNT}.ReadOnly`]: { value: true, beside: bind },
  [`${MOUNT}.Consistency`]: { value: "cached", beside: bind },
  [`${MOUNT}.BindOptions.Propagation`]: { value: "rshared", beside: bind },
  [`${MOUNT}.BindOptions.NonRecursive`]: { value: true, beside: bind },
  [`${MOUNT}.BindOptions.CreateMountpoint`]: { value: true, beside: bind },
  [`${MOUNT}.BindOptions.ReadOnlyNonRecursive`]: { value: true, beside: bind },
  [`${MOUNT}.BindOptions.ReadOnlyForceRecursive`]: { value: true, beside: bind },
  [`${MOUNT}.VolumeOptions.NoCopy`]: { value: true, beside: volume },
  [`${MOUNT}.VolumeOptions.Labels`]: { value: { a: "b" }, beside: volume },
  [`${MOUNT}.VolumeOptions.Subpath`]: refused("a/b", volume),
  [`${MOUNT}.VolumeOptions.DriverConfig.Name`]: { value: "local", beside: volume },
  [`${MOUNT}.VolumeOptions.DriverConfig.Options`]: refused({ type: "nfs" }, volume),
  [`${MOUNT}.TmpfsOptions.SizeBytes`]: { value: 65536, beside: tmpfs },
  [`${MOUNT}.TmpfsOptions.Mode`]: { value: 0o700, beside: tmpfs },
  [`${MOUNT}.TmpfsOptions.Options`]: { value: [["noexec"], ["uid", "1"]], beside: tmpfs },
  [`${MOUNT}.ClusterOptions`]: refused({ x: 1 }, bind),
  [`${MOUNT}.ImageOptions`]: refused({ Subpath: "x" }, bind),
  [`${C}.StopGracePeriod`]: { value: 0 },
  [`${C}.Healthcheck.Test`]: { value: ["CMD-SHELL", "true"] },
  [`${C}.Healthcheck.Interval`]: { value: 1e9 },
  [`${C}.Healthcheck.Timeout`]: { value: 1e9 },
  [`${C}.Healthcheck.Retries`]: { value: 3 },
  [`${C}.Healthcheck.StartPeriod`]: { value: 1e9 },
  [`${C}.Healthcheck.StartInterval`]: { value: 1e9 },
  [`${C}.Hosts`]: { value: ["10.0.0.1 a"] },
  [`${C}.DNSConfig.Nameservers`]: { value: ["10.0.0.2", "fd00::1"] },
  [`${C}.DNSConfig.Search`]: { value: ["local"] },
  [`${C}.DNSConfig.Options`]: { value: ["ndots:1"] },
  [`${C}.Secrets`]: refused([{ SecretID: "x", SecretName: "y" }]),
  [`${C}.Configs`]: refused([{ ConfigID: "x", ConfigName: "y" }]),
  [`${C}.Isolation`]: { value: "default" },
  [`${C}.Sysctls`]: { value: { "net.core.somaxconn": "1024" } },
  [`${C}.CapabilityAdd`]: { value: ["CAP_NET_ADMIN"] },
  [`${C}.CapabilityDrop`]: { value: ["ALL"] },
  [`${C}.Ulimits[].Name`]: { value: "core" },
  [`${C}.Ulimits[].Hard`]: { value: 9, beside: ulimit },
  [`${C}.Ulimits[].Soft`]: { value: 0, beside: ulimit },
  [`${C}.OomScoreAdj`]: { value: -500 },
  "TaskTemplate.PluginSpec": refused({ Name: "p" }),
  "TaskTemplate.NetworkAttachmentSpec": refused({ ContainerID: "c" }),
  "TaskTemplate.Resources.Limits.NanoCPUs": { value: 5e8 },
  "TaskTemplate.Resources.Limits.MemoryBytes": { value: 64 * 2 ** 20 },
  "TaskTemplate.Resources.Limits.Pids": { value: 100 },
  "TaskTemplate.Resources.Reservations.NanoCPUs": { value: 5e8 },
  "TaskTemplate.Resources.Reservations.MemoryBytes": { value: 64 * 2 ** 20 },
  [`${GENERIC}.DiscreteResourceSpec.Kind`]: {
    value: "fpga",
    beside: { [`${GENERIC}.DiscreteResourceSpec.Value`]: 1 },
  },
  [`${GENERIC}.NamedResourceSpec`]: refused({ Kind: "gpu", Value: "a" }),
  [`${GENERIC}.DiscreteResourceSpec.Value`]: {
    value: 2,
    beside: { [`${GENERIC}.DiscreteResourceSpec.Kind`]: "gpu" },
  },
  "TaskTemplate.Resources.SwapBytes": {
    value: -1,
    beside: { "TaskTemplate.Resources.Limits.MemoryBytes": 64 * 2 ** 20 },
  },
  "TaskTemplate.Resources.MemorySwappiness": { value: 0 },
  "TaskTemplate.RestartPolicy.Condition": { value: "on-failure" },
  "TaskTemplate.RestartPolicy.Delay": { value: 0 },
  "TaskTemplate.RestartPolicy.MaxAttempts": { value: 3 },
  "TaskTemplate.RestartPolicy.Window": { value: 1e9 },
  "TaskTemplate.Placement.Constraints": { value: ["node.labels.a==b"] },
  "TaskTemplate.Placement.Preferences[].Spread.SpreadDescriptor": { value: "node.labels.rack" },
  "TaskTemplate.Placement.MaxReplicas": { value: 2 },
  "TaskTemplate.Placement.Platforms[].Architecture": { value: "amd64" },
  "TaskTemplate.Placement.Platforms[].OS": { value: "linux" },
  "TaskTemplate.Networks[].Target": { value: "host" },
  "TaskTemplate.Networks[].Aliases": refused(["a"], { "TaskTemplate.Networks[].Target": "host" }),
  "TaskTemplate.Networks[].DriverOpts": refused(
    { a: "b" },
    { "TaskTemplate.Networks[].Target": "host" },
  ),
  "TaskTemplate.LogDriver.Name": { value: "local" },
  "TaskTemplate.LogDriver.Options": { value: { "max-size": "10m", "max-file": "3" } },
  "TaskTemplate.ForceUpdate": { value: 4 },
  "TaskTemplate.Runtime": { value: "container" },
  "Mode.Replicated.Replicas": { value: 0 },
  "Mode.Global": refused({}),
  "Mode.ReplicatedJob": refused({}),
  "Mode.ReplicatedJob.MaxConcurrent": refused(1),
  "Mode.ReplicatedJob.TotalCompletions": refused(1),
  "Mode.ReplicatedJob.Schedule.Expression": refused("@daily"),
  "Mode.ReplicatedJob.Schedule.TimeZone": refused("UTC"),
  "Mode.ReplicatedJob.Schedule.MissedWindow": refused(60e9),
  "Mode.ReplicatedJob.Schedule.Concurrency": refused("allow"),
  "Mode.GlobalJob": refused({}),
  "Mode.GlobalJob.Schedule": refused({ Expression: "@daily" }),
  ...rollout("UpdateConfig"),
  ...rollout("RollbackConfig"),
  "EndpointSpec.Mode": { value: "dnsrr" },
  "EndpointSpec.DrainTime": { value: 0 },
  "EndpointSpec.Options": { value: { local: "prefer" } },
  [`${PORT}.Name`]: { value: "web", beside: port },
  [`${PORT}.Protocol`]: { value: "udp", beside: port },
  [`${PORT}.TargetPort`]: { value: 81, beside: port },
  [`${PORT}.PublishedPort`]: { value: 8080, beside: port },
  [`${PORT}.PublishMode`]: { value: "host", beside: port },
  Rebalance: { value: "auto" },
  "Networks[].Target": { value: "bridge" },
  "Networks[].Aliases": refused(["a"], { "Networks[].Target": "host" }),
  "Networks[].DriverOpts": refused({ a: "b" }, { "Networks[].Target": "host" }),
};

function base(): Json {
  return { Name: "web", TaskTemplate: { ContainerSpec: { Image: "bb" } } };
}

function steps(path: string): { readonly name: string; readonly isList: boolean }[] {
  return path
    .split(".")
    .map((part) => ({ name: part.replace("[]", ""), isList: part.endsWith("[]") }));
}

function put(spec: Json, path: string, value: unknown): void {
  let at = spec;
  const parts = steps(path);
  for (const { name, isList } of parts.slice(0, -1)) {
    at[name] ??= isList ? [{}] : {};
    const next = at[name];
    at = (Array.isArray(next) ? next[0] : next) as Json;
  }
  at[parts.at(-1)?.name ?? ""] = value;
}

function get(spec: unknown, path: string): unknown {
  let at: unknown = spec;
  for (const { name, isList } of steps(path)) {
    at = (at as Json | undefined)?.[name];
    if (isList) at = (at as unknown[] | undefined)?.[0];
  }
  return at;
}

function withSample(path: string, { value, beside }: Sample): Json {
  const spec = base();
  for (const [other, otherValue] of Object.entries(beside ?? {})) put(spec, other, otherValue);
  put(spec, path, value);
  return spec;
}

const rows = Object.entries(SAMPLES).map(([path, sample]) => ({ path, sample }));
/** Where a field is kept elsewhere than it came in. */
const MOVED: Record<string, string> = { "Networks[].Target": "TaskTemplate.Networks[].Target" };

describe("fields of spec §1.6", () => {
  test.each(rows.filter(({ sample }) => sample.is !== "refused"))(
    "$path is enforced: it reaches the stored spec",
    ({ path, sample }) => {
      const stored = validateService(withSample(path, sample), "service create", NONE);
      expect(get(stored, MOVED[path] ?? path)).toEqual(sample.value);
    },
  );

  test.each(rows.filter(({ sample }) => sample.is === "refused"))(
    "$path is refused by name",
    ({ path, sample }) => {
      // Of a mode, the mode itself is what is named.
      const named = path.replace("[]", "[0]").replace(/^(Mode\.\w+)\..*/, "$1");
      const validate = () => validateService(withSample(path, sample), "service create", NONE);
      expect(validate).toThrow(
        expect.objectContaining({
          code: "Unimplemented",
          http: 501,
          message: `service create: field ${named} is not supported yet`,
        }),
      );
    },
  );

  test("the table and this test know the same fields", () => {
    const leaves = fieldPaths(SERVICE_FIELDS)
      .filter(
        ({ field }) =>
          field.kind !== "list" && !(field.kind === "struct" && !field.countsWhenEmpty),
      )
      .map(({ path }) => path);
    expect(leaves.sort()).toEqual(Object.keys(SAMPLES).sort());
  });
});

describe("values that are not enforced yet", () => {
  test.each([
    { path: `${PORT}.PublishMode`, value: "ingress", beside: port, use: "host" },
    { path: "UpdateConfig.FailureAction", value: "rollback", use: "pause, continue" },
    { path: "RollbackConfig.FailureAction", value: "rollback", use: "pause, continue" },
    { path: `${C}.Isolation`, value: "hyperv", use: "default" },
    { path: `${C}.Privileges.AppArmor.Mode`, value: "custom", use: "default, disabled" },
    { path: `${MOUNT}.Type`, value: "npipe", beside: bind, use: "bind, volume, tmpfs" },
    { path: `${MOUNT}.Type`, value: "cluster", beside: bind, use: "bind, volume, tmpfs" },
    { path: `${MOUNT}.Type`, value: "image", beside: bind, use: "bind, volume, tmpfs" },
    {
      path: `${MOUNT}.VolumeOptions.DriverConfig.Name`,
      value: "nfs",
      beside: volume,
      use: "local",
    },
    { path: "TaskTemplate.LogDriver.Name", value: "syslog", use: "json-file, local, none" },
    { path: "TaskTemplate.Runtime", value: "plugin", use: "container" },
    { path: "TaskTemplate.Runtime", value: "attachment", use: "container" },
  ])("$path $value is refused by name", ({ path, value, use, ...rest }) => {
    const spec = withSample(path, { value, ...rest });
    const named = path.replace("[]", "[0]");
    expect(() => validateService(spec, "service update", NONE)).toThrow(
      expect.objectContaining({
        code: "Unimplemented",
        message: `service update: field ${named} is not supported yet with the value "${value}"; use ${use}`,
      }),
    );
  });

  test("a port without a mode means ingress, which is refused by its position", () => {
    const spec = {
      ...base(),
      EndpointSpec: { Ports: [{ TargetPort: 1, PublishMode: "host" }, { TargetPort: 80 }] },
    };
    expect(() => validateService(spec, "service create", NONE)).toThrow(
      'field EndpointSpec.Ports[1].PublishMode is not supported yet with the value "ingress"',
    );
  });

  test("a log option other than max-size and max-file is refused by name", () => {
    const spec = withSample("TaskTemplate.LogDriver.Options", { value: { tag: "x" } });
    expect(() => validateService(spec, "service create", NONE)).toThrow(
      'field TaskTemplate.LogDriver.Options["tag"] is not supported yet; use max-size and max-file',
    );
  });

  test.each<{ capability: Capability; path: string; value: unknown; stored: unknown }>([
    { capability: "globalMode", path: "Mode.Global", value: {}, stored: {} },
    { capability: "jobs", path: "Mode.GlobalJob", value: {}, stored: {} },
    {
      capability: "jobs",
      path: "Mode.ReplicatedJob",
      value: { MaxConcurrent: 3 },
      stored: { MaxConcurrent: 3, TotalCompletions: 3 },
    },
    {
      capability: "jobs",
      path: "Mode.ReplicatedJob.Schedule",
      value: {
        Expression: "0 3 * * *",
        TimeZone: "Europe/Berlin",
        MissedWindow: 600e9,
        Concurrency: "allow",
      },
      stored: {
        Expression: "0 3 * * *",
        TimeZone: "Europe/Berlin",
        MissedWindow: 600e9,
        Concurrency: "allow",
      },
    },
    {
      capability: "jobs",
      path: "Mode.ReplicatedJob.Schedule",
      value: { Expression: "@daily" },
      stored: { Expression: "@daily", TimeZone: "UTC", MissedWindow: 60e9, Concurrency: "forbid" },
    },
    { capability: "jobs", path: "Mode.ReplicatedJob.Schedule", value: {}, stored: undefined },
    {
      capability: "rollbackOnFailure",
      path: "UpdateConfig.FailureAction",
      value: "rollback",
      stored: "rollback",
    },
  ])(
    "with the capability $capability, $path is accepted",
    ({ capability, path, value, stored }) => {
      const spec = validateService(
        withSample(path, { value }),
        "service create",
        new Set([capability]),
      );
      expect(get(spec, path)).toEqual(stored);
    },
  );
});

describe("what says nothing", () => {
  test.each([
    { name: "null", path: `${C}.Secrets`, value: null },
    { name: "an empty list", path: `${C}.Configs`, value: [] },
    { name: "an empty object", path: "TaskTemplate.PluginSpec", value: {} },
    {
      name: "an object of zero values",
      path: `${C}.Privileges.SELinuxContext`,
      value: { Disable: false, User: "", Role: null },
    },
    { name: "an unknown field", path: `${C}.Sidecars`, value: ["x"] },
  ])("of a refused or unknown field is left out: $name", ({ path, value }) => {
    const spec = base();
    put(spec, path, value);
    const stored = validateService(spec, "service create", NONE);
    expect(get(stored, path)).toBeUndefined();
  });
});
