/** A container's way out as operations on namespaces: the same that `IpKernel` asks of two processes, for a kernel port that needs none. */
import type { Link, NetnsOperations } from "../core/kernel-model.js";
import { type NetnsKernel, KernelError as NetnsKernelError } from "./netns-kernel.js";
import { type Endpoint, KernelError } from "./port.js";

/** What a veth pair has when nobody says otherwise. */
const VETH_MTU = 1500;

/** Namespace, pair, and what is inside; may be repeated. */
export function endpointOperations(endpoint: Endpoint): readonly NetnsOperations[] {
  const { netns, hostLink, alias, bridge, address, gateway, mac } = endpoint;
  const outside = { ...veth(hostLink), alias, master: bridge, isIsolated: true };
  const route = { dst: "default", family: 4 as const, via: gateway, link: "eth0", table: 254 };
  return [
    { netns, operations: [{ kind: "addNetns" }] },
    {
      netns: "",
      operations: [
        { kind: "addLink", link: outside, peer: { netns, link: { ...veth("eth0"), mac } } },
      ],
    },
    {
      netns,
      operations: [
        { kind: "addAddress", address: { link: "eth0", address } },
        { kind: "replaceRoute", route },
      ],
    },
  ];
}

/** Rejects KernelError of `port.ts`. What stands in the way, half-made by an earlier attempt, is taken away first. */
export async function makeEndpoint(kernel: NetnsKernel, endpoint: Endpoint): Promise<void> {
  const operations = endpointOperations(endpoint);
  try {
    await kernel.execute(operations).catch(async (error: unknown) => {
      if (!(error instanceof NetnsKernelError && error.code === "EXISTS")) throw error;
      await kernel.execute([
        { netns: "", operations: [{ kind: "removeLink", name: endpoint.hostLink }] },
        { netns: endpoint.netns, operations: [{ kind: "removeNetns" }] },
        ...operations,
      ]);
    });
  } catch (error) {
    if (!(error instanceof NetnsKernelError)) throw error;
    const code = error.code === "NOT_PERMITTED" ? "NOT_PERMITTED" : "FAILED";
    throw new KernelError(code, error.message, { cause: error });
  }
}

function veth(name: string): Link {
  return {
    ...{ name, kind: "veth", alias: "", mac: "", master: "", mtu: VETH_MTU },
    ...{ isUp: true, isIsolated: false, isLearning: true },
  };
}
