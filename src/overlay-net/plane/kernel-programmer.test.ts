import { expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import { desiredState } from "../core/desired.js";
import { inputOf, type RandomCluster } from "../core/testing/random-cluster.js";
import { ManualClock } from "../dns/testing/manual-clock.js";
import type { KernelError } from "../kernel/netns-kernel.js";
import { SimulatedHost } from "../kernel/simulated/simulated-host.js";
import { SimulatedNetnsKernel } from "../kernel/simulated/simulated-netns-kernel.js";
import { KernelProgrammer } from "./kernel-programmer.js";

const CLUSTER: RandomCluster = {
  nodeCount: 2,
  downNodes: [],
  tasks: [
    { node: 0, service: 0, networks: [0, 1], isBackend: true },
    { node: 1, service: 0, networks: [0, 1], isBackend: true },
  ],
};
const FIRST = "swarm-node0xxx-first";
const SECOND = "swarm-node0xxx-second";
const SANDBOX = "swarm-node0xxx.net-net1";

/** One node whose task has its namespace under this name; undefined: it has been released. */
function desiredWith(netns: string | undefined, taskId = "task0") {
  const input = inputOf(CLUSTER, 0);
  const endpoints = input.state.endpoints.map((endpoint) =>
    endpoint.taskId === "task0" ? { ...endpoint, taskId } : endpoint,
  );
  const attachments = input.local.attachments.flatMap((one) =>
    netns === undefined ? [] : [{ ...one, netns, taskId }],
  );
  const state = { ...input.state, endpoints };
  // As on a node: the bridge, and containers' links to it, are others' work.
  const local = { ...input.local, attachments, keepsGwbridge: false };
  return desiredState({ ...input, state, local });
}

class Failing extends SimulatedNetnsKernel {
  readonly failures: KernelError[] = [];

  override async execute(batch: Parameters<SimulatedNetnsKernel["execute"]>[0]): Promise<void> {
    try {
      await super.execute(batch);
    } catch (error) {
      this.failures.push(error as KernelError);
      throw error;
    }
  }
}

async function opened(host = new SimulatedHost()) {
  const clock = new ManualClock();
  const kernel = new Failing(host);
  const { names } = inputOf(CLUSTER, 0);
  const logger = silentLogger;
  const programmer = new KernelProgrammer({
    ...{ kernel, names, clock, logger, removesContainers: false },
  });
  programmer.mayDelete = true;
  const add = (netns: string) => kernel.execute([{ netns, operations: [{ kind: "addNetns" }] }]);
  const wrong = async (netns: string) => {
    const desired = new Map(desiredWith(netns).map((state) => [state.netns, state]));
    const found = await programmer.inspect(desired, [SANDBOX, "", netns]);
    return found.flatMap(({ lines }) => lines);
  };
  return { clock, kernel, programmer, add, wrong };
}

test.each([
  { name: "the same task", taskId: "task0" },
  { name: "another task", taskId: "task9" },
])(
  "$name gets the address of a released one whose namespace the kernel still has",
  async ({ taskId }) => {
    const { kernel, programmer, add } = await opened();
    await add(FIRST);
    await programmer.program(desiredWith(FIRST));
    await programmer.program(desiredWith(undefined));
    expect((await kernel.observe(FIRST, ""))?.links.map(({ name }) => name)).toContain("eth1");
    await add(SECOND);
    expect(await programmer.program(desiredWith(SECOND, taskId))).toEqual(new Map());
    expect(kernel.failures).toEqual([]);
    expect((await kernel.observe(SECOND, ""))?.links.map(({ name }) => name)).toContain("eth1");
    expect(await programmer.program(desiredWith(undefined))).toEqual(new Map());
  },
);

test("a namespace that is being released is not wrong: it was asked for before, and goes by itself", async () => {
  const { programmer, add } = await opened();
  await add(FIRST);
  await programmer.program(desiredWith(FIRST));
  const desired = new Map(desiredWith(undefined).map((state) => [state.netns, state]));
  await programmer.program(desiredWith(undefined));
  const found = await programmer.inspect(desired, [SANDBOX, "", FIRST]);
  expect(found.flatMap(({ lines }) => lines)).toEqual([]);
});

test("a link whose other end is still in a released namespace is made anew after a restart too", async () => {
  const host = new SimulatedHost();
  const before = await opened(host);
  await before.add(FIRST);
  await before.programmer.program(desiredWith(FIRST));
  const after = await opened(host);
  await after.add(SECOND);
  expect(await after.programmer.program(desiredWith(SECOND))).toEqual(new Map());
  expect(after.kernel.failures).toEqual([]);
  expect(await after.wrong(SECOND)).toEqual([]);
});

test("a released namespace that outlives what is known of it keeps its successor back for no round", async () => {
  const { clock, programmer, add, wrong } = await opened();
  await add(FIRST);
  await programmer.program(desiredWith(FIRST));
  await programmer.program(desiredWith(undefined));
  await clock.pass(60_000);
  await programmer.program(desiredWith(undefined));
  await add(SECOND);
  expect(await programmer.program(desiredWith(SECOND))).toEqual(new Map());
  expect(await wrong(SECOND)).toEqual([]);
});
