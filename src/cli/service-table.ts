/** What `service ls` prints. */
import type { ApiPort, ApiService } from "./api-types.js";
import { table } from "./output.js";

const HEAD = ["ID", "NAME", "MODE", "REPLICAS", "IMAGE", "PORTS"];
/** Nobody may take a simulated cluster for a real one; the API says `Engine` then. */
const SIMULATED_LINE = "engine: simulated (no container really runs)";

export function serviceTable(services: readonly ApiService[]): readonly string[] {
  const rows = services.map((entry) => [
    entry.ID.slice(0, 12),
    entry.Spec.Name,
    Object.keys(entry.Spec.Mode)[0]?.toLowerCase() ?? "",
    `${entry.ServiceStatus?.RunningTasks ?? 0}/${entry.ServiceStatus?.DesiredTasks ?? 0}`,
    shortImage(entry.Spec.TaskTemplate.ContainerSpec?.Image),
    (entry.Endpoint?.Ports ?? []).map(formatPort).join(", "),
  ]);
  const isSimulated = services.some((entry) => entry.Engine === "simulated");
  return [...table([HEAD, ...rows]), ...(isSimulated ? [SIMULATED_LINE] : [])];
}

/** Without the digest that a client has pinned. */
export function shortImage(image: string | undefined): string {
  return (image ?? "").replace(/@sha256:[0-9a-f]+$/, "");
}

export function formatPort(port: ApiPort): string {
  const { PublishedPort: published, TargetPort: target, Protocol: protocol } = port;
  return `*:${published ?? ""}->${target}/${protocol ?? "tcp"}`;
}
