import { expect, test } from "vitest";
import { SimulatedHost } from "./simulated/simulated-host.js";
import { SimulatedNetnsKernel } from "./simulated/simulated-netns-kernel.js";
import { ThreadedIpKernel } from "./threaded-ip-kernel.js";

const ENDPOINT = {
  netns: "swarm-abcdefgh-c1",
  hostLink: "swabcdefgh2",
  alias: "swarm:abcdefgh:container:c1",
  bridge: "swgwabcdefgh",
  address: "172.20.0.2/20",
  gateway: "172.20.0.1",
  mac: "02:42:ac:14:00:02",
};
const BRIDGE = {
  ...{ name: ENDPOINT.bridge, kind: "bridge" as const, alias: "", mac: "", mtu: 1500, isUp: true },
  ...{ master: "", isIsolated: false, isLearning: true },
};

test("an endpoint is a namespace with eth0 behind an isolated port; what is left of an earlier one is replaced", async () => {
  const kernel = new SimulatedNetnsKernel(new SimulatedHost());
  await kernel.execute([{ netns: "", operations: [{ kind: "addLink", link: BRIDGE }] }]);
  const ip = new ThreadedIpKernel(kernel);
  await ip.addEndpoint({ ...ENDPOINT, netns: "swarm-abcdefgh-old" });
  await ip.addEndpoint(ENDPOINT);
  const port = (await kernel.observe("", ""))?.links.find(({ kind }) => kind === "veth");
  const { hostLink: name, alias, bridge: master, address, gateway: via } = ENDPOINT;
  expect(port).toMatchObject({ name, alias, master, isIsolated: true, isUp: true });
  const inside = await kernel.observe(ENDPOINT.netns, "");
  expect(inside?.links).toMatchObject([{ name: "eth0", mac: ENDPOINT.mac, mtu: 1500 }]);
  expect(inside?.addresses).toEqual([{ link: "eth0", address }]);
  expect(inside?.routes).toMatchObject([{ dst: "default", via, link: "eth0" }]);
});
