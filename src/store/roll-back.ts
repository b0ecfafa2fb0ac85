/** The automatic rollback of a service. In apply, as only there what else there is is sure. */
import { keptPorts, type Service, type ServiceSpec } from "../api/index.js";
import { historyOf } from "./spec-history.js";
import type { Tables } from "./tables.js";

/**
 * The two specs change places with all that belongs to them, so that the failed one can be gone back to. As with a client's write
 * `clientIndex` moves: who read the spec before must not write it back unknowingly. When another service publishes one of the old
 * ports by now, or one of the old networks is gone, the update is paused instead.
 */
export function rolledBack(
  old: Service,
  previousSpec: ServiceSpec,
  message: string,
  tables: Tables,
  stamp: { readonly index: number; readonly atMs: number },
): Service {
  const startedAtMs = old.updateStatus?.startedAtMs ?? stamp.atMs;
  const touched = { versionIndex: stamp.index, updatedAtMs: stamp.atMs };
  const obstacle = takenPort(old, previousSpec, tables) ?? goneNetwork(previousSpec, tables);
  if (obstacle !== undefined) {
    const text = `${message}; update paused: cannot roll back, ${obstacle}`;
    const updateStatus = { state: "paused", startedAtMs, completedAtMs: 0, message: text } as const;
    return { ...old, ...touched, updateStatus };
  }
  const registryAuth = old.previousRegistryAuth;
  const made = { spec: previousSpec, registryAuth, specBy: "", isAutomatic: true };
  return {
    ...old,
    ...touched,
    clientIndex: stamp.index,
    spec: previousSpec,
    specVersion: old.previousSpecVersion,
    previousSpec: old.spec,
    previousSpecVersion: old.specVersion,
    registryAuth,
    previousRegistryAuth: old.registryAuth,
    ports: keptPorts(previousSpec.EndpointSpec?.Ports ?? [], old.ports),
    updateStatus: { state: "rollback_started", startedAtMs, completedAtMs: 0, message },
    history: historyOf(old, made, tables.specHistoryLimit, stamp),
    specBy: "",
  };
}

function takenPort(service: Service, spec: ServiceSpec, tables: Tables): string | undefined {
  for (const port of spec.EndpointSpec?.Ports ?? []) {
    if (!port.PublishedPort) continue;
    const [holderId] = tables.service.ports.conflicts(
      port.Protocol,
      port.PublishedPort,
      port.PublishMode,
      service.id,
    );
    if (holderId !== undefined) {
      const name = tables.service.get(holderId)?.spec.Name ?? holderId;
      return `port ${port.PublishedPort}/${port.Protocol} is published by service ${name} now`;
    }
  }
  return undefined;
}

/** What every node has by itself is stored by name. */
const NODE_NETWORKS: ReadonlySet<string> = new Set(["host", "bridge", "none"]);

function goneNetwork({ TaskTemplate }: ServiceSpec, tables: Tables): string | undefined {
  const gone = (TaskTemplate.Networks ?? []).find(
    ({ Target }) => !NODE_NETWORKS.has(Target) && !tables.network.get(Target),
  );
  return gone && `network ${gone.Target} was removed`;
}
