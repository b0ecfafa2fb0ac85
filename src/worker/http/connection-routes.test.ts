import { expect, test } from "vitest";
import { TASK_STATE } from "../../api/index.js";
import { ApiError, doorError, SeededRandom, silentLogger } from "../../base/index.js";
import type { ConnectionRequest, ConnectionsPort } from "../agent/index.js";
import type { Assignment } from "../core/task/types.js";
import { containerIdOf } from "../tasks/index.js";
import { type FakeClock, settle, until } from "../testing/fake-clock.js";
import { completeSet, fakeAssignment, NODE, NodeKit, taskId } from "../testing/node-kit.js";
import type { HttpContext } from "./context.js";
import { buildServer } from "./server.js";

const S = TASK_STATE;
const NAME = `web.1.${taskId("a")}`;

/** The managers: give every container an address on net9, or refuse. */
class FakeManagers implements ConnectionsPort {
  readonly connects: ConnectionRequest[] = [];
  readonly disconnects: (readonly [container: string, network: string])[] = [];
  readonly attached = new Map<string, Assignment>();
  refusal: Error | undefined;
  /** They have written it, and the node hears nothing of it. */
  isSilent = false;
  readonly #kit: NodeKit;
  readonly #own: readonly Assignment[];
  #index = 1;

  constructor(kit: NodeKit, own: readonly Assignment[]) {
    this.#kit = kit;
    this.#own = own;
  }

  async connect(request: ConnectionRequest): Promise<readonly string[]> {
    this.connects.push(request);
    if (this.refusal !== undefined) throw this.refusal;
    const networks = [{ networkId: "net9", address: "10.9.0.7", address6: "", aliases: [] }];
    const made = fakeAssignment("x", { networks, networkPhase: 2 });
    this.attached.set(request.taskId, {
      ...made,
      ...{ taskId: request.taskId, serviceId: "", serviceName: request.containerName },
      spec: {
        ...made.spec,
        NetworkAttachmentSpec: {
          ContainerID: request.containerId,
          TaskID: request.containerTaskId,
        },
        Networks: [{ Target: "net9", Aliases: request.aliases, Addresses: request.addresses }],
      },
    });
    this.#tell();
    return [request.taskId];
  }

  async disconnect(container: string, network: string): Promise<readonly string[]> {
    this.disconnects.push([container, network]);
    if (this.refusal !== undefined) throw this.refusal;
    const taskIds = [...this.attached.keys()];
    for (const [id, one] of this.attached)
      this.attached.set(id, { ...one, desiredState: S.remove, networkPhase: 3 });
    this.#tell();
    return taskIds;
  }

  #tell(): void {
    if (this.isSilent) return;
    this.#kit.tasks.apply(completeSet(++this.#index, [...this.#own, ...this.attached.values()]));
  }
}

type World = {
  readonly kit: NodeKit;
  readonly managers: FakeManagers;
  readonly post: (path: string, body: object) => Promise<{ code: number; message: string }>;
  readonly get: (path: string) => Promise<unknown>;
};

async function world(kit: NodeKit, set: Parameters<typeof fakeAssignment>[1] = {}): Promise<World> {
  const own = [fakeAssignment("a", set)];
  kit.tasks.apply(completeSet(1, own));
  await until(() => kit.stateOf("a") === S.running, "running");
  const managers = new FakeManagers(kit, own);
  const context: HttpContext = {
    ...{ engine: kit.engine, net: kit.net, tasks: kit.tasks, logs: kit.logs, store: kit.store },
    ...{ volumes: kit.volumes, volumeRoot: `${kit.dir}/volumes`, clock: kit.clock },
    ...{ connections: managers, random: new SeededRandom(7), logger: silentLogger },
    ...{ node: () => NODE, engineProblem: () => "", isSessionUp: () => true },
  };
  const app = buildServer(context);
  return {
    kit,
    managers,
    post: async (url, payload) => {
      const answer = await app.inject({ method: "POST", url, payload });
      const { message = "" } = answer.body === "" ? {} : answer.json<{ message?: string }>();
      return { code: answer.statusCode, message };
    },
    get: async (url) => (await app.inject(url)).json(),
  };
}

/** As Docker's client sends it when its user says nothing. */
const EMPTY_CONFIG = {
  ...{ IPAMConfig: { IPv4Address: "", IPv6Address: "", LinkLocalIPs: [] }, Links: [], Aliases: [] },
  ...{ DriverOpts: {}, GwPriority: 0, NetworkID: "", EndpointID: "", MacAddress: "" },
  ...{ IPPrefixLen: 0, DNSNames: null },
};

test("a container is put on a network, and shown there; taken off, it is not", async () => {
  await using kit = await NodeKit.make();
  const { managers, post, get } = await world(kit);
  const EndpointConfig = {
    ...EMPTY_CONFIG,
    IPAMConfig: { IPv4Address: "10.9.0.7" },
    Aliases: ["db"],
  };
  const container = containerIdOf(taskId("a"));
  expect(
    await post("/v1.50/networks/app/connect", {
      Container: container.slice(0, 12),
      EndpointConfig,
    }),
  ).toEqual({ code: 200, message: "" });
  expect(managers.connects).toMatchObject([
    {
      ...{ containerTaskId: taskId("a"), containerId: container, containerName: NAME },
      ...{ network: "app", aliases: ["db"], addresses: ["10.9.0.7"] },
    },
  ]);
  const shown = await get(`/containers/${container}/json`);
  expect(shown).toMatchObject({
    NetworkSettings: {
      Networks: {
        bridge: { NetworkID: "bridge" },
        "name-of-net9": {
          ...{ NetworkID: "net9", IPAddress: "10.9.0.7", IPPrefixLen: 24, Gateway: "10.9.0.1" },
          ...{ Aliases: ["db"], IPAMConfig: { IPv4Address: "10.9.0.7" } },
          DNSNames: [NAME, container.slice(0, 12), "db"],
        },
      },
    },
  });
  for (const name of ["name-of-net9", "net9"]) {
    const filters = encodeURIComponent(JSON.stringify({ network: [name] }));
    expect(await get(`/containers/json?filters=${filters}`)).toHaveLength(1);
  }
  // One container, not two.
  expect(await get("/containers/json?all=1")).toHaveLength(1);
  expect(await post("/networks/app/disconnect", { Container: NAME, Force: false })).toEqual({
    code: 200,
    message: "",
  });
  expect(managers.disconnects).toEqual([[container, "app"]]);
  expect(await get(`/containers/${container}/json`)).not.toMatchObject({
    NetworkSettings: { Networks: { "name-of-net9": {} } },
  });
});

test.each([
  {
    name: "the host network",
    spec: { Networks: [{ Target: "host" }] },
    message:
      "container sharing network namespace with another container or host cannot be connected to any other network",
  },
  {
    name: "no network",
    spec: { Networks: [{ Target: "none" }] },
    message:
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
  },
])("a container on $name gets no other", async ({ spec, message }) => {
  await using kit = await NodeKit.make();
  const { managers, post } = await world(kit, { spec });
  const answer = await post("/networks/app/connect", { Container: taskId("a") });
  expect(answer).toEqual({ code: 400, message });
  expect(managers.connects).toEqual([]);
});

test.each([
  {
    name: "a container that is not here",
    body: { Container: "nope" },
    answer: { code: 404, message: "No such container: nope" },
  },
  {
    name: "no container",
    body: {},
    answer: { code: 400, message: "Container: name a container of this node" },
  },
  {
    name: "a MAC address",
    body: { Container: NAME, EndpointConfig: { MacAddress: "02:42:ac:11:00:02" } },
    answer: {
      code: 501,
      message: "network connect: field EndpointConfig.MacAddress is not supported yet",
    },
  },
  {
    name: "link-local addresses",
    body: { Container: NAME, EndpointConfig: { IPAMConfig: { LinkLocalIPs: ["169.254.1.1"] } } },
    answer: {
      code: 501,
      message: "network connect: field EndpointConfig.IPAMConfig.LinkLocalIPs is not supported yet",
    },
  },
  {
    name: "aliases that are no texts",
    body: { Container: NAME, EndpointConfig: { Aliases: [1] } },
    answer: { code: 400, message: "EndpointConfig.Aliases must hold texts" },
  },
])("connecting with $name is refused here", async ({ body, answer }) => {
  await using kit = await NodeKit.make();
  const { managers, post } = await world(kit);
  expect(await post("/networks/app/connect", body)).toEqual(answer);
  expect(managers.connects).toEqual([]);
});

test.each([
  { network: "host", code: 400, message: "connected to host network" },
  { network: "none", code: 400, message: "in private (none) mode" },
  { network: "bridge", code: 403, message: `endpoint with name ${NAME} already exists` },
])("a node's own network $network is refused in the Engine's words", async (row) => {
  await using kit = await NodeKit.make();
  const { post } = await world(kit);
  const answer = await post(`/networks/${row.network}/connect`, { Container: NAME });
  expect(answer).toMatchObject({ code: row.code });
  expect(answer.message).toContain(row.message);
});

test("a container that has ended is not connected", async () => {
  await using kit = await NodeKit.make();
  const { post } = await world(kit);
  kit.engine.exit(taskId("a"), 0);
  const clock = kit.clock as FakeClock;
  await clock.advanceUntil(() => kit.stateOf("a") === S.complete, "complete");
  expect(await post("/networks/app/connect", { Container: NAME })).toEqual({
    code: 409,
    message: `container ${NAME} is not running`,
  });
});

test.each([
  {
    name: "behind the control plane",
    error: new ApiError("PermissionDenied", "network app not manually attachable"),
    answer: {
      code: 403,
      message:
        "Could not attach to network app: rpc error: code = PermissionDenied desc = network app not manually attachable",
    },
  },
  {
    name: "at the door",
    error: doorError("AlreadyExists", "x is already attached to network app"),
    answer: { code: 409, message: "x is already attached to network app" },
  },
])("what is found $name keeps code and words", async ({ error, answer }) => {
  await using kit = await NodeKit.make();
  const { managers, post } = await world(kit);
  managers.refusal = error;
  expect(await post("/networks/app/connect", { Container: NAME })).toEqual(answer);
});

test("a link that cannot be made is told with its reason, and taken back", async () => {
  await using kit = await NodeKit.make();
  const { managers, post } = await world(kit);
  kit.net.refusal = "the kernel says no";
  const answer = await post("/networks/app/connect", { Container: NAME });
  expect(answer.message).toContain(
    `attaching container ${NAME} to network app failed: the kernel says no`,
  );
  expect(managers.disconnects).toEqual([[managers.connects[0]?.taskId, "app"]]);
});

test("nobody waits for longer than twenty seconds", async () => {
  await using kit = await NodeKit.make();
  const { managers, post } = await world(kit);
  managers.isSilent = true;
  const answer = post("/networks/app/connect", { Container: NAME });
  await settle();
  await until(() => managers.connects.length === 1, "asked");
  await (kit.clock as FakeClock).advance(20_000, 1_000);
  expect((await answer).message).toContain("it has no link after 20 s");
  expect(managers.disconnects).toHaveLength(1);
});

test.each([
  { isForced: false, answer: { code: 404, message: "No such container: gone" }, asked: [] },
  { isForced: true, answer: { code: 200, message: "" }, asked: [["gone", "app"]] },
])("a container that is gone, force $isForced", async ({ isForced, answer, asked }) => {
  await using kit = await NodeKit.make();
  const { managers, post } = await world(kit);
  expect(await post("/networks/app/disconnect", { Container: "gone", Force: isForced })).toEqual(
    answer,
  );
  expect(managers.disconnects).toEqual(asked);
});

test("by force, connections that are open do not hold it", async () => {
  await using kit = await NodeKit.make();
  const { post } = await world(kit);
  await post("/networks/app/connect", { Container: NAME });
  kit.net.open = { open: 5, drainMs: 60_000 };
  const answer = await post("/networks/app/disconnect", { Container: NAME, Force: true });
  expect(answer.code).toBe(200);
  expect(kit.net.connected.size).toBe(0);
});
