/** The resolver of one container with 200 services, for `dns.ts`. Runs from `dist/bench` beside the built program. */
const SERVICE_COUNT = 200;

type Dns = {
  createDnsService(options: object): {
    update(state: object): void;
    attach(attachment: object): Promise<{ udpPort: number }>;
  };
  localSockets: object;
};
type Base = {
  SystemClock: new () => object;
  SystemRandom: new () => object;
  silentLogger: object;
};

const dist = (path: string): string => new URL(`../${path}`, import.meta.url).href;

async function main(): Promise<void> {
  const dns = (await import(dist("overlay-net/dns/index.js"))) as Dns;
  const base = (await import(dist("base/index.js"))) as Base;
  const service = dns.createDnsService({
    sockets: dns.localSockets,
    clock: new base.SystemClock(),
    random: new base.SystemRandom(),
    logger: base.silentLogger,
    hostResolv: { servers: () => Promise.resolve([]) },
  });
  service.update({
    nodes: [],
    networks: [{ id: "n", name: "net", subnet: "10.0.0.0/16", subnet6: "", isIngress: false }],
    endpoints: [],
    services: Array.from({ length: SERVICE_COUNT }, (_, i) => ({
      serviceId: `svc${i}`,
      name: `svc${i}`,
      networkId: "n",
      mode: "vip",
      vip: `10.0.1.${i}`,
      vip6: "",
      aliases: [],
      ports: [],
    })),
  });
  const { udpPort } = await service.attach({
    containerId: "bench",
    netnsPath: "",
    networkIds: ["n"],
    dnsServers: [],
    ndots: 0,
    isInternalOnly: false,
  });
  process.send?.({ port: udpPort });
}

await main();
