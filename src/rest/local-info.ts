/** The worker's part of `/info`: asked for with a short limit and kept for a second, so that info never waits. */
import { request } from "node:http";
import type { RestDeps } from "./deps.js";
import { isObject } from "./parse/decoder.js";

const ANSWER_LIMIT_MS = 500;
const KEEP_MS = 1_000;
const ANSWER_BYTES_MAX = 1024 * 1024;

/** Keys of the Engine's `/info` that the worker knows. */
export type LocalInfo = Readonly<Record<string, unknown>>;

export class LocalInfoCache {
  readonly #deps: RestDeps;
  #last: { readonly atMs: number; readonly info: LocalInfo } | undefined;
  #pending: Promise<LocalInfo> | undefined;

  constructor(deps: RestDeps) {
    this.#deps = deps;
  }

  /** Empty when the worker does not answer in time; never rejects. */
  async get(): Promise<LocalInfo> {
    const nowMs = this.#deps.clock.nowMs();
    if (this.#last !== undefined && nowMs - this.#last.atMs < KEEP_MS) return this.#last.info;
    this.#pending ??= this.#ask()
      .then((info) => {
        this.#last = { atMs: this.#deps.clock.nowMs(), info };
        return info;
      })
      .catch(() => this.#last?.info ?? {})
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  #ask(): Promise<LocalInfo> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.#deps.workerSocket, path: "/local/info" });
      const cancel = this.#deps.clock.setTimer(ANSWER_LIMIT_MS, () => {
        asked.destroy(new Error("the worker did not answer in time"));
      });
      asked.on("error", (error) => {
        cancel();
        reject(error);
      });
      asked.on("response", (response) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        response.on("error", reject);
        response.on("data", (chunk: Buffer) => {
          sizeBytes += chunk.length;
          if (sizeBytes > ANSWER_BYTES_MAX) asked.destroy(new Error("answer too large"));
          chunks.push(chunk);
        });
        response.on("end", () => {
          cancel();
          try {
            const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
            if (response.statusCode === 200 && isObject(parsed)) resolve(infoKeys(parsed));
            else reject(new Error(`the worker answered ${response.statusCode}`));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        });
      });
      asked.end();
    });
  }
}

/** The worker's own answer (`LocalInfo` of src/worker/http) in the Engine's words. */
function infoKeys(answer: Readonly<Record<string, unknown>>): LocalInfo {
  const part = (name: string): Readonly<Record<string, unknown>> => {
    const value = answer[name];
    return isObject(value) ? value : {};
  };
  const containers = part("containers");
  const engine = part("engine");
  const problems = [engine["problems"], part("net")["problems"]].flatMap((list) =>
    Array.isArray(list) ? list.map((problem) => `WARNING: ${String(problem)}`) : [],
  );
  return definedOnly({
    Containers: containers["total"],
    ContainersRunning: containers["running"],
    ContainersPaused: containers["paused"],
    ContainersStopped: containers["stopped"],
    Images: answer["images"],
    NCPU: answer["ncpu"],
    MemTotal: answer["memTotal"],
    KernelVersion: answer["kernelVersion"],
    OperatingSystem: answer["operatingSystem"],
    OSVersion: answer["osVersion"],
    Architecture: answer["architecture"],
    Driver: engine["snapshotter"],
    ...runtimeKeys(engine["runtime"]),
    ContainerdCommit:
      engine["kind"] === "containerd"
        ? { ID: engine["version"], Expected: engine["version"] }
        : undefined,
    Warnings: problems,
  });
}

/** The program that runs containers. Nothing while the engine does not know it: `auto` is decided when it opens. */
export function runtimeKeys(runtime: unknown): LocalInfo {
  if (typeof runtime !== "string" || runtime === "") return {};
  const program = runtime === "simulated" ? {} : { path: runtime };
  return { Runtimes: { [runtime]: program }, DefaultRuntime: runtime };
}

function definedOnly(keys: Readonly<Record<string, unknown>>): LocalInfo {
  return Object.fromEntries(
    Object.entries(keys).filter(([, value]) => value !== undefined && value !== ""),
  );
}
