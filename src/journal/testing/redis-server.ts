/** A real redis-server of a test's own: own port, own directory, ended by its process. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_LIMIT_MS = 10_000;

export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly dir: string;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, dir: string, args: readonly string[]) {
    this.port = port;
    this.dir = dir;
    this.#args = args;
  }

  /** `args` are redis-server's own. Rejects with what to install when there is none. */
  static start(...args: readonly string[]): Promise<RedisServer> {
    return RedisServer.#startIn(["--save", "", ...args]);
  }

  /** A sentinel that names the master `mymaster` at that port. */
  static async startSentinel(masterPort: number): Promise<RedisServer> {
    return RedisServer.#startIn(
      ["--sentinel"],
      `sentinel monitor mymaster 127.0.0.1 ${masterPort} 1\n`,
    );
  }

  static async #startIn(args: readonly string[], config = ""): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), "redis-"));
    await writeFile(join(dir, "redis.conf"), config);
    const server = new RedisServer(await freePort(), dir, args);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const started = spawn(
      "redis-server",
      [
        join(this.dir, "redis.conf"),
        ...["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.dir],
        ...this.#args,
      ],
      { stdio: "ignore" },
    );
    this.#process = started;
    const failed = once(started, "error").then(([error]: unknown[]) => {
      throw new Error(
        "these tests need a real redis-server: npm test installs it (as root); by hand: apt-get install redis-server",
        { cause: error },
      );
    });
    await Promise.race([failed, this.#untilItListens()]);
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** SIGKILL: what was not on its disk is gone. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null) return;
    running.kill("SIGKILL");
    await once(running, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }

  async #untilItListens(): Promise<void> {
    const endMs = performance.now() + START_LIMIT_MS;
    while (!(await answers(this.port))) {
      if (performance.now() > endMs)
        throw new Error(`redis-server does not listen on ${this.port}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => {
      resolve(false);
    });
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
