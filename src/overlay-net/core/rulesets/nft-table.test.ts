import { expect, test } from "vitest";
import { nodeNames } from "../names.js";
import { dockerUserScript } from "./foreign-firewall.js";
import { guardTable } from "./guard.js";
import { nftTable, regularChain, replaceScript, updateScript, withRevisions } from "./nft-table.js";
import { dnatTo } from "./rule-parts.js";

const NAMES = nodeNames("abcdefgh0123456789abcdefg");
const HOOK = "type nat hook output priority -100; policy accept;";

function table(...chains: [name: string, hook: string, ...rules: string[]][]) {
  return nftTable(
    "inet",
    "t",
    chains.map(([name, hook, ...rules]) => ({ name, hook, rules })),
  );
}

test("a table is replaced in one script, its digest in its comment, an older revision mark taken away", () => {
  const one = table(["a", "", "accept"]);
  expect(replaceScript(one)).toBe(
    `table inet t { }\ndelete table inet t\ntable inet t_rev { }\ndelete table inet t_rev\ntable inet t {\n  comment "${one.hash}"\n  chain a {\n    accept\n  }\n}\n`,
  );
});

test.each([
  {
    name: "no text is known: the kernel gave the digest alone",
    from: { ...table(["a", "", "accept"]), text: "" },
    isWhole: true,
  },
  {
    name: "a hook changes",
    from: table(["a", "", "accept"], ["o", HOOK, "jump a"]),
    isWhole: true,
  },
  { name: "a chain changes", from: table(["a", "", "accept"]), isWhole: false },
])("from a table to another where $name", ({ from, isWhole }) => {
  const script = updateScript(from, table(["a", "", "drop"]));
  expect(script.includes("delete table inet t\n")).toBe(isWhole);
});

test("a chain that goes is emptied and deleted only after those that refer to it", () => {
  const from = table(["a", "", "accept"], ["m", "", "jump a"], ["o", HOOK, "jump m"]);
  const to = table(["b", "", "drop"], ["m", "", "jump b"], ["o", HOOK, "jump m"]);
  expect(updateScript(from, to).split("\n").slice(0, 6)).toEqual([
    "flush chain inet t m",
    "flush chain inet t a",
    "delete chain inet t a",
    "add chain inet t b",
    "add rule inet t b drop",
    "add rule inet t m jump b",
  ]);
});

test("the revision mark's digest is the one that counts", () => {
  const seen = [
    { family: "inet" as const, name: "t", text: "", hash: "1" },
    { family: "inet" as const, name: "t_rev", text: "", hash: "2" },
    { family: "inet" as const, name: "u_rev", text: "", hash: "3" },
  ];
  expect(withRevisions(seen).map(({ name, hash }) => `${name} ${hash}`)).toEqual([
    "t 2",
    "u_rev 3",
  ]);
});

test.each([
  { addresses: ["10.0.0.1"], port: undefined, rule: "dnat ip to 10.0.0.1" },
  { addresses: ["10.0.0.1"], port: 80, rule: "dnat ip to 10.0.0.1:80" },
  { addresses: ["fd00::1"], port: 80, rule: "dnat ip6 to [fd00::1]:80" },
  {
    addresses: ["10.0.0.1", "10.0.0.2"],
    port: 80,
    rule: "dnat ip to numgen random mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 } : 80",
  },
])("translation to $addresses, port $port", ({ addresses, port, rule }) => {
  expect(dnatTo(addresses, port)).toBe(rule);
});

const GUARD = {
  ingressLink: "swin",
  bridge: "swgw",
  dataPathPort: 4789,
  vnis: [4097, 4096],
  encryptedVnis: [],
  tunnelLink: "swwg",
  members: ["10.0.0.2", "fd00::1", "10.0.0.1"],
  separateLinks: [],
  closesForwarding6: false,
  bridgeSubnet6: "fd12:3456:789a:1::/64",
};

test("frames of our networks come from members, of either family, or not at all", () => {
  const { text } = guardTable(NAMES, GUARD);
  expect(text).toContain("@th,96,24 { 4096, 4097 } jump members");
  expect(text).toContain("ip saddr { 10.0.0.1, 10.0.0.2 } return");
  expect(text).toContain("ip6 saddr { fd00::1 } return\n    drop");
});

test("an encrypted network's frames come and go through the tunnel alone, and nothing else does", () => {
  expect(guardTable(NAMES, GUARD).text).not.toContain("swwg");
  const { text } = guardTable(NAMES, { ...GUARD, encryptedVnis: [4099, 4098] });
  const [, input = "", forward = "", output = ""] = text.split(/chain (?:in|forward|out) /);
  expect(text).toContain("@th,96,24 { 4096, 4097 } jump members");
  expect(input).toContain(
    'iifname != "swwg" udp dport 4789 @th,96,24 { 4098, 4099 } drop\n' +
      '    iifname "swwg" udp dport 4789 @th,96,24 { 4098, 4099 } accept\n' +
      '    iifname "swwg" drop',
  );
  expect(forward).toContain('iifname "swwg" drop\n    oifname "swwg" drop');
  expect(output).toContain("type filter hook output");
  expect(output).toContain('oifname != "swwg" udp dport 4789 @th,96,24 { 4098, 4099 } drop');
});

test("links between which the host did not forward stay apart", () => {
  expect(guardTable(NAMES, GUARD).text).not.toContain("ct status ! dnat");
  const apart = guardTable(NAMES, { ...GUARD, separateLinks: ["eth1", "eth0"] });
  expect(apart.text).toContain('iifname { "eth0", "eth1" } oifname { "eth0", "eth1" }');
});

test.each([
  { dockerUser: "absent" as const, dockerUser6: "absent" as const, ip: 0, ip6: 0 },
  { dockerUser: "with" as const, dockerUser6: "without" as const, ip: 0, ip6: 4 },
  { dockerUser: "without" as const, dockerUser6: "absent" as const, ip: 4, ip6: 0 },
  { dockerUser: "without" as const, dockerUser6: "without" as const, ip: 4, ip6: 4 },
])("Docker's chains $dockerUser and $dockerUser6 our rules", ({ ip, ip6, ...chains }) => {
  const script = dockerUserScript(NAMES, ["swgw", "swin"], {
    ...chains,
    isFirewalldRunning: false,
  });
  const count = (family: string) =>
    script.split(`insert rule ${family} filter DOCKER-USER `).length - 1;
  expect([count("ip"), count("ip6")]).toEqual([ip, ip6]);
});

test("equal chains give equal digests, others others", () => {
  const digests = ["accept", "drop", "accept"].map(
    (rule) => nftTable("inet", "t", [regularChain("a", [rule])]).hash,
  );
  expect(digests[0]).toBe(digests[2]);
  expect(digests[0]).not.toBe(digests[1]);
});
