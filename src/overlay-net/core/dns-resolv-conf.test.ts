import { expect, test } from "vitest";
import { containerResolver } from "./dns-resolv-conf.js";

const NONE = { nameservers: [], search: [], options: [] };

test.each([
  {
    name: "nothing set",
    own: NONE,
    host: { nameservers: ["9.9.9.9"], search: ["corp"], options: ["edns0", "ndots:3"] },
    want: { search: ["corp"], options: ["edns0", "ndots:0"], dnsServers: [], ndots: 0 },
  },
  {
    name: "the user's servers are asked behind the resolver, three of them",
    own: { ...NONE, nameservers: ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4"] },
    host: NONE,
    want: { options: ["ndots:0"], dnsServers: ["1.1.1.1", "2.2.2.2", "3.3.3.3"], ndots: 0 },
  },
  {
    name: "the user's ndots stays, the last one counts",
    own: { ...NONE, options: ["ndots:1", "timeout:1", "ndots:2"] },
    host: { ...NONE, options: ["rotate"] },
    want: { options: ["timeout:1", "ndots:2"], dnsServers: [], ndots: 2 },
  },
])("resolver of a container: $name", ({ own, host, want }) => {
  const { search = [], options, ...rest } = want;
  expect(containerResolver(own, host)).toEqual({
    ...rest,
    file: { nameservers: ["127.0.0.11"], search, options },
  });
});
