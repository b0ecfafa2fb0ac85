import { expect, test } from "vitest";
import { nodeNames } from "../core/names.js";
import { leadsOut6, uplinkNames } from "./host-facts.js";

test("uplinks are links with an address others can reach; loopback, link-local ones and ours are none", () => {
  const at = (address: string, internal = false) => [{ address, internal }];
  const interfaces = {
    lo: at("127.0.0.1", true),
    ens3: at("192.0.2.7"),
    ens4: at("2001:db8::7"),
    veth1: at("fe80::1"),
    swgwabcdefgh: at("172.20.0.1"),
    swinabcdefgh: at("10.255.0.1"),
  };
  expect(uplinkNames(interfaces, nodeNames("abcdefgh0123"))).toEqual(["ens3", "ens4"]);
});

const ANY = "0".repeat(32);
const line = (dst: string, length: string, flags: string, link: string) =>
  `${dst} ${length} ${ANY} 00 ${ANY} 00000400 00000001 00000000 ${flags} ${link.padStart(8)}`;

test.each([
  {
    name: "a default route by a router",
    lines: [line(ANY, "00", "00000003", "eth0")],
    leads: true,
  },
  {
    name: "one that router advertisements made",
    lines: [line(ANY, "00", "00450003", "eth0")],
    leads: true,
  },
  {
    name: "loopback's refusal of everything",
    lines: [line(ANY, "00", "00200200", "lo")],
    leads: false,
  },
  {
    name: "one that refuses, on a link",
    lines: [line(ANY, "00", "00200200", "eth0")],
    leads: false,
  },
  {
    name: "one over the node's own bridge",
    lines: [line(ANY, "00", "00000003", "swgwabcdefgh")],
    leads: false,
  },
  {
    name: "a route to a subnet",
    lines: [line(`fd${"0".repeat(30)}`, "40", "00000001", "eth0")],
    leads: false,
  },
  { name: "no route at all", lines: [], leads: false },
])("$name: the host has an IPv6 way out: $leads", ({ lines, leads }) => {
  expect(leadsOut6(`${lines.join("\n")}\n`, nodeNames("abcdefgh0123"))).toBe(leads);
});
