/** The built net process on a host of the benchmark's own. The benchmark is its supervisor, its worker and its managers. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import type { NetworkState, Tunnel } from "./cluster-state.js";
import type { BenchHost } from "./hosts.js";

const dist = (path: string): string => new URL(`../../${path}`, import.meta.url).href;
const PROGRAM = new URL("../../overlay-net/main.js", import.meta.url).pathname;
/** As the supervisor starts it, and so that its garbage can be collected from outside. */
const NODE_OPTIONS = [
  "--max-semi-space-size=2",
  "--expose-gc",
  `--import=${new URL("collect-on-signal.js", import.meta.url).href}`,
];
/** Pages that a collection freed are given back by a thread of its own. */
const GIVE_BACK_MS = 2_000;
/**
 * The least of so many is what is kept: what one collection finalizes is garbage of the next, and while the process compares ten thousand
 * entries with the kernel's, every 10 s, it holds some 30 MiB more.
 */
const KEPT_LOOKS = 7;
/** What the process keeps for a short time only is gone after it. */
export const REST_MS = 8_000;
/** 10,000 endpoints are some 4 MB. */
const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;

type Method = {
  readonly path: string;
  readonly requestSerialize: (message: object) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => object;
};
type Api = {
  readonly netService: Readonly<Record<string, Method>>;
  nodePaths(config: object): { readonly netSocket: string };
};

export type NetworksReply = { readonly appliedIndex: number; readonly tunnel?: Tunnel | null };
export type AttachReply = { readonly netnsPath: string };
export type StatusReply = { readonly plane?: { readonly kernel: string } | null };
export type VerifyReply = { readonly drifts: readonly { readonly what: string }[] };

const { netService, nodePaths } = (await import(dist("api/index.js"))) as Api;

export type Memory = {
  readonly rssMib: number;
  readonly pssMib: number;
  /** Open files. */
  readonly fdCount: number;
};

export class NetProcess implements AsyncDisposable {
  readonly host: BenchHost;
  readonly #child: ChildProcess;
  readonly #client: Client;

  private constructor(host: BenchHost, child: ChildProcess, client: Client) {
    this.host = host;
    this.#child = child;
    this.#client = client;
  }

  /** `nodeOptions`: arguments of node itself, for profiles. */
  static async start(
    host: BenchHost,
    dir: string,
    nodeOptions: readonly string[],
  ): Promise<NetProcess> {
    const runDir = join(dir, host.netns);
    mkdirSync(runDir, { recursive: true });
    const config = {
      ...{ hostname: host.netns, stateDir: runDir, runDir, socket: join(runDir, "swarm.sock") },
      ...{ containerdAddress: "/nowhere", containerdNamespace: "t", cgroupParent: "/t" },
      ...{ engine: "containerd", runtime: "auto", advertiseAddr: "", listenAddr: "" },
      ...{ gwbridgePool: "172.20.0.0/14", genericResources: [], logLevel: "error" },
    };
    const child = spawn(
      "nsenter",
      [
        `--net=/run/netns/${host.netns}`,
        ...[process.execPath, ...NODE_OPTIONS, ...nodeOptions, PROGRAM],
      ],
      { stdio: ["ignore", "ignore", "inherit", "ipc"], serialization: "advanced", cwd: runDir },
    );
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`net ended with ${code}`)));
      child.send({ kind: "start", config, identity: { nodeId: host.nodeId }, bootId: "bench" });
    });
    const client = new Client(`unix:${nodePaths(config).netSocket}`, credentials.createInsecure(), {
      "grpc.max_send_message_length": MESSAGE_MAX_BYTES,
    });
    return new NetProcess(host, child, client);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The managers' whole word. Throws when the kernel was not brought to it. */
  async complete(state: NetworkState): Promise<NetworksReply> {
    return await this.#setNetworks(
      { complete: true, appliesTo: 0, resultsIn: state.index },
      JSON.stringify(state),
    );
  }

  /** What changed since `appliesTo`, as `{ endpoints: { set, removed }, … }`. */
  async difference(appliesTo: number, delta: { readonly index: number }): Promise<NetworksReply> {
    return await this.#setNetworks(
      { complete: false, appliesTo, resultsIn: delta.index },
      JSON.stringify(delta),
    );
  }

  async attach(taskId: string, networkIds: readonly string[]): Promise<string> {
    const request = { containerId: taskId, mode: "default", taskId, networkIds: [...networkIds] };
    const { netnsPath } = await this.call<AttachReply>("attach", request);
    return netnsPath.replace("/run/netns/", "");
  }

  async release(taskId: string): Promise<void> {
    await this.call("release", { containerId: taskId });
  }

  /** Throws when the kernel is not what it should be. */
  async verify(): Promise<void> {
    const { drifts } = await this.call<VerifyReply>("verify", {});
    if (drifts.length > 0)
      throw new Error(
        `${this.host.netns} is not as it should be: ${drifts.map(({ what }) => what).join("; ")}`,
      );
  }

  call<Reply>(name: string, request: object): Promise<Reply> {
    const method = netService[name];
    if (method === undefined) throw new Error(`no call ${name}`);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        (message: object) => method.requestSerialize(message),
        (bytes: Buffer) => method.responseDeserialize(bytes),
        request,
        (error, reply) => {
          if (error !== null) reject(error);
          else resolve(reply as Reply);
        },
      );
    });
  }

  memory(): Memory {
    const rollup = readFileSync(`/proc/${this.pid}/smaps_rollup`, "utf8");
    const mib = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0) / 1024;
    const fdCount = readdirSync(`/proc/${this.pid}/fd`).length;
    return { rssMib: mib("Rss"), pssMib: mib("Pss"), fdCount };
  }

  /** Without garbage, and without what the process keeps for a short time only. */
  async keptMemory(): Promise<Memory> {
    await delay(REST_MS);
    const looks: Memory[] = [];
    for (let i = 0; i < KEPT_LOOKS; i++) {
      this.#child.kill("SIGUSR2");
      await delay(GIVE_BACK_MS);
      looks.push(this.memory());
    }
    return looks.reduce((least, look) => (look.pssMib < least.pssMib ? look : least));
  }

  /** While it runs nothing of this process: what is in the kernel works on. */
  async frozen<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#child.kill("SIGSTOP");
    try {
      return await run();
    } finally {
      this.#child.kill("SIGCONT");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    if (this.#child.exitCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    // Asked first: a profile is written at the end.
    if (this.#child.connected) this.#child.send({ kind: "stop" });
    const limit = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await gone;
    clearTimeout(limit);
  }

  async #setNetworks(fields: object, body: string): Promise<NetworksReply> {
    const { resultsIn } = fields as { resultsIn: number };
    const reply = await this.call<NetworksReply>("setNetworks", {
      ...fields,
      bodyJson: Buffer.from(body),
    });
    if (Number(reply.appliedIndex) !== resultsIn)
      throw new Error(`${this.host.netns}: not everything is in the kernel`);
    return reply;
  }
}
