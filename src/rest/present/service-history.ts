import type { Service, SpecRevision } from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { presentServiceSpec } from "./service-spec.js";
import { formatTime } from "./time.js";

/** `GET /services/{id}/history`, an extension of the API: the kept specs, newest (the present one) first. */
export function presentHistory(service: Service, view: StoreView) {
  const { history = [] } = service;
  const present = history.at(-1);
  return [...history].reverse().map((revision) => ({
    Version: { Index: revision.version },
    CreatedAt: formatTime(revision.atMs),
    Cause: revision.isAutomatic ? "automatic rollback" : "client",
    ...byWhom(revision, view),
    IsPresent: revision === present,
    Spec: presentServiceSpec(revision.spec, view),
  }));
}

/** The manager that took the call; unknown when that was the leader itself, or is gone. */
function byWhom({ by }: SpecRevision, view: StoreView): { readonly By?: string } {
  const hostname = view.node(by)?.description?.Hostname;
  return hostname === undefined ? {} : { By: hostname };
}
