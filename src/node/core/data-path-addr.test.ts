import { expect, test } from "vitest";
import { type HostAddress, resolveDataPathAddr } from "./address.js";

const own = (interfaceName: string, ip: string): HostAddress => ({
  ...{ interfaceName, ip, isLoopback: false, isLinkLocal: false, isVirtual: false },
  family: ip.includes(":") ? 6 : 4,
});
const HOST = [own("eth0", "10.99.0.11"), own("eth1", "192.0.2.11"), own("eth1", "fd00::11")];
const BAD =
  "data path address must be a non-zero IP address or network interface (without a port number)";

test.each([
  { name: "nothing", text: "", found: "" },
  { name: "an address of the host", text: "192.0.2.11", found: "192.0.2.11" },
  { name: "an interface, IPv4 first", text: "eth1", found: "192.0.2.11" },
])("$name", ({ text, found }) => {
  expect(resolveDataPathAddr(text, HOST)).toBe(found);
});

test.each([
  { name: "no address", text: "0.0.0.0", message: BAD },
  { name: "an address with a port", text: "192.0.2.11:4789", message: BAD },
  { name: "an interface with a port", text: "eth1:4789", message: BAD },
  {
    name: "an interface that is not there",
    text: "eth9",
    message: 'data path address: "eth9" is neither an IP address nor an interface with an address',
  },
  {
    name: "an address of another host",
    text: "192.0.2.12",
    message: "data path address 192.0.2.12 is on no interface of this host",
  },
  {
    name: "IPv6",
    text: "fd00::11",
    message: "data path address fd00::11 is IPv6; the nodes' tunnels run over IPv4",
  },
])("$name is refused", ({ text, message }) => {
  expect(() => resolveDataPathAddr(text, HOST)).toThrow(message);
});
