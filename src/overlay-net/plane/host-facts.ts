/** What this host is like besides swarmd; read again now and then, as links come and go. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { LocalFacts, Uplink } from "../core/local-facts.js";
import { ingressLink, type NodeNames, tunnelLink } from "../core/names.js";
import type { ForeignRules } from "./foreign-rules.js";

export type HostFacts = Pick<LocalFacts, "uplinks" | "hasBridgeNetfilter" | "firewall">;
export const EMPTY_HOST: HostFacts = {
  uplinks: [],
  hasBridgeNetfilter: false,
  firewall: { dockerUser: "absent", isFirewalldRunning: false },
};

export interface HostProbe {
  facts(): Promise<HostFacts>;
}

/** Whether the host forwards now: asked before anything of ours makes it forward. */
export async function isForwarding(): Promise<boolean> {
  return (await sysctl("net/ipv4/ip_forward")) === "1";
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
    return { uplinks, hasBridgeNetfilter: bridges !== "", firewall: await this.#foreign.look() };
  }
}

export const simulatedHostProbe: HostProbe = {
  facts: () => Promise.resolve(EMPTY_HOST),
};

type Interfaces = Readonly<
  Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>
>;

/** Links with an address of their own, loopback and ours left out: traffic from outside comes in there. */
export function uplinkNames(interfaces: Interfaces, names: NodeNames): readonly string[] {
  const ours = new Set([names.bridge, ingressLink(names), tunnelLink(names)]);
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

/** "" when there is no such key. */
async function sysctl(key: string): Promise<string> {
  return (await readFile(`/proc/sys/${key}`, "utf8").catch(() => "")).trim();
}
