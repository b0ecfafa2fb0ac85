/** What `GET /networks/{id}?verbose=true` adds: services on the network with their tasks, and the nodes these are on. */
import { type Network, type Node, TASK_STATE, type Task } from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { taskName } from "./task.js";

type OnNetwork = { readonly address: string; readonly address6: string };

export function presentNetworkUse(network: Network, view: StoreView) {
  const attached = view.services().flatMap((service) => {
    const tasks = view
      .tasksByService(service.id)
      .filter((task) => task.state === TASK_STATE.running && onNetwork(task, network.id));
    const vip = service.vips.find(({ networkId }) => networkId === network.id);
    return tasks.length === 0 && vip === undefined ? [] : [{ service, tasks, vip }];
  });
  if (attached.length === 0) return {};
  const nodeIds = new Set(attached.flatMap(({ tasks }) => tasks.map((task) => task.nodeId)));
  return {
    Peers: [...nodeIds].sort().flatMap((id) => {
      const node = view.node(id);
      return node ? [{ Name: id.slice(0, 12), IP: dataPathOf(node) }] : [];
    }),
    Services: Object.fromEntries(
      attached.map(({ service, tasks, vip }) => [
        service.spec.Name,
        {
          VIP: textOf(vip),
          Ports: service.ports.map(
            (port) => `Target: ${port.TargetPort}, Publish: ${port.PublishedPort ?? 0}`,
          ),
          LocalLBIndex: 0,
          Tasks: tasks.map((task) => ({
            Name: taskName(task),
            EndpointID: task.id,
            EndpointIP: textOf(onNetwork(task, network.id)),
            Info: { "Host IP": dataPathOf(view.node(task.nodeId)) },
          })),
        },
      ]),
    ),
  };
}

/** Where the network's packets of this node come from. */
function dataPathOf(node: Node | undefined): string {
  return node?.description?.DataPathAddr ?? node?.addr ?? "";
}

function onNetwork(task: Task, networkId: string): OnNetwork | undefined {
  return task.networks.find((one) => one.networkId === networkId);
}

function textOf(on: OnNetwork | undefined): string {
  return on?.address || on?.address6 || "";
}
