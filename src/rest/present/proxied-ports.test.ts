import { expect, test } from "vitest";
import type { Node, PortConfig, Service } from "../../api/index.js";
import { presentPorts, proxiedTasks } from "./proxied-ports.js";

const port = (TargetPort: number, PublishMode: PortConfig["PublishMode"]): PortConfig => ({
  ...{ Protocol: "tcp", TargetPort, PublishedPort: TargetPort, PublishMode },
});
const WEB = { id: "web", ports: [port(80, "ingress"), port(81, "ingress"), port(80, "host")] };

function node(state: Node["state"], ...tasks: readonly string[]): Node {
  const Proxied6 = tasks.map((TaskID) => ({
    ...{ ServiceID: "web", TaskID, Protocol: "tcp" as const, TargetPort: 80 },
  }));
  return { state, description: { Proxied6 } } as unknown as Node;
}

test("a port names its tasks that take IPv4 alone, over all nodes that are there", () => {
  const proxied = proxiedTasks([node("ready", "t2"), node("ready", "t1"), node("down", "t3")]);
  const [first, ...others] = presentPorts(WEB as unknown as Service, proxied);
  expect(first).toEqual({ ...port(80, "ingress"), ProxiedIPv6Tasks: ["t1", "t2"] });
  expect(others).toEqual(WEB.ports.slice(1));
});

test("another service's tasks are not its own", () => {
  const other = { ...WEB, id: "other" } as unknown as Service;
  expect(presentPorts(other, proxiedTasks([node("ready", "t1")]))).toEqual(WEB.ports);
});
