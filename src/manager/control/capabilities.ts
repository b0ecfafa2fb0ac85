import type { Capability } from "./field-types.js";

/** What the leader loops enforce; control refuses the rest with 501 before anything is stored (contracts §9). */
export const CAPABILITIES: ReadonlySet<Capability> = new Set<Capability>([
  "encryption",
  "globalMode",
  "ingress",
  "jobs",
  "overlay",
  "rollbackOnFailure",
]);
