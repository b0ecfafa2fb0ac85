import type { NftTable } from "../kernel-model.js";
import type { NodeNames } from "../names.js";
import type { PublishedPort } from "../network-state.js";
import { type NftChain, nftTable, regularChain } from "./nft-table.js";
import { dnatTo, REFUSE, setOf, translating } from "./rule-parts.js";

/** Bit of packet and connection mark that leads the host's packets into the ingress network. */
export const HOST_MESH_MARK = 0x0800_0000;

export type MeshPort = Pick<PublishedPort, "protocol" | "publishedPort" | "targetPort"> & {
  readonly backends: readonly string[];
  readonly backends6: readonly string[];
};

export type MeshInput = {
  /** The host's end on the ingress network. */
  readonly link: string;
  readonly mtu: number;
  /** This node's address there; replies to those who have no address of their own come back to it. */
  readonly address: string;
  readonly gwbridgeSubnet: string;
  readonly ports: readonly MeshPort[];
};

/**
 * The routing mesh on a host: a connection to a published port of any local address goes to a task, wherever it runs, with the client's
 * address. Loopback and this node's containers mean nothing elsewhere: they come from the node's ingress address. [::1] is left to the
 * port's holder: IPv6 has no routing of loopback addresses.
 */
export function meshTable(names: NodeNames, mesh: MeshInput): NftTable {
  const ports = [...mesh.ports].sort((a, b) => (portName(a) < portName(b) ? -1 : 1));
  const ingress = `"${mesh.link}"`;
  const local = [
    "meta nfproto ipv4 fib daddr type local jump ports4",
    "meta nfproto ipv6 ip6 daddr != ::1 fib daddr type local jump ports6",
  ];
  return nftTable("inet", `${names.nftTable}_mesh`, [
    REFUSE,
    ...ports.flatMap((port) => portChains(port)),
    regularChain(
      "ports4",
      verdicts(
        "p4",
        ports.filter(({ backends }) => backends.length > 0),
      ),
    ),
    regularChain(
      "ports6",
      verdicts(
        "p6",
        ports.filter(({ backends6 }) => backends6.length > 0),
      ),
    ),
    regularChain("idle", [
      ...refusals(
        "ipv4",
        ports.filter(({ backends }) => backends.length === 0),
      ),
      ...refusals(
        "ipv6",
        ports.filter(({ backends6 }) => backends6.length === 0),
      ),
    ]),
    {
      name: "mark_pre",
      hook: "type filter hook prerouting priority -150; policy accept;",
      rules: [
        // Without it strict reverse path filters drop what comes from there: no other route leads back.
        `iifname ${ingress} meta mark set meta mark or ${hex(HOST_MESH_MARK)}`,
        ...clampRules(`iifname ${ingress}`, mesh.mtu),
        restoreRule(),
      ],
    },
    {
      name: "mark_out",
      hook: "type route hook output priority -150; policy accept;",
      rules: [restoreRule()],
    },
    ...translating("pre", "prerouting", [`iifname ${ingress} return`, ...local]),
    ...translating("out", "output", local),
    {
      name: "refuse_in",
      hook: "type filter hook input priority -10; policy accept;",
      rules: ["ct state new jump idle"],
    },
    {
      name: "clamp_out",
      hook: "type filter hook postrouting priority -150; policy accept;",
      rules: clampRules(`oifname ${ingress}`, mesh.mtu),
    },
    {
      name: "post",
      hook: "type nat hook postrouting priority 90; policy accept;",
      rules:
        mesh.address === ""
          ? []
          : [
              `oifname ${ingress} ip saddr ${setOf(["127.0.0.0/8", mesh.gwbridgeSubnet])} snat ip to ${mesh.address}`,
            ],
    },
  ]);
}

function portChains(port: MeshPort): readonly NftChain[] {
  return [
    { name: `p4_${portName(port)}`, targets: port.backends },
    { name: `p6_${portName(port)}`, targets: port.backends6 },
  ]
    .filter(({ targets }) => targets.length > 0)
    .map(({ name, targets }) => ({
      name,
      hook: "",
      rules: [
        // The mark comes first: the translation of local packets looks the route up again at once.
        `ct mark set ct mark or ${hex(HOST_MESH_MARK)}`,
        `meta mark set meta mark or ${hex(HOST_MESH_MARK)}`,
        `meta l4proto ${port.protocol} ${dnatTo([...targets].sort(), port.targetPort)}`,
      ],
    }));
}

function portName({ protocol, publishedPort }: MeshPort): string {
  return `${protocol}_${publishedPort}`;
}

function verdicts(prefix: string, ports: readonly MeshPort[]): readonly string[] {
  if (ports.length === 0) return [];
  const elements = ports.map(
    (port) => `${port.protocol} . ${port.publishedPort} : goto ${prefix}_${portName(port)}`,
  );
  return [`meta l4proto . th dport vmap ${setOf(elements)}`];
}

function refusals(family: "ipv4" | "ipv6", ports: readonly MeshPort[]): readonly string[] {
  if (ports.length === 0) return [];
  const elements = ports.map(({ protocol, publishedPort }) => `${protocol} . ${publishedPort}`);
  // IPv6 loopback belongs to the holder of the port, which knows the backends of both families.
  const scope = family === "ipv6" ? "ip6 daddr != ::1" : "meta nfproto ipv4";
  return [`${scope} meta l4proto . th dport ${setOf(elements)} jump ${REFUSE.name}`];
}

function restoreRule(): string {
  const mark = hex(HOST_MESH_MARK);
  return `ct direction original ct mark and ${mark} == ${mark} meta mark set meta mark or ${mark}`;
}

/** Both ends choose their segments by the path outside, which is wider: RFC 4459 §3.2. */
function clampRules(direction: string, mtu: number): readonly string[] {
  return [
    `${direction} meta nfproto ipv4 tcp flags & syn == syn tcp option maxseg size set ${mtu - 40}`,
    `${direction} meta nfproto ipv6 tcp flags & syn == syn tcp option maxseg size set ${mtu - 60}`,
  ];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
