/** A supervisor dies alone and is started again at once: its orphans are gone before their successors open anything. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import {
  allContainerPids,
  create,
  eventually,
  healthy,
  IS_SOAK,
  isAlive,
  kill,
  leader,
  managers,
  node,
  patientCluster,
  reset,
  startWhatDoesNotRun,
  status,
  type TestNode,
  tasks,
  untilRunning,
} from "./playground.js";
import { expectOnAllManagers, startWriters } from "./writers.js";

const ROUNDS = IS_SOAK ? 10 : 3;
const VICTIMS = ["m1", "w1", "m2", "m3", "m1", "m2", "w1", "m3", "m1", "w1"];
const SAMPLE_MS = 20;
/** Connections come and go with leaders and clients; a leak grows with the writes, of which there are thousands. */
const DESCRIPTORS_SLACK = 24;

beforeEach(reset);

test(`SIGKILL of supervisors under writes, ${ROUNDS} times: one manager per log, nothing lost, no leak`, async () => {
  const first = await leader();
  await create(first, "steady", { replicas: 10 });
  const ids = (await untilRunning(first, "steady", 10)).map((task) => task.ID).sort();
  const containers = allContainerPids();
  await using _patience = await patientCluster();
  const descriptors: KnownDescriptors = new Map();
  noteDescriptors(descriptors);
  const written: string[] = [];
  for (const name of VICTIMS.slice(0, ROUNDS)) {
    const victim = node(name);
    const writers = startWriters(managers());
    await eventually("writes flow", 20_000, () => writers.acknowledged.length > 50);
    await using watch = watchLog(victim);
    kill(victim.pids.supervisor);
    // At once, while the children have not noticed yet.
    await startWhatDoesNotRun();
    await healthy();
    await eventually("the old children are gone", 5_000, () =>
      Object.values(victim.pids).every((pid) => pid === null || !isAlive(pid)),
    );
    await writers.stop();
    expect({ name, openers: watch.worst() }).toEqual({ name, openers: [] });
    expect(writers.conflicts).toEqual([]);
    written.push(...writers.acknowledged.map((write) => write.name));
    expect(allContainerPids()).toEqual(containers);
    noteDescriptors(descriptors);
  }
  await expectOnAllManagers(written);
  expect(
    (await tasks(await leader(), { service: ["steady"] })).map((task) => task.ID).sort(),
  ).toEqual(ids);
  const grown = [...descriptors.values()].filter(
    ({ now, before = now }) => now.length > before.length + DESCRIPTORS_SLACK,
  );
  expect(grown).toEqual([]);
}, 300_000);

/** By process id; what each descriptor stands for, so that a failure tells what has grown. */
type KnownDescriptors = Map<number, { what: string; before?: string[]; now: string[] }>;

/**
 * Keeps what each process that lives on had open, and what it has now. At its first look one that was just started may still
 * be opening what it keeps, so the second is what later ones are held against.
 */
function noteDescriptors(known: KnownDescriptors): void {
  const alive = new Set<number>();
  for (const target of status().nodes) {
    for (const [role, pid] of Object.entries(target.pids)) {
      if (pid === null) continue;
      alive.add(pid);
      const now = openFiles(pid);
      const last = known.get(pid);
      const what = `${target.name} ${role}`;
      known.set(pid, last ? { what, before: last.before ?? now, now } : { what, now });
    }
  }
  for (const pid of known.keys()) if (!alive.has(pid)) known.delete(pid);
}

/** Targets of a process's descriptors; none of a process that has ended. */
function openFiles(pid: number): string[] {
  const dir = `/proc/${pid}/fd`;
  try {
    return readdirSync(dir).flatMap((fd) => {
      try {
        return [readlinkSync(join(dir, fd))];
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return [];
  }
}

/** Looks, many times a second, which processes have files of the node's Raft log open. */
function watchLog(target: TestNode): AsyncDisposable & { worst(): readonly string[] } {
  const log = `${target.stateDir}/raft/`;
  let worst: readonly string[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const openers = managerPids().filter((pid) => hasOpen(pid, log));
      if (openers.length > 1 && openers.length > worst.length) {
        worst = openers.map((pid) => `${pid}`);
      }
      await delay(SAMPLE_MS);
    }
  })();
  return {
    worst: () => worst,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await watching;
    },
  };
}

function managerPids(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("node/front-manager.js");
      } catch {
        return false; // ended meanwhile
      }
    });
}

function hasOpen(pid: number, prefix: string): boolean {
  return openFiles(pid).some((path) => path.startsWith(prefix));
}
