import type { EndpointSpec } from "./spec.js";

/** Key of `EndpointSpec.Options`: "prefer" or "spread". */
export const LOCAL_OPTION = "local";

/** A node sends what comes to a published port to tasks of its own, while it has any. */
export function prefersLocal(endpoint: EndpointSpec | undefined): boolean {
  return endpoint?.Options?.[LOCAL_OPTION] === "prefer";
}
