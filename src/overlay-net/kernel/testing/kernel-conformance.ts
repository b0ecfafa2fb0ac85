/** One suite for every implementation of NetnsKernel. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  ConntrackFilter,
  KernelOperation,
  Link,
  NetnsOperations,
  NetnsState,
} from "../../core/kernel-model.js";
import type { NetnsKernel } from "../netns-kernel.js";
import { Changes, comparable, entryRemovals, reverse } from "./conformance-parts.js";
import { FLOWS, type KernelHarness } from "./kernel-harness.js";
import { manyEntriesConformance } from "./many-entries-conformance.js";
import { tableConformance } from "./table-conformance.js";

const VXLAN_PORT = 24789;
const WATCH_MS = 1_000;
const PREFIX = "swt_";

const plain = { alias: "", isUp: true, master: "", isIsolated: false, isLearning: false };

export function kernelConformance(name: string, open: () => Promise<KernelHarness>): void {
  describe(`${name} kernel`, () => {
    let harness: KernelHarness;
    let kernel: NetnsKernel;
    let stranger: NetnsKernel;
    let box: string;
    let inside: string;
    let vxlan: Link;

    beforeEach(async () => {
      harness = await open();
      ({ kernel, stranger } = harness);
      box = `${harness.prefix}box`;
      inside = `${harness.prefix}in`;
      vxlan = {
        ...plain,
        name: "vx1",
        kind: "vxlan",
        alias: "swarm:t:vxlan",
        mac: "02:42:00:00:00:02",
        mtu: 1400,
        master: "br0",
        vxlan: { vni: harness.vni, port: VXLAN_PORT, local: "127.0.0.1" },
      };
    });
    afterEach(async () => {
      await harness.close();
    });

    const bridge: Link = {
      ...plain,
      name: "br0",
      kind: "bridge",
      alias: "swarm:t:bridge",
      mac: "02:42:00:00:00:01",
      mtu: 1400,
    };
    const port: Link = {
      ...plain,
      name: "v1",
      kind: "veth",
      alias: "swarm:t:port one",
      mac: "02:42:00:00:00:03",
      mtu: 1400,
      master: "br0",
      isIsolated: true,
      isLearning: true,
    };
    const eth: Link = {
      ...plain,
      name: "eth0",
      kind: "veth",
      alias: "swarm:t:eth",
      mac: "02:42:0a:01:00:05",
      mtu: 1400,
    };
    const table = (hash: string, body = ""): string =>
      `table ip ${PREFIX}a\ndelete table ip ${PREFIX}a\ntable ip ${PREFIX}a { comment "${hash}"; chain c { ${body} }; }\n`;

    /** A bridge with a VXLAN device and a veth to the other namespace, and one entry of each kind. */
    const everything = (): NetnsOperations[] => [
      { netns: inside, operations: [{ kind: "addNetns" }] },
      {
        netns: box,
        operations: [
          { kind: "addNetns" },
          { kind: "setSysctl", sysctl: { key: "net/ipv6/conf/default/accept_dad", value: "0" } },
          { kind: "addLink", link: bridge },
          { kind: "addLink", link: vxlan },
          { kind: "addLink", link: port, peer: { netns: inside, link: eth } },
          ...entriesOf("box"),
        ],
      },
      { netns: inside, operations: entriesOf("inside") },
    ];

    const entriesOf = (where: "box" | "inside"): KernelOperation[] => {
      const mac = "02:42:0a:01:00:09";
      if (where === "box")
        return [
          { kind: "replaceFdb", entry: { link: "vx1", mac, dst: "10.9.9.9" } },
          { kind: "replaceFdb", entry: { link: "vx1", mac, dst: "" } },
          { kind: "replaceNeighbour", entry: { link: "vx1", address: "10.1.0.9", mac } },
          { kind: "replaceNeighbour", entry: { link: "vx1", address: "fd00:1::9", mac } },
        ];
      const route = { family: 4, via: "10.1.0.1", link: "eth0", table: 254 } as const;
      const route6 = { family: 6, via: "fd00:1::1", link: "eth0", table: 254 } as const;
      const rule = { priority: 1000, fwmark: 0x1000, mask: 0xf000, table: 1000 } as const;
      return [
        { kind: "addAddress", address: { link: "eth0", address: "10.1.0.5/24" } },
        { kind: "addAddress", address: { link: "eth0", address: "fd00:1::5/64" } },
        { kind: "replaceRoute", route: { ...route, dst: "default" } },
        { kind: "replaceRoute", route: { ...route, dst: "10.7.0.0/16", table: 1000 } },
        { kind: "replaceRoute", route: { ...route, dst: "10.8.0.0/16", via: "" } },
        { kind: "replaceRoute", route: { ...route6, dst: "default" } },
        { kind: "replaceRoute", route: { ...route6, dst: "fd00:7::/64", table: 1000 } },
        { kind: "addRule", rule: { ...rule, family: 4 } },
        { kind: "addRule", rule: { ...rule, family: 6 } },
        { kind: "nft", script: table("one") },
        { kind: "setSysctl", sysctl: { key: "net/ipv4/conf/eth0/rp_filter", value: "2" } },
      ];
    };

    const expected = (): { box: NetnsState; inside: NetnsState } => {
      const of = (operations: readonly KernelOperation[], netns: string): NetnsState => ({
        netns,
        links: [],
        addresses: operations.flatMap((op) => (op.kind === "addAddress" ? [op.address] : [])),
        routes: operations.flatMap((op) => (op.kind === "replaceRoute" ? [op.route] : [])),
        rules: operations.flatMap((op) => (op.kind === "addRule" ? [op.rule] : [])),
        fdb: operations.flatMap((op) => (op.kind === "replaceFdb" ? [op.entry] : [])),
        neighbours: operations.flatMap((op) => (op.kind === "replaceNeighbour" ? [op.entry] : [])),
        tables: [],
        sysctls: operations.flatMap((op) => (op.kind === "setSysctl" ? [op.sysctl] : [])),
      });
      const accept_dad = { key: "net/ipv6/conf/default/accept_dad", value: "0" };
      return {
        box: {
          ...of(entriesOf("box"), box),
          links: [bridge, vxlan, port],
          sysctls: [accept_dad],
        },
        inside: {
          ...of(entriesOf("inside"), inside),
          links: [eth],
          tables: [{ family: "ip", name: `${PREFIX}a`, text: "", hash: "one" }],
        },
      };
    };

    const seenBy = async (by: NetnsKernel, netns: string): Promise<NetnsState | undefined> => {
      const state = await by.observe(netns, PREFIX);
      return state && comparable(state);
    };
    const run = (netns: string, ...operations: KernelOperation[]): Promise<void> =>
      kernel.execute([{ netns, operations }]);
    const byStranger = (netns: string, ...operations: KernelOperation[]): Promise<void> =>
      stranger.execute([{ netns, operations }]);
    /** The other port reports only sysctls it set itself. */
    const withoutSysctls = (state: NetnsState | undefined): unknown => ({ ...state, sysctls: [] });

    test("a namespace is not there, is made, is listed, and is made again in vain", async () => {
      expect(await kernel.observe(box, PREFIX)).toBeUndefined();
      await run(box, { kind: "addNetns" });
      await run(box, { kind: "addNetns" });
      expect(await kernel.list(harness.prefix)).toEqual([box]);
      expect(await seenBy(kernel, box)).toMatchObject({ netns: box, links: [], routes: [] });
    });

    test("what was executed is observed, by this port and by a stranger", async () => {
      await kernel.execute(everything());
      expect(await seenBy(kernel, box)).toEqual(comparable(expected().box));
      expect(await seenBy(kernel, inside)).toEqual(comparable(expected().inside));
      expect(withoutSysctls(await seenBy(stranger, box))).toEqual(
        withoutSysctls(comparable(expected().box)),
      );
      expect(withoutSysctls(await seenBy(stranger, inside))).toEqual(
        withoutSysctls(comparable(expected().inside)),
      );
    });

    test("everything executed twice is the same as once", async () => {
      await kernel.execute(everything());
      await kernel.execute(everything());
      expect(await seenBy(kernel, box)).toEqual(comparable(expected().box));
      expect(await seenBy(kernel, inside)).toEqual(comparable(expected().inside));
    });

    test("each removal removes its entry alone, and again in vain", async () => {
      await kernel.execute(everything());
      const removals = {
        [box]: entriesOf("box").flatMap(reverse),
        [inside]: entriesOf("inside").flatMap(reverse),
      };
      for (const [netns, operations] of Object.entries(removals)) {
        await run(netns, ...operations);
        await run(netns, ...operations);
        expect(await seenBy(kernel, netns)).toMatchObject({
          addresses: [],
          routes: [],
          rules: [],
          fdb: [],
          neighbours: [],
        });
      }
      expect((await seenBy(kernel, box))?.links).toHaveLength(3);
      await run(box, { kind: "removeLink", name: "v1" }, { kind: "removeLink", name: "v1" });
      expect((await seenBy(kernel, box))?.links.map((link) => link.name)).toEqual(["br0", "vx1"]);
      expect((await seenBy(kernel, inside))?.links).toEqual([]);
    });

    test("removing an entry of a link that is gone is harmless; adding one is not", async () => {
      await run(box, { kind: "addNetns" });
      const entry = { link: "gone", mac: "02:42:0a:01:00:09", address: "10.1.0.9" };
      await run(box, { kind: "removeNeighbour", entry });
      await expect(run(box, { kind: "replaceNeighbour", entry })).rejects.toMatchObject({
        name: "KernelError",
        code: "NOT_FOUND",
        message: expect.stringMatching(/box: replaceNeighbour 10\.1\.0\.9 on gone: .*gone/),
      });
    });

    test("a link that drifted becomes again what is asked", async () => {
      await kernel.execute(everything());
      await byStranger(box, {
        kind: "setLink",
        link: { ...port, isUp: false, isIsolated: false, isLearning: false, mtu: 1300, alias: "x" },
      });
      expect((await seenBy(kernel, box))?.links).not.toEqual(comparable(expected().box).links);
      await run(box, { kind: "setLink", link: port });
      expect((await seenBy(kernel, box))?.links).toEqual(comparable(expected().box).links);
      await run(box, { kind: "setLink", link: { ...port, master: "" } });
      expect((await seenBy(kernel, box))?.links.find((link) => link.name === "v1")).toEqual({
        ...port,
        master: "",
        isIsolated: false,
        isLearning: false,
      });
    });

    test("replacing brings the new value, not a second entry", async () => {
      await kernel.execute(everything());
      const mac = "02:42:0a:01:00:0a";
      const route = {
        dst: "default",
        family: 4,
        via: "10.1.0.2",
        link: "eth0",
        table: 254,
      } as const;
      await run(
        box,
        { kind: "replaceFdb", entry: { link: "vx1", mac: "02:42:0a:01:00:09", dst: "10.9.9.8" } },
        { kind: "replaceNeighbour", entry: { link: "vx1", address: "10.1.0.9", mac } },
      );
      await run(inside, { kind: "replaceRoute", route }, { kind: "nft", script: table("two") });
      const state = await seenBy(kernel, box);
      expect(state?.fdb.map(({ dst }) => dst).sort()).toEqual(["", "10.9.9.8"]);
      expect(state?.neighbours.find(({ address }) => address === "10.1.0.9")?.mac).toBe(mac);
      const after = await seenBy(kernel, inside);
      expect(after?.routes.filter(({ dst, family }) => dst === "default" && family === 4)).toEqual([
        route,
      ]);
      expect(after?.tables.map(({ hash }) => hash)).toEqual(["two"]);
    });

    test("foreign links and tables stay", async () => {
      await run(box, { kind: "addNetns" });
      const foreign = { ...bridge, name: "theirs", alias: "", mac: "02:99:00:00:00:01" };
      await byStranger(
        box,
        { kind: "addLink", link: foreign },
        { kind: "nft", script: "table ip theirs { }\n" },
      );
      await run(inside, { kind: "addNetns" });
      await run(
        box,
        { kind: "addLink", link: bridge },
        { kind: "nft", script: table("one") },
        { kind: "removeLink", name: "br0" },
        { kind: "nft", script: `delete table ip ${PREFIX}a\n` },
      );
      expect((await seenBy(kernel, box))?.links).toEqual([foreign]);
      expect((await seenBy(kernel, box))?.tables).toEqual([]);
      expect((await kernel.observe(box, "theirs"))?.tables).toMatchObject([{ name: "theirs" }]);
    });

    test("the first operation that failed is named; those before it are done", async () => {
      await run(box, { kind: "addNetns" }, { kind: "addLink", link: bridge });
      const address = { link: "br0", address: "10.1.0.1/24" };
      const failing = run(
        box,
        { kind: "addAddress", address },
        { kind: "addAddress", address: { link: "nowhere", address: "10.2.0.1/24" } },
        { kind: "addAddress", address: { link: "elsewhere", address: "10.3.0.1/24" } },
      );
      await expect(failing).rejects.toThrow(/box: addAddress 10\.2\.0\.1\/24 on nowhere: /);
      expect((await seenBy(kernel, box))?.addresses).toEqual([address]);
    });

    test.each<{ name: string; code: string; operation: KernelOperation; said: RegExp }>([
      {
        name: "an address that is none",
        code: "INVALID",
        operation: { kind: "addAddress", address: { link: "br0", address: "10.1.0.256/24" } },
        said: /addAddress 10\.1\.0\.256\/24 on br0: "10\.1\.0\.256"/,
      },
      {
        name: "an nft script with an error",
        code: "INVALID",
        operation: { kind: "nft", script: "tabel ip x { }\n" },
        said: /nft script: .*syntax error/s,
      },
      {
        name: "deleting a table that is not there",
        code: "INVALID",
        operation: { kind: "nft", script: "delete table ip nope\n" },
        said: /nft script: .*No such file/s,
      },
      {
        name: "a sysctl outside of net/",
        code: "INVALID",
        operation: { kind: "setSysctl", sysctl: { key: "kernel/hostname", value: "x" } },
        said: /setSysctl kernel\/hostname: /,
      },
      {
        name: "a master that is not there",
        code: "NOT_FOUND",
        operation: { kind: "addLink", link: { ...bridge, name: "br1", master: "nope" } },
        said: /addLink bridge br1: .*nope/,
      },
      {
        name: "a name that a link of another kind has",
        code: "EXISTS",
        operation: { kind: "addLink", link: { ...port, name: "br0", master: "" } },
        said: /addLink veth br0: /,
      },
    ])("refused with a reason: $name", async ({ code, operation, said }) => {
      await run(box, { kind: "addNetns" }, { kind: "addLink", link: bridge });
      await expect(run(box, operation)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(said),
      });
    });

    test("a namespace that is not there is named", async () => {
      await expect(run(box, { kind: "addLink", link: bridge })).rejects.toMatchObject({
        code: "NOT_FOUND",
        message: expect.stringContaining(`netns ${box}`),
      });
      await expect(kernel.nftGeneration(box)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("a VNI that is taken says by whom, and is free as soon as its holder is removed", async () => {
      await kernel.execute(everything());
      const second = `${harness.prefix}second`;
      const operations: KernelOperation[] = [
        { kind: "addNetns" },
        { kind: "addLink", link: { ...vxlan, master: "" } },
      ];
      await expect(run(second, ...operations)).rejects.toMatchObject({
        code: "EXISTS",
        message: expect.stringMatching(
          new RegExp(`addLink vxlan vx1: .*VNI ${harness.vni} .*vx1 in netns ${box}`, "s"),
        ),
      });
      await run(box, { kind: "removeNetns" });
      await run(second, ...operations);
      expect((await seenBy(kernel, second))?.links.map((link) => link.name)).toEqual(["vx1"]);
    });

    test("removal leaves nothing, even while both ports watch, and again in vain", async () => {
      await kernel.execute(everything());
      await kernel.watch(box, () => undefined);
      await stranger.watch(box, () => undefined);
      await run(box, { kind: "removeNetns" });
      await run(box, { kind: "removeNetns" });
      expect(await kernel.list(harness.prefix)).toEqual([inside]);
      expect((await seenBy(kernel, inside))?.links).toEqual([]);
      await kernel.execute(everything());
      expect(await seenBy(kernel, box)).toEqual(comparable(expected().box));
    });

    test("a lazy removal frees the name at once; the links follow", async () => {
      await kernel.execute(everything());
      await kernel.watch(box, () => undefined);
      await run(box, { kind: "removeNetns", isLazy: true });
      await run(box, { kind: "removeNetns", isLazy: true });
      expect(await kernel.list(harness.prefix)).toEqual([inside]);
      expect(await kernel.observe(box, PREFIX)).toBeUndefined();
      await expect
        .poll(async () => (await seenBy(kernel, inside))?.links, { timeout: 5_000 })
        .toEqual([]);
      await kernel.execute(everything());
      expect(await seenBy(kernel, box)).toEqual(comparable(expected().box));
    });

    test("a link into a namespace that lost its name is in the way until it is removed; then it is made anew at once", async () => {
      await kernel.execute(everything());
      await harness.abandon(inside);
      expect(await kernel.observe(inside, PREFIX)).toBeUndefined();
      const successor = `${harness.prefix}next`;
      const again: KernelOperation = {
        ...{ kind: "addLink", link: port },
        peer: { netns: successor, link: eth },
      };
      const address = { link: "eth0", address: "10.1.0.5/24" };
      await run(successor, { kind: "addNetns" });
      await expect(run(box, again)).rejects.toMatchObject({ code: "EXISTS" });
      await kernel.execute([
        { netns: box, operations: [{ kind: "removeLink", name: "v1" }, again] },
        { netns: successor, operations: [{ kind: "addAddress", address }] },
      ]);
      expect((await seenBy(kernel, box))?.links).toEqual(comparable(expected().box).links);
      expect(await seenBy(stranger, successor)).toMatchObject({
        links: [eth],
        addresses: [address],
      });
    });

    test("a namespace removed and made by a stranger is seen as it is", async () => {
      await kernel.execute(everything());
      await byStranger(box, { kind: "removeNetns" });
      expect(await kernel.observe(box, PREFIX)).toBeUndefined();
      await byStranger(box, { kind: "addNetns" });
      expect((await seenBy(kernel, box))?.links).toEqual([]);
      await kernel.execute(everything());
      expect((await seenBy(stranger, box))?.links).toEqual(comparable(expected().box).links);
    });

    test("two ports on one host work side by side", async () => {
      const work = (by: NetnsKernel, netns: string): Promise<void> =>
        by.execute([
          { netns, operations: [{ kind: "addNetns" }, { kind: "addLink", link: bridge }] },
        ]);
      const names = ["a", "b", "c", "d"].map((name) => `${harness.prefix}${name}`);
      await Promise.all(names.map((netns, i) => work(i % 2 === 0 ? kernel : stranger, netns)));
      expect(await kernel.list(harness.prefix)).toEqual(names);
      expect(await stranger.list(harness.prefix)).toEqual(names);
      for (const netns of names) expect((await seenBy(kernel, netns))?.links).toEqual([bridge]);
    });

    manyEntriesConformance({
      link: "vx1",
      make: () =>
        run(
          box,
          { kind: "addNetns" },
          { kind: "addLink", link: bridge },
          { kind: "addLink", link: vxlan },
        ),
      observed: () => seenBy(kernel, box),
      run: (operations) => run(box, ...operations),
    });

    tableConformance({
      table: { name: `${PREFIX}a`, script: table("full", "ip daddr 127.0.0.9 drop;") },
      make: () => run(inside, { kind: "addNetns" }),
      observed: async () => (await seenBy(kernel, inside))?.tables.map(({ hash }) => hash),
      write: (script) => run(inside, { kind: "nft", script }),
      byStranger: (script) => byStranger(inside, { kind: "nft", script }),
    });

    test("a sysctl changed by a stranger is seen", async () => {
      await kernel.execute(everything());
      const key = "net/ipv4/conf/eth0/rp_filter";
      await byStranger(inside, { kind: "setSysctl", sysctl: { key, value: "1" } });
      expect((await seenBy(kernel, inside))?.sysctls).toEqual([{ key, value: "1" }]);
    });

    test("the nft generation changes with any table, by anybody, and only then", async () => {
      await kernel.execute(everything());
      const first = await kernel.nftGeneration(inside);
      await run(inside, { kind: "removeLink", name: "nothing" });
      expect(await kernel.nftGeneration(inside)).toBe(first);
      await byStranger(inside, { kind: "nft", script: "table ip6 theirs { }\n" });
      expect(await kernel.nftGeneration(inside)).not.toBe(first);
    });

    test.each<{ kind: string; where: "box" | "inside"; operation: KernelOperation }>([
      { kind: "link", where: "box", operation: { kind: "removeLink", name: "v1" } },
      ...entryRemovals("box", entriesOf("box")),
      ...entryRemovals("inside", entriesOf("inside")),
      {
        kind: "table",
        where: "inside",
        operation: { kind: "nft", script: `delete table ip ${PREFIX}a\n` },
      },
      { kind: "namespace", where: "box", operation: { kind: "removeNetns" } },
    ])(
      "a watch tells of a stranger's removal within a second: $kind",
      async ({ where, operation }) => {
        await kernel.execute(everything());
        const netns = where === "box" ? box : inside;
        const changes = new Changes(harness.quietMs);
        const stop = await kernel.watch(netns, changes.note);
        await changes.quiet();
        const next = changes.next(WATCH_MS);
        await byStranger(netns, operation);
        expect(await next).toBe(netns);
        stop();
      },
    );

    test("a watch waits for a namespace that is not there yet", async () => {
      const changes = new Changes(harness.quietMs);
      await kernel.watch(box, changes.note);
      const next = changes.next(WATCH_MS);
      await byStranger(box, { kind: "addNetns" });
      expect(await next).toBe(box);
      await changes.quiet();
      const again = changes.next(WATCH_MS);
      await byStranger(box, { kind: "addLink", link: bridge });
      expect(await again).toBe(box);
    });

    test.each([...FILTERS])(
      "connections end that match, and no others: $name",
      async ({ filter, ended }) => {
        await run(box, { kind: "addNetns" });
        await harness.openFlows(box);
        const all = FLOWS.map(({ protocol, dst, port: number }) => `${protocol} ${dst}:${number}`);
        expect(await harness.flows(box)).toEqual([...all].sort());
        await run(box, { kind: "endConnections", filter });
        expect(await harness.flows(box)).toEqual(
          all.filter((flow) => !ended.includes(flow)).sort(),
        );
        await run(box, { kind: "endConnections", filter });
      },
    );

    test.each([
      { name: "to one address", addresses: ["127.0.0.1"], count: 1 },
      { name: "in any zone", addresses: ["127.0.0.2", "127.0.0.3"], count: 2 },
      { name: "to others", addresses: ["127.0.0.9", "fd00::9"], count: 0 },
    ])("open connections are counted, datagrams are none: $name", async ({ addresses, count }) => {
      await run(box, { kind: "addNetns" });
      expect(await kernel.openFlows(box, addresses)).toBe(0);
      await harness.openFlows(box);
      expect(await kernel.openFlows(box, addresses)).toBe(count);
    });

    test("open connections of a namespace that is not there are not zero", async () => {
      await expect(kernel.openFlows(box, ["127.0.0.1"])).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    });

    test("after close every call is refused", async () => {
      await kernel.close();
      await expect(kernel.list("")).rejects.toMatchObject({ code: "CLOSED" });
    });
  });
}

type ConnectionCase = {
  readonly name: string;
  readonly filter: ConntrackFilter;
  readonly ended: readonly string[];
};

const FILTERS: readonly ConnectionCase[] = [
  {
    name: "TCP to an address",
    filter: { protocol: "tcp", originalDst: "127.0.0.1" },
    ended: ["tcp 127.0.0.1:7001"],
  },
  {
    name: "UDP to a port",
    filter: { protocol: "udp", originalDstPort: 7002 },
    ended: ["udp 127.0.0.2:7002"],
  },
  {
    name: "any protocol answered from an address",
    filter: { replySrc: "127.0.0.2" },
    ended: ["tcp 127.0.0.2:7002", "udp 127.0.0.2:7002"],
  },
  { name: "one zone", filter: { zone: 7 }, ended: ["tcp 127.0.0.3:7003"] },
  { name: "none", filter: { protocol: "tcp", originalDst: "127.0.0.9" }, ended: [] },
];
