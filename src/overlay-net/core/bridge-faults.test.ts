import { expect, test } from "vitest";
import { type BridgeLinks, bridgeFaults, endpointFaults, lasting } from "./bridge-faults.js";
import { emptyNetns, plainLink } from "./desired-parts.js";
import type { Link, NetnsState } from "./kernel-model.js";

const MAC = "02:42:ac:14:00:02";
const ENDPOINT = { netns: "box", hostLink: "v2", address: "172.20.0.2/20", mac: MAC };
const LINKS: BridgeLinks = { bridge: "gw", address: "172.20.0.1/20", endpoints: [ENDPOINT] };

const common = { alias: "", mtu: 1500 };
const gw = plainLink({ ...common, name: "gw", kind: "bridge" });
const port: Link = {
  ...plainLink({ ...common, name: "v2", kind: "veth", master: "gw" }),
  isIsolated: true,
};
const HOST: NetnsState = {
  ...emptyNetns(""),
  links: [gw, port],
  addresses: [{ link: "gw", address: "172.20.0.1/20" }],
};

test.each<{ name: string; host: Partial<NetnsState>; faults: readonly string[] }>([
  { name: "nothing, where all is there", host: {}, faults: [] },
  {
    name: "the bridge is gone, and its ports with no master",
    host: { links: [{ ...port, master: "", isIsolated: false }], addresses: [] },
    faults: [" host: link gw is missing", "box host: link v2 is not on gw"],
  },
  {
    name: "the bridge is down and without its address",
    host: { links: [{ ...gw, isUp: false }, port], addresses: [] },
    faults: [" host: link gw is down", " host: link gw has no address 172.20.0.1/20"],
  },
  {
    name: "a container's end is gone",
    host: { links: [gw] },
    faults: ["box host: link v2 is missing"],
  },
  {
    name: "a container's end is down, and reaches the others",
    host: { links: [gw, { ...port, isUp: false, isIsolated: false }] },
    faults: ["box host: link v2 is down", "box host: link v2 is not isolated"],
  },
])("in the host's namespace: $name", ({ host, faults }) => {
  const found = bridgeFaults(LINKS, { ...HOST, ...host });
  expect(found.map(({ netns, text }) => `${netns} ${text}`)).toEqual(faults);
});

const eth0 = plainLink({ ...common, name: "eth0", kind: "veth", mac: MAC });
const route = { dst: "default", family: 4, via: "172.20.0.1", link: "eth0", table: 254 } as const;
const BOX: NetnsState = {
  ...emptyNetns("box"),
  links: [eth0],
  addresses: [{ link: "eth0", address: "172.20.0.2/20" }],
  routes: [route],
};

test.each<{ name: string; box: Partial<NetnsState>; faults: readonly string[] }>([
  { name: "nothing, where all is there", box: {}, faults: [] },
  {
    name: "eth0 is gone, with all that was on it",
    box: { links: [], addresses: [], routes: [] },
    faults: ["box: link eth0 is missing"],
  },
  {
    name: "eth0 is another one, down",
    box: { links: [{ ...eth0, isUp: false, mac: "02:00:00:00:00:01" }] },
    faults: [
      "box: link eth0 is down",
      `box: link eth0: mac is 02:00:00:00:00:01, should be ${MAC}`,
    ],
  },
  {
    name: "its address is gone",
    box: { addresses: [{ link: "eth1", address: "172.20.0.2/20" }] },
    faults: ["box: address 172.20.0.2/20 on eth0 is missing"],
  },
  {
    name: "its way out is gone",
    box: { routes: [{ ...route, table: 100 }] },
    faults: ["box: route default via 172.20.0.1 on eth0 is missing"],
  },
])("in a container's namespace: $name", ({ box, faults }) => {
  const found = endpointFaults(LINKS, ENDPOINT, { ...BOX, ...box });
  expect(found.map(({ text }) => text)).toEqual(faults);
});

test("an endpoint that came or went while it was looked at is not judged", () => {
  const other = { ...ENDPOINT, netns: "other", hostLink: "v3" };
  const after = { ...LINKS, endpoints: [other, ENDPOINT] };
  expect(lasting(LINKS, after).endpoints).toEqual([ENDPOINT]);
  expect(lasting(after, LINKS).endpoints).toEqual([ENDPOINT]);
  expect(lasting(LINKS, { ...LINKS, endpoints: [] }).endpoints).toEqual([]);
});
