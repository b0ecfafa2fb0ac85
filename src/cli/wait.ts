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
  readonly verb: "overall" | "rolling back";
};

export type Snapshot = {
  readonly service: ApiService;
  readonly tasks: readonly ApiTask[];
  readonly downNodes: ReadonlySet<string>;
};

const TERMINAL = new Set(["complete", "shutdown", "failed", "rejected", "remove", "orphaned"]);

/** Counts up-to-date tasks that are wanted and run, on nodes that are not down. */
export function progressOf({ service, tasks, downNodes }: Snapshot): Progress {
  const wanted = service.Spec.Mode.Replicated?.Replicas ?? 0;
  const live = tasks.filter(
    (task) => !TERMINAL.has(task.DesiredState) && !downNodes.has(task.NodeID ?? ""),
  );
  const slots = new Set(
    live
      .filter((task) => task.Status.State === "running" && task.DesiredState === "running")
      .map((task) => task.Slot),
  );
  const newest = [...tasks].sort((a, b) => b.CreatedAt.localeCompare(a.CreatedAt));
  const error = newest.find((task) => (task.Status.Err ?? "") !== "")?.Status.Err ?? "";
  const isRollback = service.UpdateStatus?.State?.startsWith("rollback") === true;
  return { running: slots.size, wanted, error, verb: isRollback ? "rolling back" : "overall" };
}

/** Why no node takes a task, when that is what the service waits for. */
export function refusalOf({ tasks }: Snapshot): string | undefined {
  return tasks.find(
    (task) =>
      task.Status.State === "pending" && (task.Status.Err ?? "").startsWith("no suitable node"),
  )?.Status.Err;
}

export type WaitOptions = {
  readonly client: EngineClient;
  readonly serviceId: string;
  readonly timeoutMs: number | undefined;
  readonly onProgress: (progress: Progress, verifySecLeft: number | undefined) => void;
};

/** Waits until the service runs as asked and stays so for its monitor time. Throws ExitError otherwise. */
export async function waitForService(options: WaitOptions): Promise<void> {
  const { client, serviceId } = options;
  const from = performance.now();
  let convergedAt: number | undefined;
  let refusedAt: { readonly text: string; readonly at: number } | undefined;
  for (;;) {
    const snapshot = await readSnapshot(client, serviceId);
    const { service } = snapshot;
    const name = service.Spec.Name;
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
    const left = convergedAt === undefined ? undefined : monitorMs - (now - convergedAt);
    options.onProgress(
      progress,
      left === undefined ? undefined : Math.max(0, Math.ceil(left / 1000)),
    );
    if (left !== undefined && left <= 0) return;
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
