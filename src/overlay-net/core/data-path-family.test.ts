import { expect, test } from "vitest";
import { familyProblem } from "./data-path-family.js";
import { desiredState } from "./desired.js";
import { inputOf, nodeIdOf, type RandomCluster } from "./testing/random-cluster.js";

const CLUSTER: RandomCluster = {
  nodeCount: 3,
  downNodes: [],
  tasks: [0, 1, 2].map((node) => ({ node, service: 0, networks: [0, 1], isBackend: true })),
};

function withAddresses(...addresses: readonly string[]) {
  const input = inputOf(CLUSTER, 0);
  const nodes = input.state.nodes.map((node, i) => ({ ...node, dataPathAddr: addresses[i] ?? "" }));
  return { ...input, state: { ...input.state, nodes } };
}

test("over IPv6 the devices of all networks send from and to IPv6 addresses", () => {
  const input = withAddresses("2001:db8::1", "2001:db8::2", "2001:db8::3");
  const sandbox = desiredState(input).find(({ netns }) => netns.endsWith(".net-net1"));
  expect(sandbox?.links.flatMap(({ vxlan }) => vxlan?.local ?? [])).toEqual(["2001:db8::1"]);
  expect([...new Set(sandbox?.fdb.map(({ dst }) => dst))].sort()).toEqual([
    "",
    "2001:db8::2",
    "2001:db8::3",
  ]);
  expect(familyProblem(input.state)).toBe("");
});

test("a node of another family is not sent to, does not hinder the others, and is named", () => {
  const input = withAddresses("10.99.0.1", "2001:db8::2", "10.99.0.3");
  for (const id of ["net1", "ingress"]) {
    const sandbox = desiredState(input).find(({ netns }) => netns.endsWith(`.net-${id}`));
    expect([...new Set(sandbox?.fdb.map(({ dst }) => dst))].sort()).toEqual(["", "10.99.0.3"]);
  }
  expect(familyProblem(input.state)).toContain(`${nodeIdOf(1)} (2001:db8::2): their containers`);
});
