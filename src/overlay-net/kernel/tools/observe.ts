/** One namespace from what the tools print. Pure but for the command, which is one process tree per observation. */
import { createHash } from "node:crypto";
import type {
  FdbEntry,
  Link,
  LinkAddress,
  LinkKind,
  Neighbour,
  NetnsState,
  NftFamily,
  Route,
  Rule,
} from "../../core/kernel-model.js";
import { ipBytes, ipText, parsePrefix, prefixText } from "../addresses.js";
import type { TableLook } from "../table-trust.js";

const SEPARATOR = "=== next ===";
const COMMANDS = [
  "ip -d -j link show",
  "ip -j addr show",
  "ip -4 -j -N route show table all",
  "ip -6 -j -N route show table all",
  "ip -4 -j -N rule show",
  "ip -6 -j -N rule show",
  "bridge -j fdb show",
  "ip -j neigh show nud permanent",
  "nft -s -a list ruleset",
];
/** Prints all of a namespace, one part per line of COMMANDS. */
export const OBSERVE_SCRIPT = COMMANDS.join(` && echo && echo "${SEPARATOR}" && `);

const KINDS: readonly string[] = ["bridge", "vxlan", "veth", "dummy", "wireguard"];
const MAIN_TABLE = 254;
const LOCAL_TABLE = 255;
/** RTPROT_REDIRECT, RTPROT_KERNEL, RTPROT_RA: not configured by anybody. */
const AUTOMATIC_PROTOCOLS = ["1", "2", "9", "redirect", "kernel", "ra"];
const FULL_MASK = 0xffff_ffff;

type RawLink = {
  readonly ifname: string;
  readonly ifalias?: string;
  readonly address?: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly master?: string;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_slave_kind?: string;
    readonly info_data?: {
      readonly id?: number;
      readonly port?: number;
      readonly local?: string;
      readonly local6?: string;
    };
    readonly info_slave_data?: { readonly isolated?: boolean; readonly learning?: boolean };
  };
};
type RawAddress = {
  readonly ifname: string;
  readonly addr_info: readonly {
    readonly family: string;
    readonly local?: string;
    readonly prefixlen: number;
    readonly scope: string;
  }[];
};
type RawRoute = {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly table?: string;
  readonly protocol?: string;
};
type RawRule = {
  readonly priority: number;
  readonly fwmark?: string;
  readonly fwmask?: string;
  readonly table?: string;
  readonly src?: string;
  readonly dst?: string;
  readonly iif?: string;
  readonly oif?: string;
};
type RawFdb = {
  readonly mac: string;
  readonly ifname: string;
  readonly dst?: string;
  readonly vlan?: number;
  readonly master?: string;
  readonly flags: readonly string[];
  readonly state?: string;
};
type RawNeighbour = { readonly dst: string; readonly dev: string; readonly lladdr?: string };

/** Throws SyntaxError when a tool printed something else than JSON. */
export function parseObservation(
  text: string,
  tablePrefix: string,
): Omit<NetnsState, "netns" | "sysctls" | "tables"> & { readonly tables: readonly TableLook[] } {
  const [links, addresses, routes4, routes6, rules4, rules6, fdb, neighbours, ruleset] =
    text.split(SEPARATOR);
  return {
    links: list<RawLink>(links).flatMap(parseLink),
    addresses: list<RawAddress>(addresses).flatMap(parseAddresses),
    routes: [
      ...list<RawRoute>(routes4).flatMap((raw) => parseRoute(raw, 4)),
      ...list<RawRoute>(routes6).flatMap((raw) => parseRoute(raw, 6)),
    ],
    rules: [
      ...list<RawRule>(rules4).flatMap((raw) => parseRule(raw, 4)),
      ...list<RawRule>(rules6).flatMap((raw) => parseRule(raw, 6)),
    ],
    fdb: list<RawFdb>(fdb).flatMap(parseFdb),
    neighbours: list<RawNeighbour>(neighbours).flatMap(parseNeighbour),
    tables: parseTables(ruleset ?? "").filter(({ name }) => name.startsWith(tablePrefix)),
  };
}

function list<T>(text: string | undefined): readonly T[] {
  return text === undefined || text.trim() === "" ? [] : (JSON.parse(text) as readonly T[]);
}

function parseLink(raw: RawLink): readonly Link[] {
  const kind = raw.linkinfo?.info_kind ?? "";
  if (!KINDS.includes(kind)) return [];
  const isPort = raw.linkinfo?.info_slave_kind === "bridge";
  const data = raw.linkinfo?.info_data;
  return [
    {
      name: raw.ifname,
      kind: kind as LinkKind,
      alias: raw.ifalias ?? "",
      mac: raw.address ?? "",
      mtu: raw.mtu,
      isUp: raw.flags.includes("UP"),
      master: raw.master ?? "",
      isIsolated: isPort && raw.linkinfo?.info_slave_data?.isolated === true,
      isLearning: isPort && raw.linkinfo?.info_slave_data?.learning === true,
      ...(kind === "vxlan" && {
        vxlan: {
          vni: data?.id ?? 0,
          port: data?.port ?? 0,
          local: data?.local ?? data?.local6 ?? "",
        },
      }),
    },
  ];
}

function parseAddresses(raw: RawAddress): readonly LinkAddress[] {
  return raw.addr_info
    .filter(({ family, scope }) => family !== "inet6" || scope !== "link")
    .flatMap(({ local, prefixlen }) =>
      local === undefined
        ? []
        : [{ link: raw.ifname, address: prefixText(ipBytes(local), prefixlen) }],
    );
}

function parseRoute(raw: RawRoute, family: 4 | 6): readonly Route[] {
  const table = raw.table === undefined ? MAIN_TABLE : tableNumber(raw.table);
  const isUnicast = raw.type === undefined || raw.type === "unicast" || raw.type === "1";
  if (!isUnicast || raw.dev === undefined || table === LOCAL_TABLE) return [];
  if (AUTOMATIC_PROTOCOLS.includes(raw.protocol ?? "")) return [];
  const dst = raw.dst === "default" ? undefined : parsePrefix(raw.dst);
  return [
    {
      family,
      dst: dst === undefined ? "default" : prefixText(dst.bytes, dst.length),
      via: raw.gateway === undefined ? "" : ipText(ipBytes(raw.gateway)),
      link: raw.dev,
      table,
    },
  ];
}

function parseRule(raw: RawRule, family: 4 | 6): readonly Rule[] {
  const isOther =
    raw.fwmark === undefined ||
    raw.table === undefined ||
    (raw.src ?? "all") !== "all" ||
    [raw.dst, raw.iif, raw.oif].some((selector) => selector !== undefined);
  if (isOther) return [];
  return [
    {
      family,
      priority: raw.priority,
      fwmark: Number(raw.fwmark),
      mask: raw.fwmask === undefined ? FULL_MASK : Number(raw.fwmask),
      table: tableNumber(raw.table ?? ""),
    },
  ];
}

function parseFdb(raw: RawFdb): readonly FdbEntry[] {
  if (raw.vlan !== undefined) return [];
  const { ifname: link, mac } = raw;
  if (raw.dst !== undefined) return [{ link, mac, dst: ipText(ipBytes(raw.dst)) }];
  const isBridges = raw.master !== undefined && !raw.flags.includes("self");
  return isBridges && raw.state === "static" ? [{ link, mac, dst: "" }] : [];
}

function parseNeighbour(raw: RawNeighbour): readonly Neighbour[] {
  if (raw.lladdr === undefined) return [];
  return [{ link: raw.dev, address: ipText(ipBytes(raw.dst)), mac: raw.lladdr }];
}

/** The JSON of nft 1.0.6 leaves comments of tables out; the text has them as the first line inside. */
/** As `nft -s -a list ruleset` prints them: without counters, with the kernel's handles. */
export function parseTables(ruleset: string): readonly TableLook[] {
  const found = ruleset.matchAll(
    /^table (ip6|ip|inet|netdev) (\S+) \{ # handle (\d+)\n(?:\s+flags [^\n]*\n)?(?:\s+comment "([^"\n]*)"\n)?(.*?)^\}$/gms,
  );
  return [...found].map(([, family, name = "", instance = "", comment = "", content = ""]) => ({
    ...{ family: family as NftFamily, name, comment, instance },
    content: createHash("sha256").update(content).digest("base64"),
  }));
}

function tableNumber(text: string): number {
  const names: Readonly<Record<string, number>> = {
    main: MAIN_TABLE,
    local: LOCAL_TABLE,
    default: 253,
  };
  return names[text] ?? Number(text);
}
