import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../base/index.js";
import {
  addressBytes,
  addressOfReverseName,
  isInside,
  prefixBytes,
  reverseName,
} from "./dns-address.js";
import {
  answerFor,
  dnsView,
  sample,
  TYPE_A,
  TYPE_AAAA,
  TYPE_ANY,
  TYPE_PTR,
  TYPE_SRV,
} from "./dns-answer.js";
import { DnsTables, deriveNames, TASK_TTL_SEC, VIP_TTL_SEC } from "./dns-table.js";
import { endpoint, network, service, state } from "./testing/dns-states.js";

const TYPE_MX = 15;

/** `web`: VIP, two tasks, one of them not ready. `db`: dnsrr. `idle`: a VIP and no tasks. `edge` has ingress ports. */
const CLUSTER = state({
  networks: [
    network({ id: "n1", name: "front", subnet: "10.0.1.0/24", subnet6: "fd00:1::/64" }),
    network({ id: "n2", name: "Shop_Back", subnet: "10.0.2.0/24" }),
    network({ id: "ing", name: "ingress", subnet: "10.255.0.0/16", isIngress: true }),
  ],
  services: [
    service({
      serviceId: "web",
      networkId: "n1",
      vip: "10.0.1.2",
      vip6: "fd00:1::2",
      aliases: ["www"],
    }),
    service({ serviceId: "web", networkId: "ing", vip: "10.255.0.9", ports: [port("http", 80)] }),
    service({ serviceId: "db", networkId: "n2", mode: "dnsrr", aliases: ["sql.db"] }),
    service({ serviceId: "idle", networkId: "n1", vip: "10.0.1.3" }),
    service({ serviceId: "gone", networkId: "n2", mode: "dnsrr" }),
    service({ serviceId: "shared", networkId: "n1", vip: "10.0.1.4", aliases: ["both"] }),
    service({ serviceId: "shared2", networkId: "n1", vip: "10.0.1.5", aliases: ["both"] }),
    service({ serviceId: "late", networkId: "n2", vip: "10.0.2.4" }),
    service({ serviceId: "late", networkId: "ing", vip: "10.255.0.4" }),
  ],
  endpoints: [
    endpoint("n1", "web.1.aaa", "10.0.1.11", { serviceId: "web", address6: "fd00:1::11" }),
    endpoint("n1", "web.2.bbb", "10.0.1.12", { serviceId: "web", isBackend: false }),
    endpoint("ing", "web.1.aaa", "10.255.0.11", { serviceId: "web" }),
    endpoint("n2", "db.1.ccc", "10.0.2.11", { serviceId: "db" }),
    endpoint("n2", "db.2.ddd", "10.0.2.12", { serviceId: "db" }),
    endpoint("n2", "db.3.eee", "10.0.2.13", { serviceId: "db", nodeId: "down" }),
    endpoint("n1", "Tool", "10.0.1.40", {
      containerId: "0123456789abcdef0123",
      aliases: ["hammer", "web-helper"],
    }),
  ],
});

function port(name: string, targetPort: number) {
  return { protocol: "tcp", publishedPort: 8080, targetPort, name } as const;
}

function tablesOf(cluster = CLUSTER): DnsTables {
  const tables = new DnsTables();
  tables.update(cluster);
  return tables;
}

/** The answer in words: addresses, names, or the kind. */
function ask(
  name: string,
  type: number,
  networks: readonly string[] = ["ing", "n1", "n2"],
): unknown {
  const answer = answerFor(dnsView(tablesOf(), networks), name, type);
  switch (answer.kind) {
    case "addresses":
      return answer.addresses.map((bytes) => reverseName(bytes));
    case "pointer":
      return answer.name;
    case "services":
      return answer.targets.map((target) => `${target.name}:${target.port}`);
    default:
      return answer.kind;
  }
}

function addresses(...texts: string[]): string[] {
  return texts.map((text) => reverseName(addressBytes(text) ?? new Uint8Array()));
}

describe("a question of a container on front, Shop_Back and ingress", () => {
  test.each([
    { name: "a service in VIP mode is its VIP", ask: "web", want: addresses("10.0.1.2") },
    { name: "so is its alias", ask: "www", want: addresses("10.0.1.2") },
    { name: "the VIP is there without tasks", ask: "idle", want: addresses("10.0.1.3") },
    { name: "dnsrr gives the running tasks", ask: "db", want: addresses("10.0.2.11", "10.0.2.12") },
    { name: "an alias may have dots", ask: "sql.db", want: addresses("10.0.2.11", "10.0.2.12") },
    { name: "dnsrr without tasks exists all the same", ask: "gone", want: "empty" },
    { name: "tasks of a VIP service", ask: "tasks.web", want: addresses("10.0.1.11") },
    { name: "tasks of an alias", ask: "tasks.www", want: addresses("10.0.1.11") },
    { name: "no tasks run", ask: "tasks.idle", want: "empty" },
    { name: "a task by its name", ask: "web.1.aaa", want: addresses("10.0.1.11") },
    { name: "a task that is not ready", ask: "web.2.bbb", want: "empty" },
    { name: "a task of a down node", ask: "db.3.eee", want: "empty" },
    { name: "a container by its name, in lower case", ask: "tool", want: addresses("10.0.1.40") },
    { name: "by its short id", ask: "0123456789ab", want: addresses("10.0.1.40") },
    { name: "not by a longer one", ask: "0123456789abc", want: "unknown" },
    { name: "by its alias", ask: "hammer", want: addresses("10.0.1.40") },
    { name: "name and network", ask: "web.front", want: addresses("10.0.1.2") },
    { name: "another network's name", ask: "web.shop_back", want: "unknown" },
    { name: "an ingress name when asked for", ask: "web.ingress", want: addresses("10.255.0.9") },
    { name: "tasks, service, network", ask: "tasks.web.front", want: addresses("10.0.1.11") },
    { name: "task and network", ask: "web.1.aaa.front", want: addresses("10.0.1.11") },
    {
      name: "alias with dots and network",
      ask: "sql.db.shop_back",
      want: addresses("10.0.2.11", "10.0.2.12"),
    },
    {
      name: "one alias of two services gives both",
      ask: "both",
      want: addresses("10.0.1.4", "10.0.1.5"),
    },
    { name: "user overlays come before ingress", ask: "late", want: addresses("10.0.2.4") },
    { name: "a network's name alone", ask: "front", want: "unknown" },
    { name: "a dot and a network's name", ask: ".front", want: "unknown" },
    { name: "somebody else's name", ask: "example.com", want: "unknown" },
    { name: "a name that JavaScript objects have", ask: "constructor", want: "unknown" },
    { name: "the root", ask: "", want: "unknown" },
  ])("$name", ({ ask: name, want }) => {
    expect(ask(name, TYPE_A)).toEqual(want);
  });

  test.each([
    { name: "AAAA of a VIP", ask: "web", type: TYPE_AAAA, want: addresses("fd00:1::2") },
    { name: "AAAA where there is only IPv4", ask: "idle", type: TYPE_AAAA, want: "empty" },
    {
      name: "AAAA does not move on to another network",
      ask: "late",
      type: TYPE_AAAA,
      want: "empty",
    },
    { name: "AAAA of tasks", ask: "tasks.web", type: TYPE_AAAA, want: addresses("fd00:1::11") },
    { name: "ANY", ask: "web", type: TYPE_ANY, want: addresses("10.0.1.2", "fd00:1::2") },
    { name: "MX of a known name", ask: "web", type: TYPE_MX, want: "empty" },
    { name: "MX of another", ask: "example.com", type: TYPE_MX, want: "unknown" },
    {
      name: "PTR of a task",
      ask: "11.1.0.10.in-addr.arpa",
      type: TYPE_PTR,
      want: "web.1.aaa.front",
    },
    {
      name: "PTR of a task that drains",
      ask: "12.1.0.10.in-addr.arpa",
      type: TYPE_PTR,
      want: "web.2.bbb.front",
    },
    { name: "PTR of a VIP", ask: "2.1.0.10.in-addr.arpa", type: TYPE_PTR, want: "web.front" },
    {
      name: "PTR of an IPv6 address",
      ask: addresses("fd00:1::11")[0] ?? "",
      type: TYPE_PTR,
      want: "web.1.aaa.front",
    },
    {
      name: "PTR of a free address of ours",
      ask: "99.1.0.10.in-addr.arpa",
      type: TYPE_PTR,
      want: "missing",
    },
    {
      name: "PTR of a free IPv6 address of ours",
      ask: addresses("fd00:1::99")[0] ?? "",
      type: TYPE_PTR,
      want: "missing",
    },
    {
      name: "PTR of another address",
      ask: "8.8.8.8.in-addr.arpa",
      type: TYPE_PTR,
      want: "unknown",
    },
    { name: "PTR of half an address", ask: "1.0.10.in-addr.arpa", type: TYPE_PTR, want: "unknown" },
    { name: "PTR of a service name", ask: "web", type: TYPE_PTR, want: "empty" },
    {
      name: "SRV of a named port",
      ask: "_http._tcp.web",
      type: TYPE_SRV,
      want: ["web.1.aaa.front:80"],
    },
    {
      name: "SRV with the network",
      ask: "_http._tcp.www.front",
      type: TYPE_SRV,
      want: ["web.1.aaa.front:80"],
    },
    {
      name: "SRV of a port without that name",
      ask: "_https._tcp.web",
      type: TYPE_SRV,
      want: "unknown",
    },
    { name: "SRV of a plain name", ask: "web", type: TYPE_SRV, want: "empty" },
    { name: "A of a name that has SRV", ask: "_http._tcp.web", type: TYPE_A, want: "empty" },
  ])("$name", ({ ask: name, type, want }) => {
    expect(ask(name, type)).toEqual(want);
  });
});

test("a name of a network that the container is not on does not exist for it", () => {
  expect(ask("db", TYPE_A, ["n1"])).toBe("unknown");
  expect(ask("11.2.0.10.in-addr.arpa", TYPE_PTR, ["n1"])).toBe("unknown");
});

test("on ingress alone, ingress answers", () => {
  expect(ask("web", TYPE_A, ["ing"])).toEqual(addresses("10.255.0.9"));
});

test("networks that are not told of yet are passed over", () => {
  expect(ask("web", TYPE_A, ["later", "n1"])).toEqual(addresses("10.0.1.2"));
});

test("VIPs may be remembered for longer than tasks, a name of both for the shorter time", () => {
  const names = deriveNames({
    network: network({ id: "n", name: "n" }),
    services: [service({ serviceId: "web", networkId: "n", vip: "10.0.0.2", aliases: ["x"] })],
    endpoints: [endpoint("n", "c", "10.0.0.9", { aliases: ["x"] })],
    namedPorts: new Map(),
    downNodes: new Set(),
  }).names;
  expect(names.get("web")?.ttlSec).toBe(VIP_TTL_SEC);
  expect(names.get("tasks.web")?.ttlSec).toBe(TASK_TTL_SEC);
  expect(names.get("x")).toMatchObject({ ttlSec: TASK_TTL_SEC, v4: [{}, {}] });
  expect(Math.max(VIP_TTL_SEC, TASK_TTL_SEC)).toBeLessThanOrEqual(5);
});

test("an address that was given on points to its new owner, in whatever order they are told", () => {
  const old = endpoint("n1", "old.1.x", "10.0.1.50", { isBackend: false });
  const fresh = endpoint("n1", "new.1.x", "10.0.1.50", {});
  for (const endpoints of [
    [old, fresh],
    [fresh, old],
  ]) {
    const view = dnsView(tablesOf({ ...CLUSTER, endpoints }), ["n1"]);
    const answer = answerFor(view, "50.1.0.10.in-addr.arpa", TYPE_PTR);
    expect(answer).toEqual({ kind: "pointer", name: "new.1.x.front" });
  }
});

test("a name that no message can carry is not pointed to", () => {
  const endpoints = [endpoint("n1", "x".repeat(64), "10.0.1.50", {})];
  const view = dnsView(tablesOf({ ...CLUSTER, endpoints }), ["n1"]);
  expect(answerFor(view, "50.1.0.10.in-addr.arpa", TYPE_PTR).kind).toBe("missing");
});

describe("tables over updates", () => {
  test("a network whose facts are the same objects keeps its names", () => {
    const tables = tablesOf();
    const before = [tables.namesOf("n1"), tables.namesOf("n2")];
    const extra = endpoint("n2", "new.1.x", "10.0.2.50", {});
    tables.update({ ...CLUSTER, endpoints: [...CLUSTER.endpoints, extra] });
    expect(tables.namesOf("n1")).toBe(before[0]);
    expect(tables.namesOf("n2")).not.toBe(before[1]);
    expect(tables.namesOf("n2")?.names.has("new.1.x")).toBe(true);
  });

  test.each([
    { name: "a node goes down", next: { ...CLUSTER, nodes: [] } },
    { name: "a port gets a name on ingress", next: renamedPort("web-port") },
  ])("$name: names of other networks follow", ({ next }) => {
    const tables = tablesOf();
    const before = tables.namesOf("n1");
    tables.update(next);
    expect(tables.namesOf("n1")).not.toBe(before);
  });

  test("a network that is gone has no names", () => {
    const tables = tablesOf();
    tables.namesOf("n1");
    tables.update({ ...CLUSTER, networks: CLUSTER.networks.slice(1) });
    expect(tables.namesOf("n1")).toBeUndefined();
  });

  test("updates in any order end where a fresh table is", () => {
    const subset = <Item>(items: readonly Item[]) => fc.subarray([...items]);
    const anyState = fc
      .tuple(
        subset(CLUSTER.networks),
        subset(CLUSTER.services),
        subset(CLUSTER.endpoints),
        subset(CLUSTER.nodes),
      )
      .map(([networks, services, endpoints, nodes]) => ({
        ...CLUSTER,
        networks,
        services,
        endpoints,
        nodes,
      }));
    fc.assert(
      fc.property(fc.array(anyState, { minLength: 1, maxLength: 4 }), (states) => {
        const tables = new DnsTables();
        for (const next of states) {
          tables.update(next);
          for (const { id } of CLUSTER.networks) {
            expect(tables.namesOf(id)).toEqual(tablesOf(next).namesOf(id));
          }
        }
      }),
      { numRuns: 20 },
    );
  });
});

function renamedPort(name: string) {
  const services = CLUSTER.services.map((entry) =>
    entry.ports.length === 0 ? entry : { ...entry, ports: [port(name, 80)] },
  );
  return { ...CLUSTER, services };
}

test("a sample has distinct items of the list, as many as asked for, each equally likely to be first", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat()), fc.nat(40), fc.integer(), (items, count, seed) => {
      const taken = sample(items, count, new SeededRandom(seed));
      expect(new Set(taken).size).toBe(taken.length);
      expect(taken.every((item) => items.includes(item))).toBe(true);
      if (items.length !== 1) expect(taken.length).toBe(Math.min(count, items.length));
    }),
  );
  const random = new SeededRandom(1);
  const firsts = [0, 0, 0];
  for (let i = 0; i < 3000; i += 1) {
    const first = sample([0, 1, 2], 2, random)[0] ?? 0;
    firsts[first] = (firsts[first] ?? 0) + 1;
  }
  for (const count of firsts) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

describe("addresses", () => {
  test("a reverse name leads back to the address", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (address) => {
        expect(addressOfReverseName(reverseName(address))).toEqual(address);
      }),
    );
  });

  test("IPv6 text as fast-check writes it is what the platform's parser reads", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
        expect(addressBytes(text)).toEqual(addressBytes(canonical));
        expect(addressBytes(text)?.length).toBe(16);
      }),
    );
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.256",
    "a.b.c.d",
    ":::",
    "1::2::3",
    "fe80::1%eth0",
    "1:2:3:4:5:6:7",
  ])("%j is no address", (text) => {
    expect(addressBytes(text)).toBeUndefined();
  });

  test.each([
    { cidr: "10.0.0.0/8", inside: "10.255.1.1", outside: "11.0.0.0" },
    { cidr: "10.0.4.0/22", inside: "10.0.7.255", outside: "10.0.8.0" },
    { cidr: "0.0.0.0/0", inside: "255.1.1.1", outside: "::1" },
    { cidr: "fd00:1::/33", inside: "fd00:1:7fff::1", outside: "fd00:1:8000::1" },
  ])("$inside is in $cidr, $outside is not", ({ cidr, inside, outside }) => {
    const prefix = prefixBytes(cidr);
    const isIn = (text: string) =>
      prefix !== undefined && isInside(addressBytes(text) ?? new Uint8Array(), prefix);
    expect([isIn(inside), isIn(outside)]).toEqual([true, false]);
  });
});
