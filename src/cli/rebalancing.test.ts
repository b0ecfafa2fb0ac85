import { describe, expect, test } from "vitest";
import type { ApiService } from "./api-types.js";
import { Rebalancing, rebalanceLines } from "./rebalancing.js";

type Status = NonNullable<ApiService["RebalanceStatus"]>;

function service(status?: Partial<Status>): ApiService {
  const whole = { State: "moving", Moved: 0, Moving: 1, ImbalanceBefore: 4, ...status };
  return {
    ID: "s1",
    Version: { Index: 1 },
    Spec: { Name: "web", Mode: { Replicated: { Replicas: 6 } }, TaskTemplate: {} },
    ...(status && { RebalanceStatus: whole }),
  };
}

describe("the wait", () => {
  test.each<{
    name: string;
    status: Partial<Status> | undefined;
    exitCode: number;
    message: string;
  }>([
    {
      name: "completed: with the imbalance before and now",
      status: { State: "completed", Moved: 4, Moving: 0, ImbalanceAfter: 1 },
      exitCode: 0,
      message: "service web: 4 tasks moved, imbalance 4 before, 1 now",
    },
    {
      name: "stopped: with the reason",
      status: { State: "stopped", Moved: 2, Moving: 0, Message: "the service is being updated" },
      exitCode: 3,
      message:
        "service web: stopped after 2 tasks moved: the service is being updated\nsee: swarm service ps web",
    },
    {
      name: "nothing is known of it",
      status: undefined,
      exitCode: 1,
      message: "service web is not being rebalanced",
    },
  ])("ends when $name", ({ status, exitCode, message }) => {
    const { end } = new Rebalancing(undefined, 0).see(service(status), 1000);
    expect(end).toMatchObject({ exitCode, message });
  });

  test("goes on while tasks move, and tells each step once", () => {
    const rebalancing = new Rebalancing(undefined, 0);
    expect(rebalancing.see(service({}), 100)).toEqual({ line: "web: 0 moved, 1 on their way" });
    expect(rebalancing.see(service({}), 200)).toEqual({});
    expect(rebalancing.see(service({ Moved: 1 }), 300)).toEqual({
      line: "web: 1 moved, 1 on their way",
    });
  });

  test("is given up after the timeout, and when no manager answers for a minute", () => {
    const late = new Rebalancing(5000, 0);
    expect(late.see(service({}), 5000).end).toBeUndefined();
    expect(late.see(service({}), 5001).end).toMatchObject({ exitCode: 4 });
    const lost = new Rebalancing(undefined, 0);
    expect(lost.lost("refused", 1000)).toBeUndefined();
    expect(lost.lost("refused", 61_000)).toMatchObject({ exitCode: 1 });
  });
});

describe("the plan", () => {
  test("nodes before and after, and the moves", () => {
    const lines = rebalanceLines("web", {
      ImbalanceBefore: 3,
      ImbalanceAfter: 1,
      IsCut: false,
      Moves: [{ Slot: 3, Hostname: "one", ToHostname: "two" }],
      Nodes: [
        { Hostname: "one", Before: 3, After: 2 },
        { Hostname: "two", Before: 0, After: 1 },
      ],
    });
    expect(lines).toEqual([
      "NODE   TASKS BEFORE   AFTER",
      "one    3              2",
      "two    0              1",
      "TASK    FROM   TO",
      "web.3   one    two",
      "web: 1 moves, imbalance 3 before, 1 after",
    ]);
  });

  test("says when there is nothing to move", () => {
    const even = { ImbalanceBefore: 1, ImbalanceAfter: 1, IsCut: false, Moves: [], Nodes: [] };
    expect(rebalanceLines("web", even)).toEqual([
      "web: nothing to move (imbalance 1 before, 1 after)",
    ]);
  });
});
