/** Waits for a service by asking a manager again and again, also across a change of leaders and a restart of the manager. */
import type { ApiNode, ApiService, ApiTask } from "./api-types.js";
import { ClientError, type EngineClient } from "./client.js";
import type { Snapshot } from "./convergence.js";
import { failed, type Goal, type Seen, type WaitEnd, Waiting } from "./waiting.js";

const POLL_MS = 200;
/** Longer than the managers' own budget for a call (20 s): an answer later than this does not come. */
const CALL_MS = 25_000;

export type WaitOptions = {
  readonly client: EngineClient;
  readonly serviceId: string;
  readonly goal: Goal;
  readonly wasPaused?: boolean;
  /** A run of a job was asked for. */
  readonly isForced?: boolean;
  readonly timeoutMs: number | undefined;
  readonly onSeen: (seen: Seen) => void;
  /** A manager did not answer; it is asked again. */
  readonly onLost?: (reason: string) => void;
};

/** Until the service is as asked and stays so for its monitor time, or will not be. */
export async function waitForService(options: WaitOptions): Promise<WaitEnd> {
  const { goal, wasPaused = false, isForced = false, timeoutMs } = options;
  const waiting = new Waiting({ goal, wasPaused, isForced, timeoutMs }, performance.now());
  for (;;) {
    const end = await look(options, waiting);
    if (end) return end;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function look(options: WaitOptions, waiting: Waiting): Promise<WaitEnd | undefined> {
  try {
    const snapshot = await readSnapshot(options);
    const seen = waiting.see(snapshot, performance.now());
    options.onSeen(seen);
    return seen.end;
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.status === 404) return failed(`the service was removed meanwhile: ${error.message}`);
    if (!mayPass(error)) throw error;
    options.onLost?.(error.message);
    return waiting.lost(error.message, performance.now());
  }
}

/** No connection, no leader, or a manager that is just starting. */
function mayPass({ status }: ClientError): boolean {
  return status === 0 || status >= 500;
}

async function readSnapshot({ client, serviceId, wasPaused }: WaitOptions): Promise<Snapshot> {
  const get = <T>(path: string): Promise<T> =>
    client.call<T>("GET", path, { signal: AbortSignal.timeout(CALL_MS) });
  const service = await get<ApiService>(`/services/${serviceId}`);
  // In a paused rollout tasks of both specs are what there is to be.
  const isMixed = wasPaused === true && service.UpdateStatus?.State === "paused";
  const filters = { service: [serviceId], ...(isMixed ? {} : { "_up-to-date": ["true"] }) };
  const tasks = await get<ApiTask[]>(
    `/tasks?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  );
  const nodes = await get<ApiNode[]>("/nodes");
  const downNodes = new Set(
    nodes.filter((node) => node.Status.State === "down").map((node) => node.ID),
  );
  return { service, tasks, downNodes };
}
