/** Requests, byte for byte, as the kernel accepts them; split after the netlink header and after the family's own. */
import { expect, test } from "vitest";
import type { Link } from "../../../core/kernel-model.js";
import { encodeAddAddress, encodeRemoveAddress } from "./address.js";
import { encodeAddLink, encodeFinishLink, encodeRemoveLink, encodeSetLink } from "./link.js";
import { setSequence } from "./message.js";
import {
  encodeRemoveFdb,
  encodeRemoveNeighbour,
  encodeReplaceFdb,
  encodeReplaceNeighbour,
} from "./neighbour.js";
import { encodeDumpConnections, encodeDumpTables, encodeGetGeneration } from "./netfilter.js";
import { encodeAddRule, encodeRemoveRoute, encodeReplaceRoute } from "./route.js";

const plain = {
  ...{ alias: "", mac: "", mtu: 1450, isUp: true },
  ...{ master: "", isIsolated: false, isLearning: false },
};
const bridge: Link = { ...plain, name: "br0", kind: "bridge" };
const veth: Link = { ...plain, name: "v1", kind: "veth" };
const vxlan: Link = {
  ...{ ...plain, name: "vx1", kind: "vxlan", mac: "02:42:00:00:00:02" },
  vxlan: { vni: 4097, port: 4789, local: "192.0.2.1" },
};
const mac = "02:42:0a:01:00:09";
const NO_LINK = "00000000000000000000000000000000";

test.each<{ name: string; message: Buffer; bytes: readonly string[] }>([
  {
    name: "a bridge, without a default VLAN",
    message: encodeAddLink({ link: bridge, masterIndex: 0 }),
    bytes: [
      "4c000000100005060000000000000000",
      NO_LINK,
      "0800030062723000" + "08000400aa050000",
      "1c001280" + "0b00010062726964676500000c00028006002700" + "00000000",
    ],
  },
  {
    name: "a VXLAN device: proxy, no learning, born for another namespace",
    message: encodeAddLink({ link: vxlan, masterIndex: 5, netnsFd: 9 }),
    bytes: [
      "88000000100005060000000000000000",
      NO_LINK,
      "0800030076783100" + "08000400aa050000" + "0a000100024200000002" + "0000",
      "08000a0005000000" + "08001c0009000000",
      "3c001280" + "0a00010076786c616e000000" + "2c000280" + "0800010001100000",
      "08000400c0000201" + "0500070000000000" + "05000b0001000000" + "06000f0012b50000",
    ],
  },
  {
    name: "a veth with its peer in another namespace",
    message: encodeAddLink({
      link: veth,
      masterIndex: 5,
      peer: {
        link: { ...plain, name: "eth0", kind: "veth", mac: "02:42:0a:01:00:05" },
        netnsFd: 9,
      },
    }),
    bytes: [
      "88000000100005060000000000000000",
      NO_LINK,
      "0700030076310000" + "08000400aa050000" + "08000a0005000000",
      "50001280" + "090001007665746800000000" + "40000280" + "3c000100" + NO_LINK,
      "090003006574683000000000" + "08000400aa050000" + "0a00010002420a0100050000",
      "08001c0009000000",
    ],
  },
  {
    name: "port flags and alias before the link is up",
    message: encodeFinishLink({ ...veth, alias: "swarm:n:x", master: "br0", isIsolated: true }),
    bytes: [
      "5c000000100005000000000000000000",
      "00000000000000000100000001000000",
      "0700030076310000" + "0d001400737761726d3a6e3a78000000",
      "24001280" + "0b0004006272696467650000" + "14000580",
      "0500080000000000" + "0500210001000000",
    ],
  },
  {
    name: "an empty alias removes it; a link that is no port has no flags",
    message: encodeFinishLink({ ...bridge, isUp: false }),
    bytes: [
      "2c000000100005000000000000000000",
      "00000000000000000000000001000000",
      "0800030062723000" + "04001400",
    ],
  },
  {
    name: "MTU and no master",
    message: encodeSetLink(bridge, 0),
    bytes: [
      "38000000100005000000000000000000",
      NO_LINK,
      "0800030062723000" + "08000400aa050000" + "08000a0000000000",
    ],
  },
  {
    name: "removing a link by name",
    message: encodeRemoveLink("v1"),
    bytes: ["28000000110005000000000000000000", NO_LINK, "0700030076310000"],
  },
  {
    name: "an IPv4 address",
    message: encodeAddAddress(3, "10.1.0.5/24"),
    bytes: [
      "28000000140005050000000000000000",
      "0218000003000000",
      "080002000a010005" + "080001000a010005",
    ],
  },
  {
    name: "an IPv6 address, without duplicate detection",
    message: encodeAddAddress(3, "fd00::5/64"),
    bytes: [
      "40000000140005050000000000000000",
      "0a40020003000000",
      "14000200fd000000000000000000000000000005" + "14000100fd000000000000000000000000000005",
    ],
  },
  {
    name: "removing an address",
    message: encodeRemoveAddress(3, "10.1.0.5/24"),
    bytes: [
      "28000000150005000000000000000000",
      "0218000003000000",
      "080002000a010005" + "080001000a010005",
    ],
  },
  {
    name: "a default route in a table over 255",
    message: encodeReplaceRoute(
      { dst: "default", family: 4, via: "10.1.0.1", link: "e", table: 1000 },
      3,
    ),
    bytes: [
      "34000000180005050000000000000000",
      "020000000004000100000000",
      "080005000a010001" + "0800040003000000" + "08000f00e8030000",
    ],
  },
  {
    name: "a route on the link itself has link scope",
    message: encodeReplaceRoute(
      { dst: "10.8.0.0/16", family: 4, via: "", link: "e", table: 254 },
      3,
    ),
    bytes: [
      "34000000180005050000000000000000",
      "021000000004fd0100000000",
      "080001000a080000" + "0800040003000000" + "08000f00fe000000",
    ],
  },
  {
    name: "removing an IPv6 route of any protocol and scope",
    message: encodeRemoveRoute(
      { dst: "fd00:7::/64", family: 6, via: "fd00::1", link: "e", table: 254 },
      3,
    ),
    bytes: [
      "54000000190005000000000000000000",
      "0a4000000000ff0000000000",
      "14000100fd000007000000000000000000000000" + "14000500fd000000000000000000000000000001",
      "0800040003000000" + "08000f00fe000000",
    ],
  },
  {
    name: "a rule for a mark, refused when it is there",
    message: encodeAddRule({
      ...{ family: 4, priority: 1000, table: 1000 },
      ...{ fwmark: 0x1000, mask: 0xf000 },
    }),
    bytes: [
      "3c000000200005060000000000000000",
      "020000000000000100000000",
      "08000600e8030000" + "08000a0000100000" + "0800100000f00000" + "08000f00e8030000",
    ],
  },
  {
    name: "VXLAN FDB: permanent, self, with destination",
    message: encodeReplaceFdb({ link: "v", mac, dst: "192.0.2.9" }, 7),
    bytes: [
      "300000001c0005050000000000000000",
      "070000000700000080000200",
      "0a00020002420a0100090000" + "08000100c0000209",
    ],
  },
  {
    name: "bridge FDB: static, master",
    message: encodeReplaceFdb({ link: "v", mac, dst: "" }, 7),
    bytes: [
      "280000001c0005050000000000000000",
      "070000000700000042000400",
      "0a00020002420a0100090000",
    ],
  },
  {
    name: "removing a VXLAN FDB entry",
    message: encodeRemoveFdb({ link: "v", mac, dst: "192.0.2.9" }, 7),
    bytes: [
      "300000001d0005000000000000000000",
      "070000000700000000000200",
      "0a00020002420a0100090000" + "08000100c0000209",
    ],
  },
  {
    name: "a permanent neighbour",
    message: encodeReplaceNeighbour({ link: "v", address: "10.1.0.9", mac }, 7),
    bytes: [
      "300000001c0005050000000000000000",
      "020000000700000080000000",
      "080001000a010009" + "0a00020002420a0100090000",
    ],
  },
  {
    name: "removing an IPv6 neighbour",
    message: encodeRemoveNeighbour({ link: "v", address: "fd00::9", mac }, 7),
    bytes: [
      "300000001d0005000000000000000000",
      "0a0000000700000000000000",
      "14000100fd000000000000000000000000000009",
    ],
  },
  {
    name: "all connections",
    message: encodeDumpConnections(),
    bytes: ["14000000010101030000000000000000", "00000000"],
  },
  {
    name: "the nft generation",
    message: encodeGetGeneration(),
    bytes: ["14000000100a05000000000000000000", "00000000"],
  },
  {
    name: "all nft tables",
    message: encodeDumpTables(),
    bytes: ["14000000010a01030000000000000000", "00000000"],
  },
])("$name", ({ message, bytes }) => {
  expect(message.toString("hex")).toBe(bytes.join(""));
});

test("the sequence number is the socket's to write", () => {
  const message = encodeGetGeneration();
  setSequence(message, 0x01020304);
  expect(message.toString("hex", 8, 12)).toBe("04030201");
});
