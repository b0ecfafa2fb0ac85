import { expect, test } from "vitest";
import {
  AddressError,
  firstFreePrefix,
  formatIpv4,
  formatPrefix,
  macOf,
  overlaps,
  parseIpv4,
  parsePrefix,
} from "./ipv4.js";

test.each(["0.0.0.0", "10.0.1.254", "172.31.255.255", "255.255.255.255"])(
  "%s survives parse and format",
  (text) => {
    expect(formatIpv4(parseIpv4(text))).toBe(text);
  },
);

test.each(["", "10.0.0", "10.0.0.256", "10.0.0.1.2", "a.b.c.d", "10.0.0.-1"])(
  "%j is refused as an address",
  (text) => {
    expect(() => parseIpv4(text)).toThrow(AddressError);
  },
);

test.each([
  { text: "10.1.2.3/8", formatted: "10.0.0.0/8" },
  { text: "172.20.16.1/20", formatted: "172.20.16.0/20" },
  { text: "10.0.0.1", formatted: "10.0.0.1/32" },
])("$text is the prefix $formatted", ({ text, formatted }) => {
  expect(formatPrefix(parsePrefix(text))).toBe(formatted);
});

test.each(["10.0.0.0/33", "10.0.0.0/x", "10.0/8"])("%j is refused as a prefix", (text) => {
  expect(() => parsePrefix(text)).toThrow(AddressError);
});

test.each([
  { a: "10.0.0.0/24", b: "10.0.0.128/25", is: true },
  { a: "10.0.0.0/24", b: "10.0.1.0/24", is: false },
  { a: "0.0.0.0/0", b: "10.0.1.0/24", is: true },
])("$a and $b overlap: $is", ({ a, b, is }) => {
  expect(overlaps(parsePrefix(a), parsePrefix(b))).toBe(is);
  expect(overlaps(parsePrefix(b), parsePrefix(a))).toBe(is);
});

test("the first free sub-prefix skips what routes already use", () => {
  const taken = ["172.20.0.0/20", "172.20.17.0/24"].map(parsePrefix);
  const free = firstFreePrefix(parsePrefix("172.20.0.0/14"), 20, taken);
  expect(free && formatPrefix(free)).toBe("172.20.32.0/20");
});

test("a pool full of routes has no free sub-prefix", () => {
  expect(
    firstFreePrefix(parsePrefix("10.0.0.0/20"), 20, [parsePrefix("10.0.0.0/8")]),
  ).toBeUndefined();
});

test("a MAC is a function of its address", () => {
  expect(macOf(parseIpv4("172.20.0.5"))).toBe("02:42:ac:14:00:05");
});
