/** Text of a container's /etc/hosts, /etc/hostname and /etc/resolv.conf. */

const LOCAL_HOSTS = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::\tip6-localnet",
  "ff00::\tip6-mcastprefix",
  "ff02::1\tip6-allnodes",
  "ff02::2\tip6-allrouters",
];

/** `extraHosts`: `IP name [name…]`, as specs hold them. `address` may carry a prefix length; "" adds no line. */
export function hostsText(options: {
  readonly address: string;
  readonly hostname: string;
  readonly extraHosts: readonly string[];
}): string {
  const lines = [...LOCAL_HOSTS, ...options.extraHosts.map(hostLine)];
  const ip = options.address.split("/")[0] ?? "";
  if (ip !== "") lines.push(`${ip}\t${options.hostname}`);
  return `${lines.join("\n")}\n`;
}

/** The host's own file with the spec's entries after it: for containers on the host network. */
export function hostNetworkHostsText(hostFile: string, extraHosts: readonly string[]): string {
  const base = hostFile === "" || hostFile.endsWith("\n") ? hostFile : `${hostFile}\n`;
  return base + extraHosts.map((entry) => `${hostLine(entry)}\n`).join("");
}

function hostLine(entry: string): string {
  const [ip, ...names] = entry.trim().split(/\s+/);
  return `${ip ?? ""}\t${names.join(" ")}`;
}

export type DnsChoice = {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
};

/** The spec's choice wins field by field over the network's, and that over the host's. */
export function resolvConfText(own: DnsChoice, network: DnsChoice, host: DnsChoice): string {
  const pick = (field: keyof DnsChoice): readonly string[] =>
    [own[field], network[field], host[field]].find((list) => list.length > 0) ?? [];
  const lines: string[] = [];
  const search = pick("search").filter((domain) => domain !== ".");
  if (search.length > 0) lines.push(`search ${search.join(" ")}`);
  for (const server of pick("nameservers")) lines.push(`nameserver ${server}`);
  const options = pick("options");
  if (options.length > 0) lines.push(`options ${options.join(" ")}`);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** Reads a resolv.conf. Loopback resolvers are dropped: inside another network namespace nobody answers there. */
export function parseResolvConf(text: string, shouldKeepLoopback: boolean): DnsChoice {
  const nameservers: string[] = [];
  let search: readonly string[] = [];
  const options: string[] = [];
  for (const line of text.split("\n")) {
    const [key, ...rest] = line.split(/[#;]/, 1)[0]?.trim().split(/\s+/) ?? [];
    if (key === "nameserver" && rest[0] !== undefined) nameservers.push(rest[0]);
    else if (key === "search" || key === "domain") search = rest;
    else if (key === "options") options.push(...rest);
  }
  const isKept = (ip: string): boolean =>
    shouldKeepLoopback || !(ip.startsWith("127.") || ip === "::1");
  return { nameservers: nameservers.filter(isKept), search, options };
}
