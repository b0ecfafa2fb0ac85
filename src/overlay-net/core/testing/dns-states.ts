/** Short ways to write down what a node is told, for tests of names. */
import type { EndpointEntry, NetworkEntry, NetworkState, ServiceEntry } from "../network-state.js";

export function network(
  fields: Partial<NetworkEntry> & Pick<NetworkEntry, "id" | "name">,
): NetworkEntry {
  return {
    vni: 4096,
    subnet: "",
    subnet6: "",
    gateway: "",
    gateway6: "",
    mtu: 1450,
    isInternal: false,
    isIngress: false,
    isEncrypted: false,
    ...fields,
  };
}

/** Its name is its id. */
export function service(
  fields: Partial<ServiceEntry> & Pick<ServiceEntry, "serviceId" | "networkId">,
): ServiceEntry {
  return {
    name: fields.serviceId,
    mode: "vip",
    vip: "",
    vip6: "",
    aliases: [],
    ports: [],
    prefersLocal: false,
    ...fields,
  };
}

/** Ready, on node `up`, of no service. */
export function endpoint(
  networkId: string,
  taskName: string,
  address: string,
  fields: Partial<EndpointEntry>,
): EndpointEntry {
  return {
    taskId: taskName,
    networkId,
    nodeId: "up",
    serviceId: "",
    address,
    address6: "",
    taskName,
    containerId: "",
    aliases: [],
    isBackend: true,
    ...fields,
  };
}

/** With a node `up` and a node `down`. */
export function state(
  fields: Pick<NetworkState, "networks" | "services" | "endpoints">,
): NetworkState {
  return {
    index: 1,
    nodeId: "up",
    dataPathPort: 4789,
    nodes: [
      { nodeId: "up", index: 1, dataPathAddr: "192.0.2.1", isDown: false },
      { nodeId: "down", index: 2, dataPathAddr: "192.0.2.2", isDown: true },
    ],
    ...fields,
  };
}
