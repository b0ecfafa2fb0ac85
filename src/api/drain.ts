import type { Node } from "./objects.js";

const NANO_PER_MS = 1e6;
/** Time for a large image over a slow line, as updates have it. */
const DEADLINE_DEFAULT_MS = 600_000;

/** Unix ms at which what is left on a drained node is stopped; 0 when the node has been drained from its start. */
export function drainDeadlineMs({
  spec,
  drainSinceMs,
}: Pick<Node, "spec" | "drainSinceMs">): number {
  if (drainSinceMs === 0) return 0;
  const { Deadline } = spec.Drain ?? {};
  return drainSinceMs + (Deadline === undefined ? DEADLINE_DEFAULT_MS : Deadline / NANO_PER_MS);
}
