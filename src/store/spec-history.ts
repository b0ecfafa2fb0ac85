/**
 * The last specs of a service, kept in apply: writers need not carry them, and whatever writes a spec is recorded. A change of the
 * number of replicas alone is no revision of its own: scaling up and down would push out what one wants to go back to.
 */
import {
  type Service,
  type ServiceSpec,
  type SpecRevision,
  sameSpec,
  specText,
} from "../api/index.js";

/** Specs kept per service, the present one included. */
export const SPEC_HISTORY_DEFAULT = 5;
/** Characters of canonical JSON of all kept specs of a service; the present one stays in any case. */
export const SPEC_HISTORY_LENGTH_MAX = 256 * 1024;

export type NewSpec = Pick<Service, "spec" | "registryAuth" | "specBy"> & {
  readonly isAutomatic: boolean;
};

/** The history of a service after a write at `stamp`; `old` is the service before it. At most `limit` revisions, at least one. */
export function historyOf(
  old: Service | undefined,
  now: NewSpec,
  limit: number,
  stamp: { readonly index: number; readonly atMs: number },
): readonly SpecRevision[] {
  const before = old ? known(old) : [];
  const present = before.at(-1);
  if (present && sameSpec(present.spec, now.spec)) return before;
  const made = {
    spec: now.spec,
    registryAuth: now.registryAuth,
    by: now.specBy ?? "",
    isAutomatic: now.isAutomatic,
  };
  if (present && sameButScale(present.spec, now.spec))
    return [...before.slice(0, -1), { ...present, spec: now.spec, registryAuth: now.registryAuth }];
  // Going back to a spec makes it the newest: listed twice it would push out another.
  const others = before.filter((revision) => !sameButScale(revision.spec, now.spec));
  return trimmed([...others, { ...made, version: stamp.index, atMs: stamp.atMs }], limit);
}

/** Of a service written before histories were kept, its present and previous spec are known. */
function known(service: Service): readonly SpecRevision[] {
  if (service.history && service.history.length > 0) return service.history;
  const { previousSpec, previousSpecVersion, previousRegistryAuth } = service;
  const present = {
    version: service.specVersion,
    atMs: service.updatedAtMs,
    spec: service.spec,
    registryAuth: service.registryAuth,
    by: service.specBy ?? "",
    isAutomatic: false,
  };
  if (!previousSpec || previousSpecVersion === 0 || sameButScale(previousSpec, service.spec))
    return [present];
  const previous = {
    ...present,
    version: previousSpecVersion,
    atMs: service.createdAtMs,
    spec: previousSpec,
    registryAuth: previousRegistryAuth,
    by: "",
  };
  return [previous, present];
}

function trimmed(revisions: readonly SpecRevision[], limit: number): readonly SpecRevision[] {
  let length = 0;
  let keptCount = 0;
  for (const { spec } of [...revisions].reverse()) {
    length += specText(spec).length;
    if (keptCount > 0 && (keptCount >= limit || length > SPEC_HISTORY_LENGTH_MAX)) break;
    keptCount++;
  }
  return revisions.slice(revisions.length - keptCount);
}

function sameButScale(a: ServiceSpec, b: ServiceSpec): boolean {
  if (sameSpec(a, b)) return true;
  if (!("Replicated" in a.Mode && "Replicated" in b.Mode)) return false;
  return sameSpec({ ...a, Mode: b.Mode }, b);
}
