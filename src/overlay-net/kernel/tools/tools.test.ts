/** Lines given to the tools and texts read from them; both run for real in test/cluster. */
import { expect, test } from "vitest";
import type { ConntrackFilter, KernelOperation, Link } from "../../core/kernel-model.js";
import {
  countOpenFlows,
  endConnectionsCommands,
  entryLine,
  listFlowsCommands,
  makeLinkLine,
  setLinkLines,
} from "./commands.js";
import { OBSERVE_SCRIPT, parseObservation } from "./observe.js";

const plain = {
  ...{ alias: "", mac: "", mtu: 1450, isUp: true },
  ...{ master: "", isIsolated: false, isLearning: false },
};
const mac = "02:42:0a:01:00:09";
const vxlan = { vni: 4097, port: 4789, local: "192.0.2.1" };

test.each<{ link: Link; where: string; line: string }>([
  {
    link: { ...plain, name: "br0", kind: "bridge", mac },
    where: "box",
    line: `link add name br0 mtu 1450 address ${mac} type bridge vlan_default_pvid 0`,
  },
  {
    link: { ...plain, name: "vx1", kind: "vxlan", vxlan },
    where: "",
    line: "link add name vx1 mtu 1450 netns /run/netns/box type vxlan id 4097 dstport 4789 nolearning proxy local 192.0.2.1",
  },
])("a $link.kind is made", ({ link, where, line }) => {
  expect(makeLinkLine("box", link, undefined)).toEqual({ netns: where, command: ["ip"], line });
});

test("a veth is made with its peer in place", () => {
  const peer = { netns: "in", link: { ...plain, name: "eth0", kind: "veth" } } as const;
  expect(makeLinkLine("box", { ...plain, name: "v1", kind: "veth" }, peer).line).toBe(
    "link add name v1 mtu 1450 type veth peer name eth0 mtu 1450 netns /run/netns/in",
  );
});

test("port flags come after the master and before the link is up", () => {
  const link: Link = { ...plain, name: "v1", kind: "veth", alias: "a b", master: "br0" };
  expect(setLinkLines("box", { ...link, isIsolated: true }).map(({ line }) => line)).toEqual([
    "link set dev v1 mtu 1450 master br0",
    'link set dev v1 alias "a b"',
    "link set dev v1 type bridge_slave isolated on learning off",
    "link set dev v1 up",
  ]);
});

test.each<{ operation: KernelOperation; command: string; line: string }>([
  {
    operation: { kind: "addAddress", address: { link: "e", address: "fd00::5/64" } },
    command: "ip",
    line: "addr replace fd00::5/64 dev e nodad",
  },
  {
    operation: {
      kind: "replaceRoute",
      route: { dst: "default", family: 6, via: "", link: "e", table: 7 },
    },
    command: "ip",
    line: "route replace ::/0 dev e table 7 proto static",
  },
  {
    operation: {
      kind: "addRule",
      rule: { family: 6, priority: 9, fwmark: 4096, mask: 61440, table: 7 },
    },
    command: "ip -6",
    line: "rule add priority 9 fwmark 4096/61440 lookup 7",
  },
  {
    operation: { kind: "replaceFdb", entry: { link: "vx", mac, dst: "192.0.2.9" } },
    command: "bridge",
    line: `fdb replace ${mac} dev vx dst 192.0.2.9 self permanent`,
  },
  {
    operation: { kind: "removeFdb", entry: { link: "vx", mac, dst: "" } },
    command: "bridge",
    line: `fdb del ${mac} dev vx master`,
  },
  {
    operation: { kind: "replaceNeighbour", entry: { link: "vx", mac, address: "10.1.0.9" } },
    command: "ip",
    line: `neigh replace 10.1.0.9 lladdr ${mac} dev vx nud permanent`,
  },
])("$line", ({ operation, command, line }) => {
  const made = entryLine("box", operation);
  expect([made?.command.join(" "), made?.line]).toEqual([command, line]);
});

test.each<{ name: string; operation: KernelOperation }>([
  { name: "a name with a line end", operation: { kind: "removeLink", name: "a\nlink del b" } },
  {
    name: "a MAC with a word",
    operation: { kind: "replaceFdb", entry: { link: "vx", mac: `${mac} dev x`, dst: "" } },
  },
  {
    name: "an address with a word",
    operation: { kind: "addAddress", address: { link: "e", address: "10.0.0.1/8 dev x" } },
  },
])("nothing slips into a batch: $name", ({ operation }) => {
  expect(() => entryLine("box", operation)).toThrow(/is no|no valid/);
});

test("an alias cannot end its quotes", () => {
  const link: Link = { ...plain, name: "v1", kind: "veth", alias: 'a" up' };
  expect(() => setLinkLines("box", link)).toThrow(/is no alias/);
});

test.each<{ name: string; filter: ConntrackFilter; commands: readonly string[] }>([
  {
    name: "one family and protocol",
    filter: { protocol: "udp", originalDst: "10.1.0.5", originalDstPort: 80 },
    commands: ["conntrack -D -f ipv4 -p udp --orig-dst 10.1.0.5 --orig-port-dst 80"],
  },
  {
    name: "of TCP those that are not over",
    filter: { protocol: "tcp", originalDst: "10.1.0.5" },
    commands: ["SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT"].map(
      (state) => `conntrack -D -f ipv4 -p tcp --state ${state} --orig-dst 10.1.0.5`,
    ),
  },
  {
    name: "a port of any protocol",
    filter: { replySrc: "fd00::9", originalDstPort: 80 },
    commands: [
      ...["SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT"].map(
        (state) => `tcp --state ${state}`,
      ),
      ...["udp", "sctp"],
    ].map((name) => `conntrack -D -f ipv6 -p ${name} --reply-src fd00::9 --orig-port-dst 80`),
  },
  {
    name: "a zone, of both directions or one, in both families",
    filter: { zone: 7 },
    commands: ["ipv4", "ipv6"].flatMap((family) => [
      `conntrack -D -f ${family} -w 7`,
      `conntrack -D -f ${family} --orig-zone 7`,
    ]),
  },
])("connections: $name", ({ filter, commands }) => {
  expect(endConnectionsCommands(filter).map((command) => command.join(" "))).toEqual(commands);
});

test("open connections are counted by where they are answered from, in the families asked for", () => {
  const listed = [
    "tcp      6 431999 ESTABLISHED src=10.1.0.9 dst=10.1.0.5 sport=40000 dport=80 src=10.1.0.5 dst=10.1.0.9 sport=80 dport=40000 [ASSURED] mark=0 use=1",
    "tcp      6 55 CLOSE_WAIT src=10.1.0.9 dst=10.1.0.200 sport=40001 dport=80 src=10.1.0.5 dst=10.1.0.9 sport=80 dport=40001 [ASSURED] mark=0 use=1",
    "tcp      6 117 TIME_WAIT src=10.1.0.9 dst=10.1.0.5 sport=40002 dport=80 src=10.1.0.5 dst=10.1.0.9 sport=80 dport=40002 [ASSURED] mark=0 use=1",
    "tcp      6 117 SYN_SENT src=10.1.0.9 dst=10.1.0.5 sport=40003 dport=80 [UNREPLIED] src=10.1.0.5 dst=10.1.0.9 sport=80 dport=40003 mark=0 use=1",
    "tcp      6 431999 ESTABLISHED src=10.1.0.5 dst=10.1.0.9 sport=50000 dport=5432 src=10.1.0.9 dst=10.1.0.5 sport=5432 dport=50000 [ASSURED] mark=0 use=1",
    "tcp      6 431999 ESTABLISHED src=fd00::9 dst=fd00::5 sport=40000 dport=80 src=fd00::5 dst=fd00::9 sport=80 dport=40000 [ASSURED] mark=0 use=1",
    "",
  ].join("\n");
  expect(countOpenFlows(listed, ["10.1.0.5"])).toBe(2);
  expect(countOpenFlows(listed, ["10.1.0.5", "fd00:0::5"])).toBe(3);
  const commands = listFlowsCommands(["10.1.0.5", "10.2.0.5", "fd00::5"]);
  expect(commands.map((command) => command.slice(-3).join(" "))).toEqual(
    ["ipv4", "ipv6"].flatMap((family) => [`${family} -p tcp`, `${family} -p sctp`]),
  );
});

test("what the tools print becomes one namespace; what is not in the model is left out", () => {
  const parts = [
    [
      { ifname: "lo", mtu: 65536, flags: ["UP"] },
      {
        ...{ ifname: "vx1", ifalias: "swarm:n:x", address: mac, mtu: 1450 },
        ...{ flags: ["BROADCAST", "UP"], master: "br0" },
        linkinfo: {
          ...{ info_kind: "vxlan", info_data: { id: 4097, port: 4789, local: "192.0.2.1" } },
          ...{ info_slave_kind: "bridge", info_slave_data: { isolated: true, learning: false } },
        },
      },
    ],
    [
      {
        ifname: "eth0",
        addr_info: [
          { family: "inet", local: "10.1.0.5", prefixlen: 24, scope: "global" },
          { family: "inet6", local: "fe80::1", prefixlen: 64, scope: "link" },
        ],
      },
    ],
    [
      { dst: "default", gateway: "10.1.0.1", dev: "eth0", table: "1000", protocol: "4" },
      { dst: "10.1.0.0/24", dev: "eth0", protocol: "2" },
      { type: "local", dst: "10.1.0.5", dev: "eth0", table: "255" },
    ],
    [],
    [
      { priority: 0, src: "all", table: "255" },
      { priority: 9, src: "all", fwmark: "0x1000", fwmask: "0xf000", table: "1000" },
    ],
    [],
    [
      { mac, ifname: "vx1", dst: "192.0.2.9", flags: ["self"], state: "permanent" },
      { mac, ifname: "vx1", flags: [], master: "br0", state: "static" },
      { mac, ifname: "vx1", flags: [], master: "br0", state: "permanent" },
      { mac, ifname: "vx1", flags: [], master: "br0", vlan: 1, state: "static" },
      { mac, ifname: "vx1", flags: [], master: "br0" },
    ],
    [{ dst: "10.1.0.9", dev: "vx1", lladdr: mac }],
  ].map((part) => JSON.stringify(part));
  const ruleset =
    'table ip swarm_a { # handle 3\n\tcomment "one"\n\tchain c { # handle 1\n\t}\n}\ntable inet swarm_b { # handle 9\n}\ntable ip x { # handle 1\n}\n';
  const separator = /echo "([^"]+)"/.exec(OBSERVE_SCRIPT)?.[1] ?? "";
  expect(parseObservation([...parts, ruleset].join(`\n${separator}\n`), "swarm_")).toEqual({
    links: [
      {
        ...{ name: "vx1", kind: "vxlan", alias: "swarm:n:x", mac, mtu: 1450, isUp: true },
        ...{ master: "br0", isIsolated: true, isLearning: false, vxlan },
      },
    ],
    addresses: [{ link: "eth0", address: "10.1.0.5/24" }],
    routes: [{ family: 4, dst: "default", via: "10.1.0.1", link: "eth0", table: 1000 }],
    rules: [{ family: 4, priority: 9, fwmark: 0x1000, mask: 0xf000, table: 1000 }],
    fdb: [
      { link: "vx1", mac, dst: "192.0.2.9" },
      { link: "vx1", mac, dst: "" },
    ],
    neighbours: [{ link: "vx1", address: "10.1.0.9", mac }],
    tables: [
      { family: "ip", name: "swarm_a", comment: "one", instance: "3", content: expect.any(String) },
      { family: "inet", name: "swarm_b", comment: "", instance: "9", content: expect.any(String) },
    ],
  });
});
