/** Replicas agree: with an obvious serial model under pipelined writers, and with each other across a snapshot. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Change,
  encodeTransaction,
  type Precondition,
  type Service,
  TASK_STATE,
  type TaskState,
  type Transaction,
} from "../api/index.js";
import { SeededRandom } from "../base/index.js";
import { ClusterStore } from "./cluster-store.js";
import type { StoreView } from "./port.js";
import {
  IDLE_PACE,
  id,
  sampleNode,
  sampleService,
  sampleSpec,
  sampleTask,
  transaction,
} from "./testing/samples.js";

const WRITERS = 32;

/** Everything a reader can see. */
function visibleState(store: StoreView): unknown {
  return {
    index: store.index,
    cluster: store.cluster(),
    nodes: store.nodes(),
    services: store.services(),
    byName: store.services().map((service) => store.serviceByName(service.spec.Name)?.id),
    tasks: store.tasks(),
    byService: store.services().map((service) => store.tasksByService(service.id)),
    byNode: store.nodes().map((node) => store.tasksByNode(node.id)),
    bySlot: store.tasks().map((task) => store.tasksBySlot(task.serviceId, task.slot)),
    networks: store.networks(),
    secrets: store.secrets(),
    configs: store.configs(),
  };
}

describe("32 writers that pipeline on stale reads", () => {
  /**
   * The obvious store: what a service's label counts, by id, with versions. Each writer increments the counter it read, under a
   * version precondition, while up to a whole log of other entries gets in between.
   */
  type Counter = { name: string; value: number; version: number; clientVersion: number };

  test("every accepted increment counts, no other does, and versions are entry indexes", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = new SeededRandom(seed);
        const pick = (n: number): number => Math.floor(random.float() * n);
        const store = new ClusterStore(IDLE_PACE);
        const model = new Map<string, Counter>();
        /** Proposed and not yet applied, with what the model says of them when their turn comes. */
        const log: { bytes: Uint8Array; model: (index: number) => string }[] = [];

        const propose = (): void => {
          const serviceId = id("s", pick(4));
          const read = store.service(serviceId);
          log.push(read ? increment(read) : create(serviceId));
        };
        const create = (serviceId: string) => {
          const name = `name${pick(5)}`;
          const preconditions: Precondition[] = [
            { kind: "absent", table: "service", id: serviceId },
            { kind: "nameFree", table: "service", name: name.toUpperCase(), exceptId: serviceId },
          ];
          const service = sampleService(0, { id: serviceId, spec: counting(name, 0) });
          return {
            bytes: encode([{ kind: "putService", service }], preconditions, true),
            model: (index: number) => {
              if (model.has(serviceId)) return "EXISTS";
              if ([...model.values()].some((counter) => counter.name === name))
                return "NAME_CONFLICT";
              model.set(serviceId, { name, value: 0, version: index, clientVersion: index });
              return "applied";
            },
          };
        };
        const increment = (read: Service) => {
          const value = Number(read.spec.Labels["value"]) + 1;
          const isClient = pick(2) === 0;
          const index = read.versionIndex;
          const precondition: Precondition = isClient
            ? { kind: "clientVersion", table: "service", id: read.id, index }
            : { kind: "versionIs", table: "service", id: read.id, index };
          // Every third internal write leaves the spec alone, as the allocator does: it must not spoil a client's update.
          const isTouch = !isClient && pick(3) === 0;
          const spec = isTouch ? read.spec : counting(read.spec.Name, value);
          const service = { ...read, spec, registryAuth: String(pick(1e9)) };
          return {
            bytes: encode([{ kind: "putService", service }], [precondition], isClient),
            model: (at: number) => {
              const counter = model.get(read.id);
              if (!counter) return "NOT_FOUND";
              const holds = isClient
                ? counter.clientVersion <= index && index <= counter.version
                : counter.version === index;
              if (!holds) return "OUT_OF_SEQUENCE";
              if (!isTouch) counter.value = value;
              if (!isTouch || isClient) counter.clientVersion = at;
              counter.version = at;
              return "applied";
            },
          };
        };

        for (let step = 0; step < 400; step++) {
          if (log.length < WRITERS && pick(3) > 0) {
            propose();
            continue;
          }
          const entry = log.shift();
          if (!entry) continue;
          const index = store.index + 1 + pick(2);
          const outcome = store.apply(index, entry.bytes);
          const expected = entry.model(index);
          expect(outcome.kind === "applied" ? "applied" : outcome.rejection.code).toBe(expected);
        }
        for (const [serviceId, counter] of model)
          expect(store.service(serviceId)).toMatchObject({
            versionIndex: counter.version,
            clientIndex: counter.clientVersion,
            spec: { Labels: { value: String(counter.value) } },
          });
        expect(store.services()).toHaveLength(model.size);
      }),
      { numRuns: 30 },
    );
  });

  function counting(name: string, value: number): Service["spec"] {
    return sampleSpec(name, { Labels: { value: String(value) } });
  }

  function encode(
    changes: readonly Change[],
    preconditions: readonly Precondition[],
    isClient: boolean,
  ): Uint8Array {
    return encodeTransaction(transaction(changes, { preconditions, isClient }));
  }
});

describe("two replicas, one of them restored midway", () => {
  const small = fc.nat(5);
  const state = fc.constantFrom<TaskState>(...Object.values(TASK_STATE));
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.tuple(small, fc.nat(3)).map(
      ([n, label]): Change => ({
        kind: "putService",
        service: sampleService(n, {
          spec: sampleSpec(`svc${n}`, { Labels: { l: String(label) } }),
        }),
      }),
    ),
    small.map((n): Change => ({ kind: "putNode", node: sampleNode(n) })),
    fc.tuple(fc.nat(12), small, small, small).map(
      ([n, s, slot, env]): Change => ({
        kind: "putTask",
        task: sampleTask(n, {
          serviceId: id("s", s),
          slot,
          spec: {
            ContainerSpec: { Image: "bb", Env: [`E=${env}`] },
            ForceUpdate: 0,
            Runtime: "container",
          },
        }),
      }),
    ),
    fc.tuple(fc.constantFrom("service" as const, "node" as const, "task" as const), fc.nat(12)).map(
      ([table, n]): Change => ({
        kind: "delete",
        table,
        id: id(table === "service" ? "s" : table === "node" ? "n" : "t", n),
      }),
    ),
    fc
      .tuple(fc.nat(12), state)
      .map(
        ([n, desiredState]): Change => ({ kind: "taskDesired", taskId: id("t", n), desiredState }),
      ),
    fc.tuple(fc.nat(12), small).map(
      ([n, node]): Change => ({
        kind: "taskAssign",
        taskId: id("t", n),
        nodeId: id("n", node),
        message: "scheduled",
      }),
    ),
    fc.tuple(fc.nat(12), state, fc.nat(2)).map(
      ([n, taskState, text]): Change => ({
        kind: "taskStatus",
        taskId: id("t", n),
        state: taskState,
        atMs: 5,
        message: `m${text}`,
        err: "",
        containerId: "",
        pid: text,
        exitCode: 0,
        portStatus: [],
      }),
    ),
    fc
      .tuple(small, fc.constantFrom("ready" as const, "down" as const))
      .map(([n, s]): Change => ({ kind: "nodeStatus", nodeId: id("n", n), state: s })),
  );
  const precondition: fc.Arbitrary<Precondition> = fc.oneof(
    fc.tuple(small, fc.nat(40)).map(
      ([n, index]): Precondition => ({
        kind: "clientVersion",
        table: "service",
        id: id("s", n),
        index,
      }),
    ),
    small.map((n): Precondition => ({ kind: "exists", table: "node", id: id("n", n) })),
    fc.tuple(small, small).map(
      ([n, except]): Precondition => ({
        kind: "nameFree",
        table: "service",
        name: `SVC${n}`,
        exceptId: id("s", except),
      }),
    ),
  );
  const entry: fc.Arbitrary<Transaction> = fc.record({
    requestId: fc.oneof(
      fc.constant(""),
      fc.nat(8).map((n) => `r${n}`),
    ),
    atMs: fc.nat(2_000_000),
    isClient: fc.boolean(),
    preconditions: fc.array(precondition, { maxLength: 1 }),
    changes: fc.array(change, { maxLength: 4 }),
    resultJson: fc.nat(9).map((n) => `{"n":${n}}`),
  });

  test("see the same state, outcomes and kept results", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { minLength: 1, maxLength: 60 }),
        fc.nat(),
        async (entries, cut) => {
          const log = entries.map(encodeTransaction);
          const at = cut % (log.length + 1);
          const straight = new ClusterStore(IDLE_PACE);
          const before = new ClusterStore(IDLE_PACE);
          const restored = new ClusterStore(IDLE_PACE);
          for (const [i, bytes] of log.slice(0, at).entries()) {
            straight.apply(i + 1, bytes);
            before.apply(i + 1, bytes);
          }
          await restored.restore(before.snapshot());
          expect(visibleState(restored)).toEqual(visibleState(before));
          for (const [i, bytes] of log.slice(at).entries())
            expect(restored.apply(at + i + 1, bytes)).toEqual(straight.apply(at + i + 1, bytes));
          expect(visibleState(restored)).toEqual(visibleState(straight));
          for (let n = 0; n <= 8; n++)
            expect(restored.storedResult(`r${n}`)).toEqual(straight.storedResult(`r${n}`));
        },
      ),
      { numRuns: 60 },
    );
  });
});
