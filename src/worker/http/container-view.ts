/** A task's container as the Engine API shows it. All from the agent's records: the engine is not asked. */
import { type MountSpec, type PortStatus, TASK_STATE } from "../../api/index.js";
import { resolveArgs, resolveCwd, resolveEnv } from "../core/oci/image-config.js";
import { isTerminal, taskName } from "../core/task/types.js";
import { commandText } from "../core/view/command-text.js";
import { type RunView, statusText } from "../core/view/human-duration.js";
import type { Attachment, ConnectedNetwork } from "../net/index.js";
import {
  containerIdOf,
  containerLabels,
  expandedSpec,
  type NodeFacts,
  networkFilesIn,
  type RecordStore,
  type TaskRecord,
  type TaskRunner,
} from "../tasks/index.js";

export type ViewContext = {
  /** Records of the attachments of a task's container. */
  readonly attachmentsOf: (taskId: string) => readonly TaskRecord[];
  readonly node: NodeFacts;
  readonly nowMs: number;
  readonly store: RecordStore;
  readonly volumeRoot: string;
};

const SHORT_ID_LENGTH = 12;
const ZERO_TIME = "0001-01-01T00:00:00Z";

/** Whether there is a container to show. */
export function hasContainer(record: TaskRecord): boolean {
  return record.createdAtMs > 0 && record.hasRemains;
}

export function runView(runner: TaskRunner): RunView {
  const { status, startedAtMs, finishedAtMs } = runner.record;
  if (startedAtMs === 0) return { state: "created" };
  if (finishedAtMs === 0 && !isTerminal(status.state)) {
    return { state: "running", startedAtMs, health: runner.health?.status };
  }
  return {
    state: "exited",
    finishedAtMs: finishedAtMs || status.atMs,
    exitCode: status.exitCode,
  };
}

/** Words of the container's command line; empty if they cannot be known. */
function argvOf(record: TaskRecord): readonly string[] {
  try {
    return resolveArgs(record.assignment.spec.ContainerSpec, record.image?.config ?? {});
  } catch {
    return [];
  }
}

export function containerSummary(runner: TaskRunner, context: ViewContext): object {
  const { record } = runner;
  const { assignment } = record;
  const run = runView(runner);
  return {
    Id: containerIdOf(assignment.taskId),
    Names: [`/${taskName(assignment, context.node.nodeId)}`],
    Image: assignment.spec.ContainerSpec.Image,
    ImageID: record.image?.id ?? "",
    Command: commandText(argvOf(record)),
    Created: Math.floor(record.createdAtMs / 1_000),
    Ports: ports(record),
    Labels: containerLabels(assignment, context.node),
    State: run.state,
    Status: statusText(run, context.nowMs),
    HostConfig: { NetworkMode: record.attachment?.mode ?? "default" },
    NetworkSettings: { Networks: networks(record, context) },
    Mounts: mounts(record, context),
  };
}

export function containerDetail(runner: TaskRunner, context: ViewContext): object {
  const { record } = runner;
  const { assignment, image } = record;
  const [path, ...args] = argvOf(record);
  const taskPaths = context.store.paths(assignment.taskId);
  const files = networkFilesIn(taskPaths.filesDir);
  return {
    Id: containerIdOf(assignment.taskId),
    Created: timeText(record.createdAtMs),
    Path: path ?? "",
    Args: args,
    State: stateView(runner),
    Image: image?.id ?? "",
    ResolvConfPath: files.resolvConfPath,
    HostnamePath: files.hostnamePath,
    HostsPath: files.hostsPath,
    LogPath: `${taskPaths.logDir}/log`,
    Name: `/${taskName(assignment, context.node.nodeId)}`,
    RestartCount: 0,
    Driver: "overlayfs",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostConfig(record),
    GraphDriver: { Name: "overlayfs", Data: null },
    Mounts: mounts(record, context),
    Config: config(record, context),
    NetworkSettings: networkSettings(record, context),
  };
}

function stateView(runner: TaskRunner): object {
  const { record } = runner;
  const run = runView(runner);
  const { health } = runner;
  const isRunning = run.state === "running";
  return {
    Status: run.state,
    Running: isRunning,
    Paused: false,
    Restarting: false,
    OOMKilled: record.isOomKilled,
    Dead: false,
    Pid: isRunning ? record.status.pid : 0,
    ExitCode: run.state === "exited" ? run.exitCode : 0,
    Error: record.status.state === TASK_STATE.failed ? record.status.err : "",
    StartedAt: timeText(record.startedAtMs),
    FinishedAt: run.state === "exited" ? timeText(run.finishedAtMs) : ZERO_TIME,
    ...(health === undefined
      ? {}
      : {
          Health: {
            Status: health.status,
            FailingStreak: health.failingStreak,
            Log: health.log.map((result) => ({
              Start: timeText(result.startMs),
              End: timeText(result.endMs),
              ExitCode: result.exitCode,
              Output: result.output,
            })),
          },
        }),
  };
}

function config(record: TaskRecord, context: ViewContext): object {
  const { assignment } = record;
  const imageConfig = record.image?.config ?? {};
  let spec = assignment.spec.ContainerSpec;
  try {
    spec = expandedSpec(assignment, context.node);
  } catch {
    // Refused for its templates: shown as written.
  }
  const command = spec.Command ?? [];
  const hasArgs = (spec.Args?.length ?? 0) > 0;
  return {
    Hostname: record.hostname,
    Domainname: "",
    User: spec.User || imageConfig.User || "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(imageConfig.ExposedPorts === undefined ? {} : { ExposedPorts: imageConfig.ExposedPorts }),
    Tty: spec.TTY ?? false,
    OpenStdin: spec.OpenStdin ?? false,
    StdinOnce: false,
    Env: resolveEnv(spec, imageConfig, record.hostname),
    Cmd: hasArgs || command.length > 0 ? (spec.Args ?? null) : (imageConfig.Cmd ?? null),
    ...(spec.Healthcheck === undefined ? {} : { Healthcheck: spec.Healthcheck }),
    Image: spec.Image,
    Volumes: imageConfig.Volumes ?? null,
    WorkingDir: resolveCwd(spec, imageConfig),
    Entrypoint: command.length > 0 ? command : (imageConfig.Entrypoint ?? null),
    OnBuild: null,
    Labels: { ...imageConfig.Labels, ...containerLabels(assignment, context.node) },
    ...(spec.StopSignal === undefined ? {} : { StopSignal: spec.StopSignal }),
  };
}

function hostConfig(record: TaskRecord): object {
  const { spec } = record.assignment;
  const container = spec.ContainerSpec;
  const limits = spec.Resources?.Limits;
  return {
    Binds: null,
    LogConfig: {
      Type: spec.LogDriver?.Name || "json-file",
      Config: spec.LogDriver?.Options ?? {},
    },
    NetworkMode: record.attachment?.mode ?? "default",
    PortBindings: {},
    RestartPolicy: { Name: "", MaximumRetryCount: 0 },
    AutoRemove: false,
    CapAdd: container.CapabilityAdd ?? null,
    CapDrop: container.CapabilityDrop ?? null,
    Dns: container.DNSConfig?.Nameservers ?? null,
    DnsOptions: container.DNSConfig?.Options ?? null,
    DnsSearch: container.DNSConfig?.Search ?? null,
    ExtraHosts: container.Hosts ?? null,
    GroupAdd: container.Groups ?? null,
    Init: container.Init ?? null,
    OomScoreAdj: container.OomScoreAdj ?? 0,
    Privileged: false,
    ReadonlyRootfs: container.ReadOnly ?? false,
    Sysctls: container.Sysctls ?? {},
    Ulimits: container.Ulimits ?? null,
    Memory: limits?.MemoryBytes ?? 0,
    NanoCpus: limits?.NanoCPUs ?? 0,
    PidsLimit: limits?.Pids ?? null,
    MemoryReservation: spec.Resources?.Reservations?.MemoryBytes ?? 0,
    Mounts: container.Mounts ?? [],
    Isolation: "",
  };
}

function networkSettings(record: TaskRecord, context: ViewContext): object {
  const published = record.status.portStatus;
  return {
    Bridge: "",
    SandboxID: "",
    SandboxKey: record.attachment?.netnsPath ?? "",
    Ports: Object.fromEntries(
      published.map((port) => [
        `${port.targetPort}/${port.protocol}`,
        [{ HostIp: "0.0.0.0", HostPort: String(port.publishedPort) }],
      ]),
    ),
    IPAddress: record.attachment?.address.split("/")[0] ?? "",
    Gateway: record.attachment?.gateway ?? "",
    MacAddress: record.attachment?.mac ?? "",
    Networks: networks(record, context),
  };
}

/** A container's networks: the node's own, those of the cluster that it was started on, and those that it was connected to. */
function networks(record: TaskRecord, context: ViewContext): Readonly<Record<string, object>> {
  const { attachment, assignment } = record;
  if (attachment === undefined) return {};
  const clusterOnes = clusterNetworks(record, context).map(({ network, aliases, addresses }) => [
    network.name,
    clusterEndpoint(record, network, { aliases, addresses }, context),
  ]);
  // On internal networks alone it is not on the node's bridge.
  const isOnBridge = attachment.mode !== "default" || attachment.address !== "";
  return {
    ...(isOnBridge || assignment.networks.length === 0 ? ownNetwork(record, attachment) : {}),
    ...Object.fromEntries(clusterOnes),
  };
}

type ClusterNetwork = {
  readonly network: ConnectedNetwork;
  readonly aliases: readonly string[];
  /** Those that somebody chose. */
  readonly addresses: readonly string[];
};

function clusterNetworks(
  { attachment, assignment }: TaskRecord,
  context: ViewContext,
): readonly ClusterNetwork[] {
  const started = (attachment?.networks ?? []).map((network) => ({
    network,
    ...targetOf(assignment, network.networkId),
  }));
  const connected = context.attachmentsOf(assignment.taskId).flatMap((record) =>
    record.connected === undefined
      ? []
      : [
          {
            network: record.connected,
            ...targetOf(record.assignment, record.connected.networkId),
          },
        ],
  );
  return [...started, ...connected];
}

function targetOf(
  { spec }: TaskRecord["assignment"],
  networkId: string,
): Omit<ClusterNetwork, "network"> {
  const found = spec.Networks?.find(({ Target }) => Target === networkId);
  return { aliases: found?.Aliases ?? [], addresses: found?.Addresses ?? [] };
}

function clusterEndpoint(
  { assignment }: TaskRecord,
  network: ConnectedNetwork,
  { aliases, addresses }: Omit<ClusterNetwork, "network">,
  context: ViewContext,
): object {
  const containerId = containerIdOf(assignment.taskId);
  const v4 = addresses.find((one) => !one.includes(":"));
  const v6 = addresses.find((one) => one.includes(":"));
  return {
    IPAMConfig:
      addresses.length === 0
        ? null
        : { ...(v4 && { IPv4Address: v4 }), ...(v6 && { IPv6Address: v6 }) },
    Links: null,
    Aliases: aliases.length === 0 ? null : aliases,
    NetworkID: network.networkId,
    EndpointID: containerIdOf(`endpoint:${assignment.taskId}:${network.networkId}`),
    Gateway: network.gateway,
    IPAddress: network.address,
    IPPrefixLen: network.prefixLength,
    IPv6Gateway: network.gateway6,
    GlobalIPv6Address: network.address6,
    GlobalIPv6PrefixLen: network.prefixLength6,
    MacAddress: network.mac,
    DriverOpts: null,
    DNSNames: [
      ...new Set([
        taskName(assignment, context.node.nodeId),
        containerId.slice(0, SHORT_ID_LENGTH),
        ...aliases,
      ]),
    ],
  };
}

/** Names and ids by which a filter may ask for them. */
export function networkNames({ record }: TaskRunner, context: ViewContext): readonly string[] {
  const ids = clusterNetworks(record, context).map(({ network }) => network.networkId);
  return [...Object.keys(networks(record, context)), ...ids];
}

function ownNetwork(record: TaskRecord, attachment: Attachment): Readonly<Record<string, object>> {
  const name = attachment.mode === "default" ? "bridge" : attachment.mode;
  const [ip = "", length = "0"] = attachment.address.split("/");
  return {
    [name]: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      NetworkID: name,
      EndpointID: containerIdOf(`endpoint:${record.assignment.taskId}`),
      Gateway: attachment.gateway,
      IPAddress: ip,
      IPPrefixLen: Number(length),
      IPv6Gateway: "",
      GlobalIPv6Address: "",
      GlobalIPv6PrefixLen: 0,
      MacAddress: attachment.mac,
      DriverOpts: null,
    },
  };
}

function ports(record: TaskRecord): readonly object[] {
  const published = record.status.portStatus.map((port: PortStatus) => ({
    IP: "0.0.0.0",
    PrivatePort: port.targetPort,
    PublicPort: port.publishedPort,
    Type: port.protocol,
  }));
  const isPublished = new Set(published.map((port) => `${port.PrivatePort}/${port.Type}`));
  const exposed = Object.keys(record.image?.config.ExposedPorts ?? {})
    .filter((text) => !isPublished.has(text))
    .map((text) => {
      const [port = "0", protocol = "tcp"] = text.split("/");
      return { PrivatePort: Number(port), Type: protocol };
    });
  return [...published, ...exposed];
}

function mounts(record: TaskRecord, context: ViewContext): readonly object[] {
  const asked = record.assignment.spec.ContainerSpec.Mounts ?? [];
  const named = new Map(record.volumes.map((volume) => [volume.target, volume.name]));
  const targets = new Set(asked.map(({ Target }) => Target));
  const ofImage = record.volumes
    .filter(({ target }) => !targets.has(target))
    .map(({ target }): MountSpec => ({ Type: "volume", Target: target }));
  return [...asked, ...ofImage].map((mount) => {
    const name = named.get(mount.Target);
    return {
      Type: mount.Type,
      ...(name === undefined ? {} : { Name: name }),
      Source: name === undefined ? (mount.Source ?? "") : `${context.volumeRoot}/${name}/_data`,
      Destination: mount.Target,
      ...(name === undefined ? {} : { Driver: "local" }),
      Mode: "",
      RW: mount.ReadOnly !== true,
      Propagation: mount.BindOptions?.Propagation ?? (mount.Type === "bind" ? "rprivate" : ""),
    };
  });
}

export function timeText(unixMs: number): string {
  return unixMs === 0 ? ZERO_TIME : new Date(unixMs).toISOString();
}
