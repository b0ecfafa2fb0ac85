/** One more host on the playground's underlay, with a swarmd that belongs to no cluster yet. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiInfo } from "../../src/cli/api-types.js";
import { EngineClient } from "../../src/cli/client.js";
import {
  docker,
  eventually,
  IS_SIMULATED,
  type Output,
  pidsIn,
  run,
  type TestNode,
} from "./playground.js";

const SWARMD = new URL("../../dist/node/main.js", import.meta.url).pathname;

export class ExtraHost implements AsyncDisposable {
  readonly name: string;
  readonly addr: string;
  readonly dir: string;
  readonly socket: string;
  readonly client: EngineClient;
  readonly #netns: string;
  readonly #last: number;
  #daemon: ChildProcess | undefined;

  /** `last`: the address's last part, 150–199. */
  constructor(name: string, last: number) {
    this.name = name;
    this.#last = last;
    this.#netns = `t-${name}`;
    this.addr = IS_SIMULATED ? `127.0.99.${last}` : `10.99.0.${last}`;
    this.dir = mkdtempSync(join(tmpdir(), `swarm-${name}-`));
    this.socket = join(this.dir, "swarm.sock");
    this.client = new EngineClient(this.socket);
  }

  get certificatesDir(): string {
    return join(this.dir, "state", "certificates");
  }

  log(): string {
    return readFileSync(join(this.dir, "log"), "utf8");
  }

  plug(): void {
    if (IS_SIMULATED) return;
    execFileSync("sh", [
      "-ec",
      `ip netns add ${this.#netns}
       ip link add name spg${this.#last} type veth peer name eth0 netns ${this.#netns}
       ip link set dev spg${this.#last} master swarmpg0 up
       nsenter --net=/run/netns/${this.#netns} sh -ec 'ip link set lo up; ip addr add ${this.addr}/24 dev eth0; ip link set eth0 up'`,
    ]);
  }

  /** Starts swarmd and waits until its API answers. */
  async start(): Promise<void> {
    const { dir, addr, name } = this;
    const flags = [
      SWARMD,
      ...["--hostname", name, "--state-dir", join(dir, "state"), "--run-dir", join(dir, "run")],
      ...["--socket", this.socket, "--advertise-addr", addr, "--listen-addr", `${addr}:2377`],
      ...(IS_SIMULATED
        ? ["--engine", "simulated"]
        : [
            ...["--containerd-address", "/run/swarm-playground/containerd.sock"],
            ...["--containerd-namespace", `t-${name}`],
            ...["--cgroup-parent", `/swarm-playground/${name}`],
          ]),
    ];
    const log = openSync(join(dir, "log"), "a");
    this.#daemon = IS_SIMULATED
      ? spawn(process.execPath, flags, { stdio: ["ignore", log, log] })
      : spawn("nsenter", [`--net=/run/netns/${this.#netns}`, process.execPath, ...flags], {
          stdio: ["ignore", log, log],
        });
    closeSync(log);
    await eventually(`the API of ${name} answers`, 30_000, () =>
      existsSync(this.socket) ? this.info().then(() => true) : false,
    );
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const gone = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill("SIGTERM");
    await gone;
  }

  /** Joins the cluster as a worker; the id it has there. */
  async joinAsWorker(manager: TestNode): Promise<string> {
    const token = await docker(manager, "swarm", "join-token", "-q", "worker");
    const listen = ["--advertise-addr", this.addr, "--listen-addr", `${this.addr}:2377`];
    const remote = `${manager.addr}:2377`;
    const joined = await this.docker(
      ...["swarm", "join", ...listen, "--token", token.stdout.trim(), remote],
    );
    if (joined.code !== 0) throw new Error(joined.stderr);
    return (await this.info()).Swarm.NodeID;
  }

  /** Runs a command in the host's network namespace. */
  inNetns(...command: readonly string[]): string {
    return execFileSync("nsenter", [`--net=/run/netns/${this.#netns}`, "--", ...command], {
      encoding: "utf8",
    });
  }

  /** Task id → pid, as for the playground's nodes. */
  containerPids(): Map<string, number> {
    return pidsIn(`t-${this.name}`);
  }

  info(): Promise<ApiInfo> {
    return this.client.call<ApiInfo>("GET", "/info", { signal: AbortSignal.timeout(5_000) });
  }

  /** The stock docker CLI against this host. */
  docker(...args: string[]): Promise<Output> {
    return run("docker", args, { DOCKER_HOST: `unix://${this.socket}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    if (!IS_SIMULATED) {
      // At once: with its namespace alone it would go some time later, and its name be taken until then.
      execFileSync("ip", ["link", "del", "dev", `spg${this.#last}`]);
      execFileSync("ip", ["netns", "del", this.#netns]);
    }
    rmSync(this.dir, { recursive: true });
  }
}
