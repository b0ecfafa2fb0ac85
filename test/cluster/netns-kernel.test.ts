/** The kernel ports against the real kernel, in network namespaces of the test's own; each is the other's stranger. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import type { KernelOperation, Link } from "../../src/overlay-net/core/kernel-model.js";
import { nodeNames } from "../../src/overlay-net/core/names.js";
import { updateScript } from "../../src/overlay-net/core/rulesets/nft-table.js";
import { serviceVipTable } from "../../src/overlay-net/core/rulesets/service-vips.js";
import { connectionsOf, endConnections } from "../../src/overlay-net/kernel/netlink/connections.js";
import { loadForeign } from "../../src/overlay-net/kernel/netlink/ffi.js";
import { NamespaceHandle } from "../../src/overlay-net/kernel/netlink/handles.js";
import { Namespaces } from "../../src/overlay-net/kernel/netlink/namespaces.js";
import { NetlinkKernel } from "../../src/overlay-net/kernel/netlink/netlink-kernel.js";
import type { NetnsKernel } from "../../src/overlay-net/kernel/netns-kernel.js";
import { Changes } from "../../src/overlay-net/kernel/testing/conformance-parts.js";
import { kernelConformance } from "../../src/overlay-net/kernel/testing/kernel-conformance.js";
import { FLOWS, type KernelHarness } from "../../src/overlay-net/kernel/testing/kernel-harness.js";
import { ToolsKernel } from "../../src/overlay-net/kernel/tools/tools-kernel.js";

const PREFIX = "t-nk-";
const VNI = 16_000_100;
const THREAD = new URL("../../dist/overlay-net/kernel/netlink/worker.js", import.meta.url);

/** Opens the flows and says so; they stay until the process ends. */
const FLOW_PROGRAM = `
const net = require("node:net"), dgram = require("node:dgram");
const flows = ${JSON.stringify(FLOWS)};
let open = 0;
const opened = () => { if (++open === flows.length) console.log("open"); };
for (const { protocol, dst, port } of flows) {
  if (protocol === "tcp") {
    const server = net.createServer((s) => { s.on("error", () => {}); s.write("x"); });
    server.listen(port, dst, () => net.connect(port, dst).on("error", () => {}).once("data", opened));
  } else {
    const server = dgram.createSocket("udp4").on("message", (m, from) => server.send(m, from.port, from.address));
    server.bind(port, dst, () => { const c = dgram.createSocket("udp4"); c.once("message", opened); c.send("x", port, dst); });
  }
}
`;
/** Connections are tracked only where a rule asks for it. */
const TRACKING = `table ip tracking {
  chain zone { type filter hook output priority -300; policy accept; ip daddr 127.0.0.3 ct original zone set 7; }
  chain track { type filter hook output priority 0; policy accept; ct state new counter; }
}
`;

function sh(script: string): string {
  return execFileSync("sh", ["-ec", script], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

async function harnessOf(kernel: NetnsKernel, stranger: NetnsKernel): Promise<KernelHarness> {
  const programs: ChildProcess[] = [];
  await removeAll(stranger);
  return {
    kernel,
    stranger,
    prefix: PREFIX,
    vni: VNI,
    quietMs: 200,
    openFlows: async (netns) => {
      await stranger.execute([{ netns, operations: [{ kind: "nft", script: TRACKING }] }]);
      const program = spawn(
        "nsenter",
        [`--net=/run/netns/${netns}`, process.execPath, "-e", FLOW_PROGRAM],
        { stdio: ["ignore", "pipe", "inherit"] },
      );
      programs.push(program);
      await new Promise((resolve) => {
        program.stdout.once("data", resolve);
      });
    },
    abandon: async (netns) => {
      const command = ["sh", "-c", "echo in; exec sleep 600"];
      const program = spawn("nsenter", [`--net=/run/netns/${netns}`, ...command], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      programs.push(program);
      await new Promise((resolve) => {
        program.stdout.once("data", resolve);
      });
      sh(`ip netns del ${netns}`);
    },
    flows: async (netns) =>
      FLOWS.filter(({ protocol, dst, port }) =>
        new RegExp(`^${protocol}\\b.* dst=${dst} sport=\\d+ dport=${port} `, "m").test(
          sh(`nsenter --net=/run/netns/${netns} conntrack -L`),
        ),
      )
        .map(({ protocol, dst, port }) => `${protocol} ${dst}:${port}`)
        .sort(),
    close: async () => {
      for (const program of programs) {
        const ended = new Promise((resolve) => program.once("exit", resolve));
        program.kill("SIGKILL");
        await ended;
      }
      await removeAll(stranger);
      await kernel.close();
      await stranger.close();
    },
  };
}

async function removeAll(kernel: NetnsKernel): Promise<void> {
  const names = await kernel.list(PREFIX);
  await kernel.execute(names.map((netns) => ({ netns, operations: [{ kind: "removeNetns" }] })));
}

kernelConformance("netlink", async () =>
  harnessOf(await NetlinkKernel.open("", THREAD), await ToolsKernel.open()),
);
kernelConformance("tools", async () =>
  harnessOf(await ToolsKernel.open(), await NetlinkKernel.open("", THREAD)),
);

test.each([
  { name: "netlink", open: () => NetlinkKernel.open("", THREAD) },
  { name: "tools", open: () => ToolsKernel.open() },
])(
  "$name: a VXLAN device's socket is in the host's namespace, its link in the sandbox",
  async ({ open }) => {
    await using stack = new AsyncStack();
    const kernel = await open();
    stack.defer(() => kernel.close());
    stack.defer(() => removeAll(kernel));
    const netns = `${PREFIX}vx`;
    const link: Link = {
      name: "vx1",
      kind: "vxlan",
      alias: "",
      mac: "",
      mtu: 1400,
      isUp: true,
      master: "",
      isIsolated: false,
      isLearning: false,
      vxlan: { vni: VNI + 1, port: 24_790, local: "" },
    };
    await kernel.execute([
      { netns, operations: [{ kind: "addNetns" }, { kind: "addLink", link }] },
    ]);
    const sockets = "ss -Hun state unconnected sport = :24790";
    expect(sh(sockets)).toContain(":24790");
    expect(sh(`nsenter --net=/run/netns/${netns} ${sockets}`)).toBe("");
  },
);

test("netlink: sockets of many namespaces leave nftables the descriptors that it can use", async () => {
  await using stack = new AsyncStack();
  const kernel = await NetlinkKernel.open("", THREAD);
  stack.defer(() => kernel.close());
  stack.defer(() => removeAll(kernel));
  const lowSockets = () =>
    readdirSync("/proc/self/fd").filter((fd) => Number(fd) < 1024 && isSocket(fd)).length;
  const before = lowSockets();
  const names = Array.from({ length: 12 }, (_, i) => `${PREFIX}many${i}`);
  const table = { kind: "nft", script: "table inet x { }" } as const;
  await kernel.execute(
    names.map((netns) => ({ netns, operations: [{ kind: "addNetns" }, table] })),
  );
  for (const netns of names) await kernel.watch(netns, () => undefined);
  // The one of each nft context; route, netfilter and watching sockets are above.
  expect(lowSockets() - before).toBeLessThanOrEqual(names.length);

  const taken: number[] = [];
  stack.defer(async () => {
    for (const fd of taken) closeSync(fd);
  });
  while ((taken.at(-1) ?? 0) < 1030) taken.push(openSync("/dev/null", "r"));
  const late = `${PREFIX}late`;
  await expect(
    kernel.execute([{ netns: late, operations: [{ kind: "addNetns" }, table] }]),
  ).rejects.toThrow(/nftables needs one below 1000/);
  await kernel.execute([{ netns: names[0] ?? "", operations: [table] }]);
});

function isSocket(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:");
  } catch {
    return false; // closed meanwhile
  }
}

/** Runs what was deferred, last first. */
class AsyncStack implements AsyncDisposable {
  readonly #deferred: (() => Promise<void>)[] = [];
  defer(run: () => Promise<void>): void {
    this.#deferred.push(run);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#deferred.reverse()) await run();
  }
}

/** Clients that connect one after the other for a while, fewer than there are ports: prints how many connected, and how many did not. */
const CONNECTIONS = `
const net = require("node:net");
const [address, seconds] = process.argv.slice(1);
const server = net.createServer((s) => { s.on("error", () => {}); }).listen(80, async () => {
  const endMs = Date.now() + Number(seconds) * 1000;
  let count = 0, lost = 0;
  const one = () => new Promise((resolve) => {
    const socket = net.connect(80, address);
    const end = () => { socket.resetAndDestroy(); resolve(); };
    socket.setTimeout(700, () => { lost++; end(); });
    socket.on("error", () => { lost++; end(); });
    socket.on("connect", () => { count++; end(); });
  });
  const client = async () => { while (Date.now() < endMs) { await one(); await new Promise((r) => setTimeout(r, 3)); } };
  await Promise.all(Array.from({ length: 8 }, client));
  console.log(JSON.stringify({ count, lost }));
  process.exit(0);
});`;

test("netlink: while the backends of a service change, every connection to it finds one", async () => {
  const netns = `${PREFIX}vip`;
  const kernel = await NetlinkKernel.open("", THREAD);
  const backends = ["10.0.0.3", "10.0.0.4", "10.0.0.5"];
  const tables = [backends, backends.slice(1)].map((some) =>
    serviceVipTable(nodeNames("vipnode0123456789abcdefg"), [
      { vip: "10.0.0.2", vip6: "", backends: some, backends6: [] },
    ]),
  );
  const [all, fewer] = tables;
  if (all === undefined || fewer === undefined) throw new Error("two tables");
  const run = (script: string) =>
    kernel.execute([{ netns, operations: [{ kind: "nft", script }] }]);
  try {
    await kernel.execute([{ netns, operations: [{ kind: "addNetns" }] }]);
    for (const address of [...backends, "10.0.0.9"])
      sh(`ip -n ${netns} addr add ${address}/32 dev lo`);
    sh(`ip -n ${netns} route add 10.0.0.2/32 dev lo src 10.0.0.9`);
    await run(all.text);
    const client = spawn(
      "nsenter",
      [`--net=/run/netns/${netns}`, process.execPath, "-e", CONNECTIONS, "10.0.0.2", "4"],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    client.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = new Promise((resolve) => client.once("close", resolve));
    let changes = 0;
    for (; client.exitCode === null; changes++)
      await run(changes % 2 === 0 ? updateScript(all, fewer) : updateScript(fewer, all));
    await ended;
    const { count, lost } = JSON.parse(said) as { count: number; lost: number };
    expect({ lost, isMuch: count > 1_000 && changes > 100 }).toEqual({ lost: 0, isMuch: true });
  } finally {
    await kernel.close();
    sh(`ip netns del ${netns} 2>/dev/null || true`);
  }
}, 30_000);

/** Two backends, and a client that always uses the same port: on a line of stdin it connects, or lets the backend close. */
const SAME_PORT = `
const net = require("node:net");
for (const address of ["10.0.0.3", "10.0.0.4"])
  net.createServer((s) => {
    s.on("error", () => {});
    s.on("data", (asked) => (String(asked) === "close" ? s.end() : s.write(address)));
  }).listen(80, address);
let socket;
const say = (word) => console.log(word);
const commands = {
  connect: () => {
    socket = net.connect({ host: "10.0.0.2", port: 80, localAddress: "10.0.0.9", localPort: 41000 });
    socket.on("error", ({ code }) => say(code));
    socket.on("data", (address) => say(String(address)));
    socket.on("close", () => say("closed"));
    socket.write("who");
  },
  close: () => socket.write("close"),
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => commands[line]());
`;

test("netlink: a connection to a living backend does not end in place of one to a gone backend from the same client port", async () => {
  const netns = `${PREFIX}same`;
  await using stack = new AsyncStack();
  const kernel = await NetlinkKernel.open("", THREAD);
  stack.defer(() => kernel.close());
  stack.defer(async () => void sh(`ip netns del ${netns} 2>/dev/null || true`));
  const [former, latter] = ["10.0.0.3", "10.0.0.4"].map((backend) =>
    serviceVipTable(nodeNames("vipnode0123456789abcdefg"), [
      { vip: "10.0.0.2", vip6: "", backends: [backend], backends6: [] },
    ]),
  );
  if (former === undefined || latter === undefined) throw new Error("two tables");
  const run = (script: string) =>
    kernel.execute([{ netns, operations: [{ kind: "nft", script }] }]);
  await kernel.execute([{ netns, operations: [{ kind: "addNetns" }] }]);
  for (const address of ["10.0.0.3", "10.0.0.4", "10.0.0.9"])
    sh(`ip -n ${netns} addr add ${address}/32 dev lo`);
  sh(`ip -n ${netns} route add 10.0.0.2/32 dev lo src 10.0.0.9`);
  await run(former.text);
  const program = spawn(
    "nsenter",
    [`--net=/run/netns/${netns}`, process.execPath, "-e", SAME_PORT],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  stack.defer(async () => void program.kill("SIGKILL"));
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  const says = async (command: string) => {
    program.stdin.write(`${command}\n`);
    return (await lines.next()).value;
  };
  const foreign = loadForeign();
  const handle = new NamespaceHandle(
    foreign,
    new Namespaces(foreign.libc),
    netns,
    "same",
    () => {},
  );
  stack.defer(async () => handle.close());

  const replySources = () =>
    connectionsOf(handle)
      .filter(({ originalDst, isOpen }) => originalDst === "10.0.0.2" && isOpen)
      .map(({ replySrc }) => replySrc);
  const endTo = (backend: string, connections = connectionsOf(handle)) =>
    endConnections(handle, connections, { protocol: "tcp", replySrc: backend });

  for (let round = 0; round < 10; round++) {
    expect(await says("connect")).toBe("10.0.0.3");
    expect(await says("close")).toBe("closed");
    const listed = connectionsOf(handle);
    await run(updateScript(former, latter));
    expect(await says("connect")).toBe("10.0.0.4");
    endTo("10.0.0.3", listed);
    expect(replySources()).toEqual(["10.0.0.4"]);
    expect(await says("close")).toBe("closed");
    await run(updateScript(latter, former));
  }
  expect(await says("connect")).toBe("10.0.0.3");
  endTo("10.0.0.3");
  expect(replySources()).toEqual([]);
});

/** Longer than a notification takes. */
const NO_NOTICE_MS = 600;

test("netlink: a watch does not tell of what this port did itself, and tells of others at the same time", async () => {
  const netns = `${PREFIX}own`;
  const kernel = await NetlinkKernel.open("", THREAD);
  const changes = new Changes(300);
  const link: Link = {
    ...{ name: "br0", kind: "bridge", alias: "", mac: "02:42:00:00:00:01", mtu: 1450 },
    ...{ isUp: true, master: "", isIsolated: false, isLearning: false },
  };
  const vxlan: Link = {
    ...{ name: "vx1", kind: "vxlan", alias: "", mac: "02:42:00:00:00:02", mtu: 1400 },
    ...{ isUp: true, master: "br0", isIsolated: false, isLearning: false },
    vxlan: { vni: VNI + 2, port: 24_789, local: "127.0.0.1" },
  };
  const mac = "02:00:00:00:00:09";
  const neighbour = { link: "br0", address: "10.9.0.9", mac };
  const fdb = (kind: "replaceFdb" | "removeFdb", dst: string): KernelOperation => ({
    ...{ kind, entry: { link: "vx1", mac, dst } },
  });
  const own: KernelOperation[][] = [
    [{ kind: "nft", script: "table ip own_a { chain c { ip daddr 127.0.0.9 drop; }; }\n" }],
    [{ kind: "replaceNeighbour", entry: neighbour }],
    [{ kind: "nft", script: "add rule ip own_a c ip daddr 127.0.0.8 drop\n" }],
    [fdb("replaceFdb", "10.9.9.9"), fdb("replaceFdb", "")],
    [fdb("replaceFdb", "10.9.9.8")],
    [fdb("removeFdb", "10.9.9.8"), fdb("removeFdb", "")],
    [fdb("removeFdb", "")],
    [fdb("replaceFdb", "10.9.9.9"), fdb("replaceFdb", "")],
  ];
  const again = [fdb("replaceFdb", "10.9.9.9"), fdb("replaceFdb", "")];
  const links = [link, vxlan].map((one) => ({ kind: "addLink", link: one }) as const);
  try {
    await kernel.execute([{ netns, operations: [{ kind: "addNetns" }, ...links] }]);
    await kernel.watch(netns, changes.note);
    await changes.quiet();
    const next = changes.next(NO_NOTICE_MS);
    for (const operations of own) await kernel.execute([{ netns, operations }]);
    expect(await next).toBeUndefined();
    for (const theirs of [
      "nft add rule ip own_a c ip daddr 127.0.0.7 drop",
      "ip neigh add 10.9.0.8 lladdr 02:00:00:00:00:08 dev br0 nud permanent",
      `bridge fdb replace ${mac} dev vx1 dst 10.9.9.7 self permanent`,
      `bridge fdb del ${mac} dev vx1 master`,
      "bridge fdb add 02:00:00:00:00:08 dev vx1 master static",
    ]) {
      const told = changes.next(1_000);
      await kernel.execute([{ netns, operations: again }]);
      sh(`nsenter --net=/run/netns/${netns} bash -c '${theirs}'`);
      await kernel.execute([{ netns, operations: again }]);
      expect(await told).toBe(netns);
      await changes.quiet();
    }
  } finally {
    await kernel.close();
    sh(`ip netns del ${netns} 2>/dev/null || true`);
  }
});

test("netlink: what was done to a table while nobody was there is seen by the next one", async () => {
  const netns = `${PREFIX}again`;
  const dir = mkdtempSync(join(tmpdir(), "contents-"));
  const path = join(dir, "tables.json");
  const table = (name: string) =>
    `table ip ${name} { comment "full"; chain c { ip daddr 127.0.0.9 drop; }; }\n`;
  const hashes = async (kernel: NetnsKernel) =>
    (await kernel.observe(netns, "own"))?.tables.map(({ name, hash }) => `${name} ${hash}`).sort();
  const first = await NetlinkKernel.open(path, THREAD);
  try {
    const script = `${table("own_a")}${table("own_b")}`;
    const operations = [{ kind: "addNetns" } as const, { kind: "nft", script } as const];
    await first.execute([{ netns, operations }]);
    expect(await hashes(first)).toEqual(["own_a full", "own_b full"]);
    await first.close();
    sh(`nsenter --net=/run/netns/${netns} nft flush chain ip own_a c`);
    const second = await NetlinkKernel.open(path, THREAD);
    expect(await hashes(second)).toEqual(["own_a ", "own_b full"]);
    await second.execute([{ netns, operations: [{ kind: "removeNetns" }] }]);
    await second.close();
    expect(existsSync(path)).toBe(false);
    // Damaged: what is there is believed.
    writeFileSync(path, "[]");
    const third = await NetlinkKernel.open(path, THREAD);
    await third.close();
  } finally {
    sh(`ip netns del ${netns} 2>/dev/null || true`);
    rmSync(dir, { recursive: true });
  }
});
