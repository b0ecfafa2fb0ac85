import { describe, expect, test } from "vitest";
import { type RestartPolicy, TASK_STATE } from "../../api/index.js";
import { goodAgent, SECOND_NS, World } from "./testing/world.js";

function running(policy: RestartPolicy | undefined, replicas = 1): World {
  const template = policy ? { RestartPolicy: policy } : {};
  return new World().addNodes("a", "b").createService({ replicas, template }).settle();
}

function endFirst(world: World, state: "failed" | "complete" | "rejected"): void {
  const task = world.wanted()[0];
  if (!task) throw new Error("nothing runs");
  world.report(task, state, { exitCode: state === "complete" ? 0 : 1 });
}

describe("restart condition", () => {
  test.each([
    { policy: undefined, end: "failed", isReplaced: true },
    { policy: undefined, end: "complete", isReplaced: true },
    { policy: { Condition: "any" }, end: "complete", isReplaced: true },
    { policy: { Condition: "any" }, end: "rejected", isReplaced: true },
    { policy: { Condition: "on-failure" }, end: "failed", isReplaced: true },
    { policy: { Condition: "on-failure" }, end: "rejected", isReplaced: true },
    { policy: { Condition: "on-failure" }, end: "complete", isReplaced: false },
    { policy: { Condition: "none" }, end: "failed", isReplaced: false },
    { policy: { Condition: "none" }, end: "complete", isReplaced: false },
  ] as const)(
    "$policy.Condition, task $end: replaced $isReplaced",
    ({ policy, end, isReplaced }) => {
      const world = running(policy);
      endFirst(world, end);
      world.advance(60_000);
      expect(world.placed()).toHaveLength(isReplaced ? 1 : 0);
      expect(world.tasks()[0]?.desiredState).toBe(TASK_STATE.shutdown);
      // A slot that ended for good counts as filled.
      expect(world.tasks()).toHaveLength(isReplaced ? 2 : 1);
    },
  );
});

describe("restart delay", () => {
  test.each([
    { name: "5 s by default", policy: undefined, delayMs: 5000 },
    { name: "as the policy says", policy: { Delay: 2 * SECOND_NS }, delayMs: 2000 },
  ])("$name", ({ policy, delayMs }) => {
    const world = running(policy);
    endFirst(world, "failed");
    world.settle();
    // The replacement is placed and made ready meanwhile.
    expect(world.placed()).toEqual(["1:a:ready"]);
    expect(world.wanted()[0]?.notBeforeMs).toBe(world.nowMs + delayMs);
    world.advance(delayMs - 1);
    expect(world.placed()).toEqual(["1:a:ready"]);
    world.advance(1);
    expect(world.placed()).toEqual(["1:a:running"]);
  });

  test("none when the policy says so", () => {
    const world = running({ Delay: 0 });
    endFirst(world, "failed");
    world.settle();
    expect(world.placed()).toEqual(["1:a:running"]);
  });

  test("a missing image is tried once per delay, not in a hot loop", () => {
    const world = new World().addNodes("a").createService({ replicas: 1 });
    let pulls = 0;
    world.agent = (task) => {
      if (task.desiredState > TASK_STATE.running) return "shutdown";
      pulls++;
      return "rejected";
    };
    world.settle();
    expect(pulls).toBe(2);
    world.advance(30_000);
    expect(pulls).toBe(2 + 6);
    // And it heals when the image appears.
    world.agent = goodAgent;
    world.advance(10_000);
    expect(world.placed()).toEqual(["1:a:running"]);
  });

  test("a crash loop runs once per delay", () => {
    const world = new World().addNodes("a").createService({ replicas: 1 });
    let starts = 0;
    world.agent = (task) => {
      if (task.desiredState > TASK_STATE.running) return "shutdown";
      if (task.desiredState < TASK_STATE.running) return "ready";
      if (task.state < TASK_STATE.running) starts++;
      return task.state < TASK_STATE.running ? "running" : "failed";
    };
    world.settle().advance(20_000);
    expect(starts).toBe(5);
  });
});

describe("restart attempts", () => {
  function crashing(policy: RestartPolicy): World {
    const world = new World().addNodes("a");
    world.createService({ template: { RestartPolicy: { Delay: SECOND_NS, ...policy } } });
    world.agent = (task) => {
      if (task.desiredState > TASK_STATE.running) return "shutdown";
      if (task.desiredState < TASK_STATE.running) return "ready";
      return task.state < TASK_STATE.running ? "running" : "failed";
    };
    return world.settle();
  }

  test("stop after the maximum, and stay stopped", () => {
    const world = crashing({ MaxAttempts: 2 });
    world.advance(60_000);
    expect(world.tasks()).toHaveLength(3);
    expect(world.wanted()).toEqual([]);
    world.electLeader();
    world.advance(60_000);
    expect(world.tasks()).toHaveLength(3);
  });

  test("a new spec starts the count again", () => {
    const world = crashing({ MaxAttempts: 1 });
    world.advance(10_000);
    expect(world.tasks()).toHaveLength(2);
    world.agent = goodAgent;
    world
      .updateService({
        image: "web:2",
        template: { RestartPolicy: { Delay: SECOND_NS, MaxAttempts: 1 } },
      })
      .advance(1000);
    expect(world.images()).toEqual({ "web:2": 1 });
    endFirst(world, "failed");
    world.advance(2000);
    expect(world.placed()).toEqual(["1:a:running"]);
    endFirst(world, "failed");
    world.advance(2000);
    expect(world.placed()).toEqual([]);
  });

  test("with a window only the restarts within it count", () => {
    const policy = { Delay: SECOND_NS, MaxAttempts: 2, Window: 10 * SECOND_NS };
    const world = running(policy);
    // One restart every 6 s: never more than two within 10 s.
    for (let i = 0; i < 5; i++) {
      world.advance(5000);
      endFirst(world, "failed");
      world.advance(1000);
      expect(world.wanted()).toHaveLength(1);
    }
    // Then quickly: the third within the window is not made.
    for (let i = 0; i < 3; i++) {
      if (world.wanted().length > 0) endFirst(world, "failed");
      world.advance(1000);
    }
    expect(world.wanted()).toEqual([]);
    world.advance(60_000);
    expect(world.wanted()).toEqual([]);
  });
});

describe("the old task is waited for", () => {
  test("a replacement starts only when the drained node has stopped the old one", () => {
    const world = running(undefined);
    world.agent = (task) => (task.nodeId === "a" ? undefined : goodAgent(task));
    world.putNode("a", { availability: "drain", drain: { Deadline: 0 } });
    world.settle().advance(30_000);
    expect(world.placed()).toEqual(["1:b:ready"]);
    world.agent = goodAgent;
    world.settle();
    expect(world.placed()).toEqual(["1:b:running"]);
  });

  test("but for no longer than a minute", () => {
    const world = running(undefined).advance(1000);
    world.agent = (task) => (task.nodeId === "a" ? undefined : goodAgent(task));
    world.putNode("a", { availability: "drain", drain: { Deadline: 0 } });
    world.settle().advance(59_999);
    expect(world.placed()).toEqual(["1:b:ready"]);
    world.advance(1);
    expect(world.placed()).toEqual(["1:b:running"]);
  });

  test("and not at all when its node goes down meanwhile", () => {
    const world = running(undefined);
    world.agent = (task) => (task.nodeId === "a" ? undefined : goodAgent(task));
    world.putNode("a", { availability: "drain", drain: { Deadline: 0 } });
    world.settle();
    world.putNode("a", { state: "down" });
    world.settle();
    expect(world.placed()).toEqual(["1:b:running"]);
  });
});
