import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Network, type Node, TASK_STATE, type Task } from "../api/index.js";
import { type Move, SpreadBalance } from "./spread-balance.js";

type NodeFields = {
  readonly bridge?: string;
  readonly wireGuard?: "none";
  readonly zone?: string;
  readonly memBytes?: number;
  readonly pause?: boolean;
};

function node(id: string, fields: NodeFields = {}): Node {
  const { zone, memBytes = 1000, pause, bridge, wireGuard } = fields;
  return {
    id,
    state: "ready",
    spec: {
      Labels: zone === undefined ? {} : { zone },
      Role: "worker",
      Availability: pause ? "pause" : "active",
    },
    description: {
      Hostname: id,
      Platform: { Architecture: "x86_64", OS: "linux" },
      Resources: { NanoCPUs: 8e9, MemoryBytes: memBytes },
      Engine: { EngineVersion: "1", Plugins: [] },
      EngineKind: "simulated",
      Bridge: bridge,
      WireGuard: wireGuard,
    },
  } as unknown as Node;
}

type Setup = {
  readonly nodes: readonly Node[];
  /** Tasks of the service by node. */
  readonly counts: Readonly<Record<string, number>>;
  readonly memBytes?: number;
  readonly spread?: boolean;
  readonly fixed?: boolean;
  readonly networks?: readonly Network[];
};

function balance({
  nodes,
  counts,
  memBytes = 0,
  spread = false,
  fixed = false,
  networks = [],
}: Setup): SpreadBalance {
  const spec = {
    ContainerSpec: { Image: "a" },
    ForceUpdate: 0,
    Runtime: "container",
    Resources: { Reservations: { MemoryBytes: memBytes } },
    ...(spread && {
      Placement: { Preferences: [{ Spread: { SpreadDescriptor: "node.labels.zone" } }] },
    }),
  };
  const task = (id: string, nodeId: string, slot: number): Task =>
    ({
      id,
      slot,
      nodeId,
      spec,
      serviceId: "web",
      specVersion: 1,
      hostPorts: [],
      genericResources: [],
      networks: networks.map(({ id: networkId }) => ({ networkId })),
      createdAtMs: 0,
      state: TASK_STATE.running,
      desiredState: TASK_STATE.running,
    }) as unknown as Task;
  const tasks = Object.entries(counts).flatMap(([nodeId, count]) =>
    Array.from({ length: count }, (_, i) => task(`${nodeId}-${i}`, nodeId, i)),
  );
  const view = {
    nodes: () => nodes,
    networks: () => networks,
    tasksByNode: (id: string) => tasks.filter(({ nodeId }) => nodeId === id),
  };
  return new SpreadBalance(view, { probe: task("probe", "", 1), tasks, mayMove: () => !fixed });
}

function movesOf(of: SpreadBalance): string[] {
  const moves: Move[] = [];
  for (let move = of.next(); move; move = of.next()) {
    of.finish(move);
    moves.push(move);
  }
  return moves.map(({ fromNodeId, toNodeId }) => `${fromNodeId}>${toNodeId}`);
}

function countsOf(of: SpreadBalance): Record<string, number> {
  return Object.fromEntries(of.counts.map(({ node: { id }, count }) => [id, count]));
}

describe("moves", () => {
  test.each<{ name: string; setup: Setup; moves: readonly string[]; imbalance: number }>([
    {
      name: "from the fullest node to the emptiest, until they differ by one",
      setup: { nodes: [node("a"), node("b"), node("c")], counts: { a: 4, b: 1 } },
      moves: ["a>c", "a>b"],
      imbalance: 1,
    },
    {
      name: "none for a difference of one",
      setup: { nodes: [node("a"), node("b")], counts: { a: 2, b: 1 } },
      moves: [],
      imbalance: 1,
    },
    {
      name: "past a node that has no room",
      setup: {
        nodes: [node("a"), node("b", { memBytes: 5 }), node("c")],
        counts: { a: 4 },
        memBytes: 10,
      },
      moves: ["a>c", "a>c"],
      imbalance: 2,
    },
    {
      name: "past a node whose bridge has addresses of the service's network",
      setup: {
        nodes: [node("a"), node("b", { bridge: "10.1.0.0/16" }), node("c")],
        counts: { a: 2 },
        networks: [
          { id: "n1", spec: { Name: "front" }, subnets: [{ subnet: "10.1.2.0/24" }] },
        ] as unknown as Network[],
      },
      moves: ["a>c"],
      imbalance: 1,
    },
    {
      name: "past a node without WireGuard, where the service's network is encrypted",
      setup: {
        nodes: [node("a"), node("b", { wireGuard: "none" }), node("c")],
        counts: { a: 2 },
        networks: [
          {
            ...{ id: "n1", spec: { Name: "front", Options: { encrypted: "" } } },
            subnets: [{ subnet: "10.1.2.0/24" }],
          },
        ] as unknown as Network[],
      },
      moves: ["a>c"],
      imbalance: 1,
    },
    {
      name: "neither to a paused node nor from it",
      setup: {
        nodes: [node("a", { pause: true }), node("b"), node("c", { pause: true })],
        counts: { a: 4 },
      },
      moves: [],
      imbalance: 0,
    },
    {
      name: "of nothing that may not be moved",
      setup: { nodes: [node("a"), node("b")], counts: { a: 4 }, fixed: true },
      moves: [],
      imbalance: 4,
    },
    {
      name: "between zones first, then within them",
      setup: {
        nodes: [
          node("a1", { zone: "a" }),
          node("a2", { zone: "a" }),
          node("b1", { zone: "b" }),
          node("b2", { zone: "b" }),
        ],
        counts: { a1: 6, b1: 2 },
        spread: true,
      },
      moves: ["a1>b2", "a1>b2", "a1>a2", "a1>a2"],
      imbalance: 0,
    },
    {
      name: "not to another node of an even zone, though one there has many more",
      setup: {
        nodes: [node("a1", { zone: "a" }), node("b1", { zone: "b" }), node("b2", { zone: "b" })],
        counts: { a1: 4, b1: 2, b2: 2 },
        spread: true,
      },
      moves: [],
      imbalance: 0,
    },
  ])("$name", ({ setup, moves, imbalance }) => {
    const found = balance(setup);
    expect(movesOf(found)).toEqual(moves);
    expect(found.imbalance).toBe(imbalance);
  });

  test("come to an end, evenly, with no move more than it takes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 12 }), (given) => {
        const nodes = given.map((_, i) => node(`n${i}`));
        const counts = Object.fromEntries(given.map((count, i) => [`n${i}`, count]));
        const found = balance({ nodes, counts });
        const moves = movesOf(found);
        const total = given.reduce((sum, count) => sum + count, 0);
        const [low, high] = [Math.floor(total / given.length), Math.ceil(total / given.length)];
        expect(found.imbalance).toBeLessThanOrEqual(1);
        expect(Object.values(countsOf(found)).every((n) => n === low || n === high)).toBe(true);
        const given2 = given.map((n) => Math.max(0, n - high)).reduce((a, b) => a + b, 0);
        const taken = given.map((n) => Math.max(0, low - n)).reduce((a, b) => a + b, 0);
        expect(moves).toHaveLength(Math.max(given2, taken));
      }),
    );
  });

  test("come to an end with zones of any size and nodes with little room", () => {
    const someNode = fc.record({
      zone: fc.constantFrom("a", "b", "c"),
      count: fc.nat(12),
      room: fc.nat(14),
    });
    fc.assert(
      fc.property(fc.array(someNode, { minLength: 1, maxLength: 8 }), (given) => {
        const nodes = given.map(({ zone, room, count }, i) =>
          node(`n${i}`, { zone, memBytes: Math.max(room, count) }),
        );
        const counts = Object.fromEntries(given.map(({ count }, i) => [`n${i}`, count]));
        const found = balance({ nodes, counts, spread: true, memBytes: 1 });
        const total = given.reduce((sum, { count }) => sum + count, 0);
        expect(movesOf(found).length).toBeLessThanOrEqual(2 * total);
        for (const {
          node: { id },
          count,
        } of found.counts) {
          const info =
            nodes.find((each) => each.id === id)?.description?.Resources.MemoryBytes ?? 0;
          expect(count).toBeLessThanOrEqual(info);
        }
      }),
    );
  });
});
