/**
 * A service spec as it is stored: checked against every rule of spec §1.10, with the fill-ins of §1.6, without what says nothing.
 * Normalising a normalised spec changes nothing, so a client that posts back what it read changes nothing either.
 */
import {
  canonicalJson,
  type EndpointSpec,
  internSpec,
  isJob,
  type JobSchedule,
  type ServiceMode,
  type ServiceSpec,
  type TaskSpec,
  type UpdateConfig,
} from "../../api/index.js";
import { doorError } from "../../base/index.js";
import { checkEndpointExtensions } from "./endpoint-fields.js";
import { type Capability, type WalkContext, walkStruct } from "./field-types.js";
import { invalid } from "./invalid.js";
import { checkNetworks, type NetworkLookup, storedTargets } from "./network-targets.js";
import { checkPublished } from "./published-ports.js";
import { SERVICE_FIELDS } from "./unsupported.js";
import { checkContainer } from "./validate-container.js";
import { validateSchedule } from "./validate-schedule.js";
import { checkTask } from "./validate-task.js";

const NAME = /^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$/;
const NAME_LENGTH_MAX = 63;
/** An entry carries the spec, sometimes with its predecessor. */
const SPEC_LENGTH_MAX = 512 * 1024;
const PORT_MAX = 65_535;

/** What the walk over SERVICE_FIELDS leaves: typed values, most of them still optional. */
type WalkedSpec = Omit<ServiceSpec, "Mode" | "TaskTemplate"> & {
  readonly Mode?: Readonly<Record<string, unknown>>;
  readonly TaskTemplate?: TaskSpec;
  readonly Networks?: TaskSpec["Networks"];
};

/**
 * `operation` begins messages about fields ("service create"); `networks` are the cluster's, which targets are looked up in. Throws ApiError with the code and text of the Engine where clients
 * know them: InvalidArgument, Unimplemented (not built yet), Unknown (constraints).
 */
export function validateService(
  input: unknown,
  operation: string,
  capabilities: ReadonlySet<Capability>,
  networks?: NetworkLookup,
): ServiceSpec {
  const context: WalkContext = { operation, capabilities };
  refuseTwoModes(input);
  // The table is the parser here: its types are those of ServiceSpec (walked by the table test).
  const walked = walkStruct(SERVICE_FIELDS, input, "", context) as WalkedSpec;
  checkName(walked.Name);
  const task = storedTargets(taskTemplate(walked), networks);
  checkContainer(task.ContainerSpec);
  checkTask(task, context);
  checkNetworks(task, networks);
  checkRollout(walked.UpdateConfig, "UpdateConfig");
  checkRollout(walked.RollbackConfig, "RollbackConfig");
  checkEndpoint(walked.EndpointSpec);
  checkPublished(walked.EndpointSpec?.Ports ?? [], task, networks);
  const mode = serviceMode(walked.Mode);
  if (isJob(mode) && (walked.UpdateConfig ?? walked.RollbackConfig))
    throw invalid("UpdateConfig: a job has none: an update starts it over");
  const { Networks: _legacy, Rebalance, ...rest } = walked;
  const spec: ServiceSpec = {
    ...rest,
    TaskTemplate: task,
    Mode: mode,
    ...rebalanceOf(Rebalance, mode),
  };
  const length = canonicalJson(spec).length;
  if (length > SPEC_LENGTH_MAX)
    throw invalid(`spec is ${length} characters of JSON, at most ${SPEC_LENGTH_MAX} can be stored`);
  return internSpec(spec);
}

/** Before the walk: a mode that is not built yet must not hide that there are two. */
function refuseTwoModes(input: unknown): void {
  if (typeof input !== "object" || input === null || !("Mode" in input)) return;
  const given = Object.values(input.Mode ?? {}).filter(
    (mode) => mode !== null && mode !== undefined,
  );
  if (given.length > 1) throw doorError("InvalidArgument", "must specify only one service mode");
}

/** Of services and networks (spec §1.1). */
export function checkName(name: string | undefined): void {
  if (!name) throw invalid("meta: name must be provided");
  if (!NAME.test(name)) throw invalid("name must be valid as a DNS name component");
  if (name.length > NAME_LENGTH_MAX)
    throw invalid(`name must be ${NAME_LENGTH_MAX} characters or fewer`);
}

function taskTemplate(walked: WalkedSpec): TaskSpec {
  const given = walked.TaskTemplate;
  if (!given?.ContainerSpec) throw invalid("ContainerSpec: image reference must be provided");
  const networks = given.Networks ?? walked.Networks;
  return networks === undefined ? given : { ...given, Networks: networks };
}

function serviceMode(walked: WalkedSpec["Mode"]): ServiceMode {
  const mode = walked as
    | {
        Replicated?: { Replicas: number };
        Global?: Record<string, never>;
        ReplicatedJob?: {
          MaxConcurrent?: number;
          TotalCompletions?: number;
          Schedule?: Partial<JobSchedule>;
        };
        GlobalJob?: Record<string, never>;
      }
    | undefined;
  if (mode?.Global) return { Global: {} };
  if (mode?.GlobalJob) return { GlobalJob: {} };
  if (mode?.ReplicatedJob) {
    const MaxConcurrent = mode.ReplicatedJob.MaxConcurrent ?? 1;
    const TotalCompletions = mode.ReplicatedJob.TotalCompletions ?? MaxConcurrent;
    const Schedule = validateSchedule(mode.ReplicatedJob.Schedule);
    return { ReplicatedJob: { MaxConcurrent, TotalCompletions, ...(Schedule && { Schedule }) } };
  }
  return { Replicated: { Replicas: mode?.Replicated?.Replicas ?? 1 } };
}

/** Off is what an absent one means, so it is left out. */
function rebalanceOf(
  given: ServiceSpec["Rebalance"],
  mode: ServiceMode,
): Pick<ServiceSpec, "Rebalance"> {
  if (given === undefined || given === "off") return {};
  if (!("Replicated" in mode))
    throw invalid(
      `Rebalance: "${given}" is for replicated services: others have no choice of nodes`,
    );
  return { Rebalance: given };
}

function checkRollout(config: UpdateConfig | undefined, field: string): void {
  if (!config) return;
  if ((config.Delay ?? 0) < 0) throw invalid(`${field}: update-delay cannot be negative`);
  if ((config.Monitor ?? 0) < 0) throw invalid(`${field}: update-monitor cannot be negative`);
  if ((config.ProgressDeadline ?? 0) < 0)
    throw invalid(`${field}: update-progress-deadline cannot be negative`);
  const ratio = config.MaxFailureRatio ?? 0;
  if (ratio < 0 || ratio > 1)
    throw invalid(`${field}: update-maxfailureratio cannot be less than 0 or bigger than 1`);
}

function checkEndpoint(endpoint: EndpointSpec | undefined): void {
  checkEndpointExtensions(endpoint ?? {});
  const published = new Set<string>();
  for (const [i, port] of (endpoint?.Ports ?? []).entries()) {
    const at = `EndpointSpec.Ports[${i}]`;
    if (port.TargetPort < 1 || port.TargetPort > PORT_MAX)
      throw invalid(`${at}.TargetPort must be from 1 to ${PORT_MAX}, not ${port.TargetPort}`);
    if ((port.PublishedPort ?? 0) > PORT_MAX)
      throw invalid(`${at}.PublishedPort must be from 0 to ${PORT_MAX}, not ${port.PublishedPort}`);
    if (port.PublishMode === "ingress" && endpoint?.Mode === "dnsrr")
      throw invalid("EndpointSpec: port published with ingress mode can't be used with dnsrr mode");
    if (!port.PublishedPort) continue;
    const key = `${port.Protocol}/${port.PublishedPort}`;
    if (published.has(key))
      throw invalid(`EndpointSpec: duplicate published ports provided: ${key}`);
    published.add(key);
  }
}
