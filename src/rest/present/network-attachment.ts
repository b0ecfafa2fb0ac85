/** Addresses of services and tasks with the networks they are on, in the Engine's shape. */
import type { Network, Service, Task, TaskNetwork, VirtualIp } from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { presentMeta } from "./meta.js";
import { networkOptions } from "./network.js";
import { presentSubnets } from "./subnets.js";

type Networks = Pick<StoreView, "network">;

/** Ingress first, as the Engine lists them. */
function ingressFirst<T extends { readonly networkId: string }>(
  list: readonly T[],
  networks: Networks,
): readonly T[] {
  const rank = ({ networkId }: T): number =>
    networks.network(networkId)?.spec.Ingress === true ? 0 : 1;
  return [...list].sort((a, b) => rank(a) - rank(b));
}

/** One entry per network and family. */
export function presentVirtualIps(service: Service, networks: Networks) {
  return ingressFirst(service.vips, networks).flatMap((vip) =>
    addressesOf(vip, networks).map((Addr) => ({ NetworkID: vip.networkId, Addr })),
  );
}

export function presentAttachments(task: Task, networks: Networks) {
  return ingressFirst(task.networks, networks).flatMap((attached) => {
    const network = networks.network(attached.networkId);
    if (network === undefined) return [];
    return [{ Network: presentAttached(network), Addresses: addressesOf(attached, networks) }];
  });
}

/** With the length of the subnet's prefix. */
export function addressesOf(
  { networkId, address, address6 }: VirtualIp | TaskNetwork,
  networks: Networks,
): readonly string[] {
  const subnets = networks.network(networkId)?.subnets ?? [];
  const lengthOf = (isV6: boolean): string =>
    subnets.find(({ subnet }) => subnet.includes(":") === isV6)?.subnet.split("/")[1] ?? "";
  return [
    ...(address === "" ? [] : [`${address}/${lengthOf(false)}`]),
    ...(address6 === "" ? [] : [`${address6}/${lengthOf(true)}`]),
  ];
}

/** The network as tasks show it: the manager's own shape, not that of `/networks`. */
function presentAttached(network: Network) {
  const { spec, subnets } = network;
  return {
    ...presentMeta(network),
    Spec: {
      Name: spec.Name,
      Labels: spec.Labels,
      DriverConfiguration: {
        ...(spec.Ingress === true ? {} : { Name: spec.Driver }),
        ...(spec.Options === undefined ? {} : { Options: spec.Options }),
      },
      ...(spec.EnableIPv6 === true ? { IPv6Enabled: true } : {}),
      ...(spec.Internal === true ? { Internal: true } : {}),
      ...(spec.Attachable === true ? { Attachable: true } : {}),
      ...(spec.Ingress === true ? { Ingress: true } : {}),
      IPAMOptions: {
        Driver: spec.Ingress === true ? {} : { Name: spec.IPAM?.Driver ?? "default" },
        ...(spec.IPAM?.Config === undefined ? {} : { Configs: spec.IPAM.Config }),
      },
      Scope: spec.Scope,
    },
    DriverState: { Name: spec.Driver, Options: networkOptions(network) },
    IPAMOptions: { Driver: { Name: "default" }, Configs: presentSubnets(subnets) },
  };
}
