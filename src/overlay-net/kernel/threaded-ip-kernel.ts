import type { Link } from "../core/kernel-model.js";
import { IpKernel } from "./ip-kernel.js";
import { KernelError, type NetnsKernel } from "./netns-kernel.js";
import type { Endpoint } from "./port.js";

/** Bytes; what `ip link add` gives a veth pair. */
const VETH_MTU = 1_500;
const MAIN_TABLE = 254;

/** Makes endpoints through the network plane's port: no process has to be started, which is most of what one costs. The rest as before. */
export class ThreadedIpKernel extends IpKernel {
  readonly #kernel: NetnsKernel;

  constructor(kernel: NetnsKernel) {
    super();
    this.#kernel = kernel;
  }

  override async addEndpoint(endpoint: Endpoint): Promise<void> {
    const { netns, hostLink } = endpoint;
    try {
      await this.#make(endpoint);
    } catch (error) {
      if (!(error instanceof KernelError && error.code === "EXISTS")) throw error;
      // A pair of an earlier attempt, or of a namespace that is still ending.
      await this.#kernel.execute([
        { netns: "", operations: [{ kind: "removeLink", name: hostLink }] },
        { netns, operations: [{ kind: "removeNetns" }] },
      ]);
      await this.#make(endpoint);
    }
  }

  async #make(endpoint: Endpoint): Promise<void> {
    const { netns, hostLink, alias, bridge, address, gateway, mac } = endpoint;
    const outside = { ...veth(hostLink), alias, master: bridge, isIsolated: true };
    const inside = { ...veth("eth0"), mac };
    await this.#kernel.execute([
      { netns, operations: [{ kind: "addNetns" }] },
      {
        netns: "",
        operations: [{ kind: "addLink", link: outside, peer: { netns, link: inside } }],
      },
      {
        netns,
        operations: [
          { kind: "addAddress", address: { link: "eth0", address } },
          {
            kind: "replaceRoute",
            route: { dst: "default", family: 4, via: gateway, link: "eth0", table: MAIN_TABLE },
          },
        ],
      },
    ]);
  }
}

function veth(name: string): Link {
  return {
    ...{ name, kind: "veth", alias: "", mac: "", mtu: VETH_MTU, isUp: true },
    ...{ master: "", isIsolated: false, isLearning: true },
  };
}
