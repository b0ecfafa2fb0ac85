/** Rules of a task template besides its container: resources, restart, placement, log driver. */
import type { GenericResource, ResourceRequirements, TaskSpec } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { ConstraintError, parseConstraint } from "../../scheduler/index.js";
import { notSupported, type WalkContext } from "./field-types.js";
import { invalid } from "./invalid.js";

const CPU_MIN_NANO = 1_000_000;
const MEMORY_MIN_BYTES = 4 * 1024 * 1024;
const LOG_OPTIONS: ReadonlySet<string> = new Set(["max-size", "max-file"]);
const SPREAD = /^(?:node|engine)\.labels\..+$/i;

export function checkTask(task: TaskSpec, context: WalkContext): void {
  if (task.Resources) checkResources(task.Resources);
  if ((task.RestartPolicy?.Delay ?? 0) < 0)
    throw invalid("TaskSpec: restart-delay cannot be negative");
  if ((task.RestartPolicy?.Window ?? 0) < 0)
    throw invalid("TaskSpec: restart-window cannot be negative");
  checkPlacement(task);
  checkLogDriver(task, context);
}

function checkResources({ Limits, Reservations, ...rest }: ResourceRequirements): void {
  for (const [name, set] of [
    ["Limits", Limits],
    ["Reservations", Reservations],
  ] as const) {
    const cpu = set?.NanoCPUs ?? 0;
    if (cpu !== 0 && cpu < CPU_MIN_NANO)
      throw invalid(
        `Resources.${name}.NanoCPUs: invalid cpu value ${cpu / 1e9}: Must be at least ${CPU_MIN_NANO / 1e9}`,
      );
    const memory = set?.MemoryBytes ?? 0;
    if (memory !== 0 && memory < MEMORY_MIN_BYTES)
      throw invalid(
        `Resources.${name}.MemoryBytes: invalid memory value ${memory}: Must be at least 4MiB`,
      );
  }
  checkGeneric(Reservations?.GenericResources ?? []);
  if ((Limits?.Pids ?? 0) < 0) throw invalid("Resources.Limits.Pids cannot be negative");
  const swap = rest.SwapBytes;
  if (swap !== undefined && swap < -1)
    throw invalid("Resources.SwapBytes must be -1 (unlimited) or more");
  if (swap !== undefined && swap !== 0 && !Limits?.MemoryBytes)
    throw invalid("Resources.SwapBytes needs a memory limit: set Limits.MemoryBytes");
  const swappiness = rest.MemorySwappiness ?? -1;
  if (swappiness < -1 || swappiness > 100)
    throw invalid("Resources.MemorySwappiness must be from -1 to 100");
}

/** A task asks for a number of each kind; which names it gets is the scheduler's choice. */
function checkGeneric(resources: readonly GenericResource[]): void {
  const kinds = new Set<string>();
  for (const resource of resources) {
    const wanted = "DiscreteResourceSpec" in resource ? resource.DiscreteResourceSpec : undefined;
    // The walk leaves out what is zero or empty.
    const { Kind: kind = "", Value: value = 0 }: { Kind?: string; Value?: number } = wanted ?? {};
    if (kind === "" || value < 1)
      throw invalid(
        `Resources.Reservations.GenericResources: "${kind}=${value}" must name a kind and a number from 1`,
      );
    if (kinds.has(kind))
      throw invalid(`Resources.Reservations.GenericResources: ${kind} is given twice; add it up`);
    kinds.add(kind);
  }
}

function checkPlacement(task: TaskSpec): void {
  for (const text of task.Placement?.Constraints ?? []) {
    try {
      parseConstraint(text);
    } catch (error) {
      if (!(error instanceof ConstraintError)) throw error;
      // Unknown, not InvalidArgument: what the Engine answers, and clients know.
      throw new ApiError("Unknown", error.message, { cause: error });
    }
  }
  for (const { Spread } of task.Placement?.Preferences ?? [])
    if (!SPREAD.test(Spread?.SpreadDescriptor ?? ""))
      throw invalid(
        `Placement.Preferences: spread over "${Spread?.SpreadDescriptor ?? ""}" is not possible; use node.labels.<name> or engine.labels.<name>`,
      );
}

function checkLogDriver(task: TaskSpec, context: WalkContext): void {
  const options = Object.entries(task.LogDriver?.Options ?? {});
  for (const [name, value] of options) {
    if (!LOG_OPTIONS.has(name))
      throw notSupported(
        `TaskTemplate.LogDriver.Options[${JSON.stringify(name)}]`,
        context,
        "; use max-size and max-file",
      );
    if (name === "max-file" && !/^[1-9][0-9]*$/.test(value))
      throw invalid(`LogDriver.Options: max-file must be a number from 1, not "${value}"`);
    if (name === "max-size" && !/^(?:-1|[0-9]+(?:\.[0-9]+)?\s*[kmgKMG]?[iI]?[bB]?)$/.test(value))
      throw invalid(`LogDriver.Options: max-size must be a size like 10m, not "${value}"`);
  }
  if (task.LogDriver?.Name === "none" && options.length > 0)
    throw invalid("LogDriver.Options: the log driver none keeps nothing and takes no options");
}
