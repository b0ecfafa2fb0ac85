/** What this host is like besides swarmd; read again now and then, as links come and go. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { LocalFacts, Uplink } from "../core/local-facts.js";
import { ingressLink, type NodeNames, tunnelLink } from "../core/names.js";
import type { ForeignRules } from "./foreign-rules.js";

export type HostFacts = Pick<
  LocalFacts,
  "uplinks" | "hasBridgeNetfilter" | "firewall" | "hasIpv6" | "hasDefaultRoute6"
>;
export const EMPTY_HOST: HostFacts = {
  uplinks: [],
  hasIpv6: false,
  hasDefaultRoute6: false,
  hasBridgeNetfilter: false,
  firewall: { dockerUser: "absent", dockerUser6: "absent", isFirewalldRunning: false },
};

export interface HostProbe {
  facts(): Promise<HostFacts>;
  /** The one of them that may change at any moment and is cheap to look at. */
  hasDefaultRoute6(): Promise<boolean>;
}

/** Whether the host forwards now: asked before anything of ours makes it forward. */
export async function isForwarding(family: 4 | 6): Promise<boolean> {
  const key = family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
  return (await sysctl(key)) === "1";
}

export class LinuxHostProbe implements HostProbe {
  readonly #names: NodeNames;
  readonly #foreign: ForeignRules;
  /** As found first: 1 is turned into 2 by the plane itself. */
  readonly #acceptRa = new Map<string, number>();

  constructor(names: NodeNames, foreign: ForeignRules) {
    this.#names = names;
    this.#foreign = foreign;
  }

  async facts(): Promise<HostFacts> {
    const uplinks: Uplink[] = [];
    for (const name of uplinkNames(networkInterfaces(), this.#names)) {
      const acceptRa =
        this.#acceptRa.get(name) ?? Number(await sysctl(`net/ipv6/conf/${name}/accept_ra`));
      this.#acceptRa.set(name, acceptRa);
      uplinks.push({ name, acceptRa });
    }
    const bridges = await sysctl("net/bridge/bridge-nf-call-iptables");
    return {
      uplinks,
      hasIpv6: (await sysctl("net/ipv6/conf/all/forwarding")) !== "",
      hasDefaultRoute6: await this.hasDefaultRoute6(),
      hasBridgeNetfilter: bridges !== "",
      firewall: await this.#foreign.look(),
    };
  }

  async hasDefaultRoute6(): Promise<boolean> {
    const routes = await readFile("/proc/net/ipv6_route", "utf8").catch(() => "");
    return leadsOut6(routes, this.#names);
  }
}

export const simulatedHostProbe: HostProbe = {
  facts: () => Promise.resolve(EMPTY_HOST),
  hasDefaultRoute6: () => Promise.resolve(false),
};

/** Flags of linux/route.h: in use, and leading nowhere. */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

/** From /proc/net/ipv6_route: whether a default route leads over a link that is neither loopback nor ours. */
export function leadsOut6(table: string, names: NodeNames): boolean {
  const ours = ourLinks(names);
  return table.split("\n").some((line) => {
    const [dst = "", length, , , , , , , flagText = "", link = ""] = line.trim().split(/\s+/);
    const flags = Number.parseInt(flagText, 16);
    const isDefault = length === "00" && /^0{32}$/.test(dst);
    const isUsable = (flags & RTF_UP) !== 0 && (flags & RTF_REJECT) === 0;
    return isDefault && isUsable && link !== "lo" && !ours.has(link);
  });
}

type Interfaces = Readonly<
  Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>
>;

/** Links with an address of their own, loopback and ours left out: traffic from outside comes in there. */
export function uplinkNames(interfaces: Interfaces, names: NodeNames): readonly string[] {
  const ours = ourLinks(names);
  return Object.entries(interfaces)
    .filter(([name, addresses]) => {
      const isReachable = addresses?.some(
        ({ address, internal }) => !internal && !/^fe[89ab]/i.test(address),
      );
      return isReachable === true && !ours.has(name);
    })
    .map(([name]) => name)
    .sort();
}

function ourLinks(names: NodeNames): ReadonlySet<string> {
  return new Set([names.bridge, ingressLink(names), tunnelLink(names)]);
}

/** "" when there is no such key. */
async function sysctl(key: string): Promise<string> {
  return (await readFile(`/proc/sys/${key}`, "utf8").catch(() => "")).trim();
}
