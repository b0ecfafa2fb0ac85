import { unreachable } from "../../base/index.js";
import type { TableName } from "../objects.js";
import type { Precondition } from "../transaction.js";
import type { swarm } from "../wire.js";
import { CodecError } from "./codec-error.js";
import { enumField, uint32Field, uintField } from "./fields.js";
import { protocol } from "./tasks.js";

type PreconditionMessage = Parameters<typeof swarm.objects.Precondition.encode>[0];

export const tableName = enumField<TableName>(
  ["cluster", "node", "service", "task", "network", "secret", "config"],
  "table",
);
const namedTable = enumField<"service" | "network" | "secret" | "config">(
  ["service", "network", "secret", "config"],
  "table with names",
);
const referredTable = enumField<"network" | "secret" | "config">(
  ["network", "secret", "config"],
  "table with references",
);
const publishMode = enumField<"ingress" | "host">(["ingress", "host"], "publish mode");

export function preconditionMessage(p: Precondition): PreconditionMessage {
  switch (p.kind) {
    case "versionIs":
    case "clientVersion":
      return {
        kind: p.kind,
        table: tableName(p.table),
        id: p.id,
        index: uintField(p.index, "precondition index"),
      };
    case "exists":
    case "absent":
      return { kind: p.kind, table: tableName(p.table), id: p.id };
    case "nameFree":
      return { kind: p.kind, table: namedTable(p.table), name: p.name, exceptId: p.exceptId };
    case "portFree":
      return {
        kind: p.kind,
        protocol: protocol(p.protocol),
        publishedPort: uint32Field(p.publishedPort, "published port"),
        publishMode: publishMode(p.publishMode),
        exceptId: p.exceptServiceId,
      };
    case "unreferenced":
      return { kind: p.kind, table: referredTable(p.table), id: p.id };
    case "addressFree":
      return {
        kind: p.kind,
        networkId: p.networkId,
        address: p.address,
        exceptId: p.exceptId,
      };
    case "vniFree":
      return { kind: p.kind, vni: uint32Field(p.vni, "vni"), exceptId: p.exceptId };
    case "subnetFree":
      return { kind: p.kind, subnet: p.subnet, exceptId: p.exceptId };
    case "decodable":
      throw new CodecError("UNKNOWN_VALUE", "precondition decodable is implied, never sent");
    default:
      return unreachable(p, "preconditionMessage");
  }
}

export function readPrecondition(m: PreconditionMessage): Precondition {
  const id = m.id ?? "";
  switch (m.kind) {
    case "versionIs":
    case "clientVersion":
      return {
        kind: m.kind,
        table: tableName(m.table),
        id,
        index: uintField(m.index, "precondition index"),
      };
    case "exists":
    case "absent":
      return { kind: m.kind, table: tableName(m.table), id };
    case "nameFree":
      return {
        kind: "nameFree",
        table: namedTable(m.table),
        name: m.name ?? "",
        exceptId: m.exceptId ?? "",
      };
    case "portFree":
      return {
        kind: "portFree",
        protocol: protocol(m.protocol),
        publishedPort: m.publishedPort ?? 0,
        publishMode: publishMode(m.publishMode),
        exceptServiceId: m.exceptId ?? "",
      };
    case "unreferenced":
      return { kind: "unreferenced", table: referredTable(m.table), id };
    case "addressFree":
      return {
        kind: "addressFree",
        networkId: m.networkId ?? "",
        address: m.address ?? "",
        exceptId: m.exceptId ?? "",
      };
    case "vniFree":
      return { kind: "vniFree", vni: m.vni ?? 0, exceptId: m.exceptId ?? "" };
    case "subnetFree":
      return { kind: "subnetFree", subnet: m.subnet ?? "", exceptId: m.exceptId ?? "" };
    default:
      throw new CodecError("UNKNOWN_VALUE", `unknown precondition ${JSON.stringify(m.kind ?? "")}`);
  }
}
