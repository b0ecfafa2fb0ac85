/** From what the user wrote (IP, interface, port, nothing) to the addresses this node listens on and is reached at. Spec §5.4. */
import { type ApiError, doorError } from "../../base/index.js";

export const DEFAULT_PORT = 2377;

/** One address of one interface of this host. */
export type HostAddress = {
  readonly interfaceName: string;
  readonly ip: string;
  readonly family: 4 | 6;
  readonly isLoopback: boolean;
  /** fe80::/10: means nothing without its interface. */
  readonly isLinkLocal: boolean;
  /** Belongs to a container engine (docker0, our own bridges…): never chosen, only taken when named. */
  readonly isVirtual: boolean;
};

/** `ip:port` (IPv6 in brackets) to listen on; nothing given: all addresses. Throws ApiError 400. */
export function resolveListenAddr(text: string, host: readonly HostAddress[]): string {
  const { name, port } = splitHostPort(text, "listen address");
  const ip = name === "" ? "0.0.0.0" : ipOf(name, host, "listen address");
  return joinHostPort(ip, port ?? DEFAULT_PORT);
}

/** Like resolveAdvertiseAddr; undefined when the host alone does not tell (join asks a manager then). */
export function tryAdvertiseAddr(
  text: string,
  listenAddr: string,
  host: readonly HostAddress[],
): string | undefined {
  const listen = splitHostPort(listenAddr, "listen address");
  const wanted = splitHostPort(text, "advertise address");
  const port = wanted.port ?? listen.port ?? DEFAULT_PORT;
  if (wanted.name !== "") {
    const ip = ipOf(wanted.name, host, "advertise address");
    if (isUnspecified(ip)) {
      throw bad(
        "advertise address must be a non-zero IP address or network interface (with optional port number)",
      );
    }
    return joinHostPort(ip, port);
  }
  if (listen.name !== "" && !isUnspecified(listen.name)) return joinHostPort(listen.name, port);
  const [only, ...others] = candidates(host);
  return only === undefined || others.length > 0 ? undefined : joinHostPort(only.ip, port);
}

/** The address others reach this node at. Throws ApiError 400 asking for --advertise-addr when it is not clear. */
export function resolveAdvertiseAddr(
  text: string,
  listenAddr: string,
  host: readonly HostAddress[],
): string {
  const addr = tryAdvertiseAddr(text, listenAddr, host);
  if (addr !== undefined) return addr;
  const [first, second] = candidates(host);
  if (first === undefined || second === undefined) {
    throw bad("could not find the system's IP address - specify one with --advertise-addr");
  }
  const where =
    first.interfaceName === second.interfaceName
      ? `multiple addresses on interface ${first.interfaceName} (${first.ip} and ${second.ip})`
      : `multiple addresses on different interfaces (${first.ip} on ${first.interfaceName} and ${second.ip} on ${second.interfaceName})`;
  throw bad(
    `could not choose an IP address to advertise since this system has ${where} - specify one with --advertise-addr`,
  );
}

/** Where the node's VXLAN packets come from and go to; "" for the address it is known by. Throws ApiError 400. */
export function resolveDataPathAddr(text: string, host: readonly HostAddress[]): string {
  if (text === "") return "";
  const { name, port } = splitHostPort(text, "data path address");
  if (name === "" || port !== undefined || isUnspecified(name)) {
    throw bad(
      "data path address must be a non-zero IP address or network interface (without a port number)",
    );
  }
  const ip = ipOf(name, host, "data path address");
  if (ip.includes(":"))
    throw bad(`data path address ${ip} is IPv6; the nodes' tunnels run over IPv4`);
  if (!host.some((each) => each.ip === ip))
    throw bad(`data path address ${ip} is on no interface of this host`);
  return ip;
}

/** A manager to join at: `host[:port]`. Throws ApiError 400. */
export function parseRemoteAddr(text: string): string {
  const { name, port } = splitHostPort(text, "remote address");
  if (name === "" || isUnspecified(name))
    throw bad(`remote address "${text}" names no manager; give its IP address or host name`);
  return joinHostPort(name, port ?? DEFAULT_PORT);
}

/** Splits `ip:port`, `[v6]:port`, `v6`, `name`, `:port`, ``. Throws ApiError 400. */
export function splitHostPort(
  text: string,
  what: string,
): { readonly name: string; readonly port: number | undefined } {
  if (isIp(text)) return { name: text, port: undefined };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) {
    throw bad(
      `${what} "${text}" must be an IP address or network interface (with optional port number)`,
    );
  }
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port < 1 || port > 65_535))
    throw bad(`${what} "${text}": port must be within 1–65535`);
  return { name: match[1] ?? match[2] ?? "", port };
}

/** `ip:port`, with brackets around IPv6. */
export function joinHostPort(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function ipOf(name: string, host: readonly HostAddress[], what: string): string {
  if (isIp(name)) return name;
  const own = host.filter((each) => each.interfaceName === name && !each.isLinkLocal);
  const ofFamily = (family: 4 | 6): readonly HostAddress[] =>
    own.filter((each) => each.family === family);
  const usable = ofFamily(4).length > 0 ? ofFamily(4) : ofFamily(6);
  const [first, second] = usable;
  if (first === undefined) {
    throw bad(`${what}: "${name}" is neither an IP address nor an interface with an address`);
  }
  if (second !== undefined) {
    throw bad(
      `${what}: interface ${name} has more than one IP address (${first.ip} and ${second.ip}); give one of them`,
    );
  }
  return first.ip;
}

/** IPv4 if there is any: one of them is the address, more are a question for the user. */
function candidates(host: readonly HostAddress[]): readonly HostAddress[] {
  const usable = host.filter((each) => !each.isLoopback && !each.isLinkLocal && !each.isVirtual);
  const v4 = usable.filter((each) => each.family === 4);
  return v4.length > 0 ? v4 : usable;
}

export function isIp(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text)
    ? text.split(".").every((part) => Number(part) <= 255)
    : /^[0-9a-fA-F:.]+$/.test(text) && (text.includes("::") || text.split(":").length === 8);
}

function isUnspecified(ip: string): boolean {
  return ip === "0.0.0.0" || /^[0:]+$/.test(ip);
}

function bad(message: string): ApiError {
  return doorError("InvalidArgument", message);
}
