import { describe, expect, test } from "vitest";
import type { Change, ServiceSpec } from "../../api/index.js";
import { ProposeError } from "../../store/index.js";
import { type Leader, leader, publishing, run } from "./testing/leader.js";

const IMAGE = { ContainerSpec: { Image: "bb:latest" } };

/** What a door hands over: the user's JSON. */
function spec(name: string, set: object = {}): ServiceSpec {
  return { Name: name, TaskTemplate: IMAGE, ...set } as unknown as ServiceSpec;
}
function create(l: Leader, id: string, given: ServiceSpec, registryAuth = "", requestId?: string) {
  return run(l, { kind: "service.create", serviceId: id, spec: given, registryAuth }, requestId);
}
type UpdateSet = {
  version?: number;
  rollback?: "previous" | "none";
  registryAuth?: string;
  registryAuthFrom?: "spec" | "previous-spec";
};
function update(l: Leader, id: string, given: ServiceSpec, set: UpdateSet = {}) {
  return run(l, {
    kind: "service.update",
    serviceId: id,
    version: set.version ?? l.store.service(id)?.versionIndex ?? 0,
    spec: given,
    rollback: set.rollback ?? "none",
    registryAuth: set.registryAuth,
    registryAuthFrom: set.registryAuthFrom ?? "spec",
  });
}
function internal(l: Leader, changes: readonly Change[]) {
  return l.proposer.propose({
    requestId: "",
    atMs: 1,
    isClient: false,
    preconditions: [],
    changes,
    resultJson: "",
  });
}
const hostPort = (port: number, mode = "host") => ({
  EndpointSpec: { Ports: [{ TargetPort: 80, PublishedPort: port, PublishMode: mode }] },
});
const image = (tag: string, set: object = {}) => ({
  TaskTemplate: { ContainerSpec: { Image: `bb:${tag}` } },
  ...set,
});

describe("service.create", () => {
  test("stores the normalised spec with this entry as its spec version", async () => {
    const l = leader();
    const given = spec("web", hostPort(8080));
    const outcome = await create(l, "s1", given, "auth");
    expect(outcome).toEqual({ index: 1, result: { id: "s1", warnings: [] } });
    expect(l.store.service("s1")).toMatchObject({
      versionIndex: 1,
      clientIndex: 1,
      specVersion: 1,
      createdAtMs: 1_000_000,
      spec: { Name: "web", Labels: {}, Mode: { Replicated: { Replicas: 1 } } },
      ports: [{ Protocol: "tcp", TargetPort: 80, PublishedPort: 8080, PublishMode: "host" }],
      previousSpec: undefined,
      updateStatus: undefined,
      registryAuth: "auth",
    });
  });

  test("a taken name is refused in the Engine's words, without an entry", async () => {
    const l = leader();
    await create(l, "s1", spec("rmin"));
    await expect(create(l, "s2", spec("rmin"))).rejects.toMatchObject({
      http: 409,
      restMessage:
        "rpc error: code = AlreadyExists desc = name conflicts with an existing object: service rmin already exists",
    });
    await expect(create(l, "s2", spec("RMIN"))).rejects.toMatchObject({ code: "AlreadyExists" });
    expect(l.store.index).toBe(1);
  });

  test("the same request again gets the first answer, not a conflict with itself", async () => {
    const l = leader();
    const first = await create(l, "s1", spec("web"), "", "r1");
    await create(l, "s2", spec("other"));
    expect(await create(l, "s1", spec("web"), "", "r1")).toEqual(first);
    // Answered before anything is judged: even of a spec that is refused today.
    expect(await create(l, "s1", spec(""), "", "r1")).toEqual(first);
    expect(l.store.index).toBe(2);
  });

  test.each<{ name: string; held: string; wanted: string; how?: string }>([
    { name: "ingress beside ingress", held: "ingress", wanted: "ingress", how: "an ingress port" },
    { name: "host beside ingress", held: "ingress", wanted: "host", how: "an ingress port" },
    { name: "ingress beside host", held: "host", wanted: "ingress", how: "a host-published port" },
    { name: "host beside host", held: "host", wanted: "host" },
  ])("port conflict of $name: $how", async ({ held, wanted, how }) => {
    const l = await publishing(leader());
    await create(l, "n6ke", spec("rsvc", hostPort(8088, held)));
    const second = create(l, "s2", spec("rpc", hostPort(8088, wanted)));
    if (how === undefined) {
      await expect(second).resolves.toMatchObject({ index: 3 });
      return;
    }
    await expect(second).rejects.toMatchObject({
      http: 400,
      restMessage: `rpc error: code = InvalidArgument desc = port '8088' is already in use by service 'rsvc' (n6ke) as ${how}`,
    });
  });

  test("two creates of one name at once: the log decides, the later one is told", async () => {
    const l = leader();
    const propose = l.proposer.propose.bind(l.proposer);
    let isFirst = true;
    l.proposer.propose = async (transaction, signal) => {
      if (!isFirst) return propose(transaction, signal);
      isFirst = false;
      // The rival's entry comes between judging and writing.
      await create(l, "s2", spec("web"));
      return propose(transaction, signal);
    };
    await expect(create(l, "s1", spec("web"))).rejects.toMatchObject({
      message: "name conflicts with an existing object: service web already exists",
    });
    expect(l.store.services().map((service) => service.id)).toEqual(["s2"]);
  });
});

describe("service.update", () => {
  async function created(given: ServiceSpec = spec("web")): Promise<Leader> {
    const l = leader();
    await create(l, "s1", given, "auth1");
    return l;
  }

  test("keeps one previous spec and starts the update status anew", async () => {
    const l = await created();
    await internal(l, [
      {
        kind: "serviceUpdateStatus",
        serviceId: "s1",
        specVersion: 1,
        updateStatus: { state: "paused", startedAtMs: 1, completedAtMs: 0, message: "paused" },
      },
    ]);
    const before = l.store.service("s1");
    expect(await update(l, "s1", spec("web", image("2")))).toEqual({
      index: 3,
      result: { warnings: [] },
    });
    expect(l.store.service("s1")).toMatchObject({
      specVersion: 3,
      spec: { TaskTemplate: { ContainerSpec: { Image: "bb:2" } } },
      previousSpec: before?.spec,
      previousSpecVersion: 1,
      updateStatus: undefined,
      clientIndex: 3,
    });
  });

  test.each([
    { name: "nothing of them", sent: {}, stored: { DrainTime: 0, Options: { local: "prefer" } } },
    {
      name: "other values",
      sent: { DrainTime: 5e9, Options: { local: "spread" } },
      stored: { DrainTime: 5e9, Options: { local: "spread" } },
    },
  ])("what is ours of an endpoint stays until a client sends $name", async ({ sent, stored }) => {
    const ours = { Mode: "vip", DrainTime: 0, Options: { local: "prefer" } } as const;
    const l = await created(spec("web", { EndpointSpec: ours }));
    await update(l, "s1", spec("web", { EndpointSpec: { Mode: "vip", ...sent } }));
    expect(l.store.service("s1")?.spec.EndpointSpec).toEqual({ Mode: "vip", ...stored });
  });

  test("scaling is a new spec version with the same task spec, so no task is dirty", async () => {
    const l = await created();
    const template = l.store.service("s1")?.spec.TaskTemplate;
    await update(l, "s1", spec("web", { Mode: { Replicated: { Replicas: 5 } } }));
    const after = l.store.service("s1");
    expect(after?.specVersion).toBe(2);
    expect(after?.spec.TaskTemplate).toEqual(template);
    expect(after?.spec.Mode).toEqual({ Replicated: { Replicas: 5 } });
  });

  test.each([
    {
      name: "an older version than the last client write",
      version: 1,
      given: spec("web"),
      http: 500,
      text: "rpc error: code = Unknown desc = update out of sequence",
    },
    {
      name: "a version of the future",
      version: 99,
      given: spec("web"),
      http: 500,
      text: "rpc error: code = Unknown desc = update out of sequence",
    },
    {
      name: "a rename",
      version: 2,
      given: spec("renamed"),
      http: 501,
      text: "rpc error: code = Unimplemented desc = renaming services is not supported",
    },
    {
      name: "a change of mode",
      version: 2,
      given: spec("web", { Mode: { Global: {} } }),
      http: 501,
      text: "rpc error: code = Unimplemented desc = service mode change is not allowed",
    },
  ])("refuses $name", async ({ version, given, http, text }) => {
    const l = await created();
    l.capabilities.add("globalMode");
    await update(l, "s1", spec("web", image("2")));
    const before = l.store.service("s1");
    await expect(update(l, "s1", given, { version })).rejects.toMatchObject({
      http,
      restMessage: text,
    });
    expect(l.store.service("s1")).toBe(before);
  });

  test("an internal write in between does not spoil a client's version", async () => {
    const l = await created();
    const version = l.store.service("s1")?.versionIndex ?? 0;
    await internal(l, [
      {
        kind: "serviceUpdateStatus",
        serviceId: "s1",
        specVersion: 1,
        updateStatus: { state: "updating", startedAtMs: 1, completedAtMs: 0, message: "" },
      },
    ]);
    await expect(update(l, "s1", spec("web", image("2")), { version })).resolves.toMatchObject({
      index: 3,
    });
  });

  test("an internal write while the update is on its way makes it read again", async () => {
    const l = await created();
    const service = l.store.service("s1");
    if (!service) throw new Error("not created");
    const propose = l.proposer.propose.bind(l.proposer);
    let calls = 0;
    l.proposer.propose = async (transaction, signal) => {
      if (transaction.isClient && ++calls === 1)
        await propose({
          requestId: "",
          atMs: 1,
          isClient: false,
          preconditions: [],
          changes: [{ kind: "putService", service: { ...service, lastExecutionMs: 77 } }],
          resultJson: "",
        });
      return propose(transaction, signal);
    };
    await update(l, "s1", spec("web", image("2")));
    expect(calls).toBe(2);
    expect(l.store.service("s1")).toMatchObject({
      lastExecutionMs: 77,
      spec: { TaskTemplate: { ContainerSpec: { Image: "bb:2" } } },
    });
  });

  test("a leader that lost its place lets the caller try elsewhere", async () => {
    const l = await created();
    l.proposer.propose = () => Promise.reject(new ProposeError("NOT_LEADER", "gone"));
    await expect(update(l, "s1", spec("web"))).rejects.toMatchObject({
      name: "ProposeError",
      code: "NOT_LEADER",
    });
  });

  test("an unknown service is not found", async () => {
    const l = await created();
    await expect(update(l, "s9", spec("web"))).rejects.toMatchObject({
      code: "NotFound",
      message: "service s9 not found",
    });
  });

  test("its own port is no conflict, another's is", async () => {
    const l = await publishing(await created(spec("web", hostPort(80))));
    await create(l, "s2", spec("other", hostPort(81)));
    await expect(update(l, "s1", spec("web", hostPort(80, "ingress")))).resolves.toBeDefined();
    await expect(update(l, "s1", spec("web", hostPort(81, "ingress")))).rejects.toMatchObject({
      message: "port '81' is already in use by service 'other' (s2) as a host-published port",
    });
  });

  test.each<{ name: string; set: UpdateSet; auth: string }>([
    { name: "none given", set: {}, auth: "auth2" },
    { name: "new ones", set: { registryAuth: "auth3" }, auth: "auth3" },
    { name: "taken away", set: { registryAuth: "" }, auth: "" },
    {
      name: "those of the previous spec",
      set: { registryAuthFrom: "previous-spec" },
      auth: "auth1",
    },
  ])("registry credentials, $name", async ({ set, auth }) => {
    const l = await created();
    await update(l, "s1", spec("web", image("2")), { registryAuth: "auth2" });
    await update(l, "s1", spec("web", image("3")), set);
    expect(l.store.service("s1")).toMatchObject({
      registryAuth: auth,
      previousRegistryAuth: "auth2",
    });
  });

  test("credentials of a previous spec that is not there", async () => {
    const l = await created();
    await expect(
      update(l, "s1", spec("web"), { registryAuthFrom: "previous-spec" }),
    ).rejects.toMatchObject({ code: "FailedPrecondition" });
  });
});

describe("rollback", () => {
  test("swaps the specs with their versions and credentials; again, it redoes", async () => {
    const l = leader();
    await create(l, "s1", spec("web"), "auth1");
    await update(l, "s1", spec("web", image("2")), { registryAuth: "auth2" });
    const updated = l.store.service("s1");
    l.nowMs = 2_000_000;
    await update(l, "s1", spec("web", image("ignored")), { rollback: "previous" });
    const back = l.store.service("s1");
    expect(back).toMatchObject({
      spec: { TaskTemplate: { ContainerSpec: { Image: "bb:latest" } } },
      specVersion: 1,
      previousSpec: updated?.spec,
      previousSpecVersion: 2,
      registryAuth: "auth1",
      previousRegistryAuth: "auth2",
      clientIndex: 3,
      updateStatus: {
        state: "rollback_started",
        startedAtMs: 2_000_000,
        completedAtMs: 0,
        message: "manually requested rollback",
      },
    });
    await update(l, "s1", spec("web"), { rollback: "previous" });
    expect(l.store.service("s1")).toMatchObject({
      spec: updated?.spec,
      specVersion: 2,
      registryAuth: "auth2",
    });
  });

  test("without a previous spec is refused", async () => {
    const l = leader();
    await create(l, "8wow", spec("rmin"));
    await expect(update(l, "8wow", spec("rmin"), { rollback: "previous" })).rejects.toMatchObject({
      http: 400,
      restMessage:
        "rpc error: code = FailedPrecondition desc = service 8wow does not have a previous spec",
    });
  });

  test("validates the body all the same", async () => {
    const l = leader();
    await create(l, "s1", spec("web"));
    await update(l, "s1", spec("web", image("2")));
    await expect(
      update(l, "s1", spec("web", image("NOT VALID")), { rollback: "previous" }),
    ).rejects.toMatchObject({ code: "InvalidArgument" });
  });
});

describe("service.remove", () => {
  test("removes the service and frees its name and ports", async () => {
    const l = leader();
    await create(l, "s1", spec("web", hostPort(80)));
    expect(await run(l, { kind: "service.remove", serviceId: "s1" })).toEqual({
      index: 2,
      result: {},
    });
    expect(l.store.services()).toEqual([]);
    await expect(create(l, "s2", spec("web", hostPort(80)))).resolves.toBeDefined();
  });

  test("an unknown service is not found", async () => {
    await expect(run(leader(), { kind: "service.remove", serviceId: "s1" })).rejects.toMatchObject({
      code: "NotFound",
      message: "service s1 not found",
    });
  });
});
