import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { DesiredInput } from "./cluster-lookup.js";
import { DesiredMemo, desiredState } from "./desired.js";
import { plainLink } from "./desired-parts.js";
import { drift } from "./drift.js";
import { gwbridgePrefix6 } from "./gwbridge6.js";
import type { KernelOperation, NetnsOperations, NetnsState } from "./kernel-model.js";
import { aliasPrefix, networkAliasPrefix, sandboxPrefix } from "./names.js";
import type { Ownership } from "./ownership.js";
import { fdbText, missing, type NetnsPair, planChanges, planNode } from "./planner.js";
import { chainsOf } from "./rulesets/nft-table.js";
import { InMemoryKernel } from "./testing/in-memory-kernel.js";
import { anyCluster, inputOf, type RandomCluster } from "./testing/random-cluster.js";

const RUNS = { numRuns: 8 };

function ownershipOf({ names }: DesiredInput, netns: string, mayDelete = true): Ownership {
  return netns.startsWith(sandboxPrefix(names))
    ? { mayDelete, aliasPrefix: "", tablePrefix: "" }
    : {
        ...{ mayDelete, aliasPrefix: aliasPrefix(names), tablePrefix: names.nftTable },
        prefix6: gwbridgePrefix6(names.nodeId),
      };
}

/** Namespaces that should be, then those that are and should not. `texts`: what was loaded is known, as on the hot path. */
function pairsOf(input: DesiredInput, kernel: InMemoryKernel, texts = true): NetnsPair[] {
  const desired = desiredState(input);
  const wanted = new Set(desired.map(({ netns }) => netns));
  const stray = kernel.names().filter((netns) => !wanted.has(netns));
  const seen = (netns: string) => {
    const state = kernel.observe(netns);
    if (state === undefined || texts) return state;
    return { ...state, tables: state.tables.map((table) => ({ ...table, text: "" })) };
  };
  return [
    ...desired.map((state) => ({ netns: state.netns, desired: state })),
    ...stray.map((netns) => ({ netns, desired: undefined })),
  ].map(({ netns, desired: state }) => ({
    netns,
    desired: state,
    observed: seen(netns),
    ownership: ownershipOf(input, netns),
  }));
}

function driftOf(pairs: readonly NetnsPair[]): readonly string[] {
  return pairs.flatMap(({ desired, observed, ownership }) => drift(desired, observed, ownership));
}

function broughtTo(cluster: RandomCluster): InMemoryKernel {
  const kernel = new InMemoryKernel();
  kernel.execute(planNode(pairsOf(inputOf(cluster, 0), kernel)));
  return kernel;
}

test("from one cluster to any other a plan leads to what is desired, and then there is nothing to plan", () => {
  fc.assert(
    fc.property(anyCluster, anyCluster, fc.boolean(), (first, second, texts) => {
      const kernel = broughtTo(first);
      const input = inputOf(second, 0);
      kernel.execute(planNode(pairsOf(input, kernel, texts)));
      const pairs = pairsOf(input, kernel, texts);
      expect(driftOf(pairs)).toEqual([]);
      expect(planNode(pairs)).toEqual([]);
      for (const { netns, tables } of desiredState(input)) {
        const loaded = new Map(kernel.observe(netns)?.tables.map((t) => [t.name, t.text]));
        for (const { name, text } of tables) expect(sorted(loaded.get(name))).toEqual(sorted(text));
      }
    }),
    RUNS,
  );
});

/** Chains have no order. */
function sorted(text: string | undefined): readonly string[] {
  return [...chainsOf(text ?? "").values()].map((chain) => JSON.stringify(chain)).sort();
}

test("there is drift exactly when there is something to plan", () => {
  fc.assert(
    fc.property(anyCluster, anyCluster, (first, second) => {
      const pairs = pairsOf(inputOf(second, 0), broughtTo(first), false);
      expect(driftOf(pairs).length > 0).toBe(planNode(pairs).length > 0);
    }),
    RUNS,
  );
});

test("a plan that may not delete takes nothing away", () => {
  fc.assert(
    fc.property(anyCluster, anyCluster, (first, second) => {
      const kernel = broughtTo(first);
      const input = inputOf(second, 0);
      const plan = planNode(
        pairsOf(input, kernel).map((pair) => ({
          ...pair,
          ownership: { ...pair.ownership, mayDelete: false },
        })),
      );
      const kinds = plan.flatMap(({ operations }) => operations.map(({ kind }) => kind));
      expect(kinds.filter((kind) => kind.startsWith("remove"))).toEqual([]);
    }),
    RUNS,
  );
});

test("on a bridge that others keep the IPv6 way out comes and goes, and nothing else there is touched", () => {
  const cluster: RandomCluster = {
    nodeCount: 1,
    downNodes: [],
    tasks: [{ node: 0, service: 0, networks: [0, 1], isBackend: true }],
  };
  const withOut = (leadOut6: boolean): DesiredInput => {
    const input = inputOf({ ...cluster, leadOut6 }, 0);
    return { ...input, local: { ...input.local, keepsGwbridge: false } };
  };
  const kernel = new InMemoryKernel();
  const CONTAINER = "swarm-node0xxx-task0";
  const { names } = withOut(false);
  kernel.execute([{ netns: CONTAINER, operations: [{ kind: "addNetns" }] }]);
  const link = (name: string, alias: string) =>
    plainLink({ name, kind: "bridge", alias, mtu: 1500 });
  kernel.meddle("", {
    links: [link(names.bridge, names.bridgeAlias)],
    addresses: [
      { link: names.bridge, address: "172.20.0.1/20" },
      { link: names.bridge, address: "2001:db8::1/64" },
    ],
  });
  kernel.meddle(CONTAINER, {
    links: [link("eth0", "")],
    addresses: [{ link: "eth0", address: "172.20.0.2/20" }],
    routes: [{ dst: "default", family: 4, via: "172.20.0.1", link: "eth0", table: 254 }],
  });
  const goTo = (input: DesiredInput) => {
    const ownership = (netns: string): Ownership => ({
      ...ownershipOf(input, netns),
      ...(netns === "" && { aliasPrefix: networkAliasPrefix(names) }),
    });
    const pairs = () =>
      pairsOf(input, kernel).map((pair) => ({ ...pair, ownership: ownership(pair.netns) }));
    kernel.execute(planNode(pairs()));
    expect(driftOf(pairs())).toEqual([]);
  };
  const seen = () => ({
    bridge: kernel.observe("")?.addresses.filter((one) => one.link === names.bridge).length,
    eth0: kernel.observe(CONTAINER)?.addresses.filter((one) => one.link === "eth0").length,
    out: kernel
      .observe(CONTAINER)
      ?.routes.filter(({ family, table }) => family === 6 && table === 254)
      .map(({ link: name }) => name),
    tables: kernel.observe("")?.tables.some(({ name }) => name.endsWith("_egress6")),
  });
  goTo(withOut(false));
  expect(seen()).toEqual({ bridge: 2, eth0: 1, out: ["eth1"], tables: false });
  goTo(withOut(true));
  expect(seen()).toEqual({ bridge: 3, eth0: 2, out: ["eth0"], tables: true });
  goTo(withOut(false));
  expect(seen()).toEqual({ bridge: 2, eth0: 1, out: ["eth1"], tables: false });
});

const FOREIGN: Partial<NetnsState> = {
  links: [
    {
      name: "docker0",
      kind: "bridge",
      alias: "swarm:othernode000123456789abcd:gwbridge",
      mac: "02:42:00:00:00:01",
      mtu: 1500,
      isUp: true,
      master: "",
      isIsolated: false,
      isLearning: true,
    },
  ],
  addresses: [{ link: "docker0", address: "172.17.0.1/16" }],
  routes: [{ dst: "default", family: 4, via: "10.0.0.1", link: "eth0", table: 254 }],
  rules: [{ family: 4, priority: 100, fwmark: 1, mask: 1, table: 100 }],
  neighbours: [{ link: "eth0", address: "10.0.0.1", mac: "02:42:00:00:00:02" }],
  tables: [{ family: "inet", name: "filter", text: "", hash: "" }],
};

test("what is not ours on the host stays as it is", () => {
  fc.assert(
    fc.property(anyCluster, (cluster) => {
      const kernel = new InMemoryKernel();
      kernel.meddle("", FOREIGN);
      kernel.execute(planNode(pairsOf(inputOf(cluster, 0), kernel)));
      const removal = planChanges(
        undefined,
        kernel.observe(""),
        ownershipOf(inputOf(cluster, 0), ""),
      );
      kernel.execute([{ netns: "", operations: removal }]);
      const { sysctls: _, ...left } = kernel.observe("") ?? {};
      expect(left).toEqual({ netns: "", fdb: [], ...FOREIGN });
    }),
    RUNS,
  );
});

const PAIR: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
  ],
};

function flat(plan: readonly NetnsOperations[]): readonly KernelOperation[] {
  return plan.flatMap(({ operations }) => operations);
}

test.each<{
  name: string;
  netns: string;
  meddle: (state: NetnsState) => Partial<NetnsState>;
  kinds: string[];
  drift: RegExp;
}>([
  {
    name: "a link that was put down",
    netns: "swarm-node0xxx.net-net1",
    meddle: ({ links }) => ({
      links: links.map((l) => (l.kind === "vxlan" ? { ...l, isUp: false } : l)),
    }),
    kinds: ["setLink"],
    drift: /link vxnode0xxx35t: state is down, should be up/,
  },
  {
    name: "a forwarding entry that leads elsewhere",
    netns: "swarm-node0xxx.net-net1",
    meddle: ({ fdb }) => ({ fdb: fdb.map((e) => (e.dst === "" ? e : { ...e, dst: "10.99.0.9" })) }),
    kinds: ["replaceFdb"],
    drift: /forwarding entry .* to 10\.99\.0\.9 on .* should not exist/,
  },
  {
    name: "a neighbour that was deleted",
    netns: "swarm-node0xxx.net-net1",
    meddle: () => ({ neighbours: [] }),
    kinds: ["replaceNeighbour", "replaceNeighbour"],
    drift: /neighbour 10\.101\.1\.2 at .* is missing/,
  },
  {
    name: "a table that was changed",
    netns: "swarm-node0xxx-task0",
    meddle: ({ tables }) => ({
      tables: tables.map((t) => (t.name.endsWith("_vip") ? { ...t, text: "", hash: "0" } : t)),
    }),
    kinds: ["nft"],
    drift: /table inet swarm_node0xxx_vip differs/,
  },
  {
    name: "forwarding that was switched off",
    netns: "",
    meddle: ({ sysctls }) => ({
      sysctls: sysctls.map((s) =>
        s.key.endsWith("swgwnode0xxx/forwarding") ? { ...s, value: "0" } : s,
      ),
    }),
    kinds: ["setSysctl"],
    drift: /sysctl net\/ipv4\/conf\/swgwnode0xxx\/forwarding is not 1/,
  },
])("repairs $name and touches nothing else", ({ netns, meddle, kinds, drift: line }) => {
  const kernel = broughtTo(PAIR);
  const before = kernel.observe(netns);
  expect(before).toBeDefined();
  kernel.meddle(netns, meddle(before as NetnsState));
  const pairs = pairsOf(inputOf(PAIR, 0), kernel);
  expect(driftOf(pairs).join("\n")).toMatch(line);
  const plan = planNode(pairs);
  expect(flat(plan).map(({ kind }) => kind)).toEqual(kinds);
  kernel.execute(plan);
  expect(planNode(pairsOf(inputOf(PAIR, 0), kernel))).toEqual([]);
});

test("a VXLAN device on another port is made anew, with all its entries", () => {
  const kernel = broughtTo(PAIR);
  const input = inputOf(PAIR, 0);
  const moved = { ...input, state: { ...input.state, dataPathPort: 4790 } };
  kernel.execute(planNode(pairsOf(moved, kernel)));
  expect(planNode(pairsOf(moved, kernel))).toEqual([]);
});

test("entries come before the tables that lead there; tables go before the entries they lead to", () => {
  const kernel = new InMemoryKernel();
  const input = inputOf(PAIR, 0);
  const up = flat(planNode(pairsOf(input, kernel)));
  const at = (list: readonly KernelOperation[], match: (o: KernelOperation) => boolean) =>
    list.findIndex(match);
  const isVip = (o: KernelOperation) => o.kind === "nft" && o.script.includes("10.101.0.10");
  const lastEntry = up.findLastIndex(
    ({ kind }) => kind === "replaceFdb" || kind === "replaceNeighbour",
  );
  expect(at(up, isVip)).toBeGreaterThan(lastEntry);
  const isGuard = (o: KernelOperation) => o.kind === "nft" && o.script.includes("_guard");
  expect(at(up, isGuard)).toBeLessThan(at(up, ({ kind }) => kind === "addLink"));
  kernel.execute(planNode(pairsOf(input, kernel)));
  const alone = { ...PAIR, tasks: PAIR.tasks.slice(0, 1) };
  const down = flat(planNode(pairsOf(inputOf(alone, 0), kernel)));
  const lastScript = down.findLastIndex(({ kind }) => kind === "nft");
  expect(lastScript).toBeGreaterThanOrEqual(0);
  expect(at(down, ({ kind }) => kind === "removeFdb")).toBeGreaterThan(lastScript);
});

test("a backend more or less changes one chain of each client's table", () => {
  const kernel = broughtTo(PAIR);
  const [first, second] = PAIR.tasks;
  const drained = { ...PAIR, tasks: [first, { ...second, isBackend: false }] } as RandomCluster;
  const plan = planNode(pairsOf(inputOf(drained, 0), kernel));
  const client = plan.find(({ netns }) => netns === "swarm-node0xxx-task0");
  expect(client?.operations).toHaveLength(1);
  const [operation] = client?.operations ?? [];
  const script = operation?.kind === "nft" ? operation.script : "";
  expect(script.split("\n").filter((line) => !line.includes("_rev"))).toEqual([
    "flush chain inet swarm_node0xxx_vip v_10_101_0_10",
    "flush chain inet swarm_node0xxx_vip v_fd00_1__10",
    "add rule inet swarm_node0xxx_vip v_10_101_0_10 dnat ip to 10.101.1.1",
    "add rule inet swarm_node0xxx_vip v_fd00_1__10 dnat ip6 to fd00:1::1:1",
    "",
  ]);
});

test("from one desired state to the next only what changed is looked at, and the plan is the same", () => {
  const memo = new DesiredMemo();
  const [first, second] = PAIR.tasks;
  const input = inputOf(PAIR, 0);
  const before = desiredState(input, memo);
  const endpoints = input.state.endpoints.map((endpoint) =>
    endpoint.taskId === "task1" ? { ...endpoint, isBackend: false } : endpoint,
  );
  const drained = { ...input, state: { ...input.state, endpoints } };
  const after = desiredState(drained, memo);
  expect(after).toEqual(
    desiredState(
      inputOf({ ...PAIR, tasks: [first, { ...second, isBackend: false }] } as RandomCluster, 0),
    ),
  );
  const client = (states: readonly NetnsState[]) =>
    states.find(({ netns }) => netns.endsWith("-task0"));
  expect(client(after)?.links).toBe(client(before)?.links);
  const pairs = after.map((desired, i) => ({
    netns: desired.netns,
    desired,
    observed: before[i],
    ownership: ownershipOf(input, desired.netns),
  }));
  const kernel = broughtTo(PAIR);
  expect(planNode(pairs)).toEqual(planNode(pairsOf(drained, kernel)));
});

test("what a list misses is the same whether its entries are the same objects, in the same order, or only say the same", () => {
  const macs = Array.from({ length: 12 }, (_, i) => `02:42:0a:00:00:${String(i).padStart(2, "0")}`);
  const known = macs.map((mac) => ({ link: "vx", mac, dst: "192.0.2.1" }));
  const part = fc.shuffledSubarray(known).chain((entries) =>
    fc
      .tuple(
        fc.boolean(),
        fc.array(fc.boolean(), { minLength: entries.length, maxLength: entries.length }),
      )
      .map(([isInOrder, copies]) => {
        const ordered = isInOrder ? known.filter((entry) => entries.includes(entry)) : entries;
        return ordered.map((entry, i) => (copies[i] ? { ...entry } : entry));
      }),
  );
  fc.assert(
    fc.property(part, part, (list, others) => {
      const texts = new Set(others.map(fdbText));
      expect(missing(list, others, fdbText)).toEqual(
        list.filter((entry) => !texts.has(fdbText(entry))),
      );
    }),
    { numRuns: 500 },
  );
});

test("a device's chains are loaded again with the device", () => {
  const kernel = broughtTo(PAIR);
  kernel.execute([
    { netns: "swarm-node0xxx-task0", operations: [{ kind: "removeLink", name: "eth1" }] },
  ]);
  const plan = planNode(pairsOf(inputOf(PAIR, 0), kernel));
  const scripts = flat(plan).flatMap((o) => (o.kind === "nft" ? [o.script] : []));
  expect(scripts.some((script) => script.includes("table netdev swarm_node0xxx_return"))).toBe(
    true,
  );
  kernel.execute(plan);
  expect(driftOf(pairsOf(inputOf(PAIR, 0), kernel))).toEqual([]);
});
