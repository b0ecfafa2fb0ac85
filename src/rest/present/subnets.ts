import type { Subnet } from "../../api/index.js";

/** The Engine's IPAM configuration. */
export function presentSubnets(subnets: readonly Subnet[]) {
  return subnets.map(({ subnet, gateway, ipRange }) => ({
    Subnet: subnet,
    ...(ipRange === "" ? {} : { IPRange: ipRange }),
    ...(gateway === "" ? {} : { Gateway: gateway }),
  }));
}
