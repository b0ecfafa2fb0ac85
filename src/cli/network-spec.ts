/** Networks as the command line names them: `network create` flags and the value of `--network`. */
import type { JsonObject } from "./json.js";
import { UsageError } from "./units.js";

export type NetworkFlags = {
  readonly driver: string;
  readonly attachable?: boolean;
  readonly ingress?: boolean;
  readonly internal?: boolean;
  readonly ipv6?: boolean;
  readonly subnet: readonly string[];
  readonly gateway: readonly string[];
  readonly ipRange: readonly string[];
  readonly opt: readonly string[];
  readonly label: readonly string[];
};

/** Body of `POST /networks/create`. */
export function networkBody(name: string, flags: NetworkFlags): JsonObject {
  return {
    Name: name,
    Driver: flags.driver,
    Scope: "swarm",
    Attachable: flags.attachable ?? false,
    Ingress: flags.ingress ?? false,
    Internal: flags.internal ?? false,
    EnableIPv6: flags.ipv6 ?? false,
    IPAM: { Driver: "default", Config: ipamConfig(flags) },
    Options: pairs(flags.opt),
    Labels: pairs(flags.label),
  };
}

/** The nth gateway and range belong to the nth subnet of their family, as people write them. */
function ipamConfig({ subnet, gateway, ipRange }: NetworkFlags): JsonObject[] {
  const ofFamily = (list: readonly string[], isV6: boolean): readonly string[] =>
    list.filter((text) => text.includes(":") === isV6);
  const configs = [false, true].flatMap((isV6) => {
    const subnets = ofFamily(subnet, isV6);
    const gateways = ofFamily(gateway, isV6);
    const ranges = ofFamily(ipRange, isV6);
    const [stray] = [...gateways.slice(subnets.length), ...ranges.slice(subnets.length)];
    if (stray !== undefined)
      throw new UsageError(`${stray} belongs to no subnet: name one with --subnet`);
    return subnets.map((text, i) => ({
      Subnet: text,
      ...(gateways[i] === undefined ? {} : { Gateway: gateways[i] }),
      ...(ranges[i] === undefined ? {} : { IPRange: ranges[i] }),
    }));
  });
  return configs;
}

/** Body of `POST /networks/{id}/connect`. */
export function connectBody(
  container: string,
  flags: Readonly<Record<string, unknown>>,
): JsonObject {
  const aliases = (flags["alias"] ?? []) as readonly string[];
  const ipam = {
    ...(typeof flags["ip"] === "string" && { IPv4Address: flags["ip"] }),
    ...(typeof flags["ip6"] === "string" && { IPv6Address: flags["ip6"] }),
  };
  return {
    Container: container,
    EndpointConfig: {
      ...(Object.keys(ipam).length > 0 && { IPAMConfig: ipam }),
      ...(aliases.length > 0 && { Aliases: [...aliases] }),
    },
  };
}

/** `web`, or `name=web,alias=db,alias=store`. */
export function parseNetwork(value: string): JsonObject {
  if (!value.includes("=")) return { Target: value };
  const target: JsonObject = {};
  const aliases: string[] = [];
  const options: Record<string, string> = {};
  for (const field of value.split(",")) {
    const at = field.indexOf("=");
    const [key, text] = [field.slice(0, at), field.slice(at + 1)];
    if (at > 0 && key === "name") target["Target"] = text;
    else if (at > 0 && key === "alias") aliases.push(text);
    else if (at > 0 && key === "driver-opt") Object.assign(options, pairs([text]));
    else
      throw new UsageError(
        `--network ${value}: unknown field "${field}" (name, alias, driver-opt)`,
      );
  }
  if (target["Target"] === undefined) throw new UsageError(`--network ${value}: name is missing`);
  if (aliases.length > 0) target["Aliases"] = aliases;
  if (Object.keys(options).length > 0) target["DriverOpts"] = options;
  return target;
}

function pairs(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((text) => {
      const at = text.indexOf("=");
      return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
