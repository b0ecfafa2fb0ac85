import { beforeEach, describe, expect, test } from "vitest";
import { type NetworkSpec, type ServiceSpec, TASK_STATE, type TaskSpec } from "../../api/index.js";
import { cluster, describedNode, type Leader, leader, run } from "./testing/leader.js";

let lead: Leader;
let made = 0;

beforeEach(async () => {
  lead = leader();
  lead.capabilities.add("overlay");
  await put([
    { kind: "putCluster", cluster: cluster() },
    { kind: "putNode", node: describedNode("m1") },
  ]);
  await network("open", { Attachable: true });
  await network("closed", {});
});

function put(changes: Parameters<Leader["proposer"]["propose"]>[0]["changes"]) {
  return lead.proposer.propose({
    ...{ requestId: "", atMs: 1, isClient: false, preconditions: [], resultJson: "" },
    changes,
  });
}

function network(Name: string, set: Partial<NetworkSpec>) {
  const spec = { Name, Driver: "overlay", ...set } as NetworkSpec;
  return run(lead, { kind: "network.create", networkId: `net-${Name}`, spec });
}

function start(set: object = {}, name = "tool", nodeId = "m1") {
  const spec = { ContainerSpec: { Image: "bb" }, Networks: [{ Target: "open" }], ...set };
  return run(lead, {
    kind: "container.run",
    ...{ taskId: `t${++made}`, nodeId, name },
    spec: spec as unknown as TaskSpec,
  });
}

const remove = (taskId: string) => run(lead, { kind: "container.remove", taskId });

test("is a task of no service for its node, still without addresses", async () => {
  await start({ Networks: [{ Target: "open", Aliases: ["db"] }] });
  expect(lead.store.task(`t${made}`)).toMatchObject({
    ...{ serviceId: "", serviceName: "tool", nodeId: "m1", slot: 0, networks: [] },
    ...{ state: TASK_STATE.new, desiredState: TASK_STATE.running },
    spec: { Runtime: "attachment", Networks: [{ Target: "net-open", Aliases: ["db"] }] },
  });
});

describe("is refused", () => {
  test.each([
    {
      name: "on a network that is not attachable",
      set: { Networks: [{ Target: "closed" }] },
      code: "PermissionDenied",
      message: "network closed not manually attachable; create it with --attachable",
    },
    {
      name: "without a network",
      set: { Networks: [] },
      code: "InvalidArgument",
      message: "name an attachable network",
    },
    {
      name: "on a network that every node has",
      set: { Networks: [{ Target: "host" }] },
      code: "InvalidArgument",
      message: "host is no network of the cluster",
    },
    {
      name: "on a network that is not there",
      set: { Networks: [{ Target: "nope" }] },
      code: "NotFound",
      message: "network nope not found",
    },
    {
      name: "with what only services have",
      set: { RestartPolicy: { Condition: "any" } },
      code: "Unimplemented",
      message: "container run: field RestartPolicy is not supported yet; make a service",
    },
  ])("$name", async ({ set, code, message }) => {
    await expect(start(set)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });

  test.each([
    { name: "a drained node", set: { availability: "drain" as const }, message: "is drain" },
    { name: "a node that is down", set: { state: "down" as const }, message: "m2 is down" },
  ])("on $name", async ({ set, message }) => {
    const { availability = "active", state = "ready" } = set as {
      availability?: "drain";
      state?: "down";
    };
    const node = describedNode("m2");
    await put([
      {
        kind: "putNode",
        node: { ...node, state, spec: { ...node.spec, Availability: availability } },
      },
    ]);
    await expect(start({}, "tool", "m2")).rejects.toMatchObject({
      code: "FailedPrecondition",
      message: expect.stringContaining(message) as string,
    });
  });

  test("under a name that a container or a service has; a removed one's is free", async () => {
    await start();
    const first = `t${made}`;
    await expect(start({}, "TOOL")).rejects.toMatchObject({
      code: "AlreadyExists",
      message: `container TOOL already exists (task ${first}); remove it or choose another name`,
    });
    await remove(first);
    await start({}, "tool");
    await run(lead, {
      kind: "service.create",
      ...{ serviceId: "s1", registryAuth: "" },
      spec: {
        Name: "web",
        TaskTemplate: { ContainerSpec: { Image: "bb" } },
      } as unknown as ServiceSpec,
    });
    await expect(start({}, "web")).rejects.toMatchObject({
      code: "AlreadyExists",
      message: "service web already exists; choose another name",
    });
  });
});

test("holds its network until it is removed", async () => {
  await start();
  const id = `t${made}`;
  const removeNetwork = () => run(lead, { kind: "network.remove", networkId: "net-open" });
  await expect(removeNetwork()).rejects.toMatchObject({
    message: `network net-open is in use by task ${id}`,
  });
  await remove(id);
  expect(lead.store.task(id)?.desiredState).toBe(TASK_STATE.remove);
  await removeNetwork();
});

test("only containers outside services are removed like this", async () => {
  await start();
  const task = lead.store.task(`t${made}`);
  if (task === undefined) throw new Error("no task");
  await put([
    { kind: "putTask", task: { ...task, id: "owned", serviceId: "s1", serviceName: "web" } },
  ]);
  await expect(remove("owned")).rejects.toMatchObject({
    code: "InvalidArgument",
    message: "task owned belongs to service web; scale or remove the service",
  });
  await expect(remove("nope")).rejects.toMatchObject({ code: "NotFound" });
});
