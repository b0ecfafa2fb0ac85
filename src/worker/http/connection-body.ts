/** Bodies of network connect and disconnect: what is enforced of them; the rest is refused by name. */
import { type ApiError, doorError } from "../../base/index.js";

type Json = Readonly<Record<string, unknown>>;

/** Throws ApiError InvalidArgument without one. */
export function containerRef(body: unknown): string {
  const { Container: reference } = record(body, "body");
  if (typeof reference === "string" && reference !== "") return reference;
  throw doorError("InvalidArgument", "Container: name a container of this node");
}

export function isForced(body: unknown): boolean {
  const { Force: force = false } = record(body, "body");
  if (typeof force === "boolean") return force;
  throw doorError("InvalidArgument", "Force must be true or false");
}

/** Throws ApiError InvalidArgument, Unimplemented. */
export function connectionOptions(body: unknown): {
  readonly aliases: readonly string[];
  readonly addresses: readonly string[];
} {
  const config = record(record(body, "body")["EndpointConfig"] ?? {}, "EndpointConfig");
  const { IPAMConfig, Aliases, ...others } = config;
  for (const [field, value] of Object.entries(others))
    if (!isNothing(value)) throw notSupported(field);
  const { IPv4Address, IPv6Address, ...rest } = record(IPAMConfig ?? {}, "IPAMConfig");
  for (const [field, value] of Object.entries(rest))
    if (!isNothing(value)) throw notSupported(`IPAMConfig.${field}`);
  return {
    aliases: texts(Aliases ?? [], "Aliases"),
    addresses: texts([IPv4Address ?? "", IPv6Address ?? ""], "IPAMConfig").filter(
      (text) => text !== "",
    ),
  };
}

function notSupported(field: string): ApiError {
  return doorError(
    "Unimplemented",
    `network connect: field EndpointConfig.${field} is not supported yet`,
  );
}

/** The Engine's zero values: the client said nothing. */
function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === "" || value === 0) return true;
  if (value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function texts(value: unknown, field: string): readonly string[] {
  if (Array.isArray(value) && value.every((one): one is string => typeof one === "string"))
    return value;
  throw doorError("InvalidArgument", `EndpointConfig.${field} must hold texts`);
}

function record(value: unknown, field: string): Json {
  if (isRecord(value)) return value;
  throw doorError("InvalidArgument", `${field} must be an object`);
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
