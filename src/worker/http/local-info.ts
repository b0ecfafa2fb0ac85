/** What `/info` and `/version` of the REST door need to know of this node; internal. */
import { readFile } from "node:fs/promises";
import { arch, release } from "node:os";
import { dockerArchitecture, memoryBytes, nanoCpus } from "../agent/index.js";
import { hasContainer, runView } from "./container-view.js";
import type { HttpContext } from "./context.js";

export type LocalInfo = {
  readonly containers: {
    readonly total: number;
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
  };
  readonly images: number;
  readonly ncpu: number;
  readonly memTotal: number;
  readonly kernelVersion: string;
  /** PRETTY_NAME of os-release. */
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** As docker prints it: x86_64, aarch64. */
  readonly architecture: string;
  readonly hostname: string;
  readonly engine: {
    readonly kind: "containerd" | "simulated";
    readonly version: string;
    readonly runtime: string;
    readonly snapshotter: string;
    /** Each with its remedy; empty when all is well. */
    readonly problems: readonly string[];
  };
  readonly net: {
    readonly bridge: string;
    readonly subnet: string;
    readonly problems: readonly string[];
  };
  readonly isSessionUp: boolean;
};

const NANO = 1e9;
/** The door waits 500 ms for all of it. */
const ANSWER_WITHIN_MS = 300;
const UNKNOWN_ENGINE = { version: "", runtime: "", snapshotter: "" };

export async function localInfo(context: HttpContext): Promise<LocalInfo> {
  const runners = context.tasks.runners().filter((runner) => hasContainer(runner.record));
  const running = runners.filter((runner) => runView(runner).state === "running").length;
  const [engine, images, net, os, cpus] = await Promise.all([
    within(context, context.engine.info(), UNKNOWN_ENGINE),
    within(context, context.engine.images(), []),
    context.net.status().catch((error: unknown) => ({
      bridge: "",
      subnet: "",
      problems: [error instanceof Error ? error.message : String(error)],
    })),
    osRelease(),
    nanoCpus(),
  ]);
  const problem = context.engineProblem();
  return {
    containers: {
      total: runners.length,
      running,
      paused: 0,
      stopped: runners.length - running,
    },
    images: images.length,
    ncpu: Math.max(1, Math.floor(cpus / NANO)),
    memTotal: memoryBytes(),
    kernelVersion: release(),
    operatingSystem: os.name,
    osVersion: os.version,
    architecture: dockerArchitecture(arch()),
    hostname: context.node().hostname,
    engine: { kind: context.engine.kind, ...engine, problems: problem === "" ? [] : [problem] },
    net,
    isSessionUp: context.isSessionUp(),
  };
}

/** The answer, or `otherwise` if it fails or takes too long. */
function within<T>(context: HttpContext, answer: Promise<T>, otherwise: T): Promise<T> {
  return Promise.race([
    answer.catch(() => otherwise),
    context.clock.sleep(ANSWER_WITHIN_MS).then(() => otherwise),
  ]);
}

async function osRelease(): Promise<{ readonly name: string; readonly version: string }> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return { name: field("PRETTY_NAME") || "Linux", version: field("VERSION_ID") };
}
