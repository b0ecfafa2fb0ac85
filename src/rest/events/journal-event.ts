/** Entries of the journal as the Engine's swarm events (spec §2.5). */
import type { JournalEntry } from "../../journal/index.js";
import type { ClusterEvent, ClusterEventType } from "./cluster-event.js";

/** Fields of an entry → the Engine's names of what changed. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  node: { "Spec.Availability": "availability", Role: "role", State: "state" },
  service: {
    "TaskTemplate.ContainerSpec.Image": "image",
    "Mode.Replicated.Replicas": "replicas",
    "UpdateStatus.State": "updatestate",
  },
  task: { ActualState: "state", DesiredState: "desiredstate" },
};

/** Undefined for what the Engine makes no events of. Tasks are ours: only who names the type gets them. */
export function journalEvent(entry: JournalEntry): ClusterEvent | undefined {
  if (entry.type === "cluster") return undefined;
  const type: ClusterEventType = entry.type;
  return {
    type,
    action: entry.action,
    id: entry.id,
    attributes: {
      name: entry.name,
      ...(entry.serviceId !== undefined && { service: entry.serviceId }),
      ...(entry.nodeId !== undefined && { node: entry.nodeId }),
      ...(entry.action === "update" ? changes(entry) : {}),
    },
    atMs: entry.atMs,
  };
}

/** A change to nothing is not told, as the Engine does it. */
function changes(entry: JournalEntry): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {};
  for (const [field, name] of Object.entries(NAMES[entry.type] ?? {})) {
    const [before, after] = [entry.old[field], entry.new[field]];
    if (after === undefined) continue;
    attributes[`${name}.new`] = after;
    if (before !== undefined) attributes[`${name}.old`] = before;
  }
  return attributes;
}
