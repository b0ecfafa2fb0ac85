/** The desired state of an overlay on the real kernel: three hosts and an outside client, each a namespace of the test's own. */
import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LocalAttachment } from "../../src/overlay-net/core/local-facts.js";
import type { EndpointEntry, NetworkState } from "../../src/overlay-net/core/network-state.js";
import {
  ask,
  askUdp,
  bringUp,
  CLIENT,
  HOSTS,
  inNetns,
  makeHosts,
  removeHosts,
  serve,
  sh,
} from "./overlay-hosts.js";

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn("overlay-rules: skipped: it needs root for network namespaces");

type Placed = {
  readonly task: string;
  readonly host: number;
  readonly service: string;
  readonly networks: readonly string[];
};
/** `web` answers on every host; `lone` is on a network of its own; `idle` is published and has no backend. */
const TASKS: readonly Placed[] = [
  ...[1, 2, 3].map((host) => ({
    task: `web${host}`,
    host,
    service: "web",
    networks: ["front", "ingress"],
  })),
  { task: "caller", host: 1, service: "", networks: ["front"] },
  { task: "lone", host: 2, service: "lone", networks: ["back"] },
];
const NETWORKS = {
  ingress: {
    vni: 4096,
    base: "10.255.0",
    subnet: "10.255.0.0/16",
    base6: "fd25::",
    gateway: "10.255.0.1",
  },
  front: {
    vni: 4097,
    base: "10.50.1",
    subnet: "10.50.1.0/24",
    base6: "fd50::",
    gateway: "10.50.1.1",
  },
  back: {
    vni: 4098,
    base: "10.50.2",
    subnet: "10.50.2.0/24",
    base6: "fd60::",
    gateway: "10.50.2.1",
  },
} as const;
type NetworkId = keyof typeof NETWORKS;

function endpointsOf({ task, host, service, networks }: Placed, place: number): EndpointEntry[] {
  return networks.map((networkId) => {
    const { base, base6 } = NETWORKS[networkId as NetworkId];
    return {
      taskId: task,
      networkId,
      nodeId: HOSTS[host - 1]?.nodeId ?? "",
      serviceId: service,
      address: `${base}.${place + 11}`,
      address6: `${base6}${place + 11}`,
      taskName: task,
      containerId: "",
      aliases: [],
      isBackend: service !== "",
    };
  });
}

function stateFor(nodeId: string): NetworkState {
  const common = { mode: "vip" as const, aliases: [], prefersLocal: false };
  const tcpAndUdp = (publishedPort: number) =>
    (["tcp", "udp"] as const).map((protocol) => ({
      protocol,
      publishedPort,
      targetPort: 80,
      name: "",
    }));
  return {
    index: 1,
    nodeId,
    dataPathPort: 4789,
    networks: Object.entries(NETWORKS).map(([id, { vni, subnet, base6, gateway }]) => ({
      id,
      name: id,
      vni,
      subnet,
      subnet6: `${base6}/64`,
      gateway,
      gateway6: `${base6}1`,
      mtu: 1450,
      isInternal: false,
      isIngress: id === "ingress",
      isEncrypted: false,
    })),
    endpoints: TASKS.flatMap(endpointsOf),
    services: [
      {
        ...common,
        serviceId: "web",
        name: "web",
        networkId: "front",
        vip: "10.50.1.5",
        vip6: "fd50::5",
        ports: [],
      },
      {
        ...common,
        serviceId: "idle",
        name: "idle",
        networkId: "front",
        vip: "10.50.1.6",
        vip6: "fd50::6",
        ports: [],
      },
      {
        ...common,
        serviceId: "web",
        name: "web",
        networkId: "ingress",
        vip: "",
        vip6: "",
        ports: tcpAndUdp(8080),
      },
      {
        ...common,
        serviceId: "idle",
        name: "idle",
        networkId: "ingress",
        vip: "",
        vip6: "",
        ports: tcpAndUdp(8090),
      },
    ],
    nodes: HOSTS.map((host) => ({
      nodeId: host.nodeId,
      index: host.index,
      dataPathAddr: `10.99.0.${host.index}`,
      isDown: false,
    })),
  };
}

function netnsOf({ task, host }: Pick<Placed, "task" | "host">): string {
  return `swarm-ovrnode${host}-${task}`;
}

function attachmentOf(placed: Placed, place: number): LocalAttachment {
  return {
    containerId: placed.task,
    taskId: placed.task,
    netns: netnsOf(placed),
    gwbridgeAddress: `172.31.0.${place + 2}`,
    networkIds: placed.networks,
    dns: undefined,
    proxies: [],
    hostPorts:
      placed.task === "lone" ? [{ protocol: "tcp", publishedPort: 8099, targetPort: 80 }] : [],
  };
}

const servers: ChildProcess[] = [];
const caller = netnsOf({ task: "caller", host: 1 });
const web = [1, 2, 3].map((host) => netnsOf({ task: `web${host}`, host }));

beforeAll(async () => {
  if (!isRoot) return;
  makeHosts();
  for (const host of HOSTS) {
    const local = TASKS.filter((placed) => placed.host === host.index);
    bringUp(host, stateFor(host.nodeId), local.map(attachmentOf));
  }
  for (const placed of TASKS) servers.push(await serve(netnsOf(placed), placed.task, 80));
}, 120_000);

afterAll(() => {
  for (const server of servers) server.kill("SIGKILL");
  if (isRoot) removeHosts();
});

/** Names of those who answered, in so many attempts. */
function answers(attempts: number, once: () => string): readonly string[] {
  const texts = Array.from({ length: attempts }, once);
  return [...new Set(texts)].sort();
}

describe.skipIf(!isRoot)("between tasks", () => {
  test.each([
    { name: "IPv4", address: "10.50.1.12", source: "10.50.1.14" },
    { name: "IPv6", address: "fd50::12", source: "fd50::14" },
  ])("a task reaches another host's by address ($name)", ({ address, source }) => {
    expect(ask(caller, address, 80)).toBe(`web2 ${source}`);
  });

  test.each([
    { name: "IPv4", vip: "10.50.1.5", source: "10.50.1.14" },
    { name: "IPv6", vip: "fd50::5", source: "fd50::14" },
  ])("a virtual address leads to every backend and keeps the source ($name)", ({ vip, source }) => {
    expect(answers(30, () => ask(caller, vip, 80))).toEqual(
      ["web1", "web2", "web3"].map((name) => `${name} ${source}`),
    );
    expect(askUdp(caller, vip, 80)).toMatch(new RegExp(`^web[123] ${source}$`));
  });

  test("a backend may call its own service and meet itself", () => {
    const seen = answers(30, () => ask(web[0] ?? "", "10.50.1.5", 80));
    expect(seen).toEqual(["web1 10.50.1.11", "web2 10.50.1.11", "web3 10.50.1.11"]);
  });

  test.each([
    { name: "IPv4", vip: "10.50.1.6" },
    { name: "IPv6", vip: "fd50::6" },
  ])("without backends a virtual address refuses at once ($name)", ({ vip }) => {
    expect(ask(caller, vip, 80)).toBe("refused");
    expect(askUdp(caller, vip, 80)).toBe("refused");
  });

  test.each([
    { name: "its overlay address", address: "10.50.2.15" },
    { name: "its bridge address on another host", address: "172.31.0.6" },
    { name: "a task's ingress address", address: "10.255.0.12" },
  ])("a task of another network is out of reach: $name", ({ address }) => {
    expect(ask(caller, address, 80, 1)).not.toMatch(/^(web|lone)/);
  });

  test("two containers of one host do not meet on its bridge", () => {
    expect(ask(caller, "172.31.0.2", 80, 1)).not.toMatch(/^web/);
  });
});

describe.skipIf(!isRoot)("the routing mesh", () => {
  test.each(
    HOSTS.flatMap(({ index }) => [
      { address: `10.99.0.${index}`, source: "10.99.0.100" },
      { address: `fd99::${index}`, source: "fd99::100" },
    ]),
  )("through $address every task answers and sees the true client", ({ address, source }) => {
    expect(answers(30, () => ask(CLIENT, address, 8080))).toEqual(
      ["web1", "web2", "web3"].map((name) => `${name} ${source}`),
    );
  });

  test.each(["10.99.0.1", "10.99.0.2", "fd99::1", "fd99::2"])(
    "datagrams to %s are answered by the one that was asked",
    (address) => {
      const source = address.includes(":") ? "fd99::100" : "10.99.0.100";
      const seen = answers(12, () => askUdp(CLIENT, address, 8080));
      expect(seen.every((text) => /^web[123] /.test(text) && text.endsWith(` ${source}`))).toBe(
        true,
      );
    },
  );

  test("a host reaches its own published ports, by loopback and by its address", () => {
    const host = HOSTS[0]?.netns ?? "";
    expect(answers(20, () => ask(host, "127.0.0.1", 8080))).toHaveLength(3);
    expect(answers(20, () => ask(host, "10.99.0.1", 8080))).toEqual(
      ["web1", "web2", "web3"].map((name) => `${name} 10.99.0.1`),
    );
  });

  test("a container reaches a published port of its own host and of another", () => {
    expect(answers(20, () => ask(web[0] ?? "", "10.99.0.1", 8080))).toHaveLength(3);
    expect(answers(20, () => ask(web[0] ?? "", "10.99.0.2", 8080))).toHaveLength(3);
  });

  test("one client port may be used through two hosts at once", () => {
    const script = `
      const net = require("node:net");
      const open = (host) => new Promise((done) => {
        const s = net.connect({ host, port: 8080, localPort: 40000 + Number(process.argv[1]) });
        s.once("data", (d) => done(String(d).trim())); s.setTimeout(2000, () => done("silent")); s.once("error", (e) => done(e.code));
      });
      Promise.all(["10.99.0.1", "10.99.0.2", "10.99.0.3"].map(open)).then((all) => { console.log(all.join(",")); process.exit(0); });`;
    // With three tasks and three ways, two connections of one try meet at one task in most tries.
    const tries = Array.from({ length: 6 }, (_, i) =>
      inNetns(CLIENT, `${process.execPath} -e '${script}' ${i}`).trim().split(","),
    );
    expect(tries.flat().every((text) => /^web[123] 10\.99\.0\.100$/.test(text))).toBe(true);
    expect(tries.some((texts) => new Set(texts).size < texts.length)).toBe(true);
  });

  test.each(["10.99.0.1", "fd99::1"])(
    "without backends a published port refuses at once (%s)",
    (address) => {
      expect(ask(CLIENT, address, 8090)).toBe("refused");
      expect(askUdp(CLIENT, address, 8090)).toBe("refused");
    },
  );

  test("a host-mode port leads to this host's task", () => {
    expect(ask(CLIENT, "10.99.0.2", 8099)).toBe("lone 10.99.0.100");
    expect(ask(CLIENT, "10.99.0.1", 8099, 1)).not.toMatch(/^lone/);
  });
});

describe.skipIf(!isRoot)("closed doors", () => {
  test.each([
    { name: "ingress", route: "10.255.0.0/16", address: "10.255.0.11" },
    { name: "the bridge", route: "172.31.0.0/24", address: "172.31.0.2" },
  ])("who routes to $name through a host gets nowhere", ({ route, address }) => {
    inNetns(CLIENT, `ip route replace ${route} via 10.99.0.1`);
    try {
      expect(ask(CLIENT, address, 80, 1)).not.toMatch(/^web/);
    } finally {
      inNetns(CLIENT, `ip route del ${route}`);
    }
  });

  test("frames from a stranger's address are dropped before they reach a network", () => {
    const sandbox = "swarm-ovrnode1.net-front";
    const rx = () =>
      sh(`ip -n ${sandbox} -s -j link show type vxlan | tr ',' '\\n' | grep -m1 -A1 '"rx"'`);
    const before = rx();
    // VXLAN header with VNI 4097, then an Ethernet broadcast.
    const script = `
      const f = Buffer.alloc(8 + 60); f[0] = 8; f.writeUIntBE(4097, 4, 3); f.fill(255, 8, 14); f.writeUInt16BE(0x88b5, 20);
      const s = require("node:dgram").createSocket("udp4"); s.send(f, 4789, "10.99.0.1", () => s.close());`;
    inNetns(CLIENT, `${process.execPath} -e '${script}'`);
    expect(rx()).toBe(before);
    // The same from a member's address arrives: what is dropped is the stranger, not the frame.
    inNetns(HOSTS[1]?.netns ?? "", `${process.execPath} -e '${script}'`);
    expect(rx()).not.toBe(before);
  });

  test("no container sends such frames with its host's address", () => {
    const counter = () => inNetns(HOSTS[1]?.netns ?? "", "cat /proc/net/snmp");
    const udpIn = () => Number(/^Udp: (\d+)/m.exec(counter())?.[1]);
    const before = udpIn();
    const script = `
      const f = Buffer.alloc(68); f[0] = 8; f.writeUIntBE(4097, 4, 3); f.fill(255, 8, 14);
      const s = require("node:dgram").createSocket("udp4"); s.send(f, 4789, "10.99.0.2", () => s.close());`;
    inNetns(caller, `${process.execPath} -e '${script}'`);
    expect(udpIn()).toBe(before);
  });
});
