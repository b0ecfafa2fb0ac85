/** `{id}` in a path or filter: exact id, then exact name, then id prefix (spec §1.2). */
import type { Network, Node, Service, Task } from "../api/index.js";
import { doorError } from "../base/index.js";
import type { StoreView } from "../store/index.js";

type Candidate = { readonly id: string };

function pick<T extends Candidate>(
  type: string,
  ref: string,
  byId: T | undefined,
  byName: readonly T[],
  all: () => readonly T[],
): T {
  if (byId !== undefined) return byId;
  const hits = byName.length > 0 || ref === "" ? byName : all().filter((o) => o.id.startsWith(ref));
  const [first] = hits;
  if (first === undefined) throw doorError("NotFound", `${type} ${ref} not found`);
  if (hits.length > 1) {
    throw doorError(
      "InvalidArgument",
      `${type} ${ref} is ambiguous (${hits.length} matches found)`,
    );
  }
  return first;
}

function one<T>(found: T | undefined): readonly T[] {
  return found === undefined ? [] : [found];
}

export function resolveService(view: StoreView, ref: string): Service {
  const byName = one(view.serviceByName(ref));
  return pick("service", ref, view.service(ref), byName, () => view.services());
}

/** By id, name given in the spec, hostname, or id prefix. */
export function resolveNode(view: StoreView, ref: string): Node {
  const folded = ref.toLowerCase();
  const byId = view.node(ref);
  const nodes = view.nodes();
  const byName =
    ref === "" || byId !== undefined
      ? []
      : nodes.filter(
          (node) =>
            node.spec.Name?.toLowerCase() === folded ||
            node.description?.Hostname.toLowerCase() === folded,
        );
  return pick("node", ref, byId, byName, () => nodes);
}

export function resolveTask(view: StoreView, ref: string): Task {
  return pick("task", ref, view.task(ref), [], () => view.tasks());
}

export function resolveNetwork(view: StoreView, ref: string): Network {
  const byName = one(view.networkByName(ref));
  return pick("network", ref, view.network(ref), byName, () => view.networks());
}
