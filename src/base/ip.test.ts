import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cidrCovers,
  cidrHas,
  cidrsOverlap,
  formatCidr,
  formatIp,
  parseCidr,
  parseIp,
} from "./ip.js";

describe("addresses", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["FD00:0:0:1:0:0:0:2", "fd00:0:0:1::2"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1::1", "2001:0:0:1::1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["1::", "1::"],
  ])("%s is written %s", (text, canonical) => {
    const address = parseIp(text);
    expect(address && formatIp(address)).toBe(canonical);
  });

  test.each([
    "",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.1",
    "1:2:3",
    ":::",
    "1::2::3",
    "fe80::1%eth0",
    "1:2:3:4:5:6:7:8::",
  ])("%j is no address", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  test("what the system takes for an address is read, and written as the same address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIp(text);
        expect(address === undefined).toBe(isIP(text) === 0);
        if (address) expect(parseIp(formatIp(address))).toEqual(address);
      }),
    );
  });
});

describe("prefixes", () => {
  const cidr = (text: string) => {
    const found = parseCidr(text);
    if (!found) throw new Error(text);
    return found;
  };

  test("host bits are dropped", () => {
    expect(formatCidr(cidr("10.0.5.7/24"))).toBe("10.0.5.0/24");
    expect(formatCidr(cidr("fd00::7/64"))).toBe("fd00::/64");
    expect(formatCidr(cidr("1.2.3.4/0"))).toBe("0.0.0.0/0");
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1", "x/8"])(
    "%j is no prefix",
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  test.each([
    ["10.0.0.0/8", "10.1.0.0/16", true],
    ["10.1.0.0/16", "10.0.0.0/8", true],
    ["10.0.0.0/24", "10.0.1.0/24", false],
    ["::/0", "0.0.0.0/0", false],
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect(cidrsOverlap(cidr(a), cidr(b))).toBe(expected);
  });

  test("one covers the other only when it is the larger", () => {
    expect(cidrCovers(cidr("10.0.0.0/8"), cidr("10.1.0.0/16"))).toBe(true);
    expect(cidrCovers(cidr("10.1.0.0/16"), cidr("10.0.0.0/8"))).toBe(false);
    expect(cidrHas(cidr("10.0.0.0/24"), { family: 4, value: 0x0a0000ffn })).toBe(true);
    expect(cidrHas(cidr("10.0.0.0/24"), { family: 4, value: 0x0a000100n })).toBe(false);
  });
});
