/**
 * Forwarded operations come from another process, maybe of another version: their form is checked before they run. What
 * is inside a spec is control's to judge, the same as for a call that came in here.
 */
import type { Operation, OperationKind } from "../../api/index.js";
import { ApiError } from "../../base/index.js";

type FieldType =
  | "string"
  | "strings"
  | "boolean"
  | "index"
  | "object"
  | "optionalString"
  | readonly string[];

/** A forwarded operation is at most a service spec with its registry credentials. */
export const OPERATION_BYTES_MAX = 4 * 1024 * 1024;

const AVAILABILITY = ["active", "pause", "drain"] as const;

const SHAPES = {
  "service.create": { serviceId: "string", spec: "object", registryAuth: "string" },
  "service.update": {
    serviceId: "string",
    version: "index",
    spec: "object",
    rollback: ["previous", "none"],
    registryAuth: "optionalString",
    registryAuthFrom: ["spec", "previous-spec"],
  },
  "service.rollback": { serviceId: "string", version: "index", to: "index" },
  "service.rebalance": { serviceId: "string", version: "index" },
  "service.remove": { serviceId: "string" },
  "network.create": { networkId: "string", spec: "object" },
  "network.remove": { networkId: "string" },
  "container.run": { taskId: "string", nodeId: "string", name: "string", spec: "object" },
  "container.remove": { taskId: "string" },
  "network.connect": {
    taskId: "string",
    nodeId: "string",
    containerTaskId: "string",
    containerId: "string",
    containerName: "string",
    network: "string",
    aliases: "strings",
    addresses: "strings",
  },
  "network.disconnect": { nodeId: "string", container: "string", network: "string" },
  "node.update": { nodeId: "string", version: "index", spec: "object" },
  "node.remove": { nodeId: "string", force: "boolean" },
  "cluster.update": {
    version: "index",
    spec: "object",
    rotateWorkerToken: "boolean",
    rotateManagerToken: "boolean",
    rotateManagerUnlockKey: "boolean",
  },
  "ca.issue": {
    nodeId: "string",
    newNodeId: "string",
    csrPem: "string",
    token: "string",
    availability: AVAILABILITY,
  },
  "raft.join": { nodeId: "string", memberId: "string", addr: "string" },
  "raft.leave": { nodeId: "string" },
} as const satisfies Record<OperationKind, Readonly<Record<string, FieldType>>>;

export function encodeOperation(operation: Operation): Uint8Array {
  return Buffer.from(JSON.stringify(operation));
}

/** Throws ApiError InvalidArgument naming the field. Unknown fields are refused: nothing is accepted and ignored. */
export function parseOperation(bytes: Uint8Array): Operation {
  if (bytes.byteLength > OPERATION_BYTES_MAX)
    throw invalid(`is ${bytes.byteLength} bytes, at most ${OPERATION_BYTES_MAX} are taken`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid("is not JSON", error);
  }
  if (!isRecord(value)) throw invalid("is not an object");
  const kind = value["kind"];
  if (typeof kind !== "string" || !isKind(kind))
    throw invalid(`has an unknown kind: ${String(kind)}`);
  const shape: Readonly<Record<string, FieldType>> = SHAPES[kind];
  for (const [field, type] of Object.entries(shape)) {
    if (!matches(value[field], type))
      throw invalid(`${kind}: field ${field} is missing or malformed`);
  }
  for (const field of Object.keys(value)) {
    if (field !== "kind" && !Object.hasOwn(shape, field))
      throw invalid(`${kind}: field ${field} is not supported; upgrade this manager`);
  }
  // Every field was checked against SHAPES above; `optionalString` may be absent in JSON.
  return value as unknown as Operation;
}

function matches(value: unknown, type: FieldType): boolean {
  if (typeof type !== "string") return typeof value === "string" && type.includes(value);
  switch (type) {
    case "string":
      return typeof value === "string";
    case "strings":
      return Array.isArray(value) && value.every((one) => typeof one === "string");
    case "boolean":
      return typeof value === "boolean";
    case "index":
      return Number.isSafeInteger(value) && Number(value) >= 0;
    case "object":
      return isRecord(value);
    case "optionalString":
      return value === undefined || typeof value === "string";
  }
}

function isKind(text: string): text is OperationKind {
  return Object.hasOwn(SHAPES, text);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(text: string, cause?: unknown): ApiError {
  return new ApiError("InvalidArgument", `forwarded operation ${text}`, { cause });
}
