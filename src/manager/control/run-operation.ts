/**
 * The frame of every operation: one transaction, made from the leader's state, checked there for a good message and again in apply,
 * where alone it counts. A repeated requestId gets the first answer before anything is judged.
 */
import type { Change, OperationKind, Precondition, Rejection, ResultOf } from "../../api/index.js";
import { canonicalJson } from "../../api/index.js";
import { ApiError, type Clock } from "../../base/index.js";
import { ProposeError, type Proposer, type StoreView } from "../../store/index.js";
import type { OperationCall } from "../port.js";
import { publishes, rejectionError } from "./rejection-errors.js";

/** Internal writers (allocator, dispatcher, updater) may get in between a few times, hardly this often. */
const ATTEMPTS_MAX = 8;

export type Call = OperationCall;
export type Outcome<K extends OperationKind> = {
  readonly index: number;
  readonly result: ResultOf<K>;
};
export type Plan<K extends OperationKind> = {
  readonly preconditions: readonly Precondition[];
  readonly changes: readonly Change[];
  readonly result: ResultOf<K>;
  /** False: the objects keep their clientIndex. Default true. */
  readonly isClient?: boolean;
};
export type RunDeps = {
  readonly store: StoreView;
  readonly proposer: Proposer;
  readonly clock: Clock;
};

/**
 * `plan` reads the store and throws ApiError for what is wrong; it runs again when an internal write got in between (a failed
 * versionIs). Rejects with ApiError, or with the ProposeError of a write that may be tried again by its requestId.
 */
export async function runOperation<K extends OperationKind>(
  deps: RunDeps,
  call: Call,
  plan: () => Plan<K>,
): Promise<Outcome<K>> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const kept = call.requestId === "" ? undefined : deps.store.storedResult(call.requestId);
    if (kept) return outcomeOf<K>(kept);
    const { preconditions, changes, result, isClient = true } = plan();
    const early = firstFailure(deps.store, preconditions);
    if (early) throw rejectionError(deps.store, early);
    try {
      const transaction = {
        requestId: call.requestId,
        atMs: deps.clock.wallMs(),
        isClient,
        preconditions,
        changes,
        resultJson: canonicalJson(result),
        ...(call.requester && { requester: call.requester }),
      };
      return outcomeOf<K>(await deps.proposer.propose(transaction, call.signal));
    } catch (error) {
      if (!(error instanceof ProposeError) || !error.rejection) throw error;
      if (error.rejection.precondition.kind !== "versionIs")
        throw rejectionError(deps.store, error.rejection);
    }
  }
  throw new ApiError(
    "Aborted",
    `the object was changed by the system ${ATTEMPTS_MAX} times meanwhile; try again`,
  );
}

/** The result was written by this program for this kind of operation. */
function outcomeOf<K extends OperationKind>(written: {
  readonly index: number;
  readonly resultJson: string;
}): Outcome<K> {
  return { index: written.index, result: JSON.parse(written.resultJson) as ResultOf<K> };
}

/** The client's preconditions against the leader's state: spares the log an entry that would be rejected. */
export function firstFailure(
  store: StoreView,
  preconditions: readonly Precondition[],
): Rejection | undefined {
  for (const precondition of preconditions) {
    const failure = check(store, precondition);
    if (failure) return { ...failure, precondition };
  }
  return undefined;
}

function check(
  store: StoreView,
  p: Precondition,
): Pick<Rejection, "code" | "conflictsWith"> | undefined {
  switch (p.kind) {
    case "clientVersion": {
      const object =
        p.table === "service"
          ? store.service(p.id)
          : p.table === "node"
            ? store.node(p.id)
            : store.cluster();
      if (!object) return { code: "NOT_FOUND", conflictsWith: [p.id] };
      const isFit = object.clientIndex <= p.index && p.index <= object.versionIndex;
      return isFit ? undefined : { code: "OUT_OF_SEQUENCE", conflictsWith: [p.id] };
    }
    case "nameFree": {
      const holder =
        p.table === "service"
          ? store.serviceByName(p.name)
          : p.table === "network"
            ? store.networkByName(p.name)
            : undefined;
      return holder && holder.id !== p.exceptId
        ? { code: "NAME_CONFLICT", conflictsWith: [holder.id] }
        : undefined;
    }
    case "portFree": {
      const holder = store
        .services()
        .find(
          (service) =>
            service.id !== p.exceptServiceId &&
            (publishes(service, p, "ingress") ||
              (p.publishMode === "ingress" && publishes(service, p, "host"))),
        );
      return holder ? { code: "PORT_CONFLICT", conflictsWith: [holder.id] } : undefined;
    }
    case "versionIs":
    case "exists":
    case "absent":
    case "unreferenced":
    case "addressFree":
    case "vniFree":
    case "subnetFree":
    case "decodable":
      return undefined;
  }
}
