import { describe, expect, test } from "vitest";
import {
  type HostAddress,
  isIp,
  parseRemoteAddr,
  resolveAdvertiseAddr,
  resolveListenAddr,
  splitHostPort,
  tryAdvertiseAddr,
} from "./address.js";

function address(
  interfaceName: string,
  ip: string,
  change: Partial<HostAddress> = {},
): HostAddress {
  return {
    interfaceName,
    ip,
    family: ip.includes(":") ? 6 : 4,
    isLoopback: false,
    isLinkLocal: false,
    isVirtual: false,
    ...change,
  };
}

const LO = address("lo", "127.0.0.1", { isLoopback: true });
const ETH0 = address("eth0", "10.0.0.5");
const ETH0_V6 = address("eth0", "2001:db8::5");
const ETH0_LOCAL = address("eth0", "fe80::5", { isLinkLocal: true });
const ETH1 = address("eth1", "10.1.0.5");
const DOCKER0 = address("docker0", "172.17.0.1", { isVirtual: true });
const TWO = [address("eth2", "10.2.0.1"), address("eth2", "10.2.0.2")];
const ONE_ADDRESS = [LO, ETH0, ETH0_V6, ETH0_LOCAL, DOCKER0];

describe("listen address", () => {
  test.each([
    { name: "nothing means every address", text: "", expected: "0.0.0.0:2377" },
    { name: "a port alone", text: ":3000", expected: "0.0.0.0:3000" },
    { name: "an IP", text: "10.0.0.5", expected: "10.0.0.5:2377" },
    { name: "an IP and port", text: "10.0.0.5:3000", expected: "10.0.0.5:3000" },
    { name: "an IPv6 address", text: "::1", expected: "[::1]:2377" },
    { name: "an IPv6 address and port", text: "[::1]:3000", expected: "[::1]:3000" },
    { name: "an interface means its IPv4 address", text: "eth0", expected: "10.0.0.5:2377" },
    { name: "an interface and port", text: "eth0:3000", expected: "10.0.0.5:3000" },
    { name: "an engine's interface, as it is named", text: "docker0", expected: "172.17.0.1:2377" },
  ])("$name", ({ text, expected }) => {
    expect(resolveListenAddr(text, ONE_ADDRESS)).toBe(expected);
  });

  test.each([
    { name: "unknown interface", text: "eth9", message: "neither an IP address nor an interface" },
    { name: "interface with two addresses", text: "eth2", message: "more than one IP address" },
    { name: "port out of range", text: ":70000", message: "1–65535" },
    { name: "port zero", text: "10.0.0.5:0", message: "1–65535" },
    {
      name: "not an address",
      text: "a:b:c",
      message: "must be an IP address or network interface",
    },
  ])("$name is refused", ({ text, message }) => {
    expect(() => resolveListenAddr(text, [...ONE_ADDRESS, ...TWO])).toThrow(message);
  });
});

describe("advertise address", () => {
  const listen = "0.0.0.0:2377";
  test.each([
    {
      name: "the only address is chosen",
      text: "",
      listen,
      host: ONE_ADDRESS,
      expected: "10.0.0.5:2377",
    },
    {
      name: "IPv6 when there is no IPv4",
      text: "",
      listen,
      host: [LO, ETH0_V6],
      expected: "[2001:db8::5]:2377",
    },
    {
      name: "the listen address when it names one",
      text: "",
      listen: "10.1.0.5:2377",
      host: [ETH0, ETH1],
      expected: "10.1.0.5:2377",
    },
    {
      name: "the listen port goes with it",
      text: "",
      listen: "0.0.0.0:3000",
      host: [ETH0],
      expected: "10.0.0.5:3000",
    },
    {
      name: "the listen port goes with a named interface",
      text: "eth1",
      listen: "0.0.0.0:3000",
      host: [ETH0, ETH1],
      expected: "10.1.0.5:3000",
    },
    {
      name: "its own port wins",
      text: "eth1:4000",
      listen: "0.0.0.0:3000",
      host: [ETH0, ETH1],
      expected: "10.1.0.5:4000",
    },
    {
      name: "an address the host does not have (NAT)",
      text: "192.0.2.1",
      listen,
      host: [ETH0],
      expected: "192.0.2.1:2377",
    },
    {
      name: "loopback when it is named",
      text: "127.0.0.1:5000",
      listen,
      host: [LO],
      expected: "127.0.0.1:5000",
    },
  ])("$name", (row) => {
    expect(resolveAdvertiseAddr(row.text, row.listen, row.host)).toBe(row.expected);
  });

  test.each([
    {
      name: "two addresses on one interface",
      text: "",
      host: [LO, ...TWO],
      message: "on interface eth2 (10.2.0.1 and 10.2.0.2) - specify one with --advertise-addr",
    },
    {
      name: "addresses on two interfaces",
      text: "",
      host: [ETH0, ETH1],
      message: "(10.0.0.5 on eth0 and 10.1.0.5 on eth1) - specify one with --advertise-addr",
    },
    {
      name: "no address at all",
      text: "",
      host: [LO, DOCKER0],
      message: "could not find the system's IP address - specify one with --advertise-addr",
    },
    { name: "every address", text: "0.0.0.0", host: [ETH0], message: "non-zero IP address" },
    { name: "every IPv6 address", text: "[::]:2377", host: [ETH0], message: "non-zero IP address" },
  ])("$name is refused with 400", ({ text, host, message }) => {
    const attempt = () => resolveAdvertiseAddr(text, listen, host);
    expect(attempt).toThrow(message);
    expect(attempt).toThrowError(expect.objectContaining({ http: 400 }));
  });

  test("a joining node without a clear address has none yet", () => {
    expect(tryAdvertiseAddr("", listen, [ETH0, ETH1])).toBeUndefined();
  });
});

test.each([
  { text: "10.0.0.1", expected: "10.0.0.1:2377" },
  { text: "manager.example:2378", expected: "manager.example:2378" },
  { text: "::1", expected: "[::1]:2377" },
])("remote address $text", ({ text, expected }) => {
  expect(parseRemoteAddr(text)).toBe(expected);
});

test.each(["", ":2377", "0.0.0.0:2377", "[::]:1"])("remote address %j names nobody", (text) => {
  expect(() => parseRemoteAddr(text)).toThrow("names no manager");
});

test("an IPv6 address without brackets has no port", () => {
  expect(splitHostPort("2001:db8::1:2377", "x")).toEqual({
    name: "2001:db8::1:2377",
    port: undefined,
  });
});

test.each([
  { text: "1.2.3.4", is: true },
  { text: "1.2.3.256", is: false },
  { text: "::", is: true },
  { text: "eth0", is: false },
])("$text is an IP: $is", ({ text, is }) => {
  expect(isIp(text)).toBe(is);
});
