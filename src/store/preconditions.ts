import {
  type Precondition,
  type Rejection,
  type Service,
  TASK_STATE,
  type TaskSpec,
} from "../api/index.js";
import { unreachable } from "../base/index.js";
import type { Tables } from "./tables.js";

/** Objects listed in a rejection; enough for a message. */
const CONFLICTS_MAX = 10;

/** The first precondition of the list that does not hold, or undefined. Reads the state only. */
export function firstRejection(
  tables: Tables,
  preconditions: readonly Precondition[],
): Rejection | undefined {
  for (const precondition of preconditions) {
    const failure = check(tables, precondition);
    if (failure) return { ...failure, precondition };
  }
  return undefined;
}

type Failure = Pick<Rejection, "code" | "conflictsWith">;

function check(tables: Tables, p: Precondition): Failure | undefined {
  switch (p.kind) {
    case "versionIs": {
      const object = tables.get(p.table, p.id);
      if (!object) return { code: "NOT_FOUND", conflictsWith: [p.id] };
      return object.versionIndex === p.index
        ? undefined
        : { code: "OUT_OF_SEQUENCE", conflictsWith: [p.id] };
    }
    case "clientVersion": {
      const object = tables.get(p.table, p.id);
      if (!object) return { code: "NOT_FOUND", conflictsWith: [p.id] };
      // Tasks have no client writes: theirs must match exactly.
      const clientIndex = "clientIndex" in object ? object.clientIndex : object.versionIndex;
      return clientIndex <= p.index && p.index <= object.versionIndex
        ? undefined
        : { code: "OUT_OF_SEQUENCE", conflictsWith: [p.id] };
    }
    case "exists":
      return tables.get(p.table, p.id) ? undefined : { code: "NOT_FOUND", conflictsWith: [p.id] };
    case "absent":
      return tables.get(p.table, p.id) ? { code: "EXISTS", conflictsWith: [p.id] } : undefined;
    case "nameFree": {
      const holder = tables[p.table].byName(p.name);
      return holder && holder.id !== p.exceptId
        ? { code: "NAME_CONFLICT", conflictsWith: [holder.id] }
        : undefined;
    }
    case "portFree": {
      const holders = tables.service.ports.conflicts(
        p.protocol,
        p.publishedPort,
        p.publishMode,
        p.exceptServiceId,
      );
      return holders.length > 0
        ? { code: "PORT_CONFLICT", conflictsWith: holders.slice(0, CONFLICTS_MAX) }
        : undefined;
    }
    case "unreferenced": {
      const users = usersOf(tables, p.table, p.id);
      return users.length > 0 ? { code: "IN_USE", conflictsWith: users } : undefined;
    }
    case "addressFree":
      return inTheWay(
        "ADDRESS_CONFLICT",
        tables.addresses.holders(p.networkId, p.address, p.exceptId),
      );
    case "vniFree":
      return inTheWay("VNI_CONFLICT", tables.network.claims.vniHolders(p.vni, p.exceptId));
    case "subnetFree":
      return inTheWay("SUBNET_CONFLICT", tables.network.claims.subnetHolders(p.subnet, p.exceptId));
    case "decodable":
      return undefined;
    default:
      return unreachable(p, "check precondition");
  }
}

function inTheWay(code: Failure["code"], holders: readonly string[]): Failure | undefined {
  return holders.length > 0 ? { code, conflictsWith: holders.slice(0, CONFLICTS_MAX) } : undefined;
}

/** Ids of services, else of live tasks, that refer to the object (spec §6.9: tasks told to stop do not count). */
function usersOf(
  tables: Tables,
  table: "network" | "secret" | "config",
  id: string,
): readonly string[] {
  const services = tables.service
    .list()
    .filter((service: Service) => refersTo(service.spec.TaskTemplate, table, id));
  if (services.length > 0) return services.slice(0, CONFLICTS_MAX).map((service) => service.id);
  // Thousands of tasks share one spec: each spec is looked into once.
  const seen = new Map<TaskSpec, boolean>();
  const users: string[] = [];
  for (const task of tables.task.list()) {
    if (task.desiredState > TASK_STATE.running || task.state > TASK_STATE.running) continue;
    // Its service was removed a moment ago: it is about to be told.
    if (task.serviceId !== "" && !tables.service.get(task.serviceId)) continue;
    let refers = seen.get(task.spec);
    if (refers === undefined) {
      refers = refersTo(task.spec, table, id);
      seen.set(task.spec, refers);
    }
    if (refers && users.push(task.id) === CONFLICTS_MAX) break;
  }
  return users;
}

function refersTo(spec: TaskSpec, table: "network" | "secret" | "config", id: string): boolean {
  switch (table) {
    case "network":
      return spec.Networks?.some((network) => network.Target === id) ?? false;
    case "secret":
      return spec.ContainerSpec.Secrets?.some((secret) => secret.SecretID === id) ?? false;
    case "config":
      return spec.ContainerSpec.Configs?.some((config) => config.ConfigID === id) ?? false;
    default:
      return unreachable(table, "refersTo");
  }
}
