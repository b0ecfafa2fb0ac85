import type { JsonObject } from "./json.js";
import { UsageError } from "./units.js";

/** `8080:80/tcp`, `80`, ranges, or the long form `mode=host,target=80,published=8080,protocol=tcp`. */
export function parsePublish(value: string): JsonObject[] {
  return value.includes("=") ? [parseLong(value)] : parseShort(value);
}

function parseLong(value: string): JsonObject {
  const port: JsonObject = { Protocol: "tcp", PublishMode: "ingress" };
  for (const field of value.split(",")) {
    const [key = "", text = ""] = field.split("=");
    switch (key) {
      case "target":
        port["TargetPort"] = portNumber(text, value);
        break;
      case "published":
        port["PublishedPort"] = portNumber(text, value);
        break;
      case "protocol":
        port["Protocol"] = text;
        break;
      case "mode":
        port["PublishMode"] = text;
        break;
      default:
        throw new UsageError(
          `--publish ${value}: unknown field "${key}" (target, published, protocol, mode)`,
        );
    }
  }
  if (port["TargetPort"] === undefined)
    throw new UsageError(`--publish ${value}: target is missing`);
  return port;
}

function parseShort(value: string): JsonObject[] {
  const [ports = "", protocol = "tcp"] = value.split("/");
  const parts = ports.split(":");
  if (parts.length > 2) {
    throw new UsageError(`--publish ${value}: a host address is not supported for services`);
  }
  const targets = portRange(parts.at(-1) ?? "", value);
  const published = parts.length === 2 ? portRange(parts[0] ?? "", value) : [];
  if (published.length > 0 && published.length !== targets.length) {
    throw new UsageError(`--publish ${value}: both ranges must have the same length`);
  }
  return targets.map((target, i) => ({
    Protocol: protocol,
    TargetPort: target,
    ...(published[i] === undefined ? {} : { PublishedPort: published[i] }),
    PublishMode: "ingress",
  }));
}

function portRange(text: string, whole: string): number[] {
  const [from = "", to = from] = text.split("-");
  const first = portNumber(from, whole);
  const last = portNumber(to, whole);
  if (last < first) throw new UsageError(`--publish ${whole}: the range ${text} is empty`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function portNumber(text: string, whole: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new UsageError(`--publish ${whole}: "${text}" is not a port (1 to 65535)`);
  }
  return port;
}
