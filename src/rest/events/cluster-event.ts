/** The Engine's swarm events (spec §2.5). */
export const CLUSTER_EVENT_TYPES = [
  "node",
  "service",
  "network",
  "secret",
  "config",
  "task",
] as const;
export type ClusterEventType = (typeof CLUSTER_EVENT_TYPES)[number];

export type ClusterEvent = {
  readonly type: ClusterEventType;
  readonly action: "create" | "update" | "remove";
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly atMs: number;
};

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
