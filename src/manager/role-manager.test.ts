import { expect, test } from "vitest";
import type { Node } from "../api/index.js";
import { keepsQuorum, planRoles } from "./role-manager.js";
import { sampleNode } from "./testing/samples.js";

const member = (id: string, isLearner = false) => ({
  memberId: `m-${id}`,
  nodeId: id,
  addr: `${id}:2377`,
  isLearner,
});
const trio = [member("a"), member("b"), member("c")];
const all = new Set(["m-a", "m-b", "m-c"]);

function node(id: string, wanted: Node["role"], role: Node["role"], hasMember = true): Node {
  return sampleNode({
    id,
    role,
    spec: { Labels: {}, Role: wanted, Availability: "active" },
    manager: hasMember ? { memberId: `m-${id}`, addr: `${id}:2377` } : undefined,
  });
}

test.each([
  { name: "a settled manager needs nothing", node: node("b", "manager", "manager"), steps: [] },
  { name: "a settled worker needs nothing", node: node("w", "worker", "worker", false), steps: [] },
  {
    name: "a promoted worker gets its role",
    node: node("w", "manager", "worker", false),
    steps: [{ kind: "commit", change: { kind: "nodeRole", nodeId: "w", role: "manager" } }],
  },
  {
    name: "a demoted manager first leaves the Raft group",
    node: node("b", "worker", "manager"),
    steps: [{ kind: "removeMember", nodeId: "b", memberId: "m-b" }],
  },
  {
    name: "a demoted leader first hands over",
    node: node("a", "worker", "manager"),
    steps: [{ kind: "handOver", nodeId: "a" }],
  },
  {
    name: "out of the group, it becomes a worker",
    node: node("x", "worker", "manager"),
    steps: [
      { kind: "commit", change: { kind: "nodeRole", nodeId: "x", role: "worker", manager: null } },
    ],
  },
  {
    name: "a membership that was not written down is repaired",
    node: node("c", "manager", "manager", false),
    steps: [
      {
        kind: "commit",
        change: { kind: "nodeRole", nodeId: "c", manager: { memberId: "m-c", addr: "c:2377" } },
      },
    ],
  },
])("$name", ({ node: subject, steps }) => {
  expect(planRoles([subject], trio, all, "m-a")).toEqual(steps);
});

test.each([
  { name: "three that answer, one leaves", reachable: ["a", "b", "c"], leaves: "b", is: true },
  { name: "one of three is away, another leaves", reachable: ["a", "b"], leaves: "b", is: false },
  { name: "the one that is away leaves", reachable: ["a", "b"], leaves: "c", is: true },
])("quorum: $name", ({ reachable, leaves, is }) => {
  const answering = new Set(reachable.map((id) => `m-${id}`));
  expect(keepsQuorum(trio, answering, `m-${leaves}`)).toBe(is);
});

test("the last manager is never removed", () => {
  const alone = [member("a")];
  expect(keepsQuorum(alone, new Set(["m-a"]), "m-a")).toBe(false);
  const plan = planRoles([node("a", "worker", "manager")], alone, new Set(["m-a"]), "m-a");
  expect(plan).toEqual([{ kind: "wait", nodeId: "a" }]);
});
