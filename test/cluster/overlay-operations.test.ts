/** Contracts §7: whatever was done to services, containers and nodes, who may reach whom stays true, and no node's kernel drifts. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ApiNode, ApiService } from "../../src/cli/api-types.js";
import {
  type Attached,
  addressOn,
  HTTPD,
  makeNetworks,
  on,
  PAGE_ENV,
  removeNetworks,
  unreachableFrom,
  vipOf,
} from "./on-networks.js";
import {
  api,
  containerPids,
  create,
  docker,
  eventually,
  healthy,
  IS_SOAK,
  kill,
  leader,
  node,
  reset,
  runningTasks,
  status,
  swarm,
  type TestNode,
  tasks,
  whileFrozen,
} from "./playground.js";

const OPERATIONS = IS_SOAK ? 200 : 20;
/** Looked at after so many operations, and after the last. */
const BATCH = 10;
/** 5 × the figures: within 5 s, within 10 s when a node was frozen. */
const TRUE_AGAIN_MS = 25_000;
const TRUE_AGAIN_AFTER_FREEZE_MS = 50_000;
const FREEZE_MS = 6_500;
const REFUSED_LIMIT_S = 1;
const WRONGS_SHOWN = 10;
const NETWORKS = ["app", "apart"];
/** Service → the networks it is on. */
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  front: ["app"],
  middle: ["app", "apart"],
  back: ["apart"],
};
const NAMES = Object.keys(SERVICES);

beforeEach(reset);
afterEach(async () => {
  for (const { name } of status().nodes) await activate(name);
  await reset();
  await removeNetworks(NETWORKS);
});

async function activate(name: string): Promise<void> {
  await swarm(await leader(), "node", "update", "--availability", "active", name);
}

/** Names, service addresses and task addresses that a task of `from` reaches or does not. */
async function targets(
  manager: TestNode,
  running: ReadonlyMap<string, readonly Attached[]>,
  from: string,
): Promise<{ allowed: string[]; forbidden: string[] }> {
  const allowed: string[] = [];
  const forbidden: string[] = [];
  for (const [to, its] of running) {
    const [shared] = (SERVICES[to] ?? []).filter((name) => SERVICES[from]?.includes(name));
    const network = shared ?? SERVICES[to]?.[0] ?? "";
    const vip = await vipOf(manager, to, network);
    const [first] = its;
    if (shared !== undefined)
      allowed.push(to, `tasks.${to}`, vip, ...its.map((task) => addressOn(task, shared)));
    else if (first !== undefined) forbidden.push(to, vip, addressOn(first, network));
  }
  return { allowed, forbidden };
}

/** What is not as it should be, as text; [] when all is well. Rejects while tasks are still on their way. */
async function wrongs(manager: TestNode): Promise<string[]> {
  const running = new Map<string, readonly Attached[]>();
  for (const name of NAMES) {
    const service = await api(manager).call<
      ApiService & { Spec: { Mode: { Replicated: { Replicas: number } } } }
    >("GET", `/services/${name}`);
    const its = await runningTasks(manager, name);
    const all = await tasks(manager, { service: [name], "desired-state": ["running"] });
    if (its.length !== service.Spec.Mode.Replicated.Replicas || all.length !== its.length)
      return [`${name}: ${its.length} of ${service.Spec.Mode.Replicated.Replicas} run`];
    running.set(name, its);
  }
  const pids = new Map(status().nodes.flatMap((each) => [...containerPids(each)]));
  const found: string[] = [];
  for (const [from, its] of running) {
    const { allowed, forbidden } = await targets(manager, running, from);
    for (const [index, task] of its.entries()) {
      const pid = pids.get(task.ID);
      if (pid === undefined) return [`${task.ID} of ${from} has no process`];
      const missed = unreachableFrom(pid, allowed);
      found.push(...missed.map((host) => `${from}.${task.Slot} does not reach ${host}`));
      // What is dropped answers nothing: one task of each service waits for that.
      if (index > 0 || forbidden.length === 0) continue;
      const refused = new Set(unreachableFrom(pid, forbidden, REFUSED_LIMIT_S));
      const reached = forbidden.filter((host) => !refused.has(host));
      found.push(...reached.map((host) => `${from}.${task.Slot} reaches ${host}`));
    }
  }
  return found;
}

/** What `swarm network verify` finds; "" when it finds nothing. */
async function drifts(): Promise<string> {
  const found: string[] = [];
  for (const name of NETWORKS) {
    const { code, stdout } = await swarm(await leader(), "network", "verify", name);
    if (code !== 0) found.push(`verify ${name}: ${stdout}`);
  }
  return found.join("; ");
}

type Operation = { readonly name: string; readonly act: (manager: TestNode) => Promise<void> };

function pick<T>(random: () => number, from: readonly T[]): T {
  const one = from[Math.floor(random() * from.length)];
  if (one === undefined) throw new Error("nothing to pick from");
  return one;
}

/** A small generator of its own: a failing run is repeated with its seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function operationOf(random: () => number): Operation {
  const service = pick(random, NAMES);
  const someone = pick(random, ["m2", "m3", "w1", "w2"]);
  const kind = pick(random, [
    "scale",
    "scale",
    "update",
    "update",
    "crash",
    "crash",
    "drain",
    "worker",
    "net",
    "extra",
    "freeze",
  ]);
  switch (kind) {
    case "scale": {
      const count = 1 + Math.floor(random() * 5);
      return {
        name: `scale ${service}=${count}`,
        act: async (manager) => {
          await docker(manager, "service", "scale", "--detach", `${service}=${count}`);
        },
      };
    }
    case "update": {
      const order = pick(random, ["start-first", "stop-first"]);
      const value = Math.floor(random() * 1e9);
      return {
        name: `update ${service} ${order}`,
        act: async (manager) => {
          const how = ["--update-order", order, "--update-parallelism", "2"];
          const what = ["--env-add", `V=${value}`, "--update-monitor", "100ms"];
          await docker(manager, "service", "update", "--detach", ...how, ...what, service);
        },
      };
    }
    case "crash":
      return {
        name: `crash a container on ${someone}`,
        act: async () => {
          const [pid] = containerPids(node(someone)).values();
          if (pid !== undefined) kill(pid);
        },
      };
    case "drain":
      return {
        name: `drain ${someone}, and back`,
        act: async (manager) => {
          await swarm(manager, "node", "update", "--availability", "drain", someone);
          await delay(1_000);
          await activate(someone);
        },
      };
    case "extra":
      return {
        name: "a service comes and goes",
        act: async (manager) => {
          const name = `extra-${Math.floor(random() * 1e9)}`;
          const id = await create(manager, name, { ...on("app", "apart"), replicas: 3 });
          await delay(500);
          await api(manager).call("DELETE", `/services/${id}`);
        },
      };
    case "freeze":
      return {
        name: `freeze ${someone} for ${FREEZE_MS} ms`,
        act: async () => {
          await whileFrozen(Object.values(node(someone).pids), () => delay(FREEZE_MS));
        },
      };
    default:
      return {
        name: `kill the ${kind} of ${someone}`,
        act: async () => {
          // Null while the one that was killed before is not back yet.
          const pid = node(someone).pids[kind === "net" ? "net" : "worker"];
          if (pid !== null) kill(pid);
        },
      };
  }
}

test(`after ${OPERATIONS} random operations everyone reaches whom he may, and no one else`, async () => {
  const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  const random = randomOf(seed);
  const first = await leader();
  await makeNetworks(first, NETWORKS);
  for (const [name, networks] of Object.entries(SERVICES)) {
    const restart = { RestartPolicy: { Condition: "any", Delay: 100_000_000 } };
    const task = { ...(on(...networks) as { task: object }).task, ...restart };
    await create(first, name, { replicas: 3, command: HTTPD, ...PAGE_ENV, task });
  }
  const done: string[] = [];
  let hasFrozen = false;
  for (let count = 1; count <= OPERATIONS; count++) {
    const operation = operationOf(random);
    if (operation.name.startsWith("freeze")) {
      // One of them in a short run: each takes its time.
      if (hasFrozen && !IS_SOAK) continue;
      hasFrozen = true;
    }
    done.push(operation.name);
    await operation.act(await leader());
    if (count % BATCH !== 0 && count !== OPERATIONS) continue;
    const said = `seed ${seed}, after ${done.join("; ")}`;
    const limitMs = hasFrozen ? TRUE_AGAIN_AFTER_FREEZE_MS : TRUE_AGAIN_MS;
    const from = performance.now();
    const waitedFor = new Map<string, number>();
    await eventually(said, limitMs, async () => {
      const wrong = (await wrongs(await leader())).slice(0, WRONGS_SHOWN).join("; ");
      const found = wrong === "" ? await drifts() : wrong;
      if (found === "") return true;
      waitedFor.set(found, Math.round(performance.now() - from));
      throw new Error(found);
    });
    const tookMs = Math.round(performance.now() - from);
    console.log(`true again after ${tookMs} ms: ${done.join("; ")}`);
    for (const [what, untilMs] of waitedFor) console.log(`  until ${untilMs} ms: ${what}`);
    done.length = 0;
    await healthy();
  }
  const nodes = await api(await leader()).call<ApiNode[]>("GET", "/nodes");
  expect(nodes.map(({ Status }) => Status.State)).toEqual(nodes.map(() => "ready"));
}, 1_500_000);
