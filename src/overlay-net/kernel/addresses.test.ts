import { isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ipBytes, ipText, macBytes, macText, parsePrefix, prefixText } from "./addresses.js";

test("addresses come back from their bytes", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    // Many zeros: where IPv6 text is shortened.
    fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(bytes, (raw) => {
      const text = ipText(Uint8Array.from(raw));
      expect([...ipBytes(text)]).toEqual([...raw]);
      expect(isIPv6(text)).toBe(raw.length === 16);
    }),
  );
});

test("MAC addresses come back, in lower case", () => {
  expect(macText(macBytes("02:42:0A:ff:9f:00"))).toBe("02:42:0a:ff:9f:00");
});

test.each([
  ["2001:DB8:0:0:0:0:0:1/64", "2001:db8::1/64"],
  ["::ffff:10.0.0.1", "::ffff:a00:1/128"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3/128"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7/128"],
  ["::/0", "::/0"],
  ["10.1.0.5/24", "10.1.0.5/24"],
  ["10.1.0.5", "10.1.0.5/32"],
])("%s is %s", (text, canonical) => {
  const { bytes, length } = parsePrefix(text);
  expect(prefixText(bytes, length)).toBe(canonical);
});

test.each([
  "",
  "10.0.0",
  "10.0.0.256",
  "10.0.0.1.2",
  "10..0.1",
  "10.0.0.1.",
  ".10.0.0.1",
  "10.0.0.0001",
  "10.0.0.-1",
  "10.0.0.a",
  "10.0.0.1 ",
  "10.0.0.0/33",
  "10.0.0.0/",
  "10.0.0.0/x",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "12345::",
  "::/129",
  "fe80::1%eth0",
])("refused: %s", (text) => {
  expect(() => parsePrefix(text)).toThrow(/no IPv|prefix length/);
});

test.each(["02:42", "02:42:0a:01:00:0g", "02-42-0a-01-00-09"])("no MAC address: %s", (text) => {
  expect(() => macBytes(text)).toThrow(/no MAC address/);
});
