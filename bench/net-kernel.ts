/**
 * `node dist/bench/net-kernel.js`: what programming the kernel costs, in namespaces of its own (root). Attaches endpoints one by one
 * and programs 10,000 remote endpoints at once. Ends with 1 when a limit is passed.
 */

type Operation = { readonly kind: string; readonly [field: string]: unknown };
type Kernel = {
  execute(batch: readonly { netns: string; operations: readonly Operation[] }[]): Promise<void>;
  list(prefix: string): Promise<readonly string[]>;
  close(): Promise<void>;
};
type Opener = { open(): Promise<Kernel> };

const PREFIX = "bench-nk-";
const SANDBOX = `${PREFIX}sb`;
const VNI = 16_000_900;
const ENDPOINT_COUNT = 50;
const REMOTE_COUNT = 10_000;
const ATTACH_MEDIAN_MAX_MS = 6;
const REMOTE_MAX_MS = 500;

const modules = new URL("../overlay-net/kernel/", import.meta.url);
const { NetlinkKernel } = (await import(new URL("netlink/netlink-kernel.js", modules).href)) as {
  NetlinkKernel: Opener;
};
const { ToolsKernel } = (await import(new URL("tools/tools-kernel.js", modules).href)) as {
  ToolsKernel: Opener;
};

const plain = { alias: "", mac: "", mtu: 1450, isUp: true, isIsolated: false, isLearning: false };

function sandbox(): Operation[] {
  const vxlan = { vni: VNI, port: 24_791, local: "" };
  return [
    { kind: "addNetns" },
    { kind: "addLink", link: { ...plain, name: "br0", kind: "bridge", master: "" } },
    { kind: "addLink", link: { ...plain, name: "vx", kind: "vxlan", master: "br0", vxlan } },
  ];
}

function mac(i: number): string {
  return `02:42:0a:01:${hex(i >> 8)}:${hex(i & 255)}`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** Namespace, lo, veth into the bridge, address, default route, a small nft table. */
function attach(i: number): { netns: string; operations: Operation[] }[] {
  const netns = `${PREFIX}${i}`;
  const host = { ...plain, name: `v${i}`, kind: "veth", master: "br0", isLearning: true };
  const inside = { ...plain, name: "eth0", kind: "veth", master: "", mac: mac(i) };
  const route = { dst: "default", family: 4, via: "10.1.255.254", link: "eth0", table: 254 };
  const script =
    'table ip bench { comment "x"; map vips { type ipv4_addr : verdict; }; chain out { type nat hook output priority -100; policy accept; ip daddr vmap @vips; }; }\n';
  return [
    { netns, operations: [{ kind: "addNetns" }] },
    {
      netns: SANDBOX,
      operations: [{ kind: "addLink", link: host, peer: { netns, link: inside } }],
    },
    {
      netns,
      operations: [
        { kind: "addAddress", address: { link: "eth0", address: `10.1.0.${i + 1}/16` } },
        { kind: "replaceRoute", route },
        { kind: "nft", script },
      ],
    },
  ];
}

function remotes(): Operation[] {
  return Array.from({ length: REMOTE_COUNT }, (_, i): Operation[] => {
    const address = `10.2.${i >> 8}.${i & 255}`;
    return [
      { kind: "replaceFdb", entry: { link: "vx", mac: mac(i), dst: "10.99.0.2" } },
      { kind: "replaceFdb", entry: { link: "vx", mac: mac(i), dst: "" } },
      { kind: "replaceNeighbour", entry: { link: "vx", address, mac: mac(i) } },
    ];
  }).flat();
}

type Timing = { readonly wallMs: number; readonly cpuMs: number };

/** Processor time is that of all threads of this process, not of tools: on a busy host it says more than the wall's. */
async function timed(run: () => Promise<void>): Promise<Timing> {
  const start = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return {
    wallMs: Number(process.hrtime.bigint() - start) / 1e6,
    cpuMs: (user + system) / 1e3,
  };
}

function median(timings: readonly Timing[]): Timing {
  const middle = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
  return {
    wallMs: middle(timings.map(({ wallMs }) => wallMs)),
    cpuMs: middle(timings.map(({ cpuMs }) => cpuMs)),
  };
}

type Figures = { readonly attach: Timing; readonly remote: Timing; readonly again: Timing };

async function measure(opener: Opener): Promise<Figures> {
  const kernel = await opener.open();
  const clear = async (): Promise<void> => {
    const names = await kernel.list(PREFIX);
    await kernel.execute(names.map((netns) => ({ netns, operations: [{ kind: "removeNetns" }] })));
  };
  try {
    await clear();
    await kernel.execute([{ netns: SANDBOX, operations: sandbox() }]);
    const attached: Timing[] = [];
    for (let i = 0; i < ENDPOINT_COUNT; i++)
      attached.push(await timed(() => kernel.execute(attach(i))));
    const operations = remotes();
    const program = (): Promise<void> => kernel.execute([{ netns: SANDBOX, operations }]);
    return { attach: median(attached), remote: await timed(program), again: await timed(program) };
  } finally {
    await clear();
    await kernel.close();
  }
}

const netlink = await measure(NetlinkKernel);
const tools = await measure(ToolsKernel);
const row = (name: string, key: keyof Figures, limit: string): string[] => [
  name,
  netlink[key].wallMs.toFixed(1),
  netlink[key].cpuMs.toFixed(1),
  limit,
  tools[key].wallMs.toFixed(1),
];
const rows = [
  ["ms", "netlink", "its CPU", "at most", "tools"],
  row(`attach one endpoint, median of ${ENDPOINT_COUNT}`, "attach", `${ATTACH_MEDIAN_MAX_MS}`),
  row(`${REMOTE_COUNT} remote endpoints`, "remote", `${REMOTE_MAX_MS}`),
  row("the same again", "again", ""),
];
for (const cells of rows)
  process.stdout.write(`${cells.map((cell, i) => cell.padEnd(i === 0 ? 44 : 12)).join("")}\n`);
const isWithin =
  netlink.attach.wallMs <= ATTACH_MEDIAN_MAX_MS && netlink.remote.wallMs <= REMOTE_MAX_MS;
process.exitCode = isWithin ? 0 : 1;
