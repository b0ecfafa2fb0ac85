/** Events of containers as the Engine API has them: which a task's record gives, who asked for which, and their text. */
import { type Filters, matchesAny, matchesLabels } from "../filter/filters.js";

/** What of a task's record tells of its container. Times are Unix ms, 0: not yet. */
export type ContainerFacts = {
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  /** Something of it is left on the node. */
  readonly hasRemains: boolean;
};

export type ContainerEvent = {
  /** Also `health_status: healthy`. */
  readonly action: string;
  /** As clients see it. */
  readonly containerId: string;
  readonly image: string;
  /** The container's labels, its image and name, and what belongs to the action. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
};

export type Action = { readonly action: string; readonly more: Readonly<Record<string, string>> };

/** In the order in which they happened. Nothing for a record that was only read again. */
export function actionsOf(before: ContainerFacts, after: ContainerFacts): readonly Action[] {
  const actions: Action[] = [];
  const add = (action: string): void => {
    actions.push({ action, more: {} });
  };
  if (before.createdAtMs === 0 && after.createdAtMs > 0) add("create");
  if (before.startedAtMs === 0 && after.startedAtMs > 0) add("start");
  if (before.hasRemains && !after.hasRemains && after.createdAtMs > 0) add("destroy");
  return actions;
}

/** The end of its first process. */
export function endActions(
  startedAtMs: number,
  exit: {
    readonly exitCode: number;
    readonly finishedAtMs: number;
    readonly isOomKilled: boolean;
  },
): readonly Action[] {
  const ranSec = Math.max(0, Math.floor((exit.finishedAtMs - startedAtMs) / 1000));
  const more = { exitCode: String(exit.exitCode), execDuration: String(ranSec) };
  return [...(exit.isOomKilled ? [{ action: "oom", more: {} }] : []), { action: "die", more }];
}

/** Keys of `/events?filters=`. Those of other types match no container. */
export const EVENT_FILTER_KEYS: ReadonlySet<string> = new Set([
  "config",
  "container",
  "daemon",
  "event",
  "image",
  "label",
  "network",
  "node",
  "plugin",
  "scope",
  "secret",
  "service",
  "type",
  "volume",
]);
const FOREIGN_KEYS = ["config", "daemon", "network", "node", "plugin", "secret", "volume"] as const;
const SERVICE_LABELS = ["com.docker.swarm.service.id", "com.docker.swarm.service.name"] as const;

export function eventMatches(event: ContainerEvent, filters: Filters): boolean {
  const { action, containerId, image, attributes } = event;
  const name = attributes["name"] ?? "";
  const begins = (value: string, ...texts: readonly string[]): boolean =>
    texts.some((text) => text.startsWith(value));
  return (
    FOREIGN_KEYS.every((key) => (filters[key] ?? []).length === 0) &&
    matchesAny(filters["type"], (type) => type === "container") &&
    matchesAny(filters["scope"], (scope) => scope === "local") &&
    // `health_status` stands for all of its values.
    matchesAny(
      filters["event"],
      (wanted) => action === wanted || action.startsWith(`${wanted}: `),
    ) &&
    matchesAny(filters["container"], (value) => begins(value, containerId, name)) &&
    matchesAny(filters["image"], (value) => value === image || value === withoutTag(image)) &&
    matchesAny(filters["service"], (value) =>
      begins(value, ...SERVICE_LABELS.map((label) => attributes[label] ?? "")),
    ) &&
    matchesLabels(filters["label"], attributes)
  );
}

/** One line of JSON, with the older names beside the newer. `timeNano` is beyond 2^53: its digits are printed, not computed. */
export function eventLine({
  action,
  containerId,
  image,
  attributes,
  atMs,
}: ContainerEvent): string {
  const head = JSON.stringify({
    status: action,
    id: containerId,
    from: image,
    Type: "container",
    Action: action,
    Actor: { ID: containerId, Attributes: attributes },
    scope: "local",
    time: Math.floor(atMs / 1000),
  });
  return `${head.slice(0, -1)},"timeNano":${atMs}000000}\n`;
}

/** `registry:5000/app:1@sha256:…` → `registry:5000/app`. */
function withoutTag(image: string): string {
  const [name = ""] = image.split("@");
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}
