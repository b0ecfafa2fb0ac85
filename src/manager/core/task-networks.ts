/** Addresses of one task. */
import type { Service, Task, TaskNetwork } from "../../api/index.js";
import { type AddressClaim, addressClaims } from "../../store/index.js";
import type { Addresses } from "./address-book.js";
import type { Lack } from "./allocator.js";
import { overlayTargets, wantsIngress } from "./network-needs.js";
import type { NetworkTurn } from "./network-turn.js";
import { takeOn } from "./service-endpoint.js";

/** A service's aliases are in its spec; a task has none of its own. */
const NO_ALIASES: readonly string[] = Object.freeze([]);

export type TaskNetworksPlan =
  | {
      readonly kind: "found";
      readonly networks: readonly TaskNetwork[];
      readonly claims: readonly (AddressClaim & { readonly exceptId: string })[];
    }
  | { readonly kind: "lacking"; readonly lack: Lack };

/** One address per family on each network of the task: those of its own template, which may be older than the service's. */
export function planTaskNetworks(
  task: Task,
  service: Service,
  turn: NetworkTurn,
): TaskNetworksPlan {
  const ids = [...overlayTargets(task.spec)];
  if (wantsIngress(service) && turn.ingress) ids.push(turn.ingress.id);
  const taken: Extract<Addresses, { kind: "taken" }>[] = [];
  for (const id of ids) {
    const found = takeOn(id, turn);
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
      aliases: NO_ALIASES,
    })),
    claims: taken.flatMap((one) =>
      addressClaims(one).map((claim) => ({ ...claim, exceptId: task.id })),
    ),
  };
}
