import { expect, test } from "vitest";
import type { Link } from "../core/kernel-model.js";
import { makeEndpoint } from "./endpoint-operations.js";
import { KernelError as NetnsKernelError } from "./netns-kernel.js";
import { KernelError } from "./port.js";
import { SimulatedNetnsKernel } from "./simulated/simulated-netns-kernel.js";

const ENDPOINT = {
  ...{ netns: "swarm-node-c1", hostLink: "swnode2", alias: "swarm:node:container:c1" },
  ...{ bridge: "swgwnode", address: "172.20.0.2/20", gateway: "172.20.0.1" },
  mac: "02:42:ac:14:00:02",
};
const plain = { alias: "", mac: "", mtu: 1500, isUp: true, isIsolated: false, isLearning: true };
const bridge: Link = { ...plain, name: "swgwnode", kind: "bridge", master: "" };

async function hostWithBridge(): Promise<SimulatedNetnsKernel> {
  const kernel = new SimulatedNetnsKernel();
  await kernel.execute([{ netns: "", operations: [{ kind: "addLink", link: bridge }] }]);
  return kernel;
}

async function expectMade(kernel: SimulatedNetnsKernel): Promise<void> {
  const host = await kernel.observe("", "");
  expect(host?.links.find(({ name }) => name === "swnode2")).toMatchObject({
    ...{ kind: "veth", alias: "swarm:node:container:c1", master: "swgwnode" },
    ...{ isIsolated: true, isUp: true, mtu: 1500 },
  });
  const inside = await kernel.observe("swarm-node-c1", "");
  expect(inside?.links).toMatchObject([{ name: "eth0", mac: "02:42:ac:14:00:02", isUp: true }]);
  expect(inside?.addresses).toEqual([{ link: "eth0", address: "172.20.0.2/20" }]);
  expect(inside?.routes).toEqual([
    { dst: "default", family: 4, via: "172.20.0.1", link: "eth0", table: 254 },
  ]);
}

test("an endpoint is a namespace with a way out through an isolated port of the bridge", async () => {
  const kernel = await hostWithBridge();
  await makeEndpoint(kernel, ENDPOINT);
  await expectMade(kernel);
  await makeEndpoint(kernel, ENDPOINT);
  await expectMade(kernel);
});

test("a link of that name which leads elsewhere gives way", async () => {
  const kernel = await hostWithBridge();
  const half: Link = { ...plain, name: "swnode2", kind: "veth", master: "" };
  await kernel.execute([
    { netns: "swarm-node-old", operations: [{ kind: "addNetns" }] },
    {
      netns: "",
      operations: [
        {
          kind: "addLink",
          link: half,
          peer: { netns: "swarm-node-old", link: { ...half, name: "eth0" } },
        },
      ],
    },
  ]);
  await makeEndpoint(kernel, ENDPOINT);
  await expectMade(kernel);
  expect((await kernel.observe("swarm-node-old", ""))?.links).toEqual([]);
});

test.each([
  { code: "NOT_PERMITTED", seen: "NOT_PERMITTED" },
  { code: "CLOSED", seen: "FAILED" },
] as const)("a kernel that says $code is a $seen of the node's port", async ({ code, seen }) => {
  const kernel = await hostWithBridge();
  kernel.execute = () => Promise.reject(new NetnsKernelError(code, "said the kernel"));
  const made = makeEndpoint(kernel, ENDPOINT);
  await expect(made).rejects.toThrow(KernelError);
  await expect(made).rejects.toMatchObject({ code: seen, message: "said the kernel" });
});
