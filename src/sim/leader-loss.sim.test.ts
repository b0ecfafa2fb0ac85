/**
 * A leader that is lost in the middle of an operation: the next one finishes it, whichever of its transactions was on its way and
 * whether that was committed. Some of these moments are drawn in each run; `SOAK=1` tries all of them.
 */
import { expect, test } from "vitest";
import { NETWORK_PHASE, type ServiceSpec, TASK_STATE, type Task } from "../api/index.js";
import type { ControlPlaneRun } from "./control-plane-run.js";
import { play, type Scenario, type Step, serviceOf } from "./leader-loss.js";
import { type ServiceWish, simSpec } from "./sim-objects.js";

const NANO_PER_MS = 1e6;
const DELAY_MS = 5_000;
/** Moments tried for each operation when not all of them are. */
const DRAWN = 5;

const WISH: ServiceWish = {
  mode: "replicated",
  replicas: 4,
  image: "web:1",
  isStartFirst: false,
  parallelism: 2,
  isPausing: false,
  delayMs: 500,
};
const spec = (change: Partial<ServiceWish> = {}): ServiceSpec =>
  simSpec("web", { ...WISH, ...change });

const create =
  (change: Partial<ServiceWish> = {}, more: Partial<ServiceSpec> = {}): Step =>
  () => ({
    kind: "service.create",
    serviceId: "web",
    spec: { ...spec(change), ...more },
    registryAuth: "",
  });

const update =
  (next: ServiceSpec, rollback: "previous" | "none" = "none"): Step =>
  (run) => ({
    kind: "service.update",
    serviceId: "web",
    version: serviceOf(run).versionIndex,
    spec: next,
    rollback,
    registryAuth: undefined,
    registryAuthFrom: "spec",
  });

const drain: Step = (run) => {
  const node = run.store.node("node1");
  return {
    kind: "node.update",
    nodeId: "node1",
    version: node?.versionIndex ?? 0,
    spec: { Labels: {}, Role: "worker", Availability: "drain" },
  };
};

const NET: Step = () => ({
  kind: "network.create",
  networkId: "net1",
  spec: { Name: "net1", Labels: {}, Driver: "overlay", Scope: "swarm" },
});

const onNetwork = (change: Partial<ServiceWish> = {}): ServiceSpec => {
  const plain = spec(change);
  return { ...plain, TaskTemplate: { ...plain.TaskTemplate, Networks: [{ Target: "net1" }] } };
};

const SLOW_RESTART = spec();
const slowRestart: Partial<ServiceSpec> = {
  TaskTemplate: {
    ...SLOW_RESTART.TaskTemplate,
    RestartPolicy: { Delay: DELAY_MS * NANO_PER_MS },
  },
};

/** All is as the service wants it, and its rollout ended so. */
const ended =
  (state: string | undefined) =>
  (run: ControlPlaneRun): readonly string[] => {
    const found = serviceOf(run).updateStatus?.state;
    return [...run.differences(), ...(found === state ? [] : [`it ended as ${found ?? "none"}`])];
  };

const isCounted = (task: Task): boolean => task.desiredState <= TASK_STATE.complete;

const SCENARIOS: readonly Scenario[] = [
  {
    name: "create",
    given: [],
    steps: [create()],
    forMs: 12_000,
    differences: ended(undefined),
    made: 4,
  },
  {
    name: "rollout",
    given: [create()],
    steps: [update(spec({ image: "web:2" }))],
    forMs: 25_000,
    differences: ended("completed"),
    made: 4,
  },
  {
    name: "rollout, start-first",
    given: [create()],
    steps: [update(spec({ image: "web:2", isStartFirst: true }))],
    forMs: 25_000,
    differences: ended("completed"),
    made: 4,
  },
  {
    name: "rollback",
    given: [create(), update(spec({ image: "web:2", parallelism: 0 }))],
    steps: [update(spec({ image: "web:2" }), "previous")],
    forMs: 25_000,
    differences: ended("rollback_completed"),
    made: 4,
  },
  {
    name: "drain",
    given: [create()],
    steps: [drain],
    forMs: 25_000,
    differences: (run) => {
      const left = run.store.tasksByNode("node1").filter(isCounted).length;
      const running = run.store
        .tasksByService("web")
        .filter((task) => isCounted(task) && task.state === TASK_STATE.running).length;
      return left === 0 && running === 4 ? [] : [`${left} are left, ${running} run`];
    },
    made: 1,
  },
  {
    name: "job",
    given: [],
    steps: [create({ mode: "job", replicas: 4, parallelism: 1 })],
    forMs: 20_000,
    differences: ended(undefined),
    made: 4,
  },
  {
    name: "scheduled job",
    given: [create({ mode: "scheduled" })],
    // The first minute begins while this lasts, the second does not.
    steps: [() => undefined],
    forMs: 50_000,
    differences: (run) => {
      const { jobIteration } = serviceOf(run);
      const done = run.store
        .tasksByService("web")
        .filter((task) => task.state === TASK_STATE.complete).length;
      return jobIteration === 1 && done === 4 ? [] : [`${done} done in run ${jobIteration}`];
    },
    made: 4,
  },
  {
    name: "global service",
    given: [create({ mode: "global" })],
    steps: [update(spec({ mode: "global", image: "web:2" }))],
    forMs: 25_000,
    differences: ended("completed"),
    made: 4,
  },
  {
    name: "restart back-off",
    given: [create({}, slowRestart)],
    steps: [
      (run) => {
        const task = run.store.tasksByService("web").find(({ slot }) => slot === 1);
        run.workers.get(task?.nodeId ?? "")?.kill(task?.id ?? "");
        return undefined;
      },
    ],
    forMs: 15_000,
    differences: (run) => {
      const tasks = run.store.tasksByService("web").filter(({ slot }) => slot === 1);
      const failedAtMs = tasks.find((task) => task.state === TASK_STATE.failed)?.statusAtMs ?? 0;
      const startedAtMs = tasks.find((task) => task.state === TASK_STATE.running)?.statusAtMs ?? 0;
      const isEarly = failedAtMs === 0 || startedAtMs - failedAtMs < DELAY_MS;
      return [...run.differences(), ...(isEarly ? ["it was started before its time"] : [])];
    },
    made: 1,
  },
  {
    name: "network create and attach",
    given: [create()],
    steps: [NET, update(onNetwork())],
    forMs: 35_000,
    differences: (run) => {
      const bad = run.store
        .tasksByService("web")
        .filter(isCounted)
        .filter(
          (task) => task.networks.length !== 1 || task.networkPhase !== NETWORK_PHASE.announced,
        );
      return [...ended("completed")(run), ...bad.map(({ id }) => `${id} is not announced`)];
    },
    made: 4,
  },
  {
    name: "rollout on a network",
    given: [NET, create({}, { TaskTemplate: onNetwork().TaskTemplate })],
    steps: [update(onNetwork({ image: "web:2", isStartFirst: true }))],
    forMs: 35_000,
    differences: ended("completed"),
    made: 4,
  },
  {
    name: "service rm on a network",
    given: [NET, create({}, { TaskTemplate: onNetwork().TaskTemplate })],
    steps: [
      () => ({ kind: "service.remove", serviceId: "web" }),
      () => ({ kind: "network.remove", networkId: "net1" }),
    ],
    forMs: 12_000,
    differences: (run) => [
      ...run.differences(),
      ...(run.store.network("net1") ? ["the network is still there"] : []),
    ],
    made: 0,
  },
];

test.each(SCENARIOS)(
  "$name is finished by the next leader, whenever one is lost",
  async (scenario) => {
    const whole = await play(scenario, undefined);
    expect(whole.wrong).toEqual([]);
    expect(whole.proposals).toBeGreaterThan(1);
    for (const atProposal of momentsOf(whole.proposals))
      for (const isCommitted of [true, false]) {
        const { wrong } = await play(scenario, { atProposal, isCommitted });
        expect(wrong, `leader lost at ${atProposal}, committed: ${isCommitted}`).toEqual([]);
      }
  },
);

function momentsOf(proposals: number): readonly number[] {
  const all = Array.from({ length: proposals }, (_, at) => at + 1);
  if (process.env["SOAK"] === "1" || all.length <= DRAWN) return all;
  // One of each fifth.
  const drawn = Array.from({ length: DRAWN }, (_, part) =>
    Math.floor(((part + Math.random()) * proposals) / DRAWN),
  );
  return drawn.map((at) => at + 1);
}
