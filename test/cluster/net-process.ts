/** A net process on a host of the test's own, and the calls to it: the test is its worker and its managers. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import {
  type NodeConfig,
  netService,
  nodePaths,
  type swarm,
  type ToChild,
} from "../../src/api/index.js";
import type { NetworkState } from "../../src/overlay-net/core/network-state.js";
import { sh } from "./overlay-hosts.js";

const main = new URL("../../dist/overlay-net/main.js", import.meta.url).pathname;

export type NetHost = {
  readonly nodeId: string;
  /** Name below /run/netns. */
  readonly netns: string;
};

export class NetProcess {
  readonly host: NetHost;
  readonly runDir: string;
  readonly #config: NodeConfig;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #client: Client | undefined;

  /** `env`: besides what is set here. */
  constructor(host: NetHost, dir: string, env: NodeJS.ProcessEnv = {}) {
    this.host = host;
    this.#env = { ...process.env, ...env };
    const runDir = join(dir, host.netns);
    this.runDir = runDir;
    this.#config = {
      ...{ hostname: host.netns, stateDir: runDir, runDir, socket: join(runDir, "swarm.sock") },
      ...{ containerdAddress: "/nowhere", containerdNamespace: "t", cgroupParent: "/t" },
      ...{ engine: "containerd", runtime: "auto", advertiseAddr: "", listenAddr: "" },
      ...{ gwbridgePool: "172.20.0.0/14", genericResources: [], logLevel: "error" },
    };
    sh(`mkdir -p ${runDir}`);
  }

  async start(): Promise<void> {
    const child = spawn(
      "nsenter",
      [`--net=/run/netns/${this.host.netns}`, process.execPath, main],
      {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
        serialization: "advanced",
        env: this.#env,
      },
    );
    this.#child = child;
    const identity = { nodeId: this.host.nodeId };
    const start = { kind: "start", config: this.#config, identity, bootId: "b" };
    child.send(start as unknown as ToChild);
    await new Promise<void>((resolve, reject) => {
      child.once("message", () => resolve());
      child.once("exit", (code) => reject(new Error(`net ended with ${code}`)));
    });
    const socket = `unix:${nodePaths(this.#config).netSocket}`;
    this.#client = new Client(socket, credentials.createInsecure());
  }

  async kill(): Promise<void> {
    this.#client?.close();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  leave(): void {
    this.#child?.send({ kind: "identity", identity: undefined } as unknown as ToChild);
  }

  complete(state: NetworkState): Promise<swarm.net.NetworksReply> {
    const bodyJson = Buffer.from(JSON.stringify(state));
    const request = { complete: true, appliesTo: 0, resultsIn: state.index, bodyJson };
    return this.call("setNetworks", request);
  }

  attach(taskId: string, networkIds: readonly string[]): Promise<swarm.net.AttachReply> {
    const request = { containerId: taskId, mode: "default", taskId, networkIds: [...networkIds] };
    return this.call("attach", request);
  }

  call<Reply>(name: keyof typeof netService, request: object): Promise<Reply> {
    const method = netService[name];
    return new Promise((resolve, reject) => {
      this.#client?.makeUnaryRequest(
        method.path,
        (value: object) => (method.requestSerialize as (message: object) => Buffer)(value),
        (bytes: Buffer) => method.responseDeserialize(bytes) as Reply,
        request,
        (error, reply) => {
          if (error !== null) reject(error);
          else resolve(reply as Reply);
        },
      );
    });
  }
}
