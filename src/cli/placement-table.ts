/** Lines for people: verdicts of nodes, plans of services, gauges of nodes. */
import { table } from "./output.js";
import { formatBytes } from "./units.js";

type ApiRefusal = { readonly Filter: string; readonly Text: string; readonly Fix: string };
type ApiVerdict = {
  readonly Name?: string;
  readonly Hostname?: string;
  readonly Fits: boolean;
  readonly Waiting?: number;
  readonly Refusals: readonly ApiRefusal[];
};

/** `GET /services|tasks|nodes/{id}/why` (extension). A node has `Services`, the others `Nodes`. */
export type ApiWhy = {
  readonly Name: string;
  readonly Summary: string;
  readonly Waiting?: number;
  readonly Nodes?: readonly ApiVerdict[];
  readonly Services?: readonly ApiVerdict[];
  readonly Fix?: string;
};

/** Whether something waits that cannot be placed as things are. */
export function isStuck(why: ApiWhy): boolean {
  if (why.Services !== undefined) return why.Services.some(({ Fits }) => !Fits);
  return (why.Waiting ?? 0) > 0 && !(why.Nodes ?? []).some(({ Fits }) => Fits);
}

export function whyLines(why: ApiWhy): string[] {
  const rows = (why.Nodes ?? why.Services ?? []).flatMap((verdict) => {
    const name = verdict.Hostname ?? `${verdict.Name ?? ""} (${verdict.Waiting ?? 0} waiting)`;
    if (verdict.Fits) return [[name, "can run it", ""]];
    return verdict.Refusals.map((refusal, i) => [i === 0 ? name : "", "refuses", refusal.Text]);
  });
  const head = [why.Services === undefined ? "NODE" : "SERVICE", "VERDICT", "REASON"];
  return [
    `${why.Name}: ${why.Summary}`,
    ...(rows.length === 0 ? [] : table([head, ...rows])),
    ...(why.Fix === undefined ? [] : [`fix: ${why.Fix}`]),
  ];
}

/** `?plan=true` (extension). */
export type ApiPlan = {
  readonly Index: number;
  readonly HasChanges: boolean;
  readonly Changes: readonly {
    readonly Path: string;
    readonly Old?: unknown;
    readonly New?: unknown;
  }[];
  readonly Tasks: readonly {
    readonly Action: "keep" | "restart" | "start" | "stop";
    readonly Slot?: number;
    readonly Hostname?: string;
    readonly ToHostname?: string;
    readonly Reason?: string;
  }[];
};

export function planLines(plan: ApiPlan): string[] {
  const signs = { keep: "=", restart: "~", start: "+", stop: "-" } as const;
  const tasks = plan.Tasks.map((task) => [
    signs[task.Action],
    task.Action,
    String(task.Slot ?? task.Hostname ?? ""),
    placeOf(task),
  ]);
  return [
    ...plan.Changes.flatMap(({ Path, Old, New }) => [
      ...(Old === undefined ? [] : [`- ${Path}: ${JSON.stringify(Old)}`]),
      ...(New === undefined ? [] : [`+ ${Path}: ${JSON.stringify(New)}`]),
    ]),
    ...(plan.HasChanges ? [] : ["no change"]),
    ...(tasks.length === 0 ? [] : table([["", "ACTION", "TASK", "NODE"], ...tasks])),
    `check index ${plan.Index}`,
  ];
}

function placeOf(task: ApiPlan["Tasks"][number]): string {
  const from = task.Hostname ?? "";
  if (task.Action === "keep" || task.Action === "stop") return from;
  const to = task.Reason === undefined ? (task.ToHostname ?? "?") : `waits: ${task.Reason}`;
  return from === "" || from === to ? to : `${from} -> ${to}`;
}

type ApiAmounts = {
  readonly NanoCPUs: number;
  readonly MemoryBytes: number;
  readonly GenericResources?: readonly {
    readonly DiscreteResourceSpec: { readonly Kind: string; readonly Value: number };
  }[];
};

/** A node with `SwarmResources` (extension). */
export type ApiGauged = {
  readonly Spec: { readonly Name?: string };
  readonly Description?: { readonly Hostname?: string };
  readonly SwarmResources: {
    readonly Capacity: ApiAmounts;
    readonly Reserved: ApiAmounts;
    /** Absent while it is not known. */
    readonly Used?: ApiAmounts;
    readonly Tasks: number;
  };
};

export function topLines(nodes: readonly ApiGauged[]): string[] {
  const rows = nodes.map(({ Spec, Description, SwarmResources: gauge }) => {
    const { Capacity: capacity, Reserved: reserved, Used: used } = gauge;
    const generic = (capacity.GenericResources ?? []).map(({ DiscreteResourceSpec: total }, i) => {
      const held = reserved.GenericResources?.[i]?.DiscreteResourceSpec.Value ?? 0;
      return `${total.Kind} ${held}/${total.Value}`;
    });
    return [
      Spec.Name || (Description?.Hostname ?? ""),
      String(gauge.Tasks),
      used === undefined ? "-" : (used.NanoCPUs / 1e9).toFixed(2),
      String(reserved.NanoCPUs / 1e9),
      String(capacity.NanoCPUs / 1e9),
      used === undefined ? "-" : formatBytes(used.MemoryBytes),
      formatBytes(reserved.MemoryBytes),
      formatBytes(capacity.MemoryBytes),
      generic.join(", "),
    ];
  });
  const cpus = ["CPUS USED", "RESERVED", "OF"];
  const memory = ["MEMORY USED", "RESERVED", "OF"];
  return table([["NODE", "TASKS", ...cpus, ...memory, "GENERIC"], ...rows]);
}
