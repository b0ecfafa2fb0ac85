/** Changes of the store as the Engine's swarm events (spec §2.5). */
import type { Node, Service } from "../../api/index.js";
import type { StoreEvent } from "../../store/index.js";

export type ClusterEventType = "node" | "service" | "network" | "secret" | "config";

export type ClusterEvent = {
  readonly type: ClusterEventType;
  readonly action: "create" | "update" | "remove";
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
};

type Attributes = Record<string, string>;

/** Undefined for what the Engine makes no events of: tasks and the cluster object. `nowMs` dates removals. */
export function clusterEvent(event: StoreEvent, nowMs: number): ClusterEvent | undefined {
  switch (event.table) {
    case "cluster":
    case "task":
      return undefined;
    case "node":
      return made(event, nowMs, event.table, nodeName, nodeChanges);
    case "service":
      return made(event, nowMs, event.table, (o) => o.spec.Name, serviceChanges);
    case "network":
      return made(event, nowMs, event.table, (o) => o.spec.Name);
    case "secret":
      return made(event, nowMs, event.table, (o) => o.spec.Name);
    case "config":
      return made(event, nowMs, event.table, (o) => o.spec.Name);
  }
}

type Stored = { readonly id: string; readonly updatedAtMs: number };
type Change<T> =
  | { readonly kind: "created"; readonly object: T }
  | { readonly kind: "updated"; readonly object: T; readonly old: T }
  | { readonly kind: "removed"; readonly old: T };

function made<T extends Stored>(
  change: Change<T>,
  nowMs: number,
  type: ClusterEventType,
  nameOf: (object: T) => string,
  changes?: (before: T, after: T) => Attributes,
): ClusterEvent {
  switch (change.kind) {
    case "created": {
      const { object } = change;
      const attributes = { name: nameOf(object) };
      return { type, action: "create", id: object.id, attributes, atMs: object.updatedAtMs };
    }
    case "updated": {
      const { object, old } = change;
      const attributes = { name: nameOf(object), ...changes?.(old, object) };
      return { type, action: "update", id: object.id, attributes, atMs: object.updatedAtMs };
    }
    case "removed": {
      const { old } = change;
      const attributes = { name: nameOf(old) };
      return { type, action: "remove", id: old.id, attributes, atMs: nowMs };
    }
  }
}

function nodeName(node: Node): string {
  return node.description?.Hostname ?? "";
}

function nodeChanges(before: Node, after: Node): Attributes {
  return {
    ...changed("availability", before.spec.Availability, after.spec.Availability),
    ...changed("role", before.role, after.role),
    ...changed("state", before.state, after.state),
  };
}

function serviceChanges(before: Service, after: Service): Attributes {
  const image = (service: Service): string => service.spec.TaskTemplate.ContainerSpec.Image;
  return {
    ...changed("image", image(before), image(after)),
    ...changed("replicas", replicas(before), replicas(after)),
    ...(after.updateStatus === undefined
      ? {}
      : changed("updatestate", before.updateStatus?.state, after.updateStatus.state)),
  };
}

function replicas(service: Service): string | undefined {
  const { Mode: mode } = service.spec;
  return "Replicated" in mode ? String(mode.Replicated.Replicas) : undefined;
}

function changed(key: string, before: string | undefined, after: string | undefined): Attributes {
  if (before === after || after === undefined) return {};
  return {
    [`${key}.new`]: after,
    ...(before === undefined ? {} : { [`${key}.old`]: before }),
  };
}

/** One JSON line. `timeNano` is beyond 2^53, so its digits are printed, not computed. */
export function eventLine(event: ClusterEvent): string {
  const head = JSON.stringify({
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.id, Attributes: event.attributes },
    scope: "swarm",
    time: Math.floor(event.atMs / 1000),
  });
  return `${head.slice(0, -1)},"timeNano":${event.atMs}000000}\n`;
}
