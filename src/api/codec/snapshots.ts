/** The records of a snapshot ⇄ protobuf. Their order and what it proves is the store's business (src/store). */
import type { Cluster, Config, Network, Node, Secret, Service, Task } from "../objects.js";
import type { TaskSpec } from "../spec.js";
import { swarm } from "../wire.js";
import { CodecError } from "./codec-error.js";
import { timeField, uintField } from "./fields.js";
import {
  clusterMessage,
  configMessage,
  networkMessage,
  nodeMessage,
  readCluster,
  readConfig,
  readNetwork,
  readNode,
  readSecret,
  readService,
  secretMessage,
  serviceMessage,
} from "./objects.js";
import { decodeSpec } from "./spec-interning.js";
import { readTask, taskMessage } from "./tasks.js";

export type StoredResultRecord = {
  readonly requestId: string;
  readonly atMs: number;
  readonly index: number;
  readonly resultJson: string;
};

export type SnapshotRecord =
  | { readonly kind: "header"; readonly format: number; readonly index: number }
  /** Task spec number n (the nth such record, from 1). */
  | { readonly kind: "spec"; readonly specJson: Uint8Array }
  | { readonly kind: "cluster"; readonly object: Cluster }
  | { readonly kind: "node"; readonly object: Node }
  | { readonly kind: "service"; readonly object: Service }
  | { readonly kind: "task"; readonly object: Task }
  | { readonly kind: "network"; readonly object: Network }
  | { readonly kind: "secret"; readonly object: Secret }
  | { readonly kind: "config"; readonly object: Config }
  | { readonly kind: "result"; readonly result: StoredResultRecord }
  | { readonly kind: "end"; readonly recordCount: number; readonly crc32: number };

type RecordMessage = Parameters<typeof swarm.objects.SnapshotRecord.encode>[0];

/** One record without its length prefix. */
export function encodeSnapshotRecord(
  record: SnapshotRecord,
  specRef: (spec: TaskSpec) => number,
): Uint8Array {
  return swarm.objects.SnapshotRecord.encode(recordMessage(record, specRef)).finish();
}

/** `specs` are the specs of the records before. Throws CodecError only. */
export function decodeSnapshotRecord(
  bytes: Uint8Array,
  specs: readonly TaskSpec[],
): Exclude<SnapshotRecord, { kind: "spec" }> | { readonly kind: "spec"; readonly spec: TaskSpec } {
  const m = parse(bytes);
  if (m.header)
    return {
      kind: "header",
      format: m.header.format ?? 0,
      index: uintField(m.header.index, "snapshot index"),
    };
  if (m.specJson) return { kind: "spec", spec: decodeSpec<TaskSpec>(m.specJson, "spec_json") };
  if (m.task) return { kind: "task", object: readTask(m.task, specs) };
  if (m.cluster) return { kind: "cluster", object: readCluster(m.cluster) };
  if (m.node) return { kind: "node", object: readNode(m.node) };
  if (m.service) return { kind: "service", object: readService(m.service) };
  if (m.network) return { kind: "network", object: readNetwork(m.network) };
  if (m.secret) return { kind: "secret", object: readSecret(m.secret) };
  if (m.config) return { kind: "config", object: readConfig(m.config) };
  if (m.result)
    return {
      kind: "result",
      result: {
        requestId: m.result.requestId ?? "",
        atMs: timeField(m.result.atMs, "result time"),
        index: uintField(m.result.index, "result index"),
        resultJson: m.result.resultJson ?? "",
      },
    };
  if (m.end)
    return {
      kind: "end",
      recordCount: uintField(m.end.recordCount, "record count"),
      crc32: m.end.crc32 ?? 0,
    };
  throw new CodecError("UNSUPPORTED_FORMAT", "a snapshot record this version does not know");
}

function recordMessage(record: SnapshotRecord, specRef: (spec: TaskSpec) => number): RecordMessage {
  switch (record.kind) {
    case "header":
      return { header: { format: record.format, index: record.index } };
    case "spec":
      return { specJson: record.specJson };
    case "cluster":
      return { cluster: clusterMessage(record.object) };
    case "node":
      return { node: nodeMessage(record.object) };
    case "service":
      return { service: serviceMessage(record.object) };
    case "task":
      return { task: taskMessage(record.object, specRef) };
    case "network":
      return { network: networkMessage(record.object) };
    case "secret":
      return { secret: secretMessage(record.object) };
    case "config":
      return { config: configMessage(record.object) };
    case "result":
      return { result: record.result };
    case "end":
      return { end: { recordCount: record.recordCount, crc32: record.crc32 } };
  }
}

function parse(bytes: Uint8Array): ReturnType<typeof swarm.objects.SnapshotRecord.decode> {
  try {
    return swarm.objects.SnapshotRecord.decode(bytes);
  } catch (error) {
    throw new CodecError("MALFORMED", "snapshot record is no protobuf message", { cause: error });
  }
}
