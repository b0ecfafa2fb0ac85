/** Addresses, VNIs and subnets have one holder; what a network, service or task is given can be set once and told apart from later. */
import { describe, expect, test } from "vitest";
import { type Change, type Precondition, TASK_STATE, type TaskNetwork } from "../api/index.js";
import { ClusterStore } from "./cluster-store.js";
import {
  apply,
  IDLE_PACE,
  id,
  sampleNetwork,
  sampleService,
  sampleTask,
} from "./testing/samples.js";

const NET = id("w", 1);
const subnet = (text: string, gateway = "") => ({ subnet: text, gateway, ipRange: "" });
const at = (address: string, address6 = ""): TaskNetwork => ({
  networkId: NET,
  address,
  address6,
  aliases: [],
});

/** One network 10.0.1.0/24, a service with a VIP on it, a task that is to get addresses. */
function populated(): ClusterStore {
  const store = new ClusterStore(IDLE_PACE);
  apply(store, [
    {
      kind: "putNetwork",
      network: sampleNetwork(1, {
        vni: 4097,
        subnets: [subnet("10.0.1.0/24", "10.0.1.1"), subnet("fd00:1::/64")],
        mtu: 1450,
      }),
    },
    {
      kind: "putService",
      service: sampleService(1, { vips: [{ networkId: NET, address: "10.0.1.2", address6: "" }] }),
    },
    { kind: "putTask", task: sampleTask(1) },
  ]);
  return store;
}

function code(store: ClusterStore, precondition: Precondition): string {
  const outcome = apply(store, [], { preconditions: [precondition] });
  return outcome.kind === "rejected" ? outcome.rejection.code : "applied";
}
const addressFree = (address: string, exceptId = ""): Precondition => ({
  kind: "addressFree",
  networkId: NET,
  address,
  exceptId,
});
const give = (...networks: TaskNetwork[]): Change => ({
  kind: "taskNetworks",
  taskId: id("t", 1),
  networks,
  message: "pending",
});
const state = (value: keyof typeof TASK_STATE): Change => ({
  kind: "taskStatus",
  taskId: id("t", 1),
  state: TASK_STATE[value],
  atMs: 5000,
  message: "",
  err: "",
  containerId: "",
  pid: 0,
  exitCode: 0,
  portStatus: [],
});

describe("claims", () => {
  test.each([
    { name: "a gateway", claim: addressFree("10.0.1.1"), expected: "ADDRESS_CONFLICT" },
    { name: "a VIP", claim: addressFree("10.0.1.2"), expected: "ADDRESS_CONFLICT" },
    { name: "its own VIP", claim: addressFree("10.0.1.2", id("s", 1)), expected: "applied" },
    { name: "a free address", claim: addressFree("10.0.1.3"), expected: "applied" },
    {
      name: "the same address elsewhere",
      claim: { ...addressFree("10.0.1.2"), networkId: id("w", 2) } as Precondition,
      expected: "applied",
    },
    {
      name: "a VNI",
      claim: { kind: "vniFree", vni: 4097, exceptId: "" },
      expected: "VNI_CONFLICT",
    },
    {
      name: "its own VNI",
      claim: { kind: "vniFree", vni: 4097, exceptId: NET },
      expected: "applied",
    },
    ...["10.0.0.0/8", "10.0.1.0/24", "10.0.1.128/25", "fd00:1::/48", "0.0.0.0/0"].map((text) => ({
      name: `subnet ${text}`,
      claim: { kind: "subnetFree", subnet: text, exceptId: "" } as const,
      expected: "SUBNET_CONFLICT",
    })),
    ...["10.0.2.0/24", "fd00:2::/64"].map((text) => ({
      name: `subnet ${text}`,
      claim: { kind: "subnetFree", subnet: text, exceptId: "" } as const,
      expected: "applied",
    })),
  ] satisfies { name: string; claim: Precondition; expected: string }[])(
    "claiming $name is $expected",
    ({ claim, expected }) => {
      expect(code(populated(), claim)).toBe(expected);
    },
  );

  test("a task has its addresses until it is over, and then they count as freed", () => {
    const store = populated();
    apply(store, [give(at("10.0.1.5", "fd00:1::5"))]);
    apply(store, [state("running")]);
    expect(code(store, addressFree("10.0.1.5"))).toBe("ADDRESS_CONFLICT");
    expect(code(store, addressFree("fd00:1::5"))).toBe("ADDRESS_CONFLICT");
    expect(store.freedAddresses(NET).size).toBe(0);
    apply(store, [state("failed")], { atMs: 7000 });
    expect(code(store, addressFree("10.0.1.5"))).toBe("applied");
    expect([...store.freedAddresses(NET)]).toEqual([
      ["10.0.1.5", 7000],
      ["fd00:1::5", 7000],
    ]);
  });

  test("a removed task and a removed service free theirs, a removed network everything", () => {
    const store = populated();
    apply(store, [give(at("10.0.1.5"))]);
    apply(store, [{ kind: "delete", table: "task", id: id("t", 1) }], { atMs: 8000 });
    apply(store, [{ kind: "delete", table: "service", id: id("s", 1) }], { atMs: 9000 });
    expect([...store.freedAddresses(NET)]).toEqual([
      ["10.0.1.5", 8000],
      ["10.0.1.2", 9000],
    ]);
    apply(store, [{ kind: "delete", table: "network", id: NET }]);
    expect(code(store, { kind: "vniFree", vni: 4097, exceptId: "" })).toBe("applied");
    expect(code(store, { kind: "subnetFree", subnet: "10.0.0.0/8", exceptId: "" })).toBe("applied");
    expect(store.freedAddresses(NET).size).toBe(0);
  });

  test("claims come back with a snapshot", async () => {
    const store = populated();
    apply(store, [give(at("10.0.1.5"))]);
    const other = new ClusterStore(IDLE_PACE);
    await other.restore(store.snapshot());
    expect(code(other, addressFree("10.0.1.5"))).toBe("ADDRESS_CONFLICT");
    expect(code(other, addressFree("10.0.1.2"))).toBe("ADDRESS_CONFLICT");
    expect(code(other, { kind: "vniFree", vni: 4097, exceptId: "" })).toBe("VNI_CONFLICT");
  });
});

describe("narrow changes", () => {
  test("addresses make a new task pending; later ones change nothing", () => {
    const store = populated();
    apply(store, [give(at("10.0.1.5"))]);
    expect(store.task(id("t", 1))).toMatchObject({
      state: TASK_STATE.pending,
      networks: [at("10.0.1.5")],
    });
    apply(store, [give(at("10.0.1.6"))]);
    expect(store.task(id("t", 1))?.networks).toEqual([at("10.0.1.5")]);
    expect(code(store, addressFree("10.0.1.6"))).toBe("applied");
  });

  test("the network phase only grows", () => {
    const store = populated();
    const phase = (value: 1 | 2 | 3): Change => ({
      kind: "taskNetworkPhase",
      taskId: id("t", 1),
      phase: value,
    });
    apply(store, [phase(2)]);
    apply(store, [phase(1)]);
    expect(store.task(id("t", 1))?.networkPhase).toBe(2);
  });

  test("a network is allocated once", () => {
    const store = new ClusterStore(IDLE_PACE);
    apply(store, [{ kind: "putNetwork", network: sampleNetwork(1) }]);
    const allocated = (vni: number): Change => ({
      kind: "networkAllocated",
      networkId: NET,
      vni,
      subnets: [subnet("10.0.1.0/24", "10.0.1.1")],
      mtu: 1450,
    });
    apply(store, [allocated(4096)]);
    apply(store, [allocated(4097)]);
    expect(store.network(NET)).toMatchObject({ vni: 4096, mtu: 1450 });
    apply(store, [{ ...allocated(4096), mtu: 1400 } as Change]);
    expect(store.network(NET)).toMatchObject({ vni: 4096, mtu: 1400 });
    expect(code(store, addressFree("10.0.1.1"))).toBe("ADDRESS_CONFLICT");
  });

  test("an endpoint of an older spec is dropped", () => {
    const store = populated();
    const version = store.service(id("s", 1))?.specVersion ?? 0;
    const endpoint = (specVersion: number, address: string): Change => ({
      kind: "serviceEndpoint",
      serviceId: id("s", 1),
      specVersion,
      vips: [{ networkId: NET, address, address6: "" }],
      ports: [],
    });
    apply(store, [endpoint(version, "10.0.1.9")]);
    apply(store, [endpoint(version + 1, "10.0.1.10")]);
    expect(store.service(id("s", 1))?.vips[0]?.address).toBe("10.0.1.9");
    expect(code(store, addressFree("10.0.1.2"))).toBe("applied");
  });
});
