/** service.create, service.update (with rollback), service.rollback (to a kept version) and service.remove. Tasks follow by themselves: the orchestrator watches services. */
import type {
  Operation,
  Precondition,
  Service,
  ServiceMode,
  ServiceSpec,
} from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { withKeptEndpoint } from "./endpoint-fields.js";
import type { Capability } from "./field-types.js";
import { newJobFields, withKeptSchedule } from "./job-fields.js";
import { checkNetworks, type NetworkLookup, overlayNetworks } from "./network-targets.js";
import { withKeptRebalance } from "./rebalance-operation.js";
import { notFound, rejectionError } from "./rejection-errors.js";
import { rolledBack, rolledBackTo, updated } from "./rollouts.js";
import {
  type Call,
  firstFailure,
  type Outcome,
  type Plan,
  type RunDeps,
  runOperation,
} from "./run-operation.js";
import { startFirstWarnings } from "./start-first.js";
import { validateService } from "./validate-service.js";

type OperationOf<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;
export type ServiceDeps = RunDeps & { readonly capabilities: ReadonlySet<Capability> };
/** What judging an operation needs; nothing to write with. */
type JudgeDeps = Omit<ServiceDeps, "proposer">;

export function createService(
  deps: ServiceDeps,
  operation: OperationOf<"service.create">,
  call: Call,
): Promise<Outcome<"service.create">> {
  return runOperation<"service.create">(deps, call, () =>
    planCreate(deps, operation, call.callerNodeId),
  );
}

export function updateService(
  deps: ServiceDeps,
  operation: OperationOf<"service.update">,
  call: Call,
): Promise<Outcome<"service.update">> {
  return runOperation<"service.update">(deps, call, () =>
    planUpdate(deps, operation, call.callerNodeId),
  );
}

/** The service as it is and as the operation would store it; throws what the operation would be refused with. Writes nothing. */
export function dryRun(
  deps: JudgeDeps,
  operation: OperationOf<"service.create"> | OperationOf<"service.update">,
): { readonly old: Service | undefined; readonly next: Service } {
  const { preconditions, service } =
    operation.kind === "service.create" ? planCreate(deps, operation) : planUpdate(deps, operation);
  const early = firstFailure(deps.store, preconditions);
  if (early) throw rejectionError(deps.store, early);
  return { old: deps.store.service(service.id), next: service };
}

function planCreate(
  deps: JudgeDeps,
  { serviceId, registryAuth, spec: given }: OperationOf<"service.create">,
  by = "",
): Plan<"service.create"> & { readonly service: Service } {
  const spec = validateService(given, "service create", deps.capabilities, deps.store);
  const nowMs = deps.clock.wallMs();
  const service: Service = {
    id: serviceId,
    // Set in apply, as everywhere.
    versionIndex: 0,
    clientIndex: 0,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    spec,
    specVersion: 0,
    previousSpec: undefined,
    previousSpecVersion: 0,
    updateStatus: undefined,
    ports: spec.EndpointSpec?.Ports ?? [],
    registryAuth,
    previousRegistryAuth: "",
    vips: [],
    ...newJobFields(spec, nowMs),
    specBy: by,
  };
  return {
    service,
    preconditions: [
      { kind: "absent", table: "service", id: serviceId },
      { kind: "nameFree", table: "service", name: spec.Name, exceptId: serviceId },
      ...portClaims(spec, serviceId),
      ...networksExist(spec, deps.store),
    ],
    changes: [{ kind: "putService", service }],
    result: { id: serviceId, warnings: startFirstWarnings(spec, deps.store.nodes()) },
  };
}

function planUpdate(
  deps: JudgeDeps,
  operation: OperationOf<"service.update">,
  by = "",
): Replacement {
  const { serviceId, version } = operation;
  const old = deps.store.service(serviceId);
  if (!old) throw notFound("service", serviceId);
  // Validated for a rollback too, whose body counts for nothing else.
  const valid = validateService(operation.spec, "service update", deps.capabilities, deps.store);
  const scheduled = withKeptSchedule(valid, operation.spec, old);
  const balanced = withKeptRebalance(scheduled, operation.spec, old);
  const spec = withKeptEndpoint(balanced, operation.spec, old);
  if (spec.Name !== old.spec.Name)
    throw new ApiError("Unimplemented", "renaming services is not supported");
  if (modeName(spec.Mode) !== modeName(old.spec.Mode))
    throw new ApiError("Unimplemented", "service mode change is not allowed");
  const stamp = { nowMs: deps.clock.wallMs(), by };
  const service =
    operation.rollback === "previous"
      ? rolledBack(old, stamp)
      : updated(old, spec, operation, stamp);
  return replacement(deps, old, service, version);
}

export function rollBackService(
  deps: RunDeps,
  operation: OperationOf<"service.rollback">,
  call: Call,
): Promise<Outcome<"service.rollback">> {
  const { serviceId, version, to } = operation;
  return runOperation<"service.rollback">(deps, call, () => {
    const old = deps.store.service(serviceId);
    if (!old) throw notFound("service", serviceId);
    const stamp = { nowMs: deps.clock.wallMs(), by: call.callerNodeId };
    return replacement(deps, old, rolledBackTo(old, to, stamp), version);
  });
}

/** What update and rollback have in common, results included. */
type Replacement = Pick<Plan<"service.update">, "preconditions" | "changes" | "result"> & {
  readonly service: Service;
};

function replacement(
  deps: Pick<RunDeps, "store">,
  old: Service,
  service: Service,
  version: number,
): Replacement {
  const { id } = old;
  // A spec from earlier may name what has been removed since.
  checkNetworks(service.spec.TaskTemplate, deps.store);
  return {
    service,
    preconditions: [
      { kind: "clientVersion", table: "service", id, index: version },
      // Everything else of the object is taken from what was read here.
      { kind: "versionIs", table: "service", id, index: old.versionIndex },
      ...portClaims(service.spec, id),
      ...networksExist(service.spec, deps.store),
    ],
    changes: [{ kind: "putService", service }],
    result: { warnings: startFirstWarnings(service.spec, deps.store.nodes()) },
  };
}

export function removeService(
  deps: RunDeps,
  operation: OperationOf<"service.remove">,
  call: Call,
): Promise<Outcome<"service.remove">> {
  const { serviceId } = operation;
  return runOperation<"service.remove">(deps, call, () => {
    if (!deps.store.service(serviceId)) throw notFound("service", serviceId);
    return {
      preconditions: [{ kind: "exists", table: "service", id: serviceId }],
      changes: [{ kind: "delete", table: "service", id: serviceId }],
      result: {},
    };
  });
}

function portClaims(spec: ServiceSpec, serviceId: string): Precondition[] {
  return (spec.EndpointSpec?.Ports ?? []).flatMap((port) =>
    port.PublishedPort
      ? [
          {
            kind: "portFree" as const,
            protocol: port.Protocol,
            publishedPort: port.PublishedPort,
            publishMode: port.PublishMode,
            exceptServiceId: serviceId,
          },
        ]
      : [],
  );
}

/** A network cannot go while a service that refers to it is on its way through the log. */
function networksExist(spec: ServiceSpec, networks: NetworkLookup): Precondition[] {
  return overlayNetworks(spec.TaskTemplate, networks).map(({ id }) => ({
    kind: "exists",
    table: "network",
    id,
  }));
}

function modeName(mode: ServiceMode): string {
  return Object.keys(mode)[0] ?? "";
}
