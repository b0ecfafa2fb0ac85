import { kernelConformance } from "../testing/kernel-conformance.js";
import { FLOWS } from "../testing/kernel-harness.js";
import { SimulatedHost } from "./simulated-host.js";
import { SimulatedNetnsKernel } from "./simulated-netns-kernel.js";

kernelConformance("simulated", async () => {
  const host = new SimulatedHost();
  return {
    kernel: new SimulatedNetnsKernel(host),
    stranger: new SimulatedNetnsKernel(host),
    prefix: "t-",
    vni: 100,
    quietMs: 0,
    openFlows: async (netns) => {
      host.connections = FLOWS.map(({ protocol, dst, port, zone }) => ({
        ...{ netns, protocol, zone },
        ...{ originalDst: dst, originalDstPort: port, replySrc: dst },
      }));
    },
    abandon: async (netns) => {
      host.loseName(netns);
    },
    flows: async (netns) =>
      host.connections
        .filter((flow) => flow.netns === netns)
        .map((flow) => `${flow.protocol} ${flow.originalDst}:${flow.originalDstPort}`)
        .sort(),
    close: async () => undefined,
  };
});
