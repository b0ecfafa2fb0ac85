/** Networks in the Engine's `/networks` shape: those of the cluster, and the three that every node has. */
import { createHash } from "node:crypto";
import type { Network } from "../../api/index.js";
import { presentSubnets } from "./subnets.js";
import { formatTime } from "./time.js";

/** Name → driver of the networks that exist on every host without being made. */
export const LOCAL_NETWORKS = { bridge: "bridge", host: "host", none: "null" } as const;

const VNI_OPTION = "com.docker.network.driver.overlay.vxlanid_list";

/** A container on the network, as the Engine shows it. Addresses with their prefix length. */
export type EndpointJson = {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
};

export type NetworkJson = {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: "swarm" | "local";
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: {
    readonly Driver: string;
    readonly Options: Readonly<Record<string, string>> | null;
    readonly Config: readonly {
      readonly Subnet?: string;
      readonly Gateway?: string;
      readonly IPRange?: string;
    }[];
  };
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  readonly Containers: Readonly<Record<string, EndpointJson>> | null;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Labels: Readonly<Record<string, string>> | null;
};

export function presentNetwork(network: Network): NetworkJson {
  const { spec } = network;
  return {
    Name: spec.Name,
    Id: network.id,
    Created: formatTime(network.createdAtMs),
    Scope: spec.Scope,
    Driver: spec.Driver,
    EnableIPv4: true,
    EnableIPv6: spec.EnableIPv6 ?? false,
    IPAM: {
      Driver: spec.IPAM?.Driver ?? "default",
      Options: spec.IPAM?.Options ?? null,
      // As allocated; until then as asked for.
      Config:
        network.subnets.length > 0 ? presentSubnets(network.subnets) : (spec.IPAM?.Config ?? []),
    },
    Internal: spec.Internal ?? false,
    Attachable: spec.Attachable ?? false,
    Ingress: spec.Ingress ?? false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: null,
    Options: network.vni === 0 ? (spec.Options ?? null) : networkOptions(network),
    Labels: Object.keys(spec.Labels).length === 0 ? null : spec.Labels,
  };
}

/** With the VXLAN id where it was given one: clients read it there. */
export function networkOptions({ spec, vni }: Network): Readonly<Record<string, string>> {
  return vni === 0 ? (spec.Options ?? {}) : { ...spec.Options, [VNI_OPTION]: String(vni) };
}

/**
 * `none` with scope swarm. The cluster stores nothing for it, and clients send back the id they were told: it is its name, which means
 * the same on every node.
 */
export const SWARM_NONE: NetworkJson = {
  ...localNetwork("none", LOCAL_NETWORKS.none, "none"),
  Scope: "swarm",
};

/** `bridge`, `host` and `none` of this host; ids stay the same as long as the host keeps its state directory. */
export function localNetworks(hostKey: string): readonly NetworkJson[] {
  return Object.entries(LOCAL_NETWORKS).map(([name, driver]) =>
    localNetwork(name, driver, createHash("sha256").update(`${hostKey}\0${name}`).digest("hex")),
  );
}

function localNetwork(name: string, driver: string, id: string): NetworkJson {
  return {
    Name: name,
    Id: id,
    Created: formatTime(0),
    Scope: "local",
    Driver: driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: [] },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: {},
    Options: {},
    Labels: {},
  };
}
