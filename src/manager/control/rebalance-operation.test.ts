import { describe, expect, test } from "vitest";
import type { ServiceSpec, UpdateState } from "../../api/index.js";
import { type Leader, leader, run } from "./testing/leader.js";

function spec(rest: object = {}): ServiceSpec {
  return {
    Name: "web",
    TaskTemplate: { ContainerSpec: { Image: "bb" } },
    Mode: { Replicated: { Replicas: 3 } },
    ...rest,
  } as unknown as ServiceSpec;
}

async function created(rest: object = {}): Promise<Leader> {
  const l = leader();
  l.capabilities.add("globalMode");
  await run(l, { kind: "service.create", serviceId: "s1", spec: spec(rest), registryAuth: "" });
  return l;
}

function update(l: Leader, rest: object) {
  return run(l, {
    kind: "service.update",
    serviceId: "s1",
    version: l.store.service("s1")?.versionIndex ?? 0,
    spec: spec(rest),
    rollback: "none",
    registryAuth: undefined,
    registryAuthFrom: "spec",
  });
}

function rebalance(l: Leader, version = l.store.service("s1")?.versionIndex ?? 0) {
  return run(l, { kind: "service.rebalance", serviceId: "s1", version });
}

async function status(l: Leader, state: UpdateState): Promise<void> {
  const updateStatus = { state, startedAtMs: 7, completedAtMs: 0, message: "m" };
  const specVersion = l.store.service("s1")?.specVersion ?? 0;
  const change = {
    kind: "serviceUpdateStatus",
    serviceId: "s1",
    specVersion,
    updateStatus,
  } as const;
  const rest = { requestId: "", atMs: 1, isClient: false, preconditions: [], resultJson: "" };
  await l.proposer.propose({ ...rest, changes: [change] });
}

const stored = (l: Leader) => l.store.service("s1")?.spec.Rebalance;

describe("the setting", () => {
  test("off is not stored, as it is what an absent one means", async () => {
    expect(stored(await created({ Rebalance: "off" }))).toBeUndefined();
    expect(stored(await created({ Rebalance: "auto" }))).toBe("auto");
  });

  test("a client that does not know it leaves it as it is; off takes it away", async () => {
    const l = await created({ Rebalance: "manual" });
    await update(l, { Labels: { a: "b" } });
    expect(stored(l)).toBe("manual");
    await update(l, { Rebalance: "auto" });
    expect(stored(l)).toBe("auto");
    await update(l, { Rebalance: "off" });
    expect(stored(l)).toBeUndefined();
  });

  test("is for replicated services", async () => {
    await expect(created({ Mode: { Global: {} }, Rebalance: "auto" })).rejects.toMatchObject({
      code: "InvalidArgument",
      message: 'Rebalance: "auto" is for replicated services: others have no choice of nodes',
    });
  });
});

describe("the command", () => {
  test("asks the orchestrator, and is no change of the spec", async () => {
    const l = await created({ Rebalance: "manual" });
    const before = l.store.service("s1");
    await rebalance(l);
    const service = l.store.service("s1");
    expect(service?.rebalance).toMatchObject({ state: "moving", isManual: true, moves: [] });
    expect(service?.specVersion).toBe(before?.specVersion);
  });

  test("joins what goes on by itself", async () => {
    const l = await created({ Rebalance: "auto" });
    await rebalance(l);
    const startedAtMs = l.store.service("s1")?.rebalance?.startedAtMs;
    await rebalance(l);
    expect(l.store.service("s1")?.rebalance).toMatchObject({ state: "moving", startedAtMs });
  });

  test.each<{ name: string; rest: object; state?: UpdateState; message: string }>([
    {
      name: "where it is off, and says how to allow it",
      rest: {},
      message:
        "rebalancing of service web is off; allow it with: swarm service update --rebalance manual web",
    },
    {
      name: "of a global service",
      rest: { Mode: { Global: {} } },
      message:
        "service web is not replicated: only tasks of replicated services have a choice of nodes",
    },
    {
      name: "during an update",
      rest: { Rebalance: "auto" },
      state: "updating",
      message:
        "service web cannot be rebalanced while its update is under way; wait for its end: swarm service ps web",
    },
    {
      name: "while a rollback is paused",
      rest: { Rebalance: "auto" },
      state: "rollback_paused",
      message:
        "service web cannot be rebalanced while its rollback is paused; finish it with swarm service update, or go back with: swarm service rollback web",
    },
  ])("is refused $name", async ({ rest, state, message }) => {
    const l = await created(rest);
    if (state) await status(l, state);
    await expect(rebalance(l)).rejects.toMatchObject({ code: "FailedPrecondition", message });
    expect(l.store.service("s1")?.rebalance).toBeUndefined();
  });

  test("is refused with an old version, and for what does not exist", async () => {
    const l = await created({ Rebalance: "manual" });
    await expect(rebalance(l, 0)).rejects.toMatchObject({ message: "update out of sequence" });
    const unknown = run(l, { kind: "service.rebalance", serviceId: "nope", version: 1 });
    await expect(unknown).rejects.toMatchObject({ code: "NotFound" });
  });
});
