import { beforeAll, describe, expect, test } from "vitest";
import type { Cluster, Node, Transaction } from "../../api/index.js";
import { SeededRandom, SystemClock } from "../../base/index.js";
import { ProposeError, type StoreView } from "../../store/index.js";
import { createCaHandler, type IssueOperation } from "./ca-handler.js";
import { parseCertificate } from "./certificate.js";
import { createCsr, createRoot } from "./issue.js";
import { NODE_INDEX_MAX, NodeIndexes } from "./node-indexes.js";

const NOW = Date.UTC(2026, 0, 15);
const random = new SeededRandom(7);
let cluster: Cluster;
let csrPem: string;

beforeAll(async () => {
  const root = await createRoot(NOW, random);
  csrPem = (await createCsr()).csrPem;
  cluster = {
    id: "c1",
    spec: { CAConfig: { NodeCertExpiry: 7_776_000_000_000_000 } },
    rootCertPem: root.certificatePem,
    rootKeyPem: root.privateKeyPem,
    joinTokens: { worker: "W", manager: "M" },
    deniedNodes: [{ nodeId: "denied", untilMs: NOW + 1 }],
  } as unknown as Cluster;
});

function node(id: string, role: Node["role"], nodeIndex: number): Node {
  return { id, role, nodeIndex } as unknown as Node;
}

/** A store of a map, with a proposer that commits at once and remembers results. */
function setUp(nodes: readonly Node[] = []) {
  const byId = new Map(nodes.map((each) => [each.id, each]));
  const results = new Map<string, { index: number; resultJson: string }>();
  const proposed: Transaction[] = [];
  let failure: ProposeError | undefined;
  const store = {
    index: 40,
    cluster: () => cluster,
    node: (id: string) => byId.get(id),
    nodes: () => [...byId.values()],
    storedResult: (id: string) => results.get(id),
  } as unknown as StoreView;
  const handler = createCaHandler({
    store,
    proposer: {
      propose: (transaction) => {
        if (failure !== undefined) return Promise.reject(failure);
        proposed.push(transaction);
        for (const change of transaction.changes) {
          if (change.kind === "putNode") byId.set(change.node.id, change.node);
        }
        const result = { index: 41, resultJson: transaction.resultJson };
        results.set(transaction.requestId, result);
        return Promise.resolve(result);
      },
    },
    clock: Object.assign(new SystemClock(), { wallMs: () => NOW }),
    random,
  });
  return {
    handler,
    proposed,
    failWith: (error: ProposeError | undefined) => {
      failure = error;
    },
  };
}

function ask(change: Partial<IssueOperation>): IssueOperation {
  return {
    kind: "ca.issue",
    nodeId: "",
    newNodeId: "new1",
    csrPem,
    token: "W",
    availability: "active",
    ...change,
  };
}

describe("a new node", () => {
  test.each([
    { token: "W", role: "worker" },
    { token: "M", role: "manager" },
  ] as const)("with token $token becomes a $role in one transaction", async ({ token, role }) => {
    const { handler, proposed } = setUp([node("a", "manager", 1), node("b", "worker", 5)]);
    const { index, result } = await handler(ask({ token, availability: "drain" }), {
      requestId: "r1",
    });
    expect(index).toBe(41);
    expect(result).toMatchObject({ nodeId: "new1", role, rootBundlePem: cluster.rootCertPem });
    expect(parseCertificate(result.certificatePem)).toMatchObject({
      nodeId: "new1",
      clusterId: "c1",
      role,
    });
    expect(proposed).toHaveLength(1);
    expect(proposed[0]).toMatchObject({
      atMs: NOW,
      preconditions: [{ kind: "absent", table: "node", id: "new1" }],
      changes: [
        {
          kind: "putNode",
          node: {
            id: "new1",
            role,
            spec: { Labels: {}, Role: role, Availability: "drain" },
            state: "unknown",
            nodeIndex: 6,
          },
        },
      ],
    });
  });

  test.each(["", "X", "w"])("with token %j gets nothing", async (token) => {
    const { handler, proposed } = setUp();
    await expect(handler(ask({ token }), { requestId: "r1" })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("valid join token"),
    });
    expect(proposed).toEqual([]);
  });

  test("that asks again with the same request gets its first certificate", async () => {
    const { handler, proposed } = setUp();
    const first = await handler(ask({}), { requestId: "r1" });
    const second = await handler(ask({ newNodeId: "new2" }), { requestId: "r1" });
    expect(second).toEqual(first);
    expect(proposed).toHaveLength(1);
  });

  test("among many at once has a number of its own", async () => {
    const { handler, proposed } = setUp([node("a", "manager", 1)]);
    const ids = ["x1", "x2", "x3", "x4"];
    await Promise.all(ids.map((id) => handler(ask({ newNodeId: id }), { requestId: id })));
    const numbers = proposed.flatMap((each) =>
      each.changes.map((change) => (change.kind === "putNode" ? change.node.nodeIndex : 0)),
    );
    expect(numbers.toSorted()).toEqual([2, 3, 4, 5]);
  });

  test("whose admission is of unknown outcome keeps its number taken", async () => {
    const { handler, proposed, failWith } = setUp([node("a", "manager", 1)]);
    failWith(new ProposeError("OUTCOME_UNKNOWN", "lost"));
    await expect(handler(ask({}), { requestId: "r1" })).rejects.toThrow("lost");
    failWith(undefined);
    await handler(ask({ newNodeId: "new2" }), { requestId: "r2" });
    expect(proposed[0]?.changes[0]).toMatchObject({ node: { nodeIndex: 3 } });
  });
});

describe("a renewal", () => {
  test.each(["worker", "manager"] as const)("takes the role %s from the store", async (role) => {
    const { handler, proposed } = setUp([node("a", role, 1)]);
    const { result } = await handler(ask({ nodeId: "a", token: "" }), { requestId: "r" });
    expect(parseCertificate(result.certificatePem)).toMatchObject({ nodeId: "a", role });
    expect(proposed).toEqual([]);
  });

  test.each(["gone", "denied"])("of a %s node is refused", async (nodeId) => {
    const { handler } = setUp([node("denied", "worker", 1)]);
    await expect(handler(ask({ nodeId, token: "M" }), { requestId: "r" })).rejects.toMatchObject({
      code: "PermissionDenied",
    });
  });
});

describe("node indexes", () => {
  const numbered = (...indexes: number[]) => indexes.map((nodeIndex) => ({ nodeIndex }));
  test.each([
    { name: "start at 1", nodes: [], take: 1 },
    { name: "go on after the highest", nodes: [1, 7], take: 8 },
    { name: "go round at the end", nodes: [1, NODE_INDEX_MAX], take: 2 },
  ])("$name", ({ nodes, take }) => {
    expect(new NodeIndexes().take(numbered(...nodes))).toBe(take);
  });

  test("do not give a number again at once when its node is gone", () => {
    const indexes = new NodeIndexes();
    const first = indexes.take([]);
    indexes.release(first);
    expect(indexes.take([])).toBe(2);
  });

  test("end with a sentence when all are given", () => {
    const all = Array.from({ length: NODE_INDEX_MAX }, (_, i) => i + 1);
    expect(() => new NodeIndexes().take(numbered(...all))).toThrow("4094 nodes");
  });
});
