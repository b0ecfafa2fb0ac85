/**
 * Every field of a service spec (spec §1.6), and whether this version enforces it or refuses it. Nothing is accepted and
 * ignored: a field enters here as `refused` and leaves that state when it works end to end. Values of one field can differ in
 * that too (`notYet`). Field names and zero values are the Engine API's.
 */
import {
  bool,
  choice,
  type Field,
  int,
  list,
  number,
  refused,
  refusedUnless,
  struct,
  text,
  textLists,
  textMap,
  texts,
  uint,
} from "./field-types.js";

const healthcheck = struct({
  Test: texts,
  Interval: int(),
  Timeout: int(),
  Retries: int(),
  StartPeriod: int(),
  StartInterval: int(),
});

const privileges = struct({
  CredentialSpec: refused,
  SELinuxContext: refused,
  Seccomp: struct({
    Mode: choice(
      ["default", "unconfined", "custom"],
      (value) => `invalid Privileges.Seccomp.Mode: "${value}"`,
    ),
    Profile: text(),
  }),
  AppArmor: struct({
    Mode: choice(
      ["default", "disabled"],
      (value) => `invalid Privileges.AppArmor.Mode: "${value}"`,
      {
        notYet: { custom: "refused" },
      },
    ),
  }),
  NoNewPrivileges: bool(),
});

const mounts = list({
  Type: choice(["bind", "volume", "tmpfs"], (value) => `invalid MountType: "${value}"`, {
    notYet: { npipe: "refused", cluster: "refused", image: "refused" },
  }),
  Source: text(),
  Target: text(),
  ReadOnly: bool(),
  // Says how caches between a host and its virtual machine behave; on Linux all of them mean the same, as with Docker.
  Consistency: choice(
    ["default", "consistent", "cached", "delegated"],
    (value) => `invalid mount consistency: "${value}"`,
  ),
  BindOptions: struct({
    Propagation: choice(
      ["private", "rprivate", "shared", "rshared", "slave", "rslave"],
      (value) => `invalid bind propagation: "${value}"`,
    ),
    NonRecursive: bool(),
    CreateMountpoint: bool(),
    ReadOnlyNonRecursive: bool(),
    ReadOnlyForceRecursive: bool(),
  }),
  VolumeOptions: struct({
    NoCopy: bool(),
    Labels: textMap(),
    Subpath: refused,
    DriverConfig: struct({
      Name: choice(["local"], String, { notYet: { "*": "refused" } }),
      Options: refused,
    }),
  }),
  TmpfsOptions: struct({ SizeBytes: int(), Mode: uint(), Options: textLists }),
  ClusterOptions: refused,
  ImageOptions: refused,
});

const containerSpec = struct({
  Image: text(),
  Labels: textMap(),
  Command: texts,
  Args: texts,
  Hostname: text(),
  Env: texts,
  Dir: text(),
  User: text(),
  Groups: texts,
  Privileges: privileges,
  Init: bool({ keepsZero: true }),
  StopSignal: text(),
  TTY: bool(),
  OpenStdin: bool(),
  ReadOnly: bool(),
  Mounts: mounts,
  StopGracePeriod: int({ keepsZero: true }),
  Healthcheck: healthcheck,
  Hosts: texts,
  DNSConfig: struct({ Nameservers: texts, Search: texts, Options: texts }),
  Secrets: refused,
  Configs: refused,
  Isolation: choice(["default"], (value) => `invalid Isolation: "${value}"`, {
    fill: "default",
    notYet: { process: "refused", hyperv: "refused" },
  }),
  Sysctls: textMap(),
  CapabilityAdd: texts,
  CapabilityDrop: texts,
  Ulimits: list({
    Name: text(),
    Hard: int({ keepsZero: true, fill: 0 }),
    Soft: int({ keepsZero: true, fill: 0 }),
  }),
  OomScoreAdj: int(),
});

/** Of the cluster, or those every node has by itself (host, none, bridge). Names are for the former. */
const networks = list({
  Target: text(),
  Aliases: { ...texts, support: "overlay" },
  DriverOpts: refused,
});

export const LOG_DRIVER_FIELDS = struct({
  Name: choice(["json-file", "local", "none"], String, { notYet: { "*": "refused" } }),
  // Which options, see validate-task: it depends on the driver.
  Options: textMap(),
});

/** Tasks ask for a number; names are what they get. */
const genericResources = list({
  DiscreteResourceSpec: struct({ Kind: text(), Value: int() }),
  NamedResourceSpec: refused,
});

const taskTemplate = struct({
  ContainerSpec: containerSpec,
  PluginSpec: refused,
  NetworkAttachmentSpec: refused,
  Resources: struct({
    Limits: struct({ NanoCPUs: int(), MemoryBytes: int(), Pids: int() }),
    Reservations: struct({
      NanoCPUs: int(),
      MemoryBytes: int(),
      GenericResources: genericResources,
    }),
    SwapBytes: int({ keepsZero: true }),
    MemorySwappiness: int({ keepsZero: true }),
  }),
  RestartPolicy: struct({
    Condition: choice(
      ["none", "on-failure", "any"],
      (value) => `invalid RestartCondition: "${value}"`,
      { fill: "any" },
    ),
    Delay: int({ keepsZero: true }),
    MaxAttempts: uint({ keepsZero: true, fill: 0 }),
    Window: int({ keepsZero: true }),
  }),
  Placement: struct({
    Constraints: texts,
    Preferences: list({ Spread: struct({ SpreadDescriptor: text() }) }),
    MaxReplicas: uint(),
    Platforms: list({ Architecture: text(), OS: text() }),
  }),
  Networks: networks,
  LogDriver: LOG_DRIVER_FIELDS,
  ForceUpdate: uint({ keepsZero: true, fill: 0 }),
  Runtime: choice(["container"], (value) => `unsupported runtime: "${value}"`, {
    fill: "container",
    notYet: { plugin: "refused", attachment: "refused" },
  }),
});

function rollout(): Field {
  return struct({
    Parallelism: uint({ keepsZero: true, fill: 0 }),
    Delay: int(),
    FailureAction: choice(
      ["pause", "continue"],
      (value) => `unrecognized update failure action ${value}`,
      { fill: "pause", notYet: { rollback: "rollbackOnFailure" } },
    ),
    Monitor: int(),
    MaxFailureRatio: number({ keepsZero: true, fill: 0 }),
    Order: choice(["stop-first", "start-first"], (value) => `unrecognized update order ${value}`, {
      fill: "stop-first",
    }),
    ProgressDeadline: int(),
  });
}

export const SERVICE_FIELDS = struct({
  Name: text(),
  Labels: textMap({ fill: {} }),
  TaskTemplate: taskTemplate,
  Mode: struct({
    Replicated: struct({ Replicas: uint({ keepsZero: true, fill: 1 }) }),
    Global: refusedUnless("globalMode", struct({})),
    ReplicatedJob: refusedUnless(
      "jobs",
      struct({
        MaxConcurrent: uint({ keepsZero: true }),
        TotalCompletions: uint({ keepsZero: true }),
        // Ours. Its defaults: validate-schedule.
        Schedule: struct({
          Expression: text(),
          TimeZone: text(),
          MissedWindow: int(),
          Concurrency: choice(
            ["forbid", "replace", "allow"],
            (value) =>
              `Mode.ReplicatedJob.Schedule.Concurrency: "${value}"; use forbid, replace or allow`,
          ),
        }),
      }),
    ),
    GlobalJob: refusedUnless("jobs", struct({ Schedule: refused })),
  }),
  UpdateConfig: rollout(),
  RollbackConfig: rollout(),
  EndpointSpec: struct({
    Mode: choice(["vip", "dnsrr"], (value) => `invalid ResolutionMode: "${value}"`, {
      fill: "vip",
    }),
    Ports: list({
      Name: text(),
      Protocol: choice(
        ["tcp", "udp", "sctp"],
        (value) => `invalid protocol value "${value}" of a published port`,
        { fill: "tcp" },
      ),
      TargetPort: uint({ keepsZero: true, fill: 0 }),
      PublishedPort: uint(),
      PublishMode: choice(["host"], (value) => `invalid PublishMode: "${value}"`, {
        fill: "ingress",
        notYet: { ingress: "ingress" },
      }),
    }),
    // Ours: endpoint-fields.
    DrainTime: uint({ keepsZero: true }),
    Options: textMap(),
  }),
  // Ours. Off is not stored: see withKeptRebalance.
  Rebalance: choice(
    ["off", "manual", "auto"],
    (value) => `Rebalance: "${value}"; use off, manual or auto`,
  ),
  // The old place; moved into the task template when that names none (docker-py).
  Networks: networks,
});
