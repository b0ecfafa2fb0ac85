/** Rules of published ports that need to know the cluster. Ports of other services: the precondition portFree. */
import type { PortConfig, TaskSpec } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { reservedPort } from "../../overlay-net/core/index.js";
import { managersPort } from "../core/index.js";
import { invalid } from "./invalid.js";
import type { NetworkLookup } from "./network-targets.js";

/** Without a network namespace of its own, or without a network, a task cannot be reached through ingress. */
const UNREACHABLE: ReadonlySet<string> = new Set(["host", "none"]);

/** Throws ApiError InvalidArgument, FailedPrecondition. */
export function checkPublished(
  ports: readonly PortConfig[],
  task: TaskSpec,
  networks: NetworkLookup | undefined,
): void {
  const dataPathPort = networks?.cluster()?.dataPathPort ?? 0;
  for (const { Protocol, PublishedPort = 0 } of ports) {
    const reason =
      reservedPort(Protocol, PublishedPort, dataPathPort) ??
      managersPort(Protocol, PublishedPort, networks?.nodes() ?? []);
    if (reason !== undefined) throw invalid(`EndpointSpec: ${reason}; publish another one`);
  }
  if (!ports.some((port) => port.PublishMode === "ingress")) return;
  const unreachable = task.Networks?.find(({ Target }) => UNREACHABLE.has(Target ?? ""));
  if (unreachable)
    throw invalid(
      `EndpointSpec: ports cannot be published in ingress mode on the network ${unreachable.Target}`,
    );
  if (networks && !networks.networks().some(({ spec }) => spec.Ingress === true))
    throw new ApiError(
      "FailedPrecondition",
      "service needs ingress network, but no ingress network is present; create one with network create --ingress",
    );
}
