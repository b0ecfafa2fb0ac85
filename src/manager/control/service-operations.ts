/** service.create, service.update (with rollback) and service.remove. Tasks follow by themselves: the orchestrator watches services. */
import type {
  Operation,
  Precondition,
  Service,
  ServiceMode,
  ServiceSpec,
} from "../../api/index.js";
import { isJob } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import type { Capability } from "./field-types.js";
import { newJobFields, nextJobFields, withKeptSchedule } from "./job-fields.js";
import { type NetworkLookup, overlayNetworks } from "./network-targets.js";
import { notFound, rejectionError } from "./rejection-errors.js";
import {
  type Call,
  firstFailure,
  type Outcome,
  type Plan,
  type RunDeps,
  runOperation,
} from "./run-operation.js";
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
  return runOperation<"service.create">(deps, call, () => planCreate(deps, operation));
}

export function updateService(
  deps: ServiceDeps,
  operation: OperationOf<"service.update">,
  call: Call,
): Promise<Outcome<"service.update">> {
  return runOperation<"service.update">(deps, call, () => planUpdate(deps, operation));
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
    result: { id: serviceId, warnings: [] },
  };
}

function planUpdate(
  deps: JudgeDeps,
  operation: OperationOf<"service.update">,
): Plan<"service.update"> & { readonly service: Service } {
  const { serviceId, version } = operation;
  const old = deps.store.service(serviceId);
  if (!old) throw notFound("service", serviceId);
  // Validated for a rollback too, whose body counts for nothing else.
  const valid = validateService(operation.spec, "service update", deps.capabilities, deps.store);
  const spec = withKeptSchedule(valid, operation.spec, old);
  if (spec.Name !== old.spec.Name)
    throw new ApiError("Unimplemented", "renaming services is not supported");
  if (modeName(spec.Mode) !== modeName(old.spec.Mode))
    throw new ApiError("Unimplemented", "service mode change is not allowed");
  const service =
    operation.rollback === "previous"
      ? rolledBack(old, deps.clock.wallMs())
      : updated(old, spec, operation, deps.clock.wallMs());
  return {
    service,
    preconditions: [
      { kind: "clientVersion", table: "service", id: serviceId, index: version },
      // Everything else of the object is taken from what was read here.
      { kind: "versionIs", table: "service", id: serviceId, index: old.versionIndex },
      ...portClaims(service.spec, serviceId),
      ...networksExist(service.spec, deps.store),
    ],
    changes: [{ kind: "putService", service }],
    result: { warnings: [] },
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

/**
 * Any update is a new spec version: which tasks it touches is decided by comparing their spec with the new one (spec §4.7),
 * so scaling and labels restart nothing. A paused update ends here: the status starts anew.
 */
function updated(
  old: Service,
  spec: ServiceSpec,
  operation: OperationOf<"service.update">,
  nowMs: number,
): Service {
  return {
    ...old,
    spec,
    specVersion: 0,
    previousSpec: old.spec,
    previousSpecVersion: old.specVersion,
    updateStatus: undefined,
    ports: spec.EndpointSpec?.Ports ?? [],
    registryAuth: operation.registryAuth ?? keptAuth(old, operation.registryAuthFrom),
    previousRegistryAuth: old.registryAuth,
    ...nextJobFields(old, spec, nowMs),
  };
}

/** Swaps the two specs with all that belongs to them, so that a second rollback redoes (spec §4.7). */
function rolledBack(old: Service, nowMs: number): Service {
  const { previousSpec } = old;
  if (!previousSpec)
    throw new ApiError("FailedPrecondition", `service ${old.id} does not have a previous spec`);
  return {
    ...old,
    spec: previousSpec,
    specVersion: old.previousSpecVersion,
    previousSpec: old.spec,
    previousSpecVersion: old.specVersion,
    registryAuth: old.previousRegistryAuth,
    previousRegistryAuth: old.registryAuth,
    ports: previousSpec.EndpointSpec?.Ports ?? [],
    // A job has no rolling update that would come to an end.
    updateStatus: isJob(previousSpec.Mode)
      ? undefined
      : {
          state: "rollback_started",
          startedAtMs: nowMs,
          completedAtMs: 0,
          message: "manually requested rollback",
        },
    ...nextJobFields(old, previousSpec, nowMs),
  };
}

/** Credentials stay with the service unless new ones come, so that an update without a login still pulls. */
function keptAuth(old: Service, from: "spec" | "previous-spec"): string {
  if (from === "spec") return old.registryAuth;
  if (!old.previousSpec)
    throw new ApiError(
      "FailedPrecondition",
      `service ${old.id} does not have a previous spec to take registry credentials from`,
    );
  return old.previousRegistryAuth;
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
