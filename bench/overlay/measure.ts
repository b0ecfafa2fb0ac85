/** Figures of the overlay on two hosts of the benchmark's own. All kernel state is made by the real net processes. */
import { mkdtempSync, rmSync } from "node:fs";
import { measureDns } from "../dns-measure.js";
import {
  addressOf,
  type Content,
  ENCRYPTED,
  PLAIN,
  SERVER_COUNT,
  stateFor,
  type Tunnel,
  taskOf,
  WEB_VIP,
} from "./cluster-state.js";
import { FAR, inNetns, makeHosts, NEAR, removeHosts, sh } from "./hosts.js";
import { attachAndRelease } from "./memory.js";
import { NetProcess, type NetworksReply, REST_MS, type StatusReply } from "./net-process.js";
import { attachSome, releaseSome, Told } from "./programming.js";
import { median, quantile } from "./statistics.js";
import { compare, connections, type Path, serve, throughput } from "./traffic.js";

const SINK_PORT = 7_001;
const DOOR_PORT = 7_002;
const ROUNDS = 9;
const THROUGHPUT_MS = 2_000;
const CONNECTIONS_MS = 1_000;
/** Attached and released before anything is timed: a process that just started runs code that is not compiled yet. */
const WARM_UP_COUNT = 30;
const WARM_UP_ROUNDS = 6;
const TIMED_COUNT = 50;
const CONTAINER_COUNT = 100;
const BACKEND_CHANGES = 40;
const REMOTE_COUNT = 10_000;
const REMOTE_RUNS = 5;
/** Two looks at what is kept differ by some 5 MiB, whatever was done between them. */
const CYCLES = 3_000;
/** Tasks that take turns in them. */
const CYCLED_COUNT = 500;
const ENCRYPTED_ROUNDS = 3;
/** WireGuard makes a lost first call again after 5 s. */
const MEETING_LIMIT_MS = 30_000;

/** Name → value; the unit is at the end of the name. */
export type Figures = Record<string, number>;

export type Options = {
  readonly say: (line: string) => void;
  /** Arguments of node for the net processes. */
  readonly nodeOptions: readonly string[];
};

type Scene = {
  readonly near: NetProcess;
  readonly far: NetProcess;
  readonly nearTold: Told;
  readonly farTold: Told;
  /** Namespaces of the two clients, and of the servers. */
  readonly clients: readonly string[];
  readonly servers: readonly string[];
  note(name: string, value: number): void;
};

export async function measureOverlay({ say, nodeOptions }: Options): Promise<Figures> {
  const figures: Figures = {};
  const note = (name: string, value: number): void => {
    figures[name] = value;
    say(`${name} = ${value.toFixed(value < 100 ? 2 : 0)}`);
  };
  const dir = mkdtempSync("/run/t-nbench-");
  try {
    await makeHosts();
    await using near = await NetProcess.start(NEAR, dir, nodeOptions);
    await using far = await NetProcess.start(FAR, dir, nodeOptions);
    const scene = await setTheScene(near, far, note);
    const { plane } = await near.call<StatusReply>("status", {});
    say(`the kernel is programmed by ${plane?.kernel}`);
    await measureTraffic(scene);
    await measureProgramming(scene);
    await measureMemory(scene);
    await measureEncrypted(scene, say);
  } finally {
    await removeHosts();
    rmSync(dir, { recursive: true });
  }
  const dns = await measureDns();
  note("DNS answers per s, one core", dns.answersPerSec);
  note("DNS p99 at 2,000 per s, ms", dns.p99Ms);
  return figures;
}

async function setTheScene(near: NetProcess, far: NetProcess, note: Scene["note"]): Promise<Scene> {
  note("PSS of net before any network, MiB", near.memory().pssMib);
  const localCount = CONTAINER_COUNT + CYCLED_COUNT;
  const content: Content = { index: 10, localCount, crowdCount: 0, tunnels: undefined };
  const [nearTold, farTold] = [new Told(near, content), new Told(far, content)];
  await nearTold.complete();
  await farTold.complete();
  const clients: string[] = [];
  const servers: string[] = [];
  for (let i = 0; i < 2; i++) clients.push(await near.attach(taskOf("client", i), [PLAIN]));
  for (let i = 0; i < SERVER_COUNT; i++)
    servers.push(await far.attach(taskOf("server", i), [PLAIN]));
  return { near, far, nearTold, farTold, clients, servers, note };
}

async function measureTraffic(scene: Scene): Promise<void> {
  const { near, far, note } = scene;
  const [client = "", bareClient = ""] = scene.clients;
  const serverAddresses = scene.servers.map((_, i) => addressOf(PLAIN, "server", i));
  {
    await using _underlay = await serve(FAR.netns, "sink", SINK_PORT);
    await using _overlay = await serve(scene.servers[0] ?? "", "sink", SINK_PORT);
    const run = (path: Path) => () => throughput(path, SINK_PORT, THROUGHPUT_MS);
    const { values, shares } = await compare(
      {
        underlay: run({ netns: NEAR.netns, addresses: [FAR.address] }),
        overlay: run({ netns: client, addresses: serverAddresses }),
      },
      "underlay",
      ROUNDS,
    );
    note("TCP over the underlay, Gbit/s", values.underlay);
    note("TCP over VXLAN, Gbit/s", values.overlay);
    note("TCP, VXLAN / underlay", shares.overlay);
  }
  const doors = await Promise.all(scene.servers.map((netns) => serve(netns, "door", DOOR_PORT)));
  try {
    // Otherwise the rules that one client is freed of would be back within a second.
    const result = await near.frozen(() =>
      far.frozen(async () => {
        await inNetns(bareClient, "nft flush ruleset");
        const run = (path: Path) => async () => {
          await forgetConnections([client, bareClient, ...scene.servers]);
          return await connections(path, DOOR_PORT, CONNECTIONS_MS);
        };
        return await compare(
          {
            bare: run({ netns: bareClient, addresses: serverAddresses }),
            direct: run({ netns: client, addresses: serverAddresses }),
            vip: run({ netns: client, addresses: [WEB_VIP] }),
          },
          "bare",
          ROUNDS,
        );
      }),
    );
    note("connections per s, client without rules", result.values.bare);
    note("connections per s, direct", result.values.direct);
    note("connections per s, VIP", result.values.vip);
    note("connections, VIP / direct", result.shares.vip / result.shares.direct);
    note("connections, VIP / client without rules", result.shares.vip);
  } finally {
    for (const door of doors) await door[Symbol.asyncDispose]();
  }
  await near.release(taskOf("client", 1));
}

/** Those of the run before: each stays for two minutes, and a hundred thousand of them slow down whoever comes next. */
async function forgetConnections(netnsNames: readonly string[]): Promise<void> {
  for (const netns of netnsNames)
    await sh(`nsenter --net=/run/netns/${netns} conntrack -F >/dev/null 2>&1 || true`);
}

async function measureProgramming({ near, nearTold, note }: Scene): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    const first = CONTAINER_COUNT + round * WARM_UP_COUNT;
    await attachSome(near, first, WARM_UP_COUNT);
    await releaseSome(near, first, WARM_UP_COUNT);
  }
  const attached = await attachSome(near, 0, TIMED_COUNT);
  note("attach, the whole call, median of 50, ms", median(attached));
  note("attach, the whole call, p95 of 50, ms", quantile(attached, 0.95));
  await attachSome(near, TIMED_COUNT, CONTAINER_COUNT - TIMED_COUNT);
  await near.verify();

  await nearTold.backendChanges(10);
  const changes = await nearTold.backendChanges(BACKEND_CHANGES);
  note("backend change in 100 containers, median, ms", median(changes));
  note("backend change in 100 containers, slowest of 40, ms", Math.max(...changes));
  await near.verify();
  await rest();
  note("the first such change after 8 s, ms", median(await nearTold.backendChanges(1)));

  const programmed: number[] = [];
  for (let i = 0; i < REMOTE_RUNS; i++) {
    await nearTold.complete({ crowdCount: 0 });
    programmed.push(await nearTold.complete({ crowdCount: REMOTE_COUNT }));
  }
  note("10,000 remote endpoints, median of 5, s", median(programmed) / 1_000);
  await near.verify();
  const many = await nearTold.backendChanges(BACKEND_CHANGES);
  note("the same change with 10,000 remote endpoints, median, ms", median(many));
}

async function measureMemory({ near, note }: Scene): Promise<void> {
  await rest();
  const { rssMib, pssMib } = near.memory();
  note("RSS of net, 100 containers, 10,000 remote endpoints, MiB", rssMib);
  note("PSS of net, 100 containers, 10,000 remote endpoints, MiB", pssMib);
  const kept = await near.keptMemory();
  note("the same without garbage, MiB", kept.pssMib);
  const cycles = await attachAndRelease(near, {
    ...{ first: CONTAINER_COUNT, places: CYCLED_COUNT, count: CYCLES },
  });
  note("attach and release, then, median, ms", cycles.cycleMs);
  note("PSS growth per 1,000 of 3,000 cycles, MiB", (cycles.pssGrowthMib * 1_000) / CYCLES);
  note("growth of open files over 3,000 cycles", cycles.fdGrowth);
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MS));
}

async function measureEncrypted(scene: Scene, say: Options["say"]): Promise<void> {
  const { near, far, note } = scene;
  if ((await sh("command -v wg || true")) === "") {
    say("encrypted throughput is left out: wireguard-tools is not installed");
    return;
  }
  await encryptedNetwork(scene);
  await far.release(taskOf("server", 1));
  const client = await near.attach(taskOf("client", 1), [ENCRYPTED]);
  const server = await far.attach(taskOf("server", 1), [ENCRYPTED]);
  await using _sink = await serve(server, "sink", SINK_PORT);
  const path = { netns: client, addresses: [addressOf(ENCRYPTED, "server", 1)] };
  await untilTheyMeet(path);
  const values: number[] = [];
  for (let i = 0; i < ENCRYPTED_ROUNDS; i++)
    values.push(await throughput(path, SINK_PORT, THROUGHPUT_MS));
  note("TCP on an encrypted network, Gbit/s", median(values));
}

/** Both nodes are told of it, and then each of the other's keys. */
async function encryptedNetwork({ near, far }: Scene): Promise<void> {
  const tunnels = new Map<string, Tunnel>();
  const learn = (nodeId: string, { tunnel }: NetworksReply): void => {
    if (tunnel) tunnels.set(nodeId, tunnel);
  };
  for (const index of [1_000_000, 1_000_001]) {
    const content = { index, localCount: CONTAINER_COUNT, crowdCount: 0, tunnels };
    for (const net of [near, far])
      learn(net.host.nodeId, await net.complete(stateFor(net.host, content)));
  }
}

async function untilTheyMeet(path: Path): Promise<void> {
  const deadline = performance.now() + MEETING_LIMIT_MS;
  for (;;) {
    const met = await throughput(path, SINK_PORT, 100).catch(() => undefined);
    if (met !== undefined) return;
    if (performance.now() > deadline)
      throw new Error(
        `no connection on the encrypted network within ${MEETING_LIMIT_MS / 1_000} s`,
      );
  }
}
