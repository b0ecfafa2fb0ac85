import { expect, test } from "vitest";
import { overlappingRoute } from "./linux-tunnel-device.js";

const DEFAULT = { dst: "default", dev: "eth0" };

test.each([
  { name: "a way out and a LAN elsewhere", dst: "192.168.1.0/24", isTaken: false },
  { name: "a LAN inside", dst: "198.18.4.0/24", isTaken: true },
  { name: "a LAN around it", dst: "198.18.0.0/15", isTaken: true },
  { name: "a single host inside", dst: "198.18.0.7", isTaken: true },
  { name: "a LAN just behind it", dst: "198.18.16.0/24", isTaken: false },
])("a host with $name leaves the tunnel its range: $isTaken is in its way", ({ dst, isTaken }) => {
  const route = { dst, dev: "eth1" };
  expect(overlappingRoute([DEFAULT, route])).toEqual(isTaken ? route : undefined);
});
