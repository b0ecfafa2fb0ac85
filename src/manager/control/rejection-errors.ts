/** What a failed precondition is for the client: code and text of the Engine (recordings). The one place that maps them. */
import type { Precondition, Rejection, Service } from "../../api/index.js";
import { ApiError, doorError, invariant, unreachable } from "../../base/index.js";
import type { StoreView } from "../../store/index.js";

type PortFree = Extract<Precondition, { kind: "portFree" }>;
type Unreferenced = Extract<Precondition, { kind: "unreferenced" }>;

export function outOfSequence(): ApiError {
  // Clients match this text, and that it is a 500.
  return new ApiError("Unknown", "update out of sequence");
}

export function notFound(table: string, id: string): ApiError {
  return new ApiError("NotFound", `${table} ${id} not found`);
}

export function rejectionError(store: StoreView, rejection: Rejection): ApiError {
  const { code, precondition, conflictsWith } = rejection;
  switch (code) {
    case "OUT_OF_SEQUENCE":
      return outOfSequence();
    case "NOT_FOUND":
      invariant("table" in precondition && "id" in precondition, "NOT_FOUND names an object");
      return notFound(precondition.table, precondition.id);
    case "EXISTS":
      invariant("table" in precondition && "id" in precondition, "EXISTS names an object");
      return new ApiError(
        "AlreadyExists",
        `${precondition.table} ${precondition.id} already exists`,
      );
    case "NAME_CONFLICT":
      invariant(precondition.kind === "nameFree", "NAME_CONFLICT comes from nameFree");
      // The Engine finds this one at its door.
      if (precondition.table === "network")
        return doorError("AlreadyExists", `network with name ${precondition.name} already exists`);
      return new ApiError(
        "AlreadyExists",
        `name conflicts with an existing object: ${precondition.table} ${precondition.name} already exists`,
      );
    case "PORT_CONFLICT":
      invariant(precondition.kind === "portFree", "PORT_CONFLICT comes from portFree");
      return portConflict(store, precondition, conflictsWith[0] ?? "");
    case "ADDRESS_CONFLICT":
    case "VNI_CONFLICT":
    case "SUBNET_CONFLICT":
      return networkConflict(store, precondition, conflictsWith[0] ?? "");
    case "IN_USE":
      invariant(precondition.kind === "unreferenced", "IN_USE comes from unreferenced");
      return inUse(store, precondition, conflictsWith);
    case "BAD_FORMAT":
      return new ApiError(
        "Internal",
        "this version cannot read what the leader wrote; run the same version on all managers",
      );
    default:
      return unreachable(code, "rejectionError");
  }
}

function portConflict(store: StoreView, claim: PortFree, serviceId: string): ApiError {
  const service = store.service(serviceId);
  const how =
    service && publishes(service, claim, "ingress") ? "an ingress port" : "a host-published port";
  return new ApiError(
    "InvalidArgument",
    `port '${claim.publishedPort}' is already in use by service '${service?.spec.Name ?? ""}' (${serviceId}) as ${how}`,
  );
}

function inUse(store: StoreView, { table, id }: Unreferenced, users: readonly string[]): ApiError {
  const [first = ""] = users;
  const text =
    table === "network"
      ? `network ${id} is in use by ${store.service(first) ? "service" : "task"} ${first}`
      : `${table} ${id} is in use by ${users.join(", ")}`;
  return new ApiError("FailedPrecondition", text);
}

/** What a network claims for itself, and addresses that a user chose. */
function networkConflict(store: StoreView, claim: Precondition, networkId: string): ApiError {
  if (claim.kind === "addressFree") {
    const network = store.network(claim.networkId)?.spec.Name ?? claim.networkId;
    // The Engine's words and status.
    return doorError(
      "PermissionDenied",
      `Address already in use: ${claim.address} on network ${network}`,
    );
  }
  const name = store.network(networkId)?.spec.Name ?? networkId;
  const what =
    claim.kind === "vniFree"
      ? `VXLAN id ${claim.vni} is already in use by network ${name}`
      : claim.kind === "subnetFree"
        ? `subnet ${claim.subnet} overlaps a subnet of network ${name}`
        : `${claim.kind} is in conflict with ${networkId}`;
  return new ApiError("InvalidArgument", what);
}

/** Whether the service publishes the claimed port in this mode. */
export function publishes(service: Service, claim: PortFree, mode: "ingress" | "host"): boolean {
  const ports = [...(service.spec.EndpointSpec?.Ports ?? []), ...service.ports];
  return ports.some(
    (port) =>
      port.PublishedPort === claim.publishedPort &&
      port.Protocol === claim.protocol &&
      port.PublishMode === mode,
  );
}
