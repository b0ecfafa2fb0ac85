/** network.create and network.remove. What the network is given, the allocator decides later. */
import type { Network, NetworkSpec, Operation, Precondition } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { VNI_OPTION, wantedVni } from "../../overlay-net/core/index.js";
import type { StoreView } from "../../store/index.js";
import { bridgeInTheWay } from "../core/index.js";
import { notSupported, type WalkContext } from "./field-types.js";
import { invalid } from "./invalid.js";
import { notFound } from "./rejection-errors.js";
import { type Call, type Outcome, runOperation } from "./run-operation.js";
import type { ServiceDeps } from "./service-operations.js";
import { validateNetwork } from "./validate-network.js";

type OperationOf<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;

export function createNetwork(
  deps: ServiceDeps,
  operation: OperationOf<"network.create">,
  call: Call,
): Promise<Outcome<"network.create">> {
  const { networkId } = operation;
  const context: WalkContext = { operation: "network create", capabilities: deps.capabilities };
  return runOperation<"network.create">(deps, call, () => {
    const spec = validateNetwork(operation.spec, context);
    const needed = spec.Ingress ? "ingress" : "overlay";
    if (!deps.capabilities.has(needed))
      throw notSupported(spec.Ingress ? "Ingress" : "Driver", context, ' with the value "overlay"');
    if (spec.Ingress) refuseSecondIngress(deps.store);
    refuseBridges(spec, deps.store);
    const nowMs = deps.clock.wallMs();
    const network: Network = {
      id: networkId,
      versionIndex: 0,
      clientIndex: 0,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      spec,
      predefined: false,
      vni: 0,
      subnets: [],
      mtu: 0,
    };
    return {
      preconditions: [
        { kind: "absent", table: "network", id: networkId },
        { kind: "nameFree", table: "network", name: spec.Name, exceptId: networkId },
        ...claimsOf(spec, networkId),
      ],
      changes: [{ kind: "putNetwork", network }],
      result: { id: networkId },
    };
  });
}

export function removeNetwork(
  deps: ServiceDeps,
  operation: OperationOf<"network.remove">,
  call: Call,
): Promise<Outcome<"network.remove">> {
  const { networkId } = operation;
  return runOperation<"network.remove">(deps, call, () => {
    const network = deps.store.network(networkId);
    if (!network) throw notFound("network", networkId);
    if (network.predefined)
      throw new ApiError(
        "FailedPrecondition",
        `${network.spec.Name} is a pre-defined network and cannot be removed`,
      );
    if (network.spec.Ingress) refuseNeededIngress(deps.store);
    return {
      preconditions: [
        { kind: "exists", table: "network", id: networkId },
        { kind: "unreferenced", table: "network", id: networkId },
      ],
      changes: [{ kind: "delete", table: "network", id: networkId }],
      result: {},
    };
  });
}

/** What the user names and another network may have: told at once instead of by tasks that wait. */
function claimsOf(spec: NetworkSpec, exceptId: string): Precondition[] {
  const wanted = wantedVni(spec.Options?.[VNI_OPTION]);
  return [
    ...(wanted.kind === "fixed" ? [{ kind: "vniFree" as const, vni: wanted.vni, exceptId }] : []),
    ...(spec.IPAM?.Config ?? []).flatMap(({ Subnet }) =>
      Subnet ? [{ kind: "subnetFree" as const, subnet: Subnet, exceptId }] : [],
    ),
  ];
}

/** A task on it could not be placed on that node. */
function refuseBridges(spec: NetworkSpec, store: StoreView): void {
  for (const { Subnet = "" } of spec.IPAM?.Config ?? []) {
    const found = bridgeInTheWay(Subnet, store.nodes());
    if (found)
      throw invalid(
        `subnet ${Subnet} overlaps ${found.bridge}, the bridge of node ${found.hostname}; choose another --subnet, or start swarmd there with another --gwbridge-pool`,
      );
  }
}

function refuseSecondIngress(store: StoreView): void {
  const present = store.networks().find(({ spec }) => spec.Ingress === true);
  if (present)
    throw new ApiError("AlreadyExists", `ingress network (${present.id}) is already present`);
}

function refuseNeededIngress(store: StoreView): void {
  const service = store
    .services()
    .find(({ spec }) =>
      (spec.EndpointSpec?.Ports ?? []).some((port) => port.PublishMode === "ingress"),
    );
  if (service)
    throw new ApiError(
      "FailedPrecondition",
      `ingress network cannot be removed because service ${service.id} depends on it`,
    );
}
