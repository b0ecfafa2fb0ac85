/** Virtual addresses and published ports of one service. */
import {
  type Change,
  keptPorts,
  type Precondition,
  type Service,
  type VirtualIp,
} from "../../api/index.js";
import { allocatePorts } from "../../overlay-net/core/index.js";
import { addressClaims } from "../../store/index.js";
import type { Addresses } from "./address-book.js";
import { wantsIngress } from "./network-needs.js";
import type { NetworkTurn, Planned } from "./network-turn.js";

const NO_INGRESS =
  "ports are published through the ingress network, and there is none: create one with `network create --ingress`";

/** `waiting`: why networks have no subnets, by id. What the service has and still wants, it keeps. */
export function planEndpoint(
  service: Service,
  turn: NetworkTurn,
  waiting: ReadonlyMap<string, string>,
): Planned {
  if (wantsIngress(service) && !turn.ingress) return lacking(NO_INGRESS);
  if (turn.isComplete(service)) return { isPlanned: true };
  const { id, spec, specVersion } = service;
  const wanted = keptPorts(spec.EndpointSpec?.Ports ?? [], service.ports);
  const ports = allocatePorts(wanted, (protocol, port) => turn.isPortFree(protocol, port));
  if (ports.kind === "exhausted") return lacking(ports.reason);
  const vips: VirtualIp[] = [];
  const taken: Extract<Addresses, { kind: "taken" }>[] = [];
  for (const networkId of turn.vipNetworksOf(service)) {
    const kept = service.vips.find((vip) => vip.networkId === networkId);
    if (kept) {
      vips.push(kept);
      continue;
    }
    const found = takeOn(networkId, turn, waiting);
    if (found.kind === "exhausted") {
      for (const one of taken) turn.giveBack(one);
      return { isPlanned: true, lack: found };
    }
    taken.push(found);
    const { address, address6 } = found;
    vips.push({ networkId, address, address6 });
  }
  const claims: Precondition[] = [
    ...taken.flatMap((one) =>
      addressClaims(one).map((claim) => ({ kind: "addressFree", ...claim, exceptId: id }) as const),
    ),
    ...ports.ports.flatMap((port, i) =>
      port.PublishedPort && port !== wanted[i]
        ? [
            {
              kind: "portFree" as const,
              protocol: port.Protocol,
              publishedPort: port.PublishedPort,
              publishMode: port.PublishMode,
              exceptServiceId: id,
            },
          ]
        : [],
    ),
  ];
  const change: Change = {
    kind: "serviceEndpoint",
    serviceId: id,
    specVersion,
    vips,
    ports: ports.ports,
  };
  const isPlanned = turn.plan.claim(claims, change);
  if (isPlanned) turn.portsPlanned(ports.ports);
  else for (const one of taken) turn.giveBack(one);
  return { isPlanned };
}

/** An address on the network, or why there is none, with the network's name. */
export function takeOn(
  networkId: string,
  turn: NetworkTurn,
  waiting?: ReadonlyMap<string, string>,
  wanted: readonly string[] = [],
): Addresses {
  const name = turn.view.network(networkId)?.spec.Name ?? networkId;
  if (!turn.isReady(networkId)) {
    const reason = waiting?.get(networkId) ?? "it has no subnet yet";
    return { kind: "exhausted", reason: `network ${name}: ${reason}`, retryAtMs: undefined };
  }
  const found = turn.take(networkId, wanted);
  return found.kind === "taken" ? found : { ...found, reason: `network ${name}: ${found.reason}` };
}

function lacking(reason: string): Planned {
  return { isPlanned: true, lack: { reason, retryAtMs: undefined } };
}
