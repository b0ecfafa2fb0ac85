import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Change, NETWORK_PHASE, type NodeDescription, TASK_STATE } from "../../api/index.js";
import { ClusterStore, type StoreEvent } from "../../store/index.js";
import {
  apply,
  IDLE_PACE,
  id,
  sampleCluster,
  sampleNetwork,
  sampleNode,
  sampleService,
  sampleSpec,
  sampleTask,
} from "../../store/testing/samples.js";
import { applyDelta, endpointKey, serviceKey } from "./network-delta.js";
import type { NetworkState } from "./network-state.js";
import { NetworkTracker } from "./network-tracker.js";
import { networkStateFor } from "./node-view.js";

const NODES = [1, 2, 3];
const WITH_TUNNEL: NodeDescription = {
  Hostname: "host1",
  Platform: { Architecture: "x86_64", OS: "linux" },
  Resources: { NanoCPUs: 1, MemoryBytes: 1 },
  Engine: { EngineVersion: "1", Plugins: [] },
  EngineKind: "simulated",
  Tunnel: { Implementation: "kernel", PublicKey: "p", PairKeys: ["q"] },
};
const INGRESS = 9;

function putNetwork(network: number, isAllocated: boolean): Change {
  const isIngress = network === INGRESS;
  const subnet = { subnet: `10.${network}.0.0/16`, gateway: `10.${network}.0.1`, ipRange: "" };
  const base = sampleNetwork(network);
  return {
    kind: "putNetwork",
    network: {
      ...base,
      spec: { ...base.spec, Ingress: isIngress },
      vni: isAllocated ? 4096 + network : 0,
      subnets: isAllocated ? [subnet] : [],
      mtu: isAllocated ? 1450 : 0,
    },
  };
}

const anyNetworks = fc.subarray([1, 2, INGRESS]);

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 1, arbitrary: fc.boolean().map((isAllocated) => putNetwork(1, isAllocated)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...NODES).chain((node) =>
      fc
        .record({
          state: fc.constantFrom("ready" as const, "down" as const),
          description: fc.constantFrom(undefined, WITH_TUNNEL),
        })
        .map((fields) => ({ kind: "putNode" as const, node: sampleNode(node, fields) })),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...NODES).map((node) => ({
      kind: "delete" as const,
      table: "node" as const,
      id: id("n", node),
    })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ number: fc.integer({ min: 1, max: 2 }), networks: anyNetworks })
      .map(({ number, networks }) => ({
        kind: "putService" as const,
        service: sampleService(number, {
          spec: sampleSpec(`svc${number}`, {
            TaskTemplate: {
              ...sampleSpec("x").TaskTemplate,
              Networks: networks
                .filter((n) => n !== INGRESS)
                .map((n) => ({ Target: id("w", n), Aliases: ["also"] })),
            },
          }),
          ports: networks.includes(INGRESS)
            ? [
                {
                  Protocol: "tcp" as const,
                  TargetPort: 80,
                  PublishedPort: 8080 + number,
                  PublishMode: "ingress" as const,
                },
              ]
            : [],
          vips: networks.map((n) => ({
            networkId: id("w", n),
            address: `10.${n}.9.${number}`,
            address6: "",
          })),
        }),
      })),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({
        number: fc.integer({ min: 1, max: 4 }),
        networks: anyNetworks,
        state: fc.constantFrom(
          TASK_STATE.pending,
          TASK_STATE.assigned,
          TASK_STATE.running,
          TASK_STATE.complete,
        ),
        networkPhase: fc.constantFrom(...Object.values(NETWORK_PHASE)),
      })
      .map(({ number, networks, state, networkPhase }) => ({
        kind: "putTask" as const,
        task: sampleTask(number, {
          nodeId: id("n", (number % 3) + 1),
          state,
          networkPhase,
          networks: networks.map((n) => ({
            networkId: id("w", n),
            address: `10.${n}.1.${number}`,
            address6: "",
            aliases: [],
          })),
        }),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 4 }).map((number) => ({
      kind: "delete" as const,
      table: "task" as const,
      id: id("t", number),
    })),
  },
);

/** Lists have no order. */
function normal(state: NetworkState): NetworkState {
  const by = <T>(list: readonly T[], key: (entry: T) => string) =>
    [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return {
    ...state,
    index: 0,
    networks: by(state.networks, (entry) => entry.id),
    endpoints: by(state.endpoints, endpointKey),
    services: by(state.services, serviceKey),
    nodes: by(state.nodes, (entry) => entry.nodeId),
  };
}

function preparedStore(): { readonly store: ClusterStore; readonly events: StoreEvent[] } {
  const store = new ClusterStore(IDLE_PACE);
  apply(store, [
    { kind: "putCluster", cluster: sampleCluster() },
    ...NODES.map((node) => ({ kind: "putNode" as const, node: sampleNode(node) })),
    ...[1, 2, INGRESS].map((network) => putNetwork(network, true)),
  ]);
  const events: StoreEvent[] = [];
  store.subscribe((batch) => {
    if (batch.kind === "changes") events.push(...batch.events);
  });
  return { store, events };
}

test("a node's state is the one it was first told, and every difference since", () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyChange, { maxLength: 4 }), { maxLength: 8 }), (entries) => {
      const { store, events } = preparedStore();
      const tracker = new NetworkTracker(store);
      const told = new Map(NODES.map((n) => [id("n", n), networkStateFor(store, id("n", n))]));
      for (const changes of entries) {
        events.length = 0;
        for (const change of changes) apply(store, [change]);
        const deltas = tracker.step(events);
        expect(deltas).toBeDefined();
        for (const node of store.nodes()) {
          const delta = deltas?.get(node.id);
          const before = told.get(node.id);
          // A node that came back starts with a complete state, like every new session.
          const after = before === undefined ? networkStateFor(store, node.id) : before;
          told.set(node.id, delta === undefined ? after : applyDelta(after, delta));
          const whole = normal(networkStateFor(store, node.id));
          expect(normal(told.get(node.id) as NetworkState)).toEqual(whole);
          expect(normal(tracker.complete(node.id))).toEqual(whole);
        }
        for (const nodeId of told.keys()) if (store.node(nodeId) === undefined) told.delete(nodeId);
      }
    }),
    { numRuns: 60 },
  );
});

test("a node that went and came back within a step is told what is gone", () => {
  const { store, events } = preparedStore();
  const networks = [
    { networkId: id("w", INGRESS), address: "10.9.1.1", address6: "", aliases: [] },
  ];
  const task = sampleTask(1, { nodeId: id("n", 1), networks, state: TASK_STATE.assigned });
  apply(store, [{ kind: "putTask", task }]);
  const tracker = new NetworkTracker(store);
  events.length = 0;
  apply(store, [{ kind: "delete", table: "node", id: id("n", 2) }]);
  apply(store, [{ kind: "putNode", node: sampleNode(2) }]);
  apply(store, [{ kind: "putTask", task: { ...task, networks: [] } }]);
  const gone = endpointKey({ networkId: id("w", INGRESS), taskId: task.id });
  expect(tracker.step(events)?.get(id("n", 2))?.endpoints.removed).toEqual([gone]);
});

test("who is on none of the networks that changed is told nothing", () => {
  const { store, events } = preparedStore();
  const tracker = new NetworkTracker(store);
  const networks = [{ networkId: id("w", 1), address: "10.1.1.1", address6: "", aliases: [] }];
  const task = sampleTask(1, { nodeId: id("n", 1), networks, state: TASK_STATE.assigned });
  apply(store, [{ kind: "putTask", task }]);
  expect([...(tracker.step(events)?.keys() ?? [])]).toEqual([id("n", 1)]);
});

test("what happens to a task and changes nothing of its endpoints is told nobody", () => {
  const { store, events } = preparedStore();
  const networks = [{ networkId: id("w", 1), address: "10.1.1.1", address6: "", aliases: [] }];
  const task = sampleTask(1, { nodeId: id("n", 1), networks, state: TASK_STATE.assigned });
  apply(store, [{ kind: "putTask", task }]);
  const tracker = new NetworkTracker(store);
  events.length = 0;
  apply(store, [{ kind: "putTask", task: { ...task, state: TASK_STATE.preparing } }]);
  expect(events).toHaveLength(1);
  expect(tracker.step(events)?.size).toBe(0);
});

test("when ingress itself comes or goes everybody needs a complete state", () => {
  const { store, events } = preparedStore();
  const tracker = new NetworkTracker(store);
  apply(store, [{ kind: "delete", table: "network", id: id("w", INGRESS) }]);
  expect(tracker.step(events)).toBeUndefined();
  expect(networkStateFor(store, id("n", 1)).networks).toEqual([]);
});

test.each([
  {
    name: "waiting for its own node to take it: no endpoint",
    state: TASK_STATE.pending,
    phase: 0,
    isBackend: [],
  },
  {
    name: "assigned: known, takes nothing",
    state: TASK_STATE.assigned,
    phase: 2,
    isBackend: [false],
  },
  {
    name: "running and announced: takes connections",
    state: TASK_STATE.running,
    phase: 2,
    isBackend: [true],
  },
  { name: "running, not announced yet", state: TASK_STATE.running, phase: 1, isBackend: [false] },
  { name: "withdrawn, still draining", state: TASK_STATE.running, phase: 3, isBackend: [false] },
  { name: "ended: no endpoint", state: TASK_STATE.complete, phase: 3, isBackend: [] },
] as const)("a task that is $name", ({ state, phase: networkPhase, isBackend }) => {
  const { store } = preparedStore();
  const networks = [{ networkId: id("w", 1), address: "10.1.1.1", address6: "", aliases: [] }];
  const task = sampleTask(1, { nodeId: id("n", 1), networks, state, networkPhase });
  apply(store, [{ kind: "putTask", task }]);
  const endpoints = networkStateFor(store, id("n", 1)).endpoints;
  expect(endpoints.map((endpoint) => endpoint.isBackend)).toEqual(isBackend);
});

test("a node's public keys are told with it, once it has some", () => {
  const { store, events } = preparedStore();
  const tracker = new NetworkTracker(store);
  const [first = 0, second = 0] = NODES;
  const keysOf = (state: NetworkState | undefined) =>
    state?.nodes.find(({ nodeId }) => nodeId === id("n", first))?.tunnel;
  expect(keysOf(tracker.complete(id("n", second)))).toBeUndefined();
  const node = sampleNode(first, { description: WITH_TUNNEL });
  apply(store, [{ kind: "putNode", node }]);
  const delta = tracker.step(events)?.get(id("n", second));
  expect(delta?.nodes.set[0]?.tunnel).toEqual({ publicKey: "p", pairKeys: ["q"] });
  expect(keysOf(tracker.complete(id("n", second)))).toEqual({ publicKey: "p", pairKeys: ["q"] });
});
