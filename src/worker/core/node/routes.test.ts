import { expect, test } from "vitest";
import { ROUTES_MAX, routeCidrs, routeCidrs6 } from "./routes.js";

const HEAD =
  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT  \n";

function row(destination: string, mask: string, flags = "0001"): string {
  return `eth0\t${destination}\t00000000\t${flags}\t0\t0\t0\t${mask}\t0\t0\t0   \n`;
}

test("the kernel's table as CIDRs, without default route and what is down", () => {
  const text =
    HEAD +
    row("00000000", "00000000", "0003") +
    row("0000630A", "00FFFFFF") +
    row("000010AC", "0000F0FF") +
    row("000010AC", "0000F0FF") +
    row("0101A8C0", "FFFFFFFF", "0005") +
    row("0000000B", "000000FF", "0000");
  expect(routeCidrs(text)).toEqual(["172.16.0.0/12", "10.99.0.0/24", "192.168.1.1/32"]);
});

test.each(["", HEAD, "nonsense\nof one column\n"])("nothing is found in %j", (text) => {
  expect(routeCidrs(text)).toEqual([]);
});

test("a long table is cut to what covers most", () => {
  const hosts = Array.from({ length: ROUTES_MAX }, (_, i) => {
    const low = (i % 256).toString(16).padStart(2, "0");
    return row(`${low}0${i >> 8}000A`, "FFFFFFFF");
  });
  const found = routeCidrs(HEAD + hosts.join("") + row("0000640A", "0000FFFF"));
  expect(found).toHaveLength(ROUTES_MAX);
  expect(found[0]).toBe("10.100.0.0/16");
});

test("the IPv6 table as CIDRs, without what every link has, host routes and ingress of its own and the default", () => {
  const line = (destination: string, length: string, link: string, flags = "00000001"): string =>
    `${destination} ${length} ${"0".repeat(32)} 00 ${"0".repeat(32)} 00000400 00000001 00000000 ${flags} ${link}\n`;
  const text =
    line("20010db8000000010000000000000000", "40", "eth0") +
    line("fd000009000000000000000000000000", "30", "wg0") +
    line("fdd8d2780549ffff0000000000000000", "40", "swinek3kqoaf") +
    line(`fe80${"0".repeat(28)}`, "40", "eth0") +
    line(`ff00${"0".repeat(28)}`, "08", "eth0") +
    line(`fd01${"0".repeat(28)}`, "40", "down0", "00000000") +
    line("20010db8000000010000000000000007", "80", "lo") +
    line("0".repeat(32), "00", "eth0");
  expect(routeCidrs6(text)).toEqual(["fd00:9::/48", "2001:db8:0:1::/64"]);
});

test.each(["", "nonsense\n"])("nothing is found in the IPv6 table %j", (text) => {
  expect(routeCidrs6(text)).toEqual([]);
});
