/** A supervisor dies alone and is started again at once: its orphans are gone before their successors open anything. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
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
  const descriptors = new Map<number, { what: string; before: number; now: number }>();
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
    ({ before, now }) => now > before + DESCRIPTORS_SLACK,
  );
  expect(grown).toEqual([]);
}, 300_000);

/** Keeps the first count of each process that lives on, and its latest. */
function noteDescriptors(known: Map<number, { what: string; before: number; now: number }>): void {
  const alive = new Set<number>();
  for (const target of status().nodes) {
    for (const [role, pid] of Object.entries(target.pids)) {
      if (pid === null) continue;
      alive.add(pid);
      const now = readdirSync(`/proc/${pid}/fd`).length;
      const before = known.get(pid)?.before ?? now;
      known.set(pid, { what: `${target.name} ${role}`, before, now });
    }
  }
  for (const pid of known.keys()) if (!alive.has(pid)) known.delete(pid);
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
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(prefix);
      } catch {
        return false; // closed meanwhile
      }
    });
  } catch {
    return false; // ended meanwhile
  }
}
