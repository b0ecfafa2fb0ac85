import { expect, test } from "vitest";
import { smallestMtu, underlayLinks, underlayLinks6 } from "./underlay.js";

const HEADER =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT  \n";
const route = (link: string, destination: string, flags = "0001") =>
  `${link}\t${destination}\t00000000\t${flags}\t0\t0\t0\t00FFFFFF\t0\t0\t0  \n`;

test.each([
  {
    name: "the default route's, though others are there",
    text: route("eth0", "00000000", "0003") + route("wg0", "0000000A") + route("eth0", "0000630A"),
    links: ["eth0"],
  },
  {
    name: "all that lead somewhere without a default route, but ours",
    text: route("eth1", "0000630A") + route("eth0", "0001630A") + route("swgwabcdefgh", "000014AC"),
    links: ["eth0", "eth1"],
  },
  { name: "none that is down", text: route("eth0", "00000000", "0000"), links: [] },
  { name: "none of an empty table", text: "", links: [] },
])("links between nodes: $name", ({ text, links }) => {
  expect(underlayLinks(HEADER + text)).toEqual(links);
});

test("on a host of IPv6 alone the links between nodes are those of its default routes", () => {
  const any = "0".repeat(32);
  const line = (link: string, flags: string, dst = any, length = "00") =>
    `${dst} ${length} ${any} 00 ${any} 00000400 00000001 00000000 ${flags} ${link.padStart(8)}\n`;
  const subnet = line("eth2", "00000001", `fd${"0".repeat(30)}`, "40");
  const text =
    line("eth1", "00450003") + line("lo", "00200200") + subnet + line("eth0", "00000003");
  expect(underlayLinks6(text)).toEqual(["eth0", "eth1"]);
  expect(underlayLinks6("")).toEqual([]);
});

test("the smallest MTU counts, and links that tell none do not", () => {
  expect(smallestMtu(["1500\n", "1450\n", ""])).toBe(1450);
  expect(smallestMtu(["", "x"])).toBe(undefined);
});
