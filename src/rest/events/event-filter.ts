import { doorError } from "../../base/index.js";
import { Filters } from "../filters.js";
import type { Query } from "../query.js";
import type { ClusterEvent } from "./cluster-event.js";

/** Keys of `/events?filters=`. */
const FILTERS = [
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
];
const OBJECT_TYPES = ["node", "service", "network", "secret", "config"] as const;
/** Filters on these can match no cluster event. */
const OTHER_TYPES = ["container", "daemon", "image", "plugin", "volume"];

export function parseEventFilters(query: Query): Filters {
  return Filters.parse(query.text("filters"), FILTERS);
}

export function eventMatches(event: ClusterEvent, filters: Filters): boolean {
  if (OTHER_TYPES.some((type) => filters.has(type))) return false;
  const name = event.attributes["name"] ?? "";
  return (
    // Tasks are no type of the Engine's: its clients get them only when they ask.
    (filters.has("type") || event.type !== "task") &&
    filters.exact("type", event.type) &&
    filters.exact("event", event.action) &&
    filters.exact("scope", "swarm") &&
    filters.labels("label", event.attributes) &&
    OBJECT_TYPES.every(
      (type) =>
        !filters.has(type) ||
        (event.type === type && (filters.prefix(type, event.id) || filters.prefix(type, name))),
    )
  );
}

/** Whether events of this node's containers are wanted too; containers belong to services, so that filter is theirs as well. */
export function wantsLocalEvents(filters: Filters): boolean {
  return (
    filters.exact("scope", "local") &&
    !OBJECT_TYPES.some((type) => type !== "service" && filters.has(type)) &&
    (!filters.has("type") || OTHER_TYPES.some((type) => filters.values("type").includes(type)))
  );
}

/** `since` and `until`: Unix seconds with a fraction, or RFC 3339 → Unix ms; undefined when absent. */
export function parseEventTime(query: Query, name: string): number | undefined {
  const value = query.text(name);
  if (value === "") return undefined;
  const atMs = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value);
  if (Number.isNaN(atMs)) {
    throw doorError(
      "InvalidArgument",
      `invalid ${name} value "${value}": failed to parse it as a Unix time or RFC 3339`,
    );
  }
  return atMs;
}
