import { readFileSync } from "node:fs";
import type { BenchCluster, BenchNode } from "./cluster.js";
import { delay, Engine } from "./engine.js";
import { WriteConnection } from "./write-connection.js";

/** Each question costs managers milliseconds, and two cores run the whole cluster: what takes seconds is asked for less often. */
const POLL_MS = 25;
const SLOW_POLL_MS = 100;
const RUNNING_LIMIT_MS = 180_000;
const WRITE_CLIENTS = 32;
const REMOVE_CLIENTS = 8;
/** Not measured: a just-in-time compiler needs them, and managers run for months. The same on both sides. */
const WARM_UP_ROUNDS = 4;
/** Starts of so many replicas are measured so often; the median counts. */
const STARTS = [
  { replicas: 5, times: 5 },
  { replicas: 50, times: 3 },
  { replicas: 100, times: 1 },
] as const;
/** The same on an overlay network of their own. */
const STARTS_ON_NETWORK = { replicas: 50, times: 3 } as const;
const NETWORK_MODE = "vip";
const SCALES = 3;
const UPDATES = 3;
const WRITES = 2_000;
/** One takes a second or five: a collection of garbage or a slow disk is in one of them. */
const WRITE_ROUNDS = 5;

export type Figures = Readonly<Record<string, number>>;

type Service = {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: object;
};

type Listed = {
  readonly Spec: { readonly Name: string };
  readonly ServiceStatus: { readonly RunningTasks: number };
};

type ServiceSpec = {
  readonly Name: string;
  readonly TaskTemplate: object;
  readonly Mode: object;
};

function sleeper(cluster: BenchCluster, name: string, replicas: number): ServiceSpec {
  return {
    Name: name,
    TaskTemplate: {
      ContainerSpec: {
        Image: cluster.image,
        Command: ["/bin/sleep", "100000"],
        StopGracePeriod: 1_000_000,
      },
    },
    Mode: { Replicated: { Replicas: replicas } },
  };
}

/** What `docker service ls` shows. The list of tasks says the same, but printing 50 of them every 25 ms slows down what is measured. */
async function running(engine: Engine, name: string): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ name: { [name]: true } }));
  const services = await engine.json<Listed[]>("GET", `/services?status=true&filters=${filters}`);
  return services.find(({ Spec }) => Spec.Name === name)?.ServiceStatus.RunningTasks ?? 0;
}

async function untilRunning(engine: Engine, name: string, count: number): Promise<void> {
  const pollMs = count < 20 ? POLL_MS : count < 50 ? POLL_MS * 2 : SLOW_POLL_MS;
  const deadline = performance.now() + RUNNING_LIMIT_MS;
  while ((await running(engine, name)) !== count) {
    if (performance.now() > deadline)
      throw new Error(`${name}: not ${count} running within ${RUNNING_LIMIT_MS / 1000} s`);
    await delay(pollMs);
  }
}

/** Removes a service and waits until its containers are gone from every node, so that the next measure is not disturbed. */
async function remove(cluster: BenchCluster, name: string): Promise<void> {
  const nodes = await cluster.nodes();
  const engine = new Engine(nodes[0]?.socket ?? "");
  await engine.json("DELETE", `/services/${name}`);
  const deadline = performance.now() + RUNNING_LIMIT_MS;
  for (;;) {
    const tasks = await engine.json<{ ServiceID: string }[]>("GET", "/tasks");
    if (tasks.length === 0) break;
    if (performance.now() > deadline) throw new Error(`${name}: tasks still there`);
    await delay(200);
  }
  engine.close();
  await delay(1_000);
}

async function startReplicas(cluster: BenchCluster, count: number): Promise<number> {
  const engine = new Engine((await cluster.nodes())[0]?.socket ?? "");
  const name = `bench-${count}`;
  const from = performance.now();
  await engine.json("POST", "/services/create", sleeper(cluster, name, count));
  await untilRunning(engine, name, count);
  const sec = (performance.now() - from) / 1000;
  engine.close();
  await remove(cluster, name);
  return sec;
}

/**
 * Replicas on an overlay network that was made before: from the request until all run. The service has a virtual address, as the default is; a
 * peer whose kernel cannot translate it starts its tasks all the same.
 */
async function startOnNetwork(cluster: BenchCluster, count: number): Promise<number> {
  const engine = new Engine((await cluster.nodes())[0]?.socket ?? "");
  const name = `bench-net-${count}`;
  const network = { Name: name, Driver: "overlay", CheckDuplicate: true };
  const { Id } = await engine.json<{ Id: string }>("POST", "/networks/create", network);
  const spec = sleeper(cluster, name, count);
  const from = performance.now();
  await engine.json("POST", "/services/create", {
    ...spec,
    TaskTemplate: { ...spec.TaskTemplate, Networks: [{ Target: Id }] },
    EndpointSpec: { Mode: NETWORK_MODE },
  });
  await untilRunning(engine, name, count);
  const sec = (performance.now() - from) / 1000;
  await remove(cluster, name);
  await removeNetwork(engine, Id);
  engine.close();
  return sec;
}

/** Refused while a task's end is not settled everywhere. */
async function removeNetwork(engine: Engine, id: string): Promise<void> {
  const deadline = performance.now() + RUNNING_LIMIT_MS;
  for (;;) {
    const { status, text } = await engine.send("DELETE", `/networks/${id}`);
    if (status < 300 || status === 404) return;
    if (performance.now() > deadline) throw new Error(`network ${id}: ${status} ${text}`);
    await delay(200);
  }
}

/** Of an odd number of runs. */
async function median(times: number, run: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < times; i++) values.push(await run());
  return middleOf(values);
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function scale(cluster: BenchCluster): Promise<number> {
  const engine = new Engine((await cluster.nodes())[0]?.socket ?? "");
  await engine.json("POST", "/services/create", sleeper(cluster, "bench-scale", 1));
  await untilRunning(engine, "bench-scale", 1);
  const from = performance.now();
  const service = await engine.json<Service>("GET", "/services/bench-scale");
  await engine.json("POST", `/services/${service.ID}/update?version=${service.Version.Index}`, {
    ...service.Spec,
    Mode: { Replicated: { Replicas: 20 } },
  });
  await untilRunning(engine, "bench-scale", 20);
  const sec = (performance.now() - from) / 1000;
  engine.close();
  await remove(cluster, "bench-scale");
  return sec;
}

/**
 * A rolling update of ten by two, from the request until it is completed: a second's grace, the shortest monitor there is.
 * The containers ignore their stop signal: the grace is part of it on both sides.
 */
async function rollingUpdate(
  cluster: BenchCluster,
  order: "stop-first" | "start-first",
): Promise<number> {
  const engine = new Engine((await cluster.nodes())[0]?.socket ?? "");
  const name = `bench-${order}`;
  const spec = (version: number): object => ({
    Name: name,
    TaskTemplate: {
      ContainerSpec: {
        Image: cluster.image,
        Command: ["/bin/sleep", "100000"],
        Env: [`V=${version}`],
        StopGracePeriod: 1_000_000_000,
      },
    },
    Mode: { Replicated: { Replicas: 10 } },
    UpdateConfig: { Parallelism: 2, Delay: 0, Monitor: 1, Order: order, FailureAction: "pause" },
  });
  await engine.json("POST", "/services/create", spec(1));
  await untilRunning(engine, name, 10);
  const service = await engine.json<Service>("GET", `/services/${name}`);
  const from = performance.now();
  const path = `/services/${service.ID}/update?version=${service.Version.Index}`;
  await engine.json("POST", path, spec(2));
  const deadline = from + RUNNING_LIMIT_MS;
  for (;;) {
    const now = await engine.json<{ UpdateStatus?: { State: string } }>("GET", `/services/${name}`);
    if (now.UpdateStatus?.State === "completed") break;
    if (performance.now() > deadline) throw new Error(`${name}: ${now.UpdateStatus?.State}`);
    await delay(POLL_MS * 2);
  }
  const sec = (performance.now() - from) / 1000;
  engine.close();
  await remove(cluster, name);
  return sec;
}

/** Ten tasks per worker; one worker is frozen whole. Seconds until all tasks run on the other nodes. */
async function nodeFrozen(cluster: BenchCluster): Promise<number> {
  await cluster.heal();
  const nodes = await cluster.nodes();
  const engine = new Engine(nodes[0]?.socket ?? "");
  const name = "bench-frozen";
  await engine.json("POST", "/services/create", sleeper(cluster, name, 50));
  await untilRunning(engine, name, 50);
  const victim = nodes.findLast((node) => node.role === "worker");
  if (victim === undefined) throw new Error("no worker");
  for (const pid of victim.pids) process.kill(pid, "SIGSTOP");
  const from = performance.now();
  try {
    const filters = encodeURIComponent(JSON.stringify({ service: { [name]: true } }));
    for (;;) {
      const tasks = await engine.json<{ NodeID?: string; Status: { State: string } }[]>(
        "GET",
        `/tasks?filters=${filters}`,
      );
      const elsewhere = tasks.filter(
        ({ NodeID, Status }) => Status.State === "running" && NodeID !== victim.nodeId,
      );
      if (elsewhere.length >= 50) break;
      if (performance.now() - from > RUNNING_LIMIT_MS) throw new Error(`${name}: not elsewhere`);
      await delay(SLOW_POLL_MS);
    }
    return (performance.now() - from) / 1000;
  } finally {
    for (const pid of victim.pids) process.kill(pid, "SIGCONT");
    await cluster.heal();
    engine.close();
    await remove(cluster, name);
  }
}

async function writeRate(cluster: BenchCluster): Promise<{ perSec: number; p99Ms: number }> {
  const socket = (await cluster.nodes())[0]?.socket ?? "";
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    await writeMany(socket, cluster, "warm", WRITES);
    await removeMany(socket, "warm", WRITES);
  }
  const rounds: { perSec: number; p99Ms: number }[] = [];
  while (rounds.length < WRITE_ROUNDS) {
    const from = performance.now();
    const latencies = await writeMany(socket, cluster, "write", WRITES);
    const sec = (performance.now() - from) / 1000;
    await removeMany(socket, "write", WRITES);
    latencies.sort((a, b) => a - b);
    const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
    rounds.push({ perSec: WRITES / sec, p99Ms });
  }
  return {
    perSec: middleOf(rounds.map(({ perSec }) => perSec)),
    p99Ms: middleOf(rounds.map(({ p99Ms }) => p99Ms)),
  };
}

/** Creates by 32 clients at once, each its next when the last is acknowledged; returns the latencies in ms. */
async function writeMany(
  socket: string,
  cluster: BenchCluster,
  prefix: string,
  count: number,
): Promise<number[]> {
  const latencies: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    const connection = new WriteConnection(socket);
    while (next < count) {
      const name = `bench-${prefix}${next++}`;
      const at = performance.now();
      const { status, text } = await connection.post("/services/create", sleeper(cluster, name, 0));
      if (status !== 201) throw new Error(`${name}: ${status} ${text}`);
      latencies.push(performance.now() - at);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: WRITE_CLIENTS }, client));
  return latencies;
}

async function removeMany(socket: string, prefix: string, count: number): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    const engine = new Engine(socket);
    while (next < count) await engine.json("DELETE", `/services/bench-${prefix}${next++}`);
    engine.close();
  };
  await Promise.all(Array.from({ length: REMOVE_CLIENTS }, client));
}

async function leaderOf(
  cluster: BenchCluster,
): Promise<{ leader: BenchNode; others: BenchNode[] }> {
  const managers = (await cluster.nodes()).filter((node) => node.role === "manager");
  const engine = new Engine(managers[0]?.socket ?? "");
  const seen = await engine.json<{ ID: string; ManagerStatus?: { Leader?: boolean } }[]>(
    "GET",
    "/nodes",
  );
  engine.close();
  const leaderId = seen.find((node) => node.ManagerStatus?.Leader === true)?.ID;
  const leader = managers.find((node) => node.nodeId === leaderId);
  if (leader === undefined) throw new Error("no leader is shown");
  return { leader, others: managers.filter((node) => node !== leader) };
}

/** Longest gap between accepted writes at the managers that are left, after the leader's process got the signal. */
async function writeGap(cluster: BenchCluster, signal: "SIGSTOP" | "SIGKILL"): Promise<number> {
  await cluster.heal();
  const { leader, others } = await leaderOf(cluster);
  const accepted: number[] = [];
  let serial = 0;
  let isOver = false;
  const names: string[] = [];
  const writer = async (node: BenchNode): Promise<void> => {
    const engine = new Engine(node.socket);
    while (!isOver) {
      const name = `bench-gap-${signal.toLowerCase()}-${serial++}`;
      const reply = await engine
        .send("POST", "/services/create", sleeper(cluster, name, 0), 1_000)
        .catch(() => undefined);
      if (reply?.status === 201) {
        accepted.push(performance.now());
        names.push(name);
      } else await delay(20);
      await delay(5);
    }
    engine.close();
  };
  const writers = others.map(writer);
  await delay(1_000);
  const at = performance.now();
  process.kill(leader.managerPid, signal);
  const deadline = at + 60_000;
  // Over once writes have flowed again for two seconds.
  while (
    !((accepted.at(-1) ?? 0) > at + 2_000 && recentGap(accepted) < 500) &&
    performance.now() < deadline
  )
    await delay(100);
  isOver = true;
  await Promise.all(writers);
  if (signal === "SIGSTOP") process.kill(leader.managerPid, "SIGCONT");
  await cluster.heal();
  const engine = new Engine(others[0]?.socket ?? "");
  for (const name of names) await engine.send("DELETE", `/services/${name}`);
  engine.close();
  return longestGap(accepted, at) / 1000;
}

function recentGap(times: readonly number[]): number {
  return longestGap(
    times.filter((time) => time > (times.at(-1) ?? 0) - 1_500),
    0,
  );
}

function longestGap(times: readonly number[], from: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let longest = 0;
  for (let i = 1; i < sorted.length; i++) {
    if ((sorted[i] ?? 0) >= from)
      longest = Math.max(longest, (sorted[i] ?? 0) - (sorted[i - 1] ?? 0));
  }
  return longest;
}

/** Proportional set size in MiB: shared pages are divided among those who share them. */
function pssMib(pid: number): number {
  try {
    const match = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return Number(match?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

async function memory(cluster: BenchCluster): Promise<Figures> {
  const engine = new Engine((await cluster.nodes())[0]?.socket ?? "");
  await engine.json("POST", "/services/create", sleeper(cluster, "bench-mem", 50));
  await untilRunning(engine, "bench-mem", 50);
  await delay(3_000);
  const nodes = await cluster.nodes();
  const total = (node: BenchNode): number => node.pids.reduce((sum, pid) => sum + pssMib(pid), 0);
  const of = (role: string): number =>
    Math.max(...nodes.filter((node) => node.role === role).map(total));
  const figures = {
    "PSS manager node, MiB": of("manager"),
    "PSS worker node with 10 tasks, MiB": of("worker"),
  };
  engine.close();
  await remove(cluster, "bench-mem");
  return figures;
}

/** All figures, in the order of the table. Seconds unless the name says otherwise. */
export async function measure(
  cluster: BenchCluster,
  say: (line: string) => void,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  const note = (name: string, value: number): void => {
    figures[name] = value;
    say(`${cluster.name}: ${name} = ${value.toFixed(value < 100 ? 2 : 0)}`);
  };
  const noteMemory = async (when: string): Promise<void> => {
    for (const [name, value] of Object.entries(await memory(cluster)))
      note(`${name}${when}`, value);
  };
  const writes = await writeRate(cluster);
  note("service creates per s, 32 clients", writes.perSec);
  note("service create p99, ms", writes.p99Ms);
  for (const replicas of [5, 50]) await startReplicas(cluster, replicas); // caches are cold on both sides
  for (const { replicas, times } of STARTS)
    note(
      `${replicas} replicas running, s`,
      await median(times, () => startReplicas(cluster, replicas)),
    );
  note("scale 1 to 20, s", await median(SCALES, () => scale(cluster)));
  for (const order of ["stop-first", "start-first"] as const)
    note(
      `rolling update, 10 by 2, ${order}, s`,
      await median(UPDATES, () => rollingUpdate(cluster, order)),
    );
  await noteMemory("");
  await startOnNetwork(cluster, 5); // the first network of each node
  note(
    `${STARTS_ON_NETWORK.replicas} replicas on an overlay network running, s`,
    await median(STARTS_ON_NETWORK.times, () =>
      startOnNetwork(cluster, STARTS_ON_NETWORK.replicas),
    ),
  );
  await noteMemory(", having been on a network");
  note("worker frozen, 50 run elsewhere, s", await nodeFrozen(cluster));
  note("write gap, leader frozen, s", await writeGap(cluster, "SIGSTOP"));
  note("write gap, leader killed, s", await writeGap(cluster, "SIGKILL"));
  return figures;
}
