/** `Containers` of `GET /networks/{id}`: those of one node that are on the network. */
import { containerTaskOf, type Network, TASK_STATE, type Task } from "../../api/index.js";
import { endpointMac } from "../../manager/core/index.js";
import type { StoreView } from "../../store/index.js";
import type { EndpointJson, NetworkJson } from "./network.js";
import { addressesOf } from "./network-attachment.js";
import { taskName } from "./task.js";

/** By container id; null without any, as the Engine answers for a network that is not in use on the node. */
export function presentContainers(
  network: Network,
  view: StoreView,
  nodeId: string,
): NetworkJson["Containers"] {
  const found = view.tasksByNode(nodeId).flatMap((task) => {
    const on = task.networks.find(({ networkId }) => networkId === network.id);
    if (on === undefined || task.containerId === "" || !isThere(task)) return [];
    const texts = addressesOf(on, view);
    const endpoint: EndpointJson = {
      Name: nameOf(task, view),
      EndpointID: task.id,
      MacAddress: endpointMac(on.address, on.address6),
      IPv4Address: texts.find((text) => !text.includes(":")) ?? "",
      IPv6Address: texts.find((text) => text.includes(":")) ?? "",
    };
    return [[task.containerId, endpoint] as const];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}

/** An attachment goes by the name of its container. */
function nameOf(task: Task, view: StoreView): string {
  const container = view.task(containerTaskOf(task) ?? "");
  return taskName(container ?? task);
}

function isThere({ state }: Task): boolean {
  return state >= TASK_STATE.ready && state <= TASK_STATE.running;
}
