/** `_ping`, `/version`, `/info`, `/auth`, `/plugins`: answered from this node alone, never waiting for Raft (contracts §2). */
import { arch, cpus, release, totalmem } from "node:os";
import type { FastifyInstance } from "fastify";
import { doorError } from "../../base/index.js";
import { API_VERSION_MAX, API_VERSION_MIN } from "../api-version.js";
import type { RestContext } from "../context.js";
import { LocalInfoCache, runtimeKeys } from "../local-info.js";
import { sendJson } from "../reply.js";

const ENGINE_ARCH: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const KERNEL_ARCH: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

export function systemRoutes(app: FastifyInstance, context: RestContext): void {
  const { deps } = context;
  const localInfo = new LocalInfoCache(deps);

  app.get("/_ping", (_request, reply) =>
    reply
      .header("Cache-Control", "no-cache, no-store, must-revalidate")
      .header("Pragma", "no-cache")
      .header("Builder-Version", "1")
      .header("Swarm", swarmHeader(context))
      .header("Content-Type", "text/plain; charset=utf-8")
      .send("OK"),
  );

  app.get("/version", (_request, reply) => sendJson(reply, versionInfo(deps.version)));

  app.get("/info", async (_request, reply) => {
    const local = await localInfo.get();
    const door = doorInfo(context, local, await swarmInfo(context));
    return sendJson(reply, { ...hostInfo(context), ...local, ...door });
  });

  app.get("/plugins", (_request, reply) => sendJson(reply, []));

  app.post("/auth", () => {
    throw doorError(
      "Unimplemented",
      "POST /auth is not supported yet: credentials are checked when an image is pulled",
    );
  });
}

function swarmHeader(context: RestContext): string {
  const { state, isManager } = context.deps.localState();
  if (state !== "active") return state;
  return isManager && context.deps.cluster !== undefined ? "active/manager" : "active/worker";
}

function versionInfo(version: string): object {
  const details = {
    ApiVersion: API_VERSION_MAX,
    MinAPIVersion: API_VERSION_MIN,
    Os: "linux",
    Arch: ENGINE_ARCH[arch()] ?? arch(),
    KernelVersion: release(),
    GitCommit: "",
    BuildTime: "",
  };
  return {
    Platform: { Name: "swarmd" },
    Components: [
      {
        Name: "Engine",
        Version: version,
        Details: { ...details, Experimental: "false", NodeVersion: process.version },
      },
    ],
    Version: version,
    ...details,
    GoVersion: "",
  };
}

/** What can be said without the worker; its own facts replace these. */
function hostInfo(context: RestContext): object {
  const { config } = context.deps;
  return {
    ID: context.deps.localState().nodeId,
    Containers: 0,
    ContainersRunning: 0,
    ContainersPaused: 0,
    ContainersStopped: 0,
    Images: 0,
    Driver: config.engine,
    DriverStatus: [],
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "null", "overlay"],
      Authorization: null,
      Log: ["json-file"],
    },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    OomKillDisable: false,
    Debug: config.logLevel === "debug",
    NFd: 0,
    NGoroutines: 0,
    NEventsListener: 0,
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: "2",
    KernelVersion: release(),
    OperatingSystem: "Linux",
    OSVersion: "",
    OSType: "linux",
    Architecture: KERNEL_ARCH[arch()] ?? arch(),
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: {
      InsecureRegistryCIDRs: ["127.0.0.0/8"],
      IndexConfigs: {},
      Mirrors: [],
    },
    NCPU: cpus().length,
    MemTotal: totalmem(),
    GenericResources: config.genericResources.length === 0 ? null : config.genericResources,
    DockerRootDir: config.stateDir,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Labels: [],
    ExperimentalBuild: false,
    Runtimes: {},
    DefaultRuntime: "",
    ...runtimeKeys(wantedRuntime(context)),
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: { ID: "", Expected: "" },
    InitCommit: { ID: "", Expected: "" },
    SecurityOptions: [],
  };
}

/** What the settings say; which program `auto` came to only the worker knows. */
function wantedRuntime({ deps: { config } }: RestContext): string {
  if (config.engine === "simulated") return "simulated";
  return config.runtime === "auto" ? "" : config.runtime;
}

function doorInfo(
  context: RestContext,
  local: Readonly<Record<string, unknown>>,
  swarm: object,
): object {
  const { config, clock, version } = context.deps;
  const isSimulated = config.engine === "simulated";
  const warnings = Array.isArray(local["Warnings"]) ? (local["Warnings"] as unknown[]) : [];
  const said = isSimulated
    ? [...warnings, "WARNING: engine: simulated (no container really runs on this node)"]
    : warnings;
  return {
    SystemTime: new Date(clock.wallMs()).toISOString(),
    Name: config.hostname,
    ServerVersion: isSimulated ? `${version} (engine: simulated)` : version,
    ...(isSimulated ? { Engine: "simulated" } : {}),
    Swarm: swarm,
    Warnings: said.length === 0 ? null : said,
  };
}

async function swarmInfo(context: RestContext): Promise<object> {
  const { cluster } = context.deps;
  const local = context.deps.localState();
  const head = {
    NodeID: local.nodeId,
    NodeAddr: local.nodeAddr,
    LocalNodeState: local.state,
  };
  const object = cluster?.store.cluster();
  if (cluster === undefined || object === undefined || local.state !== "active") {
    return {
      ...head,
      ControlAvailable: false,
      Error: local.error,
      RemoteManagers: remoteManagers(local.managers),
    };
  }
  // Certificates are a manager's business: others do not load what reads them.
  const { presentClusterInfo } = await import("../present/cluster.js");
  const nodes = cluster.store.nodes();
  const managers = nodes.flatMap((node) =>
    node.manager === undefined ? [] : [{ nodeId: node.id, addr: node.manager.addr }],
  );
  return {
    ...head,
    ControlAvailable: true,
    Error: local.error,
    RemoteManagers: remoteManagers(managers.length === 0 ? local.managers : managers),
    Nodes: nodes.length,
    Managers: managers.length,
    Cluster: presentClusterInfo(object),
    ...(managers.length === 2
      ? {
          Warnings: [
            "WARNING: Running Swarm in a two-manager configuration. Losing either manager stops all changes to the cluster: promote a third node, or demote one of the two.",
          ],
        }
      : {}),
  };
}

function remoteManagers(
  managers: readonly { readonly nodeId: string; readonly addr: string }[],
): object[] | null {
  return managers.length === 0
    ? null
    : managers.map((manager) => ({ NodeID: manager.nodeId, Addr: manager.addr }));
}
