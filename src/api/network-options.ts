import type { NetworkSpec } from "./spec.js";

/** Option of a network: "" or "true". */
export const ENCRYPTED_OPTION = "encrypted";

/** Nothing of it goes between nodes but through WireGuard. */
export function isEncrypted({ Options }: Pick<NetworkSpec, "Options">): boolean {
  return Object.hasOwn(Options ?? {}, ENCRYPTED_OPTION);
}
