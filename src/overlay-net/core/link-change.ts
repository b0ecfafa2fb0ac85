import type { Link } from "./kernel-model.js";

/** What brings an observed link to what is wanted: a set keeps its addresses, entries and connections; making it anew does not. */
export type LinkChange = "none" | "set" | "make";

export function linkChange(wanted: Link, observed: Link): LinkChange {
  const isOther =
    wanted.kind !== observed.kind ||
    wanted.vxlan?.vni !== observed.vxlan?.vni ||
    // The kernel refuses to change the port of a device that exists.
    wanted.vxlan?.port !== observed.vxlan?.port ||
    // Set on a device that exists, it would leave entries of another family behind.
    wanted.vxlan?.local !== observed.vxlan?.local ||
    isOtherEndpoint(wanted, observed);
  if (isOther) return "make";
  return linkDifferences(wanted, observed).length === 0 ? "none" : "set";
}

/** An endpoint's alias is what the pair is: task, network and interface. */
function isOtherEndpoint(wanted: Link, observed: Link): boolean {
  const isEndpoint = ({ alias }: Link) => alias.includes(":endpoint:");
  return isEndpoint(wanted) && isEndpoint(observed) && wanted.alias !== observed.alias;
}

/** Fields that differ, as `field is X, should be Y`. A MAC of "" is left to the kernel; flags of bridge ports count on ports alone. */
export function linkDifferences(wanted: Link, observed: Link): readonly string[] {
  const pairs: readonly (readonly [string, string, string])[] = [
    ["kind", observed.kind, wanted.kind],
    ["alias", observed.alias, wanted.alias],
    ["mac", wanted.mac === "" ? "" : observed.mac, wanted.mac],
    ["mtu", `${observed.mtu}`, `${wanted.mtu}`],
    ["state", observed.isUp ? "up" : "down", wanted.isUp ? "up" : "down"],
    ["master", observed.master || "none", wanted.master || "none"],
    ["vni", `${observed.vxlan?.vni ?? ""}`, `${wanted.vxlan?.vni ?? ""}`],
    ["port", `${observed.vxlan?.port ?? ""}`, `${wanted.vxlan?.port ?? ""}`],
    ["local", observed.vxlan?.local ?? "", wanted.vxlan?.local ?? ""],
    ...(wanted.master === "" ? [] : portFlags(wanted, observed)),
  ];
  return pairs
    .filter(([, is, should]) => is !== should)
    .map(([field, is, should]) => `${field} is ${is}, should be ${should}`);
}

function portFlags(wanted: Link, observed: Link): readonly (readonly [string, string, string])[] {
  const text = (flag: boolean) => (flag ? "on" : "off");
  return [
    ["isolation", text(observed.isIsolated), text(wanted.isIsolated)],
    ["learning", text(observed.isLearning), text(wanted.isLearning)],
  ];
}
