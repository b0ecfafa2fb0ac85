/** What `service ls` prints. */
import type { ApiPort, ApiService } from "./api-types.js";
import { modeName } from "./mode-flags.js";
import { table } from "./output.js";

const HEAD = ["ID", "NAME", "MODE", "REPLICAS", "IMAGE", "PORTS"];
/** One more column when there is a job with a schedule. */
const NEXT_RUN = "NEXT RUN";
/** Nobody may take a simulated cluster for a real one; the API says `Engine` then. */
const SIMULATED_LINE = "engine: simulated (no container really runs)";

export function serviceTable(services: readonly ApiService[]): readonly string[] {
  const hasSchedule = services.some((entry) => entry.ScheduleStatus !== undefined);
  const rows = services.map((entry) => [
    entry.ID.slice(0, 12),
    entry.Spec.Name,
    modeName(entry.Spec.Mode),
    counts(entry),
    shortImage(entry.Spec.TaskTemplate.ContainerSpec?.Image),
    (entry.Endpoint?.Ports ?? [])
      .filter(({ PublishedPort }) => PublishedPort)
      .map(formatPort)
      .join(", "),
    ...(hasSchedule ? [entry.ScheduleStatus?.NextTick ?? ""] : []),
  ]);
  const isSimulated = services.some((entry) => entry.Engine === "simulated");
  const head = hasSchedule ? [...HEAD, NEXT_RUN] : HEAD;
  return [...table([head, ...rows]), ...(isSimulated ? [SIMULATED_LINE] : [])];
}

/** `running/desired`, of jobs with what is completed, as docker prints it. */
function counts({ ServiceStatus: status, Spec: { Mode: mode } }: ApiService): string {
  const [running, desired] = [status?.RunningTasks ?? 0, status?.DesiredTasks ?? 0];
  const completed = status?.CompletedTasks ?? 0;
  if (mode.ReplicatedJob)
    return `${running}/${desired} (${completed}/${mode.ReplicatedJob.TotalCompletions} completed)`;
  if (mode.GlobalJob)
    return `${running}/${desired} (${completed}/${desired + completed} completed)`;
  return `${running}/${desired}`;
}

/** Without the digest that a client has pinned. */
export function shortImage(image: string | undefined): string {
  return (image ?? "").replace(/@sha256:[0-9a-f]+$/, "");
}

export function formatPort(port: ApiPort): string {
  const { PublishedPort: published, TargetPort: target, Protocol: protocol } = port;
  return `*:${published ?? ""}->${target}/${protocol ?? "tcp"}`;
}
