import type { Meta } from "../../api/index.js";
import { formatTime } from "./time.js";

/** Go's omitempty of a version: 0 is left out. */
export function presentVersion(index: number): { readonly Index?: number } {
  return index === 0 ? {} : { Index: index };
}

/** The head that every object has. */
export function presentMeta(
  object: Pick<Meta, "id" | "versionIndex" | "createdAtMs" | "updatedAtMs">,
) {
  return {
    ID: object.id,
    Version: presentVersion(object.versionIndex),
    CreatedAt: formatTime(object.createdAtMs),
    UpdatedAt: formatTime(object.updatedAtMs),
  };
}
