import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BenchCluster, BenchNode } from "./cluster.js";
import { delay, Engine } from "./engine.js";

const exec = promisify(execFile);
const CLI = fileURLToPath(new URL("../cli/main.js", import.meta.url));
const HEAL_LIMIT_MS = 60_000;

type Status = {
  readonly image: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly role: "manager" | "worker";
    readonly socket: string;
    readonly nodeId: string;
    readonly pids: Readonly<Record<"supervisor" | "front" | "worker" | "net", number | null>>;
  }[];
};

async function swarm(...args: string[]): Promise<string> {
  const { stdout } = await exec(process.execPath, [CLI, ...args], { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

/** A playground of three managers and two workers, made anew. */
export async function startOurs(): Promise<BenchCluster> {
  await swarm("playground", "down");
  await swarm("playground", "up", "--managers", "3", "--workers", "2");
  const first = JSON.parse(await swarm("playground", "status", "--format", "json")) as Status;
  const nodes = async (): Promise<readonly BenchNode[]> => {
    const status = JSON.parse(await swarm("playground", "status", "--format", "json")) as Status;
    return status.nodes.map((node) => ({
      name: node.name,
      role: node.role,
      socket: node.socket,
      nodeId: node.nodeId,
      managerPid: node.pids.front ?? 0,
      pids: Object.values(node.pids).filter((pid) => pid !== null),
    }));
  };
  return {
    name: "swarmd",
    image: first.image,
    nodes,
    heal: () => allReady(nodes),
    [Symbol.asyncDispose]: async () => {
      await swarm("playground", "down");
    },
  };
}

type ApiNode = {
  readonly Status: { readonly State: string };
  readonly ManagerStatus?: { readonly Reachability: string };
};

/** Also used for the peer: every node ready and every manager reachable, as the first manager sees it. */
export async function allReady(nodes: () => Promise<readonly BenchNode[]>): Promise<void> {
  const deadline = performance.now() + HEAL_LIMIT_MS;
  for (;;) {
    const all = await nodes();
    const manager = all.find((node) => node.role === "manager");
    const engine = new Engine(manager?.socket ?? "");
    const seen = await engine.json<ApiNode[]>("GET", "/nodes").catch(() => []);
    engine.close();
    const ready = seen.filter(
      (node) =>
        node.Status.State === "ready" &&
        (node.ManagerStatus?.Reachability ?? "reachable") === "reachable",
    );
    if (ready.length === all.length) return;
    if (performance.now() > deadline)
      throw new Error(`cluster not ready again: ${ready.length} of ${all.length} nodes`);
    await delay(100);
  }
}
