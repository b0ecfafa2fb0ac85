import { expect, test } from "vitest";
import { connectBody, type NetworkFlags, networkBody, parseNetwork } from "./network-spec.js";
import { UsageError } from "./units.js";

test.each([
  { value: "web", target: { Target: "web" } },
  {
    value: "name=web,alias=db,alias=store",
    target: { Target: "web", Aliases: ["db", "store"] },
  },
  {
    value: "name=web,driver-opt=a=b",
    target: { Target: "web", DriverOpts: { a: "b" } },
  },
])("--network $value", ({ value, target }) => {
  expect(parseNetwork(value)).toEqual(target);
});

test.each(["alias=db", "name=web,color=red", "name=web,alias"])(
  "--network %s is refused",
  (value) => {
    expect(() => parseNetwork(value)).toThrow(UsageError);
  },
);

const flags = (set: Partial<NetworkFlags> = {}): NetworkFlags => ({
  driver: "overlay",
  subnet: [],
  gateway: [],
  ipRange: [],
  opt: [],
  label: [],
  ...set,
});

test("a network with all flags", () => {
  const body = networkBody(
    "web",
    flags({
      attachable: true,
      ipv6: true,
      subnet: ["fd00:9::/64", "10.9.0.0/24"],
      gateway: ["10.9.0.9", "fd00:9::9"],
      ipRange: ["10.9.0.128/25"],
      opt: ["com.docker.network.driver.mtu=9000", "encrypted"],
      label: ["a=b=c"],
    }),
  );
  expect(body).toEqual({
    Name: "web",
    Driver: "overlay",
    Scope: "swarm",
    Attachable: true,
    Ingress: false,
    Internal: false,
    EnableIPv6: true,
    IPAM: {
      Driver: "default",
      Config: [
        { Subnet: "10.9.0.0/24", Gateway: "10.9.0.9", IPRange: "10.9.0.128/25" },
        { Subnet: "fd00:9::/64", Gateway: "fd00:9::9" },
      ],
    },
    Options: { "com.docker.network.driver.mtu": "9000", encrypted: "" },
    Labels: { a: "b=c" },
  });
});

test("a gateway without its subnet is refused", () => {
  expect(() => networkBody("web", flags({ gateway: ["10.9.0.1"] }))).toThrow(
    "10.9.0.1 belongs to no subnet",
  );
});

test.each([
  { name: "nothing else", flags: {}, config: {} },
  {
    name: "addresses and names",
    flags: { ip: "10.9.0.7", ip6: "fd00:9::7", alias: ["db", "store"] },
    config: {
      IPAMConfig: { IPv4Address: "10.9.0.7", IPv6Address: "fd00:9::7" },
      Aliases: ["db", "store"],
    },
  },
])("connecting with $name", ({ flags: given, config }) => {
  expect(connectBody("tool", given)).toEqual({ Container: "tool", EndpointConfig: config });
});
