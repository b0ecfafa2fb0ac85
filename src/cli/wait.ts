import type { ApiNode, ApiService, ApiTask } from "./api-types.js";
import type { EngineClient } from "./client.js";
import { EXIT, ExitError } from "./exit-codes.js";

const POLL_MS = 200;
/** A pending task with a refusal that has not changed for this long will not be placed by waiting. */
const UNSCHEDULABLE_MS = 5_000;

export type Progress = {
  readonly running: number;
  readonly wanted: number;
  /** First error of a task, "" when there is none. */
  readonly error: string;
  readonly verb: "overall" | "rolling back" | "job";
};

export type Snapshot = {
  readonly service: ApiService;
  readonly tasks: readonly ApiTask[];
  readonly downNodes: ReadonlySet<string>;
};

const GIVEN_UP = new Set(["shutdown", "remove"]);
const TERMINAL = new Set(["complete", "shutdown", "failed", "rejected", "remove", "orphaned"]);

/**
 * Counts slots with an up-to-date task that is wanted and runs, on nodes that are not down; of a job the slots of the present run that
 * have completed. In global modes a slot is a node, and as many are wanted as have a task.
 */
export function progressOf({ service, tasks, downNodes }: Snapshot): Progress {
  const { Mode: mode } = service.Spec;
  const live = tasks.filter(
    (task) => !TERMINAL.has(task.DesiredState) && !downNodes.has(task.NodeID ?? ""),
  );
  const slotOf = (task: ApiTask) =>
    mode.ReplicatedJob ? (task.Slot ?? 0) : (task.Slot ?? task.NodeID);
  const isDone = (task: ApiTask) =>
    isJob(service)
      ? task.Status.State === "complete"
      : task.Status.State === "running" && task.DesiredState === "running";
  const counted = isJob(service) ? tasks.filter((task) => isOfRun(task, service)) : live;
  const slots = new Set(counted.filter(isDone).map(slotOf));
  const wanted =
    mode.Replicated?.Replicas ??
    mode.ReplicatedJob?.TotalCompletions ??
    new Set(counted.filter((task) => !GIVEN_UP.has(task.DesiredState)).map(slotOf)).size;
  const newest = [...tasks].sort((a, b) => b.CreatedAt.localeCompare(a.CreatedAt));
  const error = newest.find((task) => (task.Status.Err ?? "") !== "")?.Status.Err ?? "";
  if (isJob(service)) return { running: slots.size, wanted, error, verb: "job" };
  const isRollback = service.UpdateStatus?.State?.startsWith("rollback") === true;
  return { running: slots.size, wanted, error, verb: isRollback ? "rolling back" : "overall" };
}

/** Why no node takes a task, when that is what the service waits for. */
export function refusalOf({ tasks }: Snapshot): string | undefined {
  const isRefused = (task: ApiTask): boolean =>
    task.Status.State === "pending" &&
    !GIVEN_UP.has(task.DesiredState) &&
    (task.Status.Err ?? "") !== "";
  return tasks.find(isRefused)?.Status.Err;
}

function isJob({ Spec: { Mode: mode } }: ApiService): boolean {
  return mode.ReplicatedJob !== undefined || mode.GlobalJob !== undefined;
}

function isOfRun(task: ApiTask, service: ApiService): boolean {
  return (task.JobIteration?.Index ?? 0) === (service.JobStatus?.JobIteration.Index ?? 0);
}

/** Tasks of the present run that may still complete. */
function isOver({ service, tasks }: Snapshot): boolean {
  return !tasks.some(
    (task) =>
      isOfRun(task, service) &&
      task.Status.State !== "complete" &&
      !GIVEN_UP.has(task.DesiredState),
  );
}

export type WaitOptions = {
  readonly client: EngineClient;
  readonly serviceId: string;
  readonly timeoutMs: number | undefined;
  /** A run was asked for: of a job with a schedule nothing else is to be waited for. */
  readonly isForced?: boolean;
  readonly onProgress: (progress: Progress, verifySecLeft: number | undefined) => void;
};

/**
 * Waits until the service runs as asked and stays so for its monitor time, or until a job has completed. Returns what to say then;
 * throws ExitError when it comes to nothing.
 */
export async function waitForService(options: WaitOptions): Promise<string> {
  const { client, serviceId } = options;
  const from = performance.now();
  let convergedAt: number | undefined;
  let givenUpAt: number | undefined;
  let refusedAt: { readonly text: string; readonly at: number } | undefined;
  for (;;) {
    const snapshot = await readSnapshot(client, serviceId);
    const { service } = snapshot;
    const name = service.Spec.Name;
    if (service.ScheduleStatus && options.isForced !== true)
      return `job ${name} runs next at ${service.ScheduleStatus.NextTick ?? "no time any more"}`;
    const state = service.UpdateStatus?.State ?? "";
    const now = performance.now();
    if (state === "paused" || state === "rollback_paused") {
      throw new ExitError(
        EXIT.paused,
        `service ${name}: ${state.replace("_", " ")}: ${service.UpdateStatus?.Message ?? ""}\nsee: swarm service ps ${name}; go back: swarm service rollback ${name}`,
      );
    }
    const progress = progressOf(snapshot);
    const refusal = refusalOf(snapshot);
    refusedAt =
      refusal === undefined
        ? undefined
        : refusedAt?.text === refusal
          ? refusedAt
          : { text: refusal, at: now };
    if (refusedAt !== undefined && now - refusedAt.at > UNSCHEDULABLE_MS) {
      throw new ExitError(
        EXIT.unschedulable,
        `service ${name} cannot be placed: ${refusedAt.text}\nthe service stays and is tried again when nodes change; see: swarm service ps ${name}`,
      );
    }
    const isWhole =
      progress.running === progress.wanted && state !== "updating" && state !== "rollback_started";
    convergedAt = isWhole ? (convergedAt ?? now) : undefined;
    const monitorMs = (service.Spec.UpdateConfig?.Monitor ?? 5e9) / 1e6;
    if (convergedAt !== undefined && service.Spec.Mode.ReplicatedJob) {
      options.onProgress(progress, undefined);
      return "job complete";
    }
    if (isJob(service) && convergedAt === undefined && isOver(snapshot)) {
      givenUpAt ??= now;
      if (now - givenUpAt > UNSCHEDULABLE_MS) {
        throw new ExitError(
          EXIT.paused,
          `job ${name}: ${progress.running} of ${progress.wanted} tasks completed, the others failed and are not restarted${progress.error === "" ? "" : `: ${progress.error}`}\nsee: swarm service ps ${name}; run it again: swarm service update --force ${name}`,
        );
      }
    } else givenUpAt = undefined;
    const left = convergedAt === undefined ? undefined : monitorMs - (now - convergedAt);
    options.onProgress(
      progress,
      left === undefined ? undefined : Math.max(0, Math.ceil(left / 1000)),
    );
    if (left !== undefined && left <= 0)
      return isJob(service) ? "job complete" : `service ${serviceId} converged`;
    // Being watched for stability is not being late.
    const isLate =
      convergedAt === undefined && now - from > (options.timeoutMs ?? Number.POSITIVE_INFINITY);
    if (isLate) {
      throw new ExitError(
        EXIT.timedOut,
        `service ${name}: ${progress.running} of ${progress.wanted} tasks run after ${Math.round((now - from) / 1000)} s${progress.error === "" ? "" : `: ${progress.error}`}\nit goes on in the background; see: swarm service ps ${name}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function readSnapshot(client: EngineClient, serviceId: string): Promise<Snapshot> {
  const filters = encodeURIComponent(
    JSON.stringify({ service: [serviceId], "_up-to-date": ["true"] }),
  );
  const service = await client.call<ApiService>("GET", `/services/${serviceId}`);
  const tasks = await client.call<ApiTask[]>("GET", `/tasks?filters=${filters}`);
  const nodes = await client.call<ApiNode[]>("GET", "/nodes");
  const downNodes = new Set(
    nodes.filter((node) => node.Status.State === "down").map((node) => node.ID),
  );
  return { service, tasks, downNodes };
}
