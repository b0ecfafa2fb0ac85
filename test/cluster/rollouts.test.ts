/** Rollouts as users wait for them: exit codes, automatic rollback, history, deadlines. Runs on the simulated playground too. */
import { beforeEach, expect, test } from "vitest";
import type { ApiRevision, ApiService } from "../../src/cli/api-types.js";
import {
  api,
  create,
  docker,
  eventually,
  leader,
  managers,
  reset,
  runningTasks,
  swarm,
  type TestNode,
  untilRunning,
} from "./playground.js";

beforeEach(reset);

const SECOND_NS = 1_000_000_000;
/** A new version that ends as soon as it has started. */
const BROKEN = ["--entrypoint", `/bin/sh -c "exit 3"`];
const QUICK = {
  task: { RestartPolicy: { Condition: "any", Delay: SECOND_NS / 2 } },
  rest: {
    UpdateConfig: { Parallelism: 1, Monitor: SECOND_NS },
    RollbackConfig: { Parallelism: 1, Monitor: SECOND_NS },
  },
};

function inspect(manager: TestNode, name: string): Promise<ApiService> {
  return api(manager).call<ApiService>("GET", `/services/${name}`);
}

test("a failed update goes back by itself, and whoever waits for it is told", async () => {
  const manager = await leader();
  await create(manager, "back", { replicas: 3, ...QUICK });
  await untilRunning(manager, "back", 3);
  const update = await swarm(
    manager,
    ...["service", "update", ...BROKEN, "--update-failure-action", "rollback"],
    ...["--json", "--timeout", "60s", "back"],
  );
  expect({ code: update.code, stderr: update.stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("runs its previous spec again: update rolled back due to"),
  });
  const events = update.stdout.trim().split("\n");
  expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ event: "end", result: "rolled-back" });
  const service = await inspect(manager, "back");
  expect(service.UpdateStatus?.State).toBe("rollback_completed");
  expect(JSON.stringify(service.Spec)).not.toContain("exit 3");
  expect(await runningTasks(manager, "back")).toHaveLength(3);
});

test("a paused update stays paused when it is scaled, and is gone back from at the new scale", async () => {
  const manager = await leader();
  await create(manager, "held", { replicas: 2, ...QUICK });
  await untilRunning(manager, "held", 2);
  const update = await swarm(manager, "service", "update", ...BROKEN, "held");
  expect(update.code).toBe(3);
  await swarm(manager, "service", "scale", "--detach", "held=4");
  expect((await inspect(manager, "held")).UpdateStatus?.State).toBe("paused");
  const rollback = await swarm(manager, "service", "rollback", "--timeout", "60s", "held");
  expect({ code: rollback.code, stderr: rollback.stderr }).toEqual({ code: 0, stderr: "" });
  expect(await runningTasks(manager, "held")).toHaveLength(4);
});

test("a task that finds no node ends the wait with the reason, and at the deadline the update", async () => {
  const manager = await leader();
  await create(manager, "stuck", { replicas: 2, ...QUICK });
  await untilRunning(manager, "stuck", 2);
  const update = await swarm(
    manager,
    ...["service", "update", "--constraint-add", "node.labels.disk==none"],
    ...["--update-progress-deadline", "6s", "--timeout", "60s", "stuck"],
  );
  expect(update.code).toBe(5);
  expect(update.stderr).toContain("no suitable node (scheduling constraints not satisfied on");
  await eventually("the update is paused", 40_000, async () => {
    const { UpdateStatus } = await inspect(manager, "stuck");
    return UpdateStatus?.State === "paused" && UpdateStatus.Message?.includes("after 6s");
  });
  expect(await runningTasks(manager, "stuck")).toHaveLength(1);
});

test("a kept version is gone back to, from any manager, and docker sees the same", async () => {
  const manager = await leader();
  await create(manager, "kept", { replicas: 2, ...QUICK });
  await untilRunning(manager, "kept", 2);
  for (const env of ["A=1", "A=2"]) {
    const { code } = await swarm(manager, "service", "update", "-q", "--env-add", env, "kept");
    expect(code).toBe(0);
  }
  const other = managers().find(({ name }) => name !== manager.name) ?? manager;
  const history = await api(other).call<ApiRevision[]>("GET", "/services/kept/history");
  expect(history).toHaveLength(3);
  const oldest = history.at(-1)?.Version.Index;
  const back = await swarm(other, "service", "rollback", "-q", "--to", String(oldest), "kept");
  expect({ code: back.code, stderr: back.stderr }).toEqual({ code: 0, stderr: "" });
  const shown = await docker(
    other,
    ...["service", "inspect", "kept", "--format", "{{.UpdateStatus.State}} {{.Spec.TaskTemplate}}"],
  );
  expect(shown.stdout).toMatch(/^rollback_completed /);
  expect(shown.stdout).not.toContain("A=");
});
