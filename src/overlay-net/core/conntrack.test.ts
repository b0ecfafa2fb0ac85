import { expect, test } from "vitest";
import { endedConnections } from "./conntrack.js";
import { inputOf, type RandomCluster } from "./testing/random-cluster.js";

const BOTH: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
  ],
};
const CLIENT = "swarm-node0xxx-task0";

function ended(before: RandomCluster, after: RandomCluster): readonly string[] {
  const list = endedConnections(inputOf(before, 0), inputOf(after, 0));
  return list.flatMap(({ netns, operations }) =>
    operations.map((operation) => {
      if (operation.kind !== "endConnections") return operation.kind;
      const { protocol, originalDst, originalDstPort, replySrc, zone } = operation.filter;
      return [netns || "host", protocol, originalDst ?? originalDstPort, replySrc, zone]
        .filter((part) => part !== undefined)
        .join(" ");
    }),
  );
}

/** The second one takes no connections any more. */
const DRAINING = {
  ...BOTH,
  tasks: BOTH.tasks.map((task) => ({ ...task, isBackend: task.node === 0 })),
};
const GONE = [
  "host tcp 8000 10.100.1.2",
  "host tcp 8000 fd00::1:2",
  ...["udp", "tcp", "sctp"].map((p) => `${CLIENT} ${p} 10.101.0.10 10.101.1.2`),
  ...["udp", "tcp", "sctp"].map((p) => `${CLIENT} ${p} fd00:1::10 fd00:1::1:2`),
];

test.each<{
  name: string;
  before?: RandomCluster;
  after: RandomCluster;
  expected: readonly string[];
}>([
  { name: "nothing left: nothing ends", after: BOTH, expected: [] },
  {
    name: "a backend that drains loses its datagrams alone",
    after: DRAINING,
    expected: [`${CLIENT} udp 10.101.0.10 10.101.1.2`, `${CLIENT} udp fd00:1::10 fd00:1::1:2`],
  },
  {
    name: "a backend that is gone loses its connections, also those of the mesh",
    after: { ...BOTH, tasks: BOTH.tasks.slice(0, 1) },
    expected: GONE,
  },
  {
    name: "one that has drained loses what is left of them when it is gone",
    before: DRAINING,
    after: { ...BOTH, tasks: BOTH.tasks.slice(0, 1) },
    expected: GONE,
  },
  {
    name: "one that was on a node that is down loses them when it is gone",
    before: { ...BOTH, downNodes: [1] },
    after: { ...BOTH, downNodes: [1], tasks: BOTH.tasks.slice(0, 1) },
    expected: GONE,
  },
  {
    name: "a node that left: what came through it ends in every task on ingress",
    after: { ...BOTH, nodeCount: 1, tasks: BOTH.tasks.slice(0, 1) },
    expected: [...GONE, `${CLIENT} 2`],
  },
  {
    name: "a backend on a node that is down drains: the node may be back",
    after: { ...BOTH, downNodes: [1] },
    expected: [`${CLIENT} udp 10.101.0.10 10.101.1.2`, `${CLIENT} udp fd00:1::10 fd00:1::1:2`],
  },
])("$name", ({ before = BOTH, after, expected }) => {
  expect([...ended(before, after)].sort()).toEqual([...expected].sort());
});
