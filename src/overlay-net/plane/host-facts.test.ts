import { expect, test } from "vitest";
import { nodeNames } from "../core/names.js";
import { uplinkNames } from "./host-facts.js";

test("uplinks are links with an address others can reach; loopback, link-local ones and ours are none", () => {
  const at = (address: string, internal = false) => [{ address, internal }];
  const interfaces = {
    lo: at("127.0.0.1", true),
    ens3: at("192.0.2.7"),
    ens4: at("2001:db8::7"),
    veth1: at("fe80::1"),
    swgwabcdefgh: at("172.20.0.1"),
    swinabcdefgh: at("10.255.0.1"),
  };
  expect(uplinkNames(interfaces, nodeNames("abcdefgh0123"))).toEqual(["ens3", "ens4"]);
});
