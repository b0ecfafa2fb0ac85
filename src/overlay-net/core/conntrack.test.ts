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

function ended(after: RandomCluster): readonly string[] {
  const list = endedConnections(inputOf(BOTH, 0), inputOf(after, 0));
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

test.each<{ name: string; after: RandomCluster; expected: readonly string[] }>([
  { name: "nothing left: nothing ends", after: BOTH, expected: [] },
  {
    name: "a backend that drains loses its datagrams alone",
    after: {
      ...BOTH,
      tasks: BOTH.tasks.map((task) => ({ ...task, isBackend: task.node === 0 })),
    },
    expected: [`${CLIENT} udp 10.101.0.10 10.101.1.2`, `${CLIENT} udp fd00:1::10 fd00:1::1:2`],
  },
  {
    name: "a backend that is gone loses its connections, also those of the mesh",
    after: { ...BOTH, tasks: BOTH.tasks.slice(0, 1) },
    expected: [
      "host tcp 8000 10.100.1.2",
      "host tcp 8000 fd00::1:2",
      ...["udp", "tcp", "sctp"].map((p) => `${CLIENT} ${p} 10.101.0.10 10.101.1.2`),
      ...["udp", "tcp", "sctp"].map((p) => `${CLIENT} ${p} fd00:1::10 fd00:1::1:2`),
    ],
  },
  {
    name: "a node that left: what came through it ends in every task on ingress",
    after: { ...BOTH, nodeCount: 1, tasks: BOTH.tasks.slice(0, 1) },
    expected: [
      "host tcp 8000 10.100.1.2",
      "host tcp 8000 fd00::1:2",
      ...["udp", "tcp", "sctp"].map((p) => `${CLIENT} ${p} 10.101.0.10 10.101.1.2`),
      ...["udp", "tcp", "sctp"].map((p) => `${CLIENT} ${p} fd00:1::10 fd00:1::1:2`),
      `${CLIENT} 2`,
    ],
  },
  {
    name: "a backend on a node that is down drains: the node may be back",
    after: { ...BOTH, downNodes: [1] },
    expected: [`${CLIENT} udp 10.101.0.10 10.101.1.2`, `${CLIENT} udp fd00:1::10 fd00:1::1:2`],
  },
])("$name", ({ after, expected }) => {
  expect([...ended(after)].sort()).toEqual([...expected].sort());
});
