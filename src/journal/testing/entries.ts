/** Entries for tests of the implementations. */
import type { JournalEntry } from "../core/index.js";

export function entry(index: number, set: Partial<JournalEntry> = {}): JournalEntry {
  return {
    index,
    seq: 0,
    atMs: 1_000_000 + index,
    type: "service",
    action: "update",
    id: `id${index}`,
    name: `web-${index}`,
    who: { nodeId: "n1", door: "rest", actor: "test" },
    old: { "Mode.Replicated.Replicas": "1" },
    new: { "Mode.Replicated.Replicas": "2" },
    moreFields: 0,
    outcome: "",
    ...set,
  };
}

export function entries(from: number, to: number): readonly JournalEntry[] {
  return Array.from({ length: to - from }, (_, i) => entry(from + i));
}
