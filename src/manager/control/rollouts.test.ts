/** What updates and rollbacks make of a service whose rollout is not finished; the history; notices about start-first. */
import { describe, expect, test } from "vitest";
import type { ServiceSpec, UpdateState } from "../../api/index.js";
import { cluster, type Leader, leader, node, run } from "./testing/leader.js";

type Set = { readonly tag?: string; readonly replicas?: number; readonly rest?: object };

function spec({ tag = "1", replicas = 3, rest = {} }: Set): ServiceSpec {
  return {
    Name: "web",
    TaskTemplate: { ContainerSpec: { Image: `bb:${tag}` } },
    Mode: { Replicated: { Replicas: replicas } },
    ...rest,
  } as unknown as ServiceSpec;
}

async function created(set: Set = {}): Promise<Leader> {
  const l = leader();
  l.capabilities.add("rollbackOnFailure");
  await run(l, { kind: "service.create", serviceId: "s1", spec: spec(set), registryAuth: "a1" });
  return l;
}

function update(l: Leader, set: Set, rollback: "none" | "previous" = "none", auth?: string) {
  return run(l, {
    kind: "service.update",
    serviceId: "s1",
    version: l.store.service("s1")?.versionIndex ?? 0,
    spec: spec(set),
    rollback,
    registryAuth: auth,
    registryAuthFrom: "spec",
  });
}

function rollBackTo(l: Leader, to: number) {
  const version = l.store.service("s1")?.versionIndex ?? 0;
  return run(l, { kind: "service.rollback", serviceId: "s1", version, to });
}

async function state(l: Leader, to: UpdateState): Promise<void> {
  const updateStatus = { state: to, startedAtMs: 7, completedAtMs: 0, message: "m" };
  const specVersion = l.store.service("s1")?.specVersion ?? 0;
  await l.proposer.propose({
    requestId: "",
    atMs: 1,
    isClient: false,
    preconditions: [],
    changes: [{ kind: "serviceUpdateStatus", serviceId: "s1", specVersion, updateStatus }],
    resultJson: "",
  });
}

/** `image*replicas` of the spec, of the previous one, and the state of the update. */
function seen(l: Leader): readonly (string | undefined)[] {
  const service = l.store.service("s1");
  const short = (of: ServiceSpec | undefined): string | undefined =>
    of && `${of.TaskTemplate.ContainerSpec.Image}*${Object.values(of.Mode)[0]?.Replicas}`;
  return [short(service?.spec), short(service?.previousSpec), service?.updateStatus?.state];
}

describe("an update of a service whose update is", () => {
  test.each<{ at: UpdateState; name: string; set: Set; then: (string | undefined)[] }>([
    {
      at: "paused",
      name: "scaled",
      set: { tag: "2", replicas: 5 },
      then: ["bb:2*5", "bb:1*5", "paused"],
    },
    {
      at: "paused",
      name: "relabelled",
      set: { tag: "2", rest: { Labels: { a: "b" } } },
      then: ["bb:2*3", "bb:1*3", "paused"],
    },
    {
      at: "paused",
      name: "given other update settings",
      set: { tag: "2", rest: { UpdateConfig: { FailureAction: "continue" } } },
      then: ["bb:2*3", "bb:1*3", "paused"],
    },
    {
      at: "paused",
      name: "given another image",
      set: { tag: "3" },
      then: ["bb:3*3", "bb:2*3", undefined],
    },
    {
      at: "paused",
      name: "left as it is: resumed",
      set: { tag: "2" },
      then: ["bb:2*3", "bb:1*3", undefined],
    },
    {
      at: "rollback_paused",
      name: "left as it is: resumed",
      set: { tag: "2" },
      then: ["bb:2*3", "bb:1*3", "rollback_started"],
    },
    {
      at: "rollback_paused",
      name: "scaled",
      set: { tag: "2", replicas: 5 },
      then: ["bb:2*5", "bb:1*5", "rollback_paused"],
    },
    {
      at: "updating",
      name: "scaled",
      set: { tag: "2", replicas: 5 },
      then: ["bb:2*5", "bb:1*5", "updating"],
    },
    {
      at: "updating",
      name: "given another image",
      set: { tag: "3" },
      then: ["bb:3*3", "bb:2*3", undefined],
    },
    {
      at: "completed",
      name: "scaled",
      set: { tag: "2", replicas: 5 },
      then: ["bb:2*5", "bb:2*3", undefined],
    },
  ])("$at, $name", async ({ at, set, then }) => {
    const l = await created();
    await update(l, { tag: "2" });
    await state(l, at);
    await update(l, set);
    expect(seen(l)).toEqual(then);
  });

  test("paused, with other ports, is a rollout of its own", async () => {
    const l = await created();
    await update(l, { tag: "2" });
    await state(l, "paused");
    const EndpointSpec = { Ports: [{ TargetPort: 80, PublishMode: "host" }] };
    await update(l, { tag: "2", rest: { EndpointSpec } });
    expect(seen(l)).toEqual(["bb:2*3", "bb:2*3", undefined]);
  });

  test("paused and scaled, going back restores the old template at the new scale, and its credentials", async () => {
    const l = await created();
    await update(l, { tag: "2" }, "none", "a2");
    await state(l, "paused");
    await update(l, { tag: "2", replicas: 5 });
    await update(l, { tag: "2" }, "previous");
    expect(seen(l)).toEqual(["bb:1*5", "bb:2*5", "rollback_started"]);
    expect(l.store.service("s1")?.registryAuth).toBe("a1");
  });
});

describe("service.rollback", () => {
  test("goes back to a kept version, which becomes the newest; the present spec can be gone back to", async () => {
    const l = await created();
    await update(l, { tag: "2" }, "none", "a2");
    await update(l, { tag: "3" });
    await rollBackTo(l, 1);
    expect(seen(l)).toEqual(["bb:1*3", "bb:3*3", "rollback_started"]);
    const service = l.store.service("s1");
    expect(service).toMatchObject({
      specVersion: 4,
      registryAuth: "a1",
      previousRegistryAuth: "a2",
      updateStatus: { message: "manually requested rollback to version 1" },
    });
    expect(service?.history?.map(({ version }) => version)).toEqual([2, 3, 4]);
    await update(l, {}, "previous");
    expect(seen(l)).toEqual(["bb:3*3", "bb:1*3", "rollback_started"]);
  });

  test.each([
    { to: 9, text: "service web has no version 9: the versions kept are 1, 2" },
    { to: 2, text: "version 2 is the present spec of service web" },
  ])("to $to is refused: $text", async ({ to, text }) => {
    const l = await created();
    await update(l, { tag: "2" });
    await expect(rollBackTo(l, to)).rejects.toMatchObject({
      http: 400,
      message: expect.stringContaining(text),
    });
  });

  test("with a stale version is refused, as an update is", async () => {
    const l = await created();
    for (const tag of ["2", "3"]) await update(l, { tag });
    const stale = run(l, { kind: "service.rollback", serviceId: "s1", version: 2, to: 1 });
    await expect(stale).rejects.toMatchObject({
      restMessage: "rpc error: code = Unknown desc = update out of sequence",
    });
  });
});

describe("the number of kept specs is a setting of the cluster", () => {
  async function withLimit(SpecHistoryLimit: number | undefined): Promise<Leader> {
    const l = await created();
    const { spec: given, ...rest } = cluster();
    await l.proposer.propose({
      requestId: "",
      atMs: 1,
      isClient: true,
      preconditions: [],
      changes: [{ kind: "putCluster", cluster: { ...rest, spec: given } }],
      resultJson: "",
    });
    const Orchestration = {
      ...given.Orchestration,
      ...(SpecHistoryLimit === undefined ? {} : { SpecHistoryLimit }),
    };
    await run(l, {
      kind: "cluster.update",
      version: l.store.cluster()?.versionIndex ?? 0,
      spec: { ...given, Orchestration },
      rotateWorkerToken: false,
      rotateManagerToken: false,
      rotateManagerUnlockKey: false,
    });
    return l;
  }

  test.each([
    { limit: 2, kept: 2 },
    { limit: undefined, kept: 5 },
  ])("$limit: $kept are kept", async ({ limit, kept }) => {
    const l = await withLimit(limit);
    for (const tag of ["2", "3", "4", "5", "6", "7"]) await update(l, { tag });
    expect(l.store.service("s1")?.history).toHaveLength(kept);
  });

  test.each([0, 101])("%i is refused", async (limit) => {
    await expect(withLimit(limit)).rejects.toMatchObject({
      http: 400,
      message: expect.stringContaining("Orchestration.SpecHistoryLimit must be from 1 to 100"),
    });
  });
});

describe("start-first without room", () => {
  const startFirst = { UpdateConfig: { Parallelism: 1, Order: "start-first" } };
  const ports = {
    EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: 80, PublishMode: "host" }] },
  };
  const limited = {
    TaskTemplate: { ContainerSpec: { Image: "bb" }, Placement: { MaxReplicas: 2 } },
  };
  test.each([
    { name: "a host port and as many replicas as nodes", replicas: 3, rest: ports, warned: true },
    { name: "a host port and a free node", replicas: 2, rest: ports, warned: false },
    { name: "replicas per node used up", replicas: 6, rest: limited, warned: true },
    { name: "replicas per node left", replicas: 5, rest: limited, warned: false },
    { name: "nothing limited", replicas: 50, rest: {}, warned: false },
  ])("$name: warned $warned", async ({ replicas, rest, warned }) => {
    const l = leader();
    const changes = ["a", "b", "c"].map((id) => ({ kind: "putNode", node: node(id) }) as const);
    await l.proposer.propose({
      requestId: "",
      atMs: 1,
      isClient: false,
      preconditions: [],
      changes,
      resultJson: "",
    });
    const given = spec({ replicas, rest: { ...startFirst, ...rest } });
    const { result } = await run(l, {
      kind: "service.create",
      serviceId: "s1",
      spec: given,
      registryAuth: "",
    });
    expect((result as { warnings: string[] }).warnings).toEqual(
      warned ? [expect.stringContaining("stopped first")] : [],
    );
    const again = await update(l, {
      replicas,
      rest: { ...startFirst, ...rest, Labels: { a: "b" } },
    });
    expect((again.result as { warnings: string[] }).warnings).toHaveLength(warned ? 1 : 0);
  });
});
