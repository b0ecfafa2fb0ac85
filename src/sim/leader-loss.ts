/** One operation of a user from its beginning to its end, with the leader lost as the n-th transaction is on its way. */
import type { Operation, Service } from "../api/index.js";
import { ControlPlaneRun } from "./control-plane-run.js";

/** As in an election. */
const LEADERLESS_MS = 700;
const TICK_MS = 100;

export type Scenario = {
  readonly name: string;
  /** What is there before. */
  readonly given: readonly Step[];
  /** One after the other, as a user does: each when the one before was answered. */
  readonly steps: readonly Step[];
  /** Longer than all of it takes, one leader lost included. */
  readonly forMs: number;
  /** What is not as it is to be in the end. */
  readonly differences: (run: ControlPlaneRun) => readonly string[];
  /** Tasks that it makes, whoever leads: none is made twice. */
  readonly made: number;
};

/** An operation to begin, or something else that happens. */
export type Step = (run: ControlPlaneRun) => Operation | undefined;

export type Loss = { readonly atProposal: number; readonly isCommitted: boolean };

export type Outcome = {
  readonly wrong: readonly string[];
  /** Transactions that leaders proposed on the way. */
  readonly proposals: number;
};

export async function play(scenario: Scenario, loss: Loss | undefined): Promise<Outcome> {
  const run = new ControlPlaneRun(1);
  await run.start();
  await take(run, scenario.given);
  await run.run(12_000);
  const given = new Set([...run.store.tasks()].map(({ id }) => id));
  const made = new Set<string>();
  run.store.subscribe((batch) => {
    if (batch.kind !== "changes") return;
    for (const event of batch.events)
      if (event.table === "task" && event.kind === "created") made.add(event.object.id);
  });
  const before = run.leadership.proposedCount;
  const losses: Promise<void>[] = [];
  run.leadership.onPropose = () => {
    const count = run.leadership.proposedCount - before;
    if (count !== loss?.atProposal) return;
    // The transaction is on its way a moment later.
    queueMicrotask(() => losses.push(run.loseLeader(LEADERLESS_MS, () => loss.isCommitted)));
  };
  await take(run, scenario.steps);
  await run.run(scenario.forMs);
  await Promise.all(losses);
  const wrong = [...run.violations, ...scenario.differences(run), ...refusals(run)];
  const count = [...made].filter((id) => !given.has(id)).length;
  if (count !== scenario.made) wrong.push(`${count} tasks were made, ${scenario.made} are needed`);
  await run.stop();
  return { wrong, proposals: run.leadership.proposedCount - before };
}

async function take(run: ControlPlaneRun, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const operation = step(run);
    if (operation) run.user.begin(operation);
    do await run.run(TICK_MS);
    while (!run.user.isIdle);
  }
}

function refusals(run: ControlPlaneRun): string[] {
  return [...run.user.refused.keys()].map((what) => `refused: ${what}`);
}

/** The service named in all scenarios. */
export function serviceOf(run: ControlPlaneRun): Service {
  const service = run.store.serviceByName("web");
  if (!service) throw new Error("the service was not created");
  return service;
}
