/** What an update or a rollback makes of a service: which spec it can go back to, and what becomes of a rollout under way. */
import {
  internSpec,
  isJob,
  type Operation,
  type Service,
  type ServiceSpec,
  sameSpec,
  type UpdateStatus,
} from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { nextJobFields } from "./job-fields.js";

type Update = Extract<Operation, { kind: "service.update" }>;
/** When, and through which manager. */
export type Stamp = { readonly nowMs: number; readonly by: string };

/** Any update is a new spec version: which tasks it touches is decided by comparing their spec with the new one (spec §4.7). */
export function updated(
  old: Service,
  spec: ServiceSpec,
  operation: Pick<Update, "registryAuth" | "registryAuthFrom">,
  { nowMs, by }: Stamp,
): Service {
  return {
    ...old,
    spec,
    specVersion: 0,
    ...rolloutOf(old, spec, nowMs),
    ports: spec.EndpointSpec?.Ports ?? [],
    registryAuth: operation.registryAuth ?? keptAuth(old, operation.registryAuthFrom),
    specBy: by,
    ...nextJobFields(old, spec, nowMs),
  };
}

/** Swaps the two specs with all that belongs to them, so that a second rollback redoes (spec §4.7). */
export function rolledBack(old: Service, stamp: Stamp): Service {
  const { previousSpec: spec, previousRegistryAuth: registryAuth } = old;
  if (!spec)
    throw new ApiError("FailedPrecondition", `service ${old.id} does not have a previous spec`);
  const message = "manually requested rollback";
  const to = { spec, registryAuth, specVersion: old.previousSpecVersion, message };
  return backTo(old, to, stamp);
}

/** Goes back to a spec of the service's history. It stays in the history, as its newest. */
export function rolledBackTo(old: Service, version: number, stamp: Stamp): Service {
  const history = old.history ?? [];
  const found = history.find((revision) => revision.version === version);
  if (!found) {
    const known = history.map((revision) => revision.version).join(", ") || "none";
    throw new ApiError(
      "FailedPrecondition",
      `service ${old.spec.Name} has no version ${version}: the versions kept are ${known}`,
    );
  }
  if (found === history.at(-1))
    throw new ApiError(
      "FailedPrecondition",
      `version ${version} is the present spec of service ${old.spec.Name}`,
    );
  const { spec, registryAuth } = found;
  const message = `manually requested rollback to version ${version}`;
  return backTo(old, { spec, registryAuth, specVersion: 0, message }, stamp);
}

type Target = Pick<Service, "spec" | "specVersion" | "registryAuth"> & { readonly message: string };

function backTo(old: Service, { message, ...target }: Target, { nowMs, by }: Stamp): Service {
  const { spec } = target;
  return {
    ...old,
    ...target,
    previousSpec: old.spec,
    previousSpecVersion: old.specVersion,
    previousRegistryAuth: old.registryAuth,
    ports: spec.EndpointSpec?.Ports ?? [],
    // A job has no rolling update that would come to an end.
    updateStatus: isJob(spec.Mode) ? undefined : rollbackStarted(message, nowMs),
    specBy: by,
    ...nextJobFields(old, spec, nowMs),
  };
}

/**
 * An update that changes the task template or the ports is a rollout of its own. Any other (scale, labels) leaves one that is not
 * finished as it is: a pause stays, and going back undoes the rollout, not the scaling. One that changes nothing at all resumes a paused
 * rollout, as with Docker.
 */
function rolloutOf(
  old: Service,
  spec: ServiceSpec,
  nowMs: number,
): Pick<Service, "previousSpec" | "previousSpecVersion" | "previousRegistryAuth" | "updateStatus"> {
  const { previousSpec, updateStatus: status } = old;
  if (!previousSpec || !isUnfinished(status) || !sameTasks(old.spec, spec))
    return {
      previousSpec: old.spec,
      previousSpecVersion: old.specVersion,
      previousRegistryAuth: old.registryAuth,
      updateStatus: undefined,
    };
  const { EndpointSpec: _, ...rest } = spec;
  const { TaskTemplate, EndpointSpec } = previousSpec;
  return {
    previousSpec: internSpec({ ...rest, TaskTemplate, ...(EndpointSpec && { EndpointSpec }) }),
    previousSpecVersion: old.previousSpecVersion,
    previousRegistryAuth: old.previousRegistryAuth,
    updateStatus: sameSpec(old.spec, spec) ? resumed(status, nowMs) : status,
  };
}

function isUnfinished(status: UpdateStatus | undefined): status is UpdateStatus {
  return (
    status !== undefined && status.state !== "completed" && status.state !== "rollback_completed"
  );
}

function sameTasks(a: ServiceSpec, b: ServiceSpec): boolean {
  return sameSpec(a.TaskTemplate, b.TaskTemplate) && sameSpec(a.EndpointSpec, b.EndpointSpec);
}

function resumed(status: UpdateStatus, nowMs: number): UpdateStatus | undefined {
  if (status.state === "rollback_paused") return rollbackStarted("rollback resumed", nowMs);
  return status.state === "paused" ? undefined : status;
}

function rollbackStarted(message: string, startedAtMs: number): UpdateStatus {
  return { state: "rollback_started", startedAtMs, completedAtMs: 0, message };
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
