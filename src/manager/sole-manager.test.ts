import { expect, test } from "vitest";
import type { Node } from "../api/index.js";
import { soleManagerTransaction } from "./sole-manager.js";
import { sampleNode } from "./testing/samples.js";

function node(id: string, role: Node["role"], wanted = role, hasMember = role === "manager"): Node {
  return sampleNode({
    id,
    role,
    spec: { Labels: { at: id }, Role: wanted, Availability: "drain" },
    manager: hasMember ? { memberId: `m-${id}`, addr: `${id}:2377` } : undefined,
  });
}

const worker = (id: string): Node => node(id, "worker");

test.each<{ name: string; nodes: readonly Node[]; written: readonly Node[] }>([
  {
    name: "lost managers become workers and keep the rest; workers are left alone",
    nodes: [node("a", "manager"), node("b", "manager"), node("c", "manager"), worker("w")],
    written: [worker("b"), worker("c")],
  },
  {
    name: "one that was about to be promoted stays a worker",
    nodes: [node("a", "manager"), node("w", "worker", "manager")],
    written: [worker("w")],
  },
  {
    name: "one that was about to be demoted becomes a worker now",
    nodes: [node("a", "manager"), node("b", "manager", "worker")],
    written: [worker("b")],
  },
  {
    name: "a membership that nobody wrote off goes",
    nodes: [node("a", "manager"), node("b", "worker", "worker", true)],
    written: [worker("b")],
  },
  {
    name: "the only one left stays a manager, though it was to be demoted",
    nodes: [node("a", "manager", "worker")],
    written: [node("a", "manager")],
  },
])("$name", ({ nodes, written }) => {
  const transaction = soleManagerTransaction(nodes, "a", 5);
  expect(transaction).toMatchObject({ isClient: false, atMs: 5 });
  expect(transaction?.changes).toEqual(written.map((each) => ({ kind: "putNode", node: each })));
  expect(transaction?.preconditions).toEqual(
    written.map(({ id, versionIndex: index }) => ({ kind: "versionIs", table: "node", id, index })),
  );
});

test("nothing is written twice", () => {
  expect(soleManagerTransaction([node("a", "manager"), worker("b")], "a", 5)).toBeUndefined();
});
