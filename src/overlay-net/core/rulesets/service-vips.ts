import type { NftTable } from "../kernel-model.js";
import type { NodeNames } from "../names.js";
import { nftTable, regularChain } from "./nft-table.js";
import { dnatTo, nameOf, REFUSE, setOf, translating } from "./rule-parts.js";

export const VIP_SUFFIX = "_vip";

/** A service with a virtual address, as its clients see it; "" and empty lists where it has none of a family. */
export type VipService = {
  readonly vip: string;
  readonly vip6: string;
  readonly backends: readonly string[];
  readonly backends6: readonly string[];
};

/**
 * Table of a client's namespace: connections to a virtual address go to one of its backends, the client itself included (it then sees
 * its own address). The source address stays. Without backends they are refused at once; those that are open stay open.
 */
export function serviceVipTable(names: NodeNames, services: readonly VipService[]): NftTable {
  const vips = services
    .flatMap(({ vip, vip6, backends, backends6 }) => [
      { address: vip, targets: backends },
      { address: vip6, targets: backends6 },
    ])
    .filter(({ address }) => address !== "")
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  const [v4, v6] = [vips.filter(isFamily("ip")), vips.filter(isFamily("ip6"))];
  return nftTable("inet", `${names.nftTable}${VIP_SUFFIX}`, [
    REFUSE,
    ...vips.filter(hasTargets).map(({ address, targets }) => ({
      name: `v_${nameOf(address)}`,
      hook: "",
      rules: [dnatTo([...targets].sort())],
    })),
    regularChain("services", [...verdicts("ip", v4), ...verdicts("ip6", v6)]),
    regularChain("idle", [...refusals("ip", v4), ...refusals("ip6", v6)]),
    {
      name: "refuse_out",
      hook: "type filter hook output priority -110; policy accept;",
      rules: ["ct state new jump idle"],
    },
    ...translating("out", "output", ["jump services"]),
  ]);
}

type Vip = { readonly address: string; readonly targets: readonly string[] };

function isFamily(family: "ip" | "ip6"): (vip: Vip) => boolean {
  return ({ address }) => address.includes(":") === (family === "ip6");
}

function hasTargets({ targets }: Vip): boolean {
  return targets.length > 0;
}

function verdicts(family: "ip" | "ip6", vips: readonly Vip[]): readonly string[] {
  const elements = vips.filter(hasTargets).map((v) => `${v.address} : goto v_${nameOf(v.address)}`);
  return elements.length === 0 ? [] : [`${family} daddr vmap ${setOf(elements)}`];
}

function refusals(family: "ip" | "ip6", vips: readonly Vip[]): readonly string[] {
  const idle = vips.filter((vip) => !hasTargets(vip)).map(({ address }) => address);
  return idle.length === 0 ? [] : [`${family} daddr ${setOf(idle)} jump ${REFUSE.name}`];
}
