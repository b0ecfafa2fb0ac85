/** Addresses of one task. */
import type { NetworkTarget, Service, Task, TaskNetwork } from "../../api/index.js";
import { type AddressClaim, addressClaims } from "../../store/index.js";
import type { Addresses } from "./address-book.js";
import type { Lack } from "./allocator.js";
import { overlayTargets, wantsIngress } from "./network-needs.js";
import type { NetworkTurn } from "./network-turn.js";
import { takeOn } from "./service-endpoint.js";

/** A service's aliases are in its spec; its tasks have none of their own. */
const NO_ALIASES: readonly string[] = Object.freeze([]);

export type TaskNetworksPlan =
  | {
      readonly kind: "found";
      readonly networks: readonly TaskNetwork[];
      readonly claims: readonly (AddressClaim & { readonly exceptId: string })[];
    }
  | { readonly kind: "lacking"; readonly lack: Lack };

/**
 * One address per family on each network of the task: those of its own template, which may be older than the service's. `waiting`: why
 * networks have no subnets, by id.
 */
export function planTaskNetworks(
  task: Task,
  service: Service | undefined,
  turn: NetworkTurn,
  waiting?: ReadonlyMap<string, string>,
): TaskNetworksPlan {
  const ids = [...overlayTargets(task.spec)];
  if (service && wantsIngress(service) && turn.ingress) ids.push(turn.ingress.id);
  const taken: Extract<Addresses, { kind: "taken" }>[] = [];
  for (const id of ids) {
    const found = takeOn(id, turn, waiting, targetOf(task, id)?.Addresses);
    if (found.kind === "exhausted") {
      for (const one of taken) turn.giveBack(one);
      return { kind: "lacking", lack: found };
    }
    taken.push(found);
  }
  return {
    kind: "found",
    networks: taken.map(({ networkId, address, address6 }) => ({
      networkId,
      address,
      address6,
      aliases: service ? NO_ALIASES : ownNames(task, networkId),
    })),
    claims: taken.flatMap((one) =>
      addressClaims(one).map((claim) => ({ ...claim, exceptId: task.id })),
    ),
  };
}

/** A container outside services, or one that was connected, is found by its name, and by what else it is called on that network. */
function ownNames(task: Task, networkId: string): readonly string[] {
  return [task.serviceName, ...(targetOf(task, networkId)?.Aliases ?? [])];
}

function targetOf({ spec }: Task, networkId: string): NetworkTarget | undefined {
  return spec.Networks?.find(({ Target }) => Target === networkId);
}
