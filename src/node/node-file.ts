/** node.json: the membership record on disk. Changes go through events, one write each, in order. */
import type { ManagerAddr } from "../api/index.js";
import {
  INACTIVE,
  type MembershipEvent,
  type NodeRecord,
  stepMembership,
} from "./core/membership.js";
import { readFileIfAny, writeFileDurably } from "./durable-file.js";

const FORMAT_VERSION = 1;

export class NodeFile {
  readonly #path: string;
  #record: NodeRecord;
  #writes: Promise<unknown> = Promise.resolve();

  private constructor(path: string, record: NodeRecord) {
    this.#path = path;
    this.#record = record;
  }

  /** Rejects with an error naming the file when its content is not ours. */
  static async open(path: string): Promise<NodeFile> {
    const text = await readFileIfAny(path);
    return new NodeFile(path, text === undefined ? INACTIVE : parseRecord(text, path));
  }

  get record(): NodeRecord {
    return this.#record;
  }

  /** Applies the event to the record as it is after all earlier ones; resolves once that is on disk. */
  apply(
    event: MembershipEvent,
  ): Promise<{ readonly record: NodeRecord; readonly isChanged: boolean }> {
    const done = this.#writes.then(async () => {
      const next = stepMembership(this.#record, event);
      if (next === this.#record) return { record: next, isChanged: false };
      const text = JSON.stringify({ formatVersion: FORMAT_VERSION, ...next }, null, 2);
      await writeFileDurably(this.#path, `${text}\n`, 0o600);
      this.#record = next;
      return { record: next, isChanged: true };
    });
    // A failed write is the caller's error; the next event is tried all the same.
    this.#writes = done.catch(() => undefined);
    return done;
  }
}

function parseRecord(text: string, path: string): NodeRecord {
  const fail = (why: string, cause?: unknown): Error =>
    new Error(
      `${path} cannot be used: ${why}. Restore it from a backup, or move the state directory away and join again`,
      { cause },
    );
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw fail("it is not JSON", cause);
  }
  if (!isObject(raw)) throw fail("it is not a JSON object");
  if (raw["formatVersion"] !== FORMAT_VERSION) {
    throw fail(
      `it has format ${String(raw["formatVersion"])}, this program knows ${FORMAT_VERSION}`,
    );
  }
  const { formatVersion: _, ...record } = raw;
  if (!isRecord(record)) throw fail(`its kind is ${String(record["kind"])} or a field is missing`);
  return record;
}

function isRecord(raw: Record<string, unknown>): raw is Record<string, unknown> & NodeRecord {
  const hasTexts = (...names: string[]): boolean =>
    names.every((name) => typeof raw[name] === "string");
  switch (raw["kind"]) {
    case "inactive":
    case "leaving":
      return hasTexts("lastError");
    case "initializing":
      return true;
    case "joining":
      return isObject(raw["attempt"]) && Array.isArray(raw["attempt"]["remoteAddrs"]);
    case "member":
      return (
        hasTexts("nodeId", "clusterId", "advertiseAddr", "listenAddr") &&
        // Absent in records of earlier versions.
        (raw["dataPathAddr"] === undefined || typeof raw["dataPathAddr"] === "string") &&
        (raw["isForcingNewCluster"] === undefined ||
          typeof raw["isForcingNewCluster"] === "boolean") &&
        (raw["role"] === "manager" || raw["role"] === "worker") &&
        Array.isArray(raw["managers"]) &&
        raw["managers"].every(isManagerAddr) &&
        ["hasRaftLog", "hasStaleLog", "isSettled", "isRemoved"].every(
          (name) => typeof raw[name] === "boolean",
        )
      );
    default:
      return false;
  }
}

function isManagerAddr(raw: unknown): raw is ManagerAddr {
  return isObject(raw) && typeof raw["nodeId"] === "string" && typeof raw["addr"] === "string";
}

function isObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}
