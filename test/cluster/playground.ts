/** The playground as tests see it: nodes, the stock docker CLI on each, the API, and the processes to hurt. */
import { type ExecFileException, execFile, execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import type { ApiNode, ApiService, ApiTask } from "../../src/cli/api-types.js";
import { EngineClient } from "../../src/cli/client.js";
import {
  type PlaygroundStatus,
  REAL_LAYOUT,
  simulatedLayout,
} from "../../src/cli/playground/index.js";

const exec = promisify(execFile);
const CLI = new URL("../../dist/cli/main.js", import.meta.url).pathname;
const CONTAINERD = "/run/swarm-playground/containerd.sock";

/** Runs against the simulated playground: for developing what needs no kernel. No requirement counts as shown on it. */
export const IS_SIMULATED = process.env["SWARM_TEST_SIMULATED"] === "1";
/** `SOAK=1` runs as many rounds as the contracts name; otherwise a slice of them. */
export const IS_SOAK = process.env["SOAK"] === "1";
const FLAGS = IS_SIMULATED ? ["--simulated"] : [];

/** Of a cluster that waits five of these, 25 s, before it calls a node down. */
const PATIENT_PERIOD_NS = 5e9;

const REMOVERS = 16;

export type TestNode = Omit<PlaygroundStatus["nodes"][number], "state">;
export type PlaygroundNodes = { readonly nodes: readonly TestNode[] };
export type Output = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** What the playground's file and /proc say: no process is started and no daemon asked, so that it is cheap and frozen nodes do not delay it. */
export function status(): PlaygroundNodes {
  const layout = IS_SIMULATED ? simulatedLayout() : REAL_LAYOUT;
  const saved = JSON.parse(readFileSync(layout.stateFile, "utf8")) as {
    nodes: (Omit<TestNode, "pids"> & { supervisor: { pid: number; startTime: string } })[];
  };
  const children = childrenByParent(saved.nodes.map(({ supervisor }) => supervisor.pid));
  const nodes = saved.nodes
    .sort((one, other) => one.name.localeCompare(other.name))
    .map(({ supervisor, ...node }) => {
      const isUp = startTimeOf(supervisor.pid) === supervisor.startTime;
      const own = isUp ? (children.get(supervisor.pid) ?? []) : [];
      const pidOf = (program: RegExp): number | null =>
        own.find(({ command }) => program.test(command))?.pid ?? null;
      const pids = {
        supervisor: isUp ? supervisor.pid : null,
        front: pidOf(/node\/front-(manager|rest)\.js/),
        worker: pidOf(/worker\/main\.js/),
        net: pidOf(/overlay-net\/main\.js/),
      };
      return { ...node, pids };
    });
  return { nodes };
}

/** Field 22 of /proc/PID/stat; undefined when the process is gone or only waits to be reaped. */
function startTimeOf(pid: number): string | undefined {
  const fields = statOf(pid);
  return fields[0] === "Z" ? undefined : fields[19];
}

/** The fields of /proc/PID/stat from the third on; [] when it is gone. */
function statOf(pid: number): string[] {
  const text = readUnlessGone(`/proc/${pid}/stat`) ?? "";
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function childrenByParent(
  parents: readonly number[],
): ReadonlyMap<number, readonly { pid: number; command: string }[]> {
  const found = new Map(parents.map((pid) => [pid, [] as { pid: number; command: string }[]]));
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const [state, parent] = statOf(Number(entry));
    if (state === "Z") continue;
    const command = readUnlessGone(`/proc/${entry}/cmdline`) ?? "";
    found.get(Number(parent))?.push({ pid: Number(entry), command });
  }
  return found;
}

/** Starts what does not run, as an init system would, and waits until the cluster is whole. */
export async function startWhatDoesNotRun(): Promise<void> {
  const { code, stderr } = await run(process.execPath, [CLI, "playground", "up", ...FLAGS], {});
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
}

/** Another cluster in its place, for a test that could not put this one in order again. */
export async function remakePlayground(): Promise<void> {
  for (const verb of ["down", "up"]) {
    const { code, stderr } = await run(process.execPath, [CLI, "playground", verb, ...FLAGS], {});
    expect({ verb, code, stderr }).toEqual({ verb, code: 0, stderr: "" });
  }
}

export const IMAGE = "swarm-demo/web:1";

export function node(name: string): TestNode {
  const found = status().nodes.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no node ${name}`);
  return found;
}

export function api(target: TestNode): EngineClient {
  return new EngineClient(target.socket);
}

/** A node's manager that is not `except`. */
export function managers(): TestNode[] {
  return status().nodes.filter((candidate) => candidate.role === "manager");
}

export async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Output> {
  try {
    const { stdout, stderr } = await exec(command, [...args], {
      env: { ...process.env, ...env },
      timeout: 120_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const failure = error as ExecFileException & { stdout: string; stderr: string };
    return {
      code: typeof failure.code === "number" ? failure.code : -1,
      stdout: failure.stdout,
      stderr: failure.stderr,
    };
  }
}

/** The stock docker CLI against a node. */
export function docker(target: TestNode, ...args: string[]): Promise<Output> {
  return run("docker", args, { DOCKER_HOST: `unix://${target.socket}` });
}

/** Our own command against a node. */
export function swarm(target: TestNode, ...args: string[]): Promise<Output> {
  return run(process.execPath, [CLI, "--host", `unix://${target.socket}`, ...args], {});
}

/** Polls until the check passes without throwing and gives something. The deadline is 5 × the figure that the bench asserts. */
export async function eventually<T>(
  what: string,
  limitMs: number,
  check: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${limitMs / 1000} s`, { cause: last });
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function leader(): Promise<TestNode> {
  return eventually("a leader is shown", 20_000, async () => {
    for (const manager of managers()) {
      const nodes = await api(manager)
        .call<ApiNode[]>("GET", "/nodes", { signal: AbortSignal.timeout(3_000) })
        .catch(() => []);
      const id = nodes.find((entry) => entry.ManagerStatus?.Leader === true)?.ID;
      const found = status().nodes.find((candidate) => candidate.nodeId === id);
      if (found !== undefined) return found;
    }
    return undefined;
  });
}

/** A manager that does not lead. */
export async function follower(): Promise<TestNode> {
  const leading = await leader();
  const found = managers().find(({ name }) => name !== leading.name);
  if (found === undefined) throw new Error("no second manager");
  return found;
}

export async function tasks(
  manager: TestNode,
  filters: Record<string, readonly string[]>,
): Promise<ApiTask[]> {
  return api(manager).call<ApiTask[]>(
    "GET",
    `/tasks?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  );
}

export async function runningTasks(manager: TestNode, service: string): Promise<ApiTask[]> {
  const all = await tasks(manager, { service: [service], "desired-state": ["running"] });
  return all.filter((task) => task.Status.State === "running");
}

export type ServiceOptions = {
  readonly replicas?: number;
  readonly command?: readonly string[];
  readonly image?: string;
  readonly task?: object;
  readonly container?: object;
  readonly rest?: object;
};

export function serviceSpec(name: string, options: ServiceOptions = {}): object {
  return {
    Name: name,
    TaskTemplate: {
      ContainerSpec: {
        Image: options.image ?? IMAGE,
        Command: options.command ?? ["/bin/sleep", "100000"],
        StopGracePeriod: 100_000_000,
        ...options.container,
      },
      ...options.task,
    },
    Mode: { Replicated: { Replicas: options.replicas ?? 1 } },
    ...options.rest,
  };
}

export async function create(
  manager: TestNode,
  name: string,
  options: ServiceOptions = {},
): Promise<string> {
  const reply = await api(manager).call<{ ID: string }>("POST", "/services/create", {
    body: serviceSpec(name, options),
  });
  return reply.ID;
}

export async function untilRunning(
  manager: TestNode,
  service: string,
  count: number,
  limitMs = 60_000,
): Promise<ApiTask[]> {
  return eventually(`${count} tasks of ${service} run`, limitMs, async () => {
    const running = await runningTasks(manager, service);
    return running.length === count ? running : undefined;
  });
}

/** Task id → pid of the container's first process, as containerd (or the simulated engine's files) say. */
export function containerPids(target: TestNode): Map<string, number> {
  return IS_SIMULATED ? simulatedPids(target) : pidsIn(target.containerdNamespace);
}

/** With which a worker that has just started tries the runtime; it is of no task, and gone soon. */
const PROBE_ID = "runtime-probe";

/** The same for a containerd namespace. */
export function pidsIn(containerdNamespace: string): Map<string, number> {
  const text = execFileSync("ctr", ["-a", CONTAINERD, "-n", containerdNamespace, "task", "ls"], {
    encoding: "utf8",
  });
  const rows = text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
  return new Map(
    rows
      .filter(([id, , state]) => state === "RUNNING" && id !== PROBE_ID)
      .map((row) => [row[0] ?? "", Number(row[1])]),
  );
}

type SimulatedState = { id: string; pid: number; isStarted: boolean; exit?: unknown };

function simulatedPids(target: TestNode): Map<string, number> {
  const dir = join(target.stateDir, "worker", "simulated", "containers");
  const running = readdirSync(dir)
    .filter((name) => name.endsWith(".json"))
    .map((name) => readUnlessGone(join(dir, name)))
    .filter((text) => text !== undefined)
    .map((text) => JSON.parse(text) as SimulatedState)
    .filter((saved) => saved.isStarted && saved.exit === undefined);
  return new Map(running.map((saved) => [saved.id, saved.pid]));
}

function readUnlessGone(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

export function allContainerPids(): Map<string, number> {
  return new Map(status().nodes.flatMap((target) => [...containerPids(target)]));
}

/** Every node ready, every manager reachable. */
export async function healthy(limitMs = 60_000): Promise<void> {
  await eventually("every node is ready", limitMs, async () => {
    const all = status().nodes;
    for (const manager of all.filter((candidate) => candidate.role === "manager")) {
      const nodes = await api(manager).call<ApiNode[]>("GET", "/nodes", {
        signal: AbortSignal.timeout(3_000),
      });
      const good = nodes.filter(
        (entry) =>
          entry.Status.State === "ready" &&
          (entry.ManagerStatus?.Reachability ?? "reachable") === "reachable",
      );
      if (good.length < all.length) return undefined;
    }
    return true;
  });
}

/** Removes all services and waits until their containers are gone: the next test starts from an empty cluster. */
export async function reset(): Promise<void> {
  await healthy();
  const manager = await leader();
  const services = await api(manager).call<ApiService[]>("GET", "/services");
  // Tests of writes leave thousands.
  const connections = new Agent({ keepAlive: true });
  const client = new EngineClient(manager.socket, connections);
  const removers = Array.from({ length: REMOVERS }, async () => {
    for (let next = services.pop(); next !== undefined; next = services.pop())
      await client.call("DELETE", `/services/${next.ID}`);
  });
  await Promise.all(removers);
  connections.destroy();
  await eventually("no task is left", 60_000, async () => (await tasks(manager, {})).length === 0);
  await eventually("no container is left", 60_000, () => allContainerPids().size === 0);
}

/**
 * Until disposed of, the cluster waits long before it calls a node down: a test of what a whole node's restart leaves
 * alone must not become one of how fast a loaded machine starts processes.
 */
export async function patientCluster(): Promise<AsyncDisposable> {
  const before = await setHeartbeatPeriod(PATIENT_PERIOD_NS);
  return {
    async [Symbol.asyncDispose]() {
      await setHeartbeatPeriod(before);
    },
  };
}

/** Answers with the period that held before. */
async function setHeartbeatPeriod(periodNs: number): Promise<number> {
  const client = api(await leader());
  const now = await client.call<{
    Version: { Index: number };
    Spec: { Dispatcher: { HeartbeatPeriod: number } };
  }>("GET", "/swarm");
  await client.call("POST", `/swarm/update?version=${now.Version.Index}`, {
    body: { ...now.Spec, Dispatcher: { HeartbeatPeriod: periodNs } },
  });
  return now.Spec.Dispatcher.HeartbeatPeriod;
}

/** Runs `work` with a process stopped (SIGSTOP), and continues it whatever happens. */
export async function whileFrozen<T>(
  pids: readonly (number | null)[],
  work: () => Promise<T>,
): Promise<T> {
  const known = pids.filter((pid) => pid !== null);
  for (const pid of known) process.kill(pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    for (const pid of known) {
      try {
        process.kill(pid, "SIGCONT");
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe("ESRCH");
      }
    }
  }
}

/** False also for a process that only waits to be reaped. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Values of `GET /metrics` by name with labels, as the text has them. */
export async function metrics(target: TestNode): Promise<ReadonlyMap<string, number>> {
  const response = await api(target).open("GET", "/metrics");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  const rows = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    rows.map((row) => [
      row.slice(0, row.lastIndexOf(" ")),
      Number(row.slice(row.lastIndexOf(" "))),
    ]),
  );
}

export async function raftTerm(target: TestNode): Promise<number> {
  const term = (await metrics(target)).get("swarm_raft_term");
  if (term === undefined) throw new Error(`${target.name} shows no term: it is no manager`);
  return term;
}

export function kill(pid: number | null): void {
  if (pid === null) throw new Error("no process to kill");
  process.kill(pid, "SIGKILL");
}

export function inNetns(netns: string, ...command: string[]): string {
  return execFileSync("nsenter", [`--net=/run/netns/${netns}`, ...command], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** GET from inside a namespace. Not by a statically linked tool: name services crash those on some hosts. */
export function fetchFrom(netns: string, url: string): string {
  const script = `fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(5000) }).then((r) => r.text()).then((t) => process.stdout.write(t))`;
  return inNetns(netns, process.execPath, "-e", script);
}
