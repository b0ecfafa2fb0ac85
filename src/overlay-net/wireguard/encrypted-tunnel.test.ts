import { expect, test } from "vitest";
import type { Clock } from "../../base/index.js";
import { SystemClock, silentLogger } from "../../base/index.js";
import { nodeNames } from "../core/names.js";
import type { NetworkState, NodeTunnelKeys } from "../core/network-state.js";
import { nodeIdOf, type RandomCluster, stateOf } from "../core/testing/random-cluster.js";
import { KEEP_FORMER_MS, ROTATE_EVERY_MS } from "../core/wireguard/rotation.js";
import { EncryptedTunnel } from "./encrypted-tunnel.js";
import type { TunnelKeys } from "./key-file.js";
import { MemoryTunnelDevice } from "./testing/memory-tunnel-device.js";

const CLUSTER: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [0, 1].map((node) => ({ node, service: 0, networks: [0, 1], isBackend: true })),
};
const LINKS = [0, 1].map((node) => `swwgnode${node}xxx`);

/** One node's tunnel; its file and its interface outlive it. */
class Node {
  readonly device = new MemoryTunnelDevice();
  readonly number: number;
  readonly #clock: Clock;
  stored: TunnelKeys | undefined;
  tunnel: EncryptedTunnel;

  constructor(number: number, clock: Clock) {
    this.number = number;
    this.#clock = clock;
    this.tunnel = this.#open();
  }

  restart(): void {
    this.tunnel = this.#open();
  }

  get keys(): NodeTunnelKeys | undefined {
    const { published } = this.tunnel;
    return published && { publicKey: published.PublicKey, pairKeys: published.PairKeys };
  }

  /** Of its only peer. */
  get presharedKey(): string | undefined {
    return this.device.links.get(LINKS[this.number] ?? "")?.peers[0]?.presharedKey;
  }

  /** Towards its only peer. */
  get keepaliveSec(): number | undefined {
    return this.device.links.get(LINKS[this.number] ?? "")?.peers[0]?.keepaliveSec;
  }

  #open(): EncryptedTunnel {
    return new EncryptedTunnel({
      names: nodeNames(nodeIdOf(this.number)),
      device: this.device,
      keys: {
        read: () => Promise.resolve(this.stored),
        write: (keys) => {
          this.stored = structuredClone(keys);
          return Promise.resolve();
        },
      },
      clock: this.#clock,
      logger: silentLogger,
    });
  }
}

class World {
  nowMs = 1_000_000;
  readonly nodes: readonly [Node, Node];
  /** What managers know. */
  known: (NodeTunnelKeys | undefined)[] = [];

  constructor() {
    const clock = Object.assign(new SystemClock(), { wallMs: () => this.nowMs });
    this.nodes = [new Node(0, clock), new Node(1, clock)];
  }

  state(node: number, encrypted = ["net1"]): NetworkState {
    const plain = stateOf(CLUSTER, node);
    return {
      ...plain,
      networks: plain.networks.map((one) => ({ ...one, isEncrypted: encrypted.includes(one.id) })),
      nodes: plain.nodes.map((entry, i) => {
        const tunnel = this.known[i];
        return tunnel === undefined ? entry : { ...entry, tunnel };
      }),
    };
  }

  /** Managers hear of the keys there are. */
  hear(): void {
    this.known = this.nodes.map(({ keys }) => keys);
  }

  async follow(mustLook = true): Promise<void> {
    for (const node of this.nodes) await node.tunnel.follow(this.state(node.number), mustLook);
  }

  shakeHands(): void {
    for (const { device, number } of this.nodes) device.shakeHands(LINKS[number] ?? "", this.nowMs);
  }

  /** Both have their interface and each other. */
  async meet(): Promise<void> {
    await this.follow();
    this.hear();
    await this.follow();
  }
}

test("two nodes make their interfaces, tell their keys and share one", async () => {
  const world = new World();
  const [a, b] = world.nodes;
  expect(a.tunnel.published).toBeUndefined();
  await world.meet();
  expect(a.tunnel.published?.Implementation).toBe("kernel");
  expect(a.presharedKey).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  expect(b.presharedKey).toBe(a.presharedKey);
  expect(a.device.calls).toEqual(["open swwgnode0xxx 198.18.0.1/20", "peers -0 +1"]);
  expect(a.tunnel.problem).toBe("");
});

test("of two nodes that are told at once one calls; the other one waits, and calls when it was not called", async () => {
  const world = new World();
  await world.follow();
  world.hear();
  const [a, b] = world.nodes;
  const calls = () => world.nodes.map(({ keepaliveSec }) => keepaliveSec);
  expect(await a.tunnel.follow(world.state(0), false)).toBe(false);
  expect(await b.tunnel.follow(world.state(1), false)).toBe(true);
  expect(calls()).toEqual([20, 0]);
  expect(await b.tunnel.findings(world.state(1))).toEqual([]);
  world.nowMs += 700;
  expect(await b.tunnel.follow(world.state(1), true)).toBe(false);
  expect(calls()).toEqual([20, 20]);
});

test("a session that was made while it waited is kept by either side", async () => {
  const world = new World();
  await world.meet();
  world.shakeHands();
  expect(await world.nodes[1].tunnel.follow(world.state(1), true)).toBe(false);
  expect(world.nodes[1].keepaliveSec).toBe(20);
});

test("the same state again changes nothing, looked at or not", async () => {
  const world = new World();
  await world.meet();
  const before = world.nodes[0].device.calls.length;
  await world.follow(false);
  await world.follow(true);
  expect(world.nodes[0].device.calls).toHaveLength(before);
});

test("a restarted process goes on with its interface and its keys", async () => {
  const world = new World();
  await world.meet();
  const [a] = world.nodes;
  const before = { keys: a.keys, shared: a.presharedKey, calls: a.device.calls.length };
  a.restart();
  await a.tunnel.follow(world.state(0), false);
  expect({ keys: a.keys, shared: a.presharedKey, calls: a.device.calls.length }).toEqual(before);
});

test("without any encrypted network there is no interface; one of an earlier process goes", async () => {
  const world = new World();
  await world.meet();
  const [a] = world.nodes;
  a.restart();
  await a.tunnel.follow(world.state(0, []), false);
  expect(a.device.links.size).toBe(0);
  const count = a.device.calls.length;
  await a.tunnel.follow(world.state(0, []), true);
  expect(a.device.calls).toHaveLength(count);
});

test("what cannot be made is a problem with its remedy, until it can", async () => {
  const world = new World();
  const [a] = world.nodes;
  a.device.refusal = "install wireguard-go";
  await world.follow();
  expect(a.tunnel.problem).toBe("install wireguard-go");
  expect(a.tunnel.published).toBeUndefined();
  a.device.refusal = "";
  await world.follow(false);
  expect(a.tunnel.problem).toBe("");
});

test("an interface that another hand takes away is found, and made again with its peers", async () => {
  const world = new World();
  await world.meet();
  const [a] = world.nodes;
  expect(await a.tunnel.findings(world.state(0))).toEqual([]);
  a.device.links.clear();
  expect(await a.tunnel.findings(world.state(0))).toEqual([
    "host: WireGuard interface swwgnode0xxx is missing",
  ]);
  const shared = world.nodes[1].presharedKey;
  await a.tunnel.follow(world.state(0), true);
  expect(a.presharedKey).toBe(shared);
});

test("a peer that another hand takes away is found", async () => {
  const world = new World();
  await world.meet();
  const [a] = world.nodes;
  const present = a.device.links.get("swwgnode0xxx");
  if (present) a.device.links.set("swwgnode0xxx", { ...present, peers: [] });
  expect(await a.tunnel.findings(world.state(0))).toEqual([
    "host: WireGuard peer 198.18.0.2/32 is missing or differs",
  ]);
});

test("a pair's key changes make-before-break: published first, used by both, then the former one goes", async () => {
  const world = new World();
  await world.meet();
  const [a, b] = world.nodes;
  const [former, formerKey] = [a.presharedKey, a.keys?.pairKeys[0]];
  world.nowMs += ROTATE_EVERY_MS;
  world.shakeHands();
  await a.tunnel.follow(world.state(0), true);
  expect(a.keys?.pairKeys).toHaveLength(2);
  await world.follow();
  expect([a.presharedKey, b.presharedKey]).toEqual([former, former]);
  world.hear();
  await world.follow();
  expect(a.presharedKey).not.toBe(former);
  expect(b.presharedKey).toBe(a.presharedKey);
  world.nowMs += 60_000;
  world.shakeHands();
  await a.tunnel.follow(world.state(0), true);
  expect(a.keys?.pairKeys).toHaveLength(2);
  world.nowMs += KEEP_FORMER_MS;
  world.shakeHands();
  const shared = a.presharedKey;
  await world.follow();
  expect(a.keys?.pairKeys).not.toContain(formerKey);
  expect(a.stored?.pairKeys).toHaveLength(1);
  world.hear();
  await world.follow();
  expect([a.presharedKey, b.presharedKey]).toEqual([shared, shared]);
});

test("another choice of keys that is due is no finding: a peer that is silent stays as it was set", async () => {
  const world = new World();
  await world.meet();
  const [a] = world.nodes;
  world.nowMs += ROTATE_EVERY_MS;
  await a.tunnel.follow(world.state(0), true);
  world.hear();
  await world.follow();
  const shared = a.presharedKey;
  world.nowMs += KEEP_FORMER_MS;
  expect(await a.tunnel.findings(world.state(0))).toEqual([]);
  await a.tunnel.follow(world.state(0), true);
  expect(a.presharedKey).not.toBe(shared);
  expect(await a.tunnel.findings(world.state(0))).toEqual([]);
});

test("a node whose keys are none gets no peer; the others do", async () => {
  const world = new World();
  await world.meet();
  const zero = Buffer.alloc(32).toString("base64");
  world.known[1] = { publicKey: world.nodes[1].keys?.publicKey ?? "", pairKeys: [zero] };
  await world.follow();
  expect(world.nodes[0].device.links.get("swwgnode0xxx")?.peers).toEqual([]);
  expect(world.nodes[0].tunnel.problem).toBe("");
});
