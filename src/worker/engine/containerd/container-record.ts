/**
 * What we keep with a containerd container. The fixed part is one JSON extension (labels of containerd are limited to 4 KiB
 * each); how it ended is in labels, because it is written once, later, by itself.
 */
import type { ContainerState, ExitStatus } from "../port.js";
import { type Any, containerd, jsonAny, timestampMs } from "./wire.js";

export const RECORD_TYPE = "swarm.engine/container";
export const EXIT_LABEL = "swarm.engine/exit";
/** Shown to people who look with `ctr`; the truth is in the record. */
const VISIBLE_LABELS = ["com.docker.swarm.task.id", "com.docker.swarm.service.id"];
/** The container was there when the node went down, or its shim was killed: nobody saw how it ended. */
const EXIT_CODE_UNKNOWN = 255;

export type ContainerRecord = {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly isTty: boolean;
  readonly cgroupsPath: string;
  readonly cwd: string;
  readonly env: readonly string[];
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids: readonly number[];
  };
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
};

type Container = containerd.services.containers.v1.Container.$Properties;
type Process = containerd.v1.types.Process.$Properties;

export function encodeRecord(record: ContainerRecord): Any {
  return jsonAny(RECORD_TYPE, JSON.stringify(record));
}

export function visibleLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    VISIBLE_LABELS.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])),
  );
}

/** undefined for a container that somebody else made in our namespace: it is left alone. */
export function decodeRecord(container: Container): ContainerRecord | undefined {
  const any = container.extensions?.[RECORD_TYPE];
  if (any?.value === undefined || any.value === null) return undefined;
  // Only this engine writes the extension, and containerd keeps it byte for byte.
  return JSON.parse(Buffer.from(any.value).toString("utf8")) as ContainerRecord;
}

export function encodeExit(exit: ExitStatus): string {
  return `${exit.exitCode},${exit.finishedAtMs},${exit.isOomKilled ? "oom" : ""}`;
}

export function decodeExit(container: Container): ExitStatus | undefined {
  const text = container.labels?.[EXIT_LABEL];
  if (text === undefined) return undefined;
  const [code = "", finished = "", oom = ""] = text.split(",");
  return { exitCode: Number(code), finishedAtMs: Number(finished), isOomKilled: oom === "oom" };
}

/** Joins record and task. `isOomKilled` of a task not yet settled is not known here and filled in by the watcher. */
export function toState(
  container: Container,
  record: ContainerRecord,
  task: Process | undefined,
): ContainerState {
  const base = {
    id: container.id ?? "",
    name: record.name,
    image: record.image,
    labels: record.labels,
    createdAtMs: timestampMs(container.createdAt) ?? 0,
  };
  const status = containerd.v1.types.Status;
  const settled = decodeExit(container);
  if (settled !== undefined) return { ...base, state: "exited", pid: 0, exit: settled };
  switch (task?.status) {
    case status.CREATED:
      return { ...base, state: "created", pid: 0, exit: undefined };
    case status.RUNNING:
      return { ...base, state: "running", pid: task?.pid ?? 0, exit: undefined };
    case status.PAUSED:
    case status.PAUSING:
      return { ...base, state: "paused", pid: task?.pid ?? 0, exit: undefined };
    case status.STOPPED:
      return {
        ...base,
        state: "exited",
        pid: 0,
        exit: {
          exitCode: task?.exitStatus ?? EXIT_CODE_UNKNOWN,
          finishedAtMs: timestampMs(task?.exitedAt) ?? 0,
          isOomKilled: false,
        },
      };
    default:
      return { ...base, state: "exited", pid: 0, exit: lostExit(timestampMs(container.updatedAt)) };
  }
}

export function lostExit(finishedAtMs: number | undefined): ExitStatus {
  return { exitCode: EXIT_CODE_UNKNOWN, finishedAtMs: finishedAtMs ?? 0, isOomKilled: false };
}
