import type { Precondition, Rejection } from "../api/index.js";

/** One line for logs and internal callers. What a client is told is decided by who ran its operation. */
export function rejectionText(rejection: Rejection): string {
  const { precondition, conflictsWith, code } = rejection;
  const about =
    "id" in precondition
      ? ` ${precondition.table} ${precondition.id}`
      : "name" in precondition
        ? ` ${precondition.table} name ${precondition.name}`
        : "publishedPort" in precondition
          ? ` ${precondition.publishedPort}/${precondition.protocol}`
          : claimText(precondition);
  const others = conflictsWith.length > 0 ? `, in the way: ${conflictsWith.join(", ")}` : "";
  return `${code}: ${precondition.kind}${about}${others}`;
}

function claimText(precondition: Precondition): string {
  switch (precondition.kind) {
    case "addressFree":
      return ` ${precondition.address} of network ${precondition.networkId}`;
    case "vniFree":
      return ` ${precondition.vni}`;
    case "subnetFree":
      return ` ${precondition.subnet}`;
    default:
      return "";
  }
}
