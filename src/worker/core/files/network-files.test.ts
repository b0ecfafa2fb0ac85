import { expect, test } from "vitest";
import {
  hostNetworkHostsText,
  hostsText,
  parseResolvConf,
  resolvConfText,
} from "./network-files.js";

test("a hosts file has the loopback names, the service's entries and the container itself", () => {
  const text = hostsText({
    address: "172.30.0.5/20",
    hostname: "web-1",
    extraHosts: ["10.0.0.9 db db.local", "::2 six"],
  });
  expect(text.split("\n").slice(-4)).toEqual([
    "10.0.0.9\tdb db.local",
    "::2\tsix",
    "172.30.0.5\tweb-1",
    "",
  ]);
  expect(text.startsWith("127.0.0.1\tlocalhost\n::1\tlocalhost")).toBe(true);
});

test("without an address there is no line for it", () => {
  expect(hostsText({ address: "", hostname: "x", extraHosts: [] })).not.toContain("\tx\n");
});

test("on the host network the host's file is kept", () => {
  expect(hostNetworkHostsText("1.2.3.4 me", ["5.6.7.8 you"])).toBe("1.2.3.4 me\n5.6.7.8\tyou\n");
});

const NONE = { nameservers: [], search: [], options: [] };

test.each([
  {
    name: "the service's choice wins, the rest comes from the network and the host",
    own: { ...NONE, nameservers: ["9.9.9.9"] },
    network: { ...NONE, nameservers: ["127.0.0.11"], search: ["svc"] },
    host: { ...NONE, nameservers: ["1.1.1.1"], options: ["rotate"] },
    want: "search svc\nnameserver 9.9.9.9\noptions rotate\n",
  },
  {
    name: "a single dot means no search list",
    own: { ...NONE, search: ["."] },
    network: { ...NONE, nameservers: ["127.0.0.11"] },
    host: { ...NONE, search: ["corp"] },
    want: "nameserver 127.0.0.11\n",
  },
  { name: "nothing known", own: NONE, network: NONE, host: NONE, want: "" },
])("resolv.conf: $name", ({ own, network, host, want }) => {
  expect(resolvConfText(own, network, host)).toBe(want);
});

test("a host's resolv.conf is read without comments, and without loopback unless it is shared", () => {
  const text =
    "# hi\nsearch a b\nnameserver 127.0.0.53 # stub\nnameserver 8.8.8.8\noptions ndots:2 edns0\n";
  expect(parseResolvConf(text, false)).toEqual({
    nameservers: ["8.8.8.8"],
    search: ["a", "b"],
    options: ["ndots:2", "edns0"],
  });
  expect(parseResolvConf(text, true).nameservers).toEqual(["127.0.0.53", "8.8.8.8"]);
});
