import { expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import { desiredState } from "../core/desired.js";
import type { KernelOperation } from "../core/kernel-model.js";
import type { LocalAttachment } from "../core/local-facts.js";
import { inputOf, type RandomCluster } from "../core/testing/random-cluster.js";
import { ManualClock } from "../dns/testing/manual-clock.js";
import { SimulatedNetnsKernel } from "../kernel/simulated/simulated-netns-kernel.js";
import { KernelProgrammer } from "./kernel-programmer.js";
import { Repairer } from "./repairer.js";

const CLUSTER: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
  ],
};
const CONTAINER = "swarm-node0xxx-task0";

/** With the sockets of one life of the process. */
function withSockets(sockets: Pick<LocalAttachment, "dns" | "proxies">) {
  const input = inputOf(CLUSTER, 0);
  const attachments = input.local.attachments.map((one) => ({ ...one, ...sockets }));
  // As on a node: the bridge, and containers' links to it, are others' work.
  return { ...input, local: { ...input.local, attachments, keepsGwbridge: false } };
}

const BEFORE = withSockets({
  dns: { udpPort: 40_001, tcpPort: 40_002 },
  proxies: [{ protocol: "tcp", targetPort: 80, port: 40_003 }],
});
const AFTER = withSockets({
  dns: { udpPort: 50_001, tcpPort: 50_002 },
  proxies: [{ protocol: "tcp", targetPort: 80, port: 50_003 }],
});

const drop = (table: string): KernelOperation => ({
  kind: "nft",
  script: `delete table inet swarm_node0xxx_${table}\n`,
});

test.each<{ name: string; happens: readonly KernelOperation[]; drifts: number }>([
  { name: "sockets on other ports alone: none", happens: [], drifts: 0 },
  { name: "the table of its resolver is gone", happens: [drop("dns")], drifts: 1 },
  { name: "the table of its services is gone", happens: [drop("vip")], drifts: 1 },
])("what a process that was started again counts as drift: $name", async ({ happens, drifts }) => {
  const kernel = new SimulatedNetnsKernel();
  const { names } = BEFORE;
  const programmer = () => {
    const common = { kernel, names, clock: new ManualClock(), logger: silentLogger };
    const made = new KernelProgrammer({ ...common, removesContainers: false });
    made.mayDelete = true;
    return made;
  };
  await kernel.execute([{ netns: CONTAINER, operations: [{ kind: "addNetns" }] }]);
  expect(await programmer().program(desiredState(BEFORE))).toEqual(new Map());
  await kernel.execute([{ netns: CONTAINER, operations: happens }]);
  const again = programmer();
  const repairer = new Repairer(again, names, undefined, silentLogger);
  await repairer.logDrift(AFTER, desiredState(AFTER));
  expect(repairer.driftCount).toBe(drifts);
  expect(await again.program(desiredState(AFTER))).toEqual(new Map());
});
