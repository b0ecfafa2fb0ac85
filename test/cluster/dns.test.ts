/** Service discovery in real network namespaces of the test's own, asked by a real client (c-ares) on 127.0.0.11:53. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SystemClock, SystemRandom, silentLogger } from "../../src/base/index.js";
import {
  endpoint,
  network,
  service,
  state,
} from "../../src/overlay-net/core/testing/dns-states.js";
import type * as DnsModule from "../../src/overlay-net/dns/index.js";

const NAMESPACES = ["t-dns-a", "t-dns-b"] as const;
const built = new URL("../../dist/overlay-net/dns/index.js", import.meta.url).pathname;

/** Two networks of one subnet: each container knows its own `web`. */
const CLUSTER = state({
  networks: [
    network({ id: "na", name: "front", subnet: "10.0.1.0/24" }),
    network({ id: "nb", name: "back", subnet: "10.0.1.0/24" }),
  ],
  services: [
    service({ serviceId: "wa", name: "web", networkId: "na", vip: "10.0.1.2" }),
    service({ serviceId: "wb", name: "web", networkId: "nb", vip: "10.0.1.3", vip6: "fd00::3" }),
    service({ serviceId: "many", networkId: "na", mode: "dnsrr" }),
  ],
  endpoints: Array.from({ length: 100 }, (_, i) =>
    endpoint("na", `many.${i}.x`, `10.0.1.${100 + i}`, { serviceId: "many" }),
  ),
});

/** Answers every A question with 203.0.113.7. */
const OTHER_SERVER = `
  const s = require("node:dgram").createSocket("udp4");
  s.on("message", (m, r) => {
    const end = m.indexOf(0, 12) + 5;
    const head = Buffer.from(m.subarray(0, end));
    head.writeUInt16BE(0x8180, 2); head.writeUInt16BE(1, 6); head.writeUInt32BE(0, 8);
    s.send(Buffer.concat([head, Buffer.from("c00c00010001000000050004cb007107", "hex")]), r.port, r.address);
  });
  s.bind(53, process.argv[1], () => require("node:net").createServer().listen(53, process.argv[1], () => console.log("up")));`;

const CLIENT = `
  const dns = new (require("node:dns").promises.Resolver)({ timeout: 3000, tries: 1 });
  dns.setServers(["127.0.0.11"]);
  dns.resolve(process.argv[1], process.argv[2]).then(
    (found) => console.log(JSON.stringify(found)), (error) => console.log(JSON.stringify(error.code)));`;

let dns: typeof DnsModule;
let threaded: DnsModule.ThreadedSockets;
let resolver: DnsModule.DnsService;
const children: ChildProcess[] = [];

function sh(script: string): string {
  return execFileSync("sh", ["-ec", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function inside(name: string, ...command: string[]): ChildProcess {
  const child = spawn("nsenter", [`--net=/run/netns/${name}`, ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function ask(name: string, question: string, type = "A"): Promise<unknown> {
  const child = inside(name, process.execPath, "-e", CLIENT, question, type);
  const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, "data")) as [Buffer];
  return JSON.parse(line.toString());
}

/** A server of somebody's inside the namespace, on port 53 of the address. */
async function startServer(name: string, address: string): Promise<void> {
  const child = inside(name, process.execPath, "-e", OTHER_SERVER, address);
  await once(child.stdout as NonNullable<typeof child.stdout>, "data");
}

/** As the data plane does it for each container: `redirect` would lead to 127.0.0.1. */
async function attach(name: string, fields: object): Promise<void> {
  const { udpPort, tcpPort } = await resolver.attach({
    containerId: name,
    netnsPath: `/run/netns/${name}`,
    networkIds: [],
    dnsServers: [],
    ndots: 0,
    isInternalOnly: false,
    ...fields,
  });
  sh(`nsenter --net=/run/netns/${name} nft -f - <<END
table ip t_dns {}
delete table ip t_dns
table ip t_dns {
  chain out { type nat hook output priority -100; policy accept;
    ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:${udpPort};
    ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:${tcpPort};
  }
}
END`);
}

beforeAll(async () => {
  for (const name of NAMESPACES) sh(`ip netns add ${name}; ip -n ${name} link set lo up`);
  dns = (await import(built)) as typeof DnsModule;
  threaded = new dns.ThreadedSockets();
  const clock = new SystemClock();
  resolver = dns.createDnsService({
    sockets: threaded.sockets,
    clock,
    random: new SystemRandom(),
    logger: silentLogger,
    hostResolv: { servers: () => Promise.resolve([]) },
  });
  resolver.update(CLUSTER);
  await attach("t-dns-a", { networkIds: ["na"], dnsServers: ["192.0.2.53"] });
  await attach("t-dns-b", { networkIds: ["nb"] });
});

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await resolver.close();
  await threaded.close();
  for (const name of NAMESPACES) sh(`ip netns del ${name}`);
});

test("each container is answered from its own networks, though their subnets are the same", async () => {
  expect(await ask("t-dns-a", "web")).toEqual(["10.0.1.2"]);
  expect(await ask("t-dns-b", "WEB.back.")).toEqual(["10.0.1.3"]);
  expect(await ask("t-dns-b", "web", "AAAA")).toEqual(["fd00::3"]);
  expect(await ask("t-dns-a", "web", "AAAA")).toBe("ENODATA");
  expect(await ask("t-dns-b", "2.1.0.10.in-addr.arpa", "PTR")).toBe("ENOTFOUND");
});

test("an answer too long for UDP is fetched over TCP", async () => {
  expect(new Set((await ask("t-dns-a", "many")) as string[]).size).toBe(100);
});

test("a container may run a DNS server of its own on all addresses", async () => {
  await startServer("t-dns-b", "0.0.0.0");
  expect(await ask("t-dns-b", "web")).toEqual(["10.0.1.3"]);
});

test("a user's server is asked from the container's namespace, where alone it can be reached", async () => {
  sh("ip -n t-dns-a addr add 192.0.2.53/32 dev lo");
  await startServer("t-dns-a", "192.0.2.53");
  expect(await ask("t-dns-a", "example.com")).toEqual(["203.0.113.7"]);
});

test("a namespace that is not there is named, and the next one is served", async () => {
  const gone = attach("t-dns-none", {});
  await expect(gone).rejects.toThrow(/\/run\/netns\/t-dns-none: ENOENT/);
  await attach("t-dns-b", { networkIds: ["na"] });
  expect(await ask("t-dns-b", "web")).toEqual(["10.0.1.2"]);
});

test("no thread of the process is left in another namespace", () => {
  const own = readlinkSync("/proc/self/ns/net");
  const threads = readdirSync("/proc/self/task");
  expect(new Set(threads.map((id) => readlinkSync(`/proc/self/task/${id}/ns/net`)))).toEqual(
    new Set([own]),
  );
});
