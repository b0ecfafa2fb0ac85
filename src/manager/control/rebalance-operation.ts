/** service.rebalance: asks for tasks to be moved to emptier nodes. The orchestrator does it, within the budget of updates. */
import { internSpec, type Operation, type Service, type ServiceSpec } from "../../api/index.js";
import { ApiError } from "../../base/index.js";
import { newRebalance, planRebalancing } from "../core/index.js";
import { notFound } from "./rejection-errors.js";
import { type Call, type Outcome, type RunDeps, runOperation } from "./run-operation.js";

type Rebalance = Extract<Operation, { kind: "service.rebalance" }>;

/** What is under way is joined: begun by itself before, it then goes on though `auto` is taken back. */
export function rebalanceService(
  deps: RunDeps,
  { serviceId: id, version }: Rebalance,
  call: Call,
): Promise<Outcome<"service.rebalance">> {
  return runOperation<"service.rebalance">(deps, call, () => {
    const service = deps.store.service(id);
    if (!service) throw notFound("service", id);
    refuseRebalance(service);
    const { imbalanceBefore } = planRebalancing(deps.store, service);
    const old = service.rebalance;
    const rebalance =
      old?.state === "moving"
        ? { ...old, isManual: true }
        : { ...newRebalance(deps.clock.wallMs(), true), imbalanceBefore };
    const { specVersion } = service;
    return {
      preconditions: [
        { kind: "clientVersion", table: "service", id, index: version },
        { kind: "versionIs", table: "service", id, index: service.versionIndex },
      ],
      changes: [{ kind: "serviceRebalance", serviceId: id, specVersion, rebalance }],
      result: {},
    };
  });
}

/** Throws ApiError with the remedy when the service is not to be rebalanced, or not now. */
export function refuseRebalance({ spec, updateStatus }: Service): void {
  const { Name: name } = spec;
  if (!("Replicated" in spec.Mode))
    throw new ApiError(
      "FailedPrecondition",
      `service ${name} is not replicated: only tasks of replicated services have a choice of nodes`,
    );
  if (spec.Rebalance === undefined)
    throw new ApiError(
      "FailedPrecondition",
      `rebalancing of service ${name} is off; allow it with: swarm service update --rebalance manual ${name}`,
    );
  const state = updateStatus?.state;
  if (state === undefined || state === "completed" || state === "rollback_completed") return;
  const remedy = state.endsWith("paused")
    ? `finish it with swarm service update, or go back with: swarm service rollback ${name}`
    : `wait for its end: swarm service ps ${name}`;
  throw new ApiError(
    "FailedPrecondition",
    `service ${name} cannot be rebalanced while its ${state.startsWith("rollback") ? "rollback" : "update"} is ${state.endsWith("paused") ? "paused" : "under way"}; ${remedy}`,
  );
}

/** Docker's clients know nothing of it and post specs back without: then it stays. "off" takes it away. */
export function withKeptRebalance(
  spec: ServiceSpec,
  given: ServiceSpec,
  old: Service,
): ServiceSpec {
  const { Rebalance } = old.spec;
  if (Rebalance === undefined || given.Rebalance !== undefined) return spec;
  return internSpec({ ...spec, Rebalance });
}
