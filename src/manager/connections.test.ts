import { beforeEach, expect, test } from "vitest";
import {
  type Change,
  type Operation,
  type OperationKind,
  type ResultOf,
  TASK_STATE,
} from "../api/index.js";
import { ApiError } from "../base/index.js";
import { ClusterStore, LocalProposer } from "../store/index.js";
import { ADDRESS_MAX_MS, type ConnectionParts, connect, disconnect } from "./connections.js";
import { FakeClock, settled } from "./testing/fake-clock.js";
import { sampleTask } from "./testing/samples.js";

const REQUEST = {
  ...{ taskId: "t1", containerTaskId: "web1", containerId: "abc", containerName: "web.1.web1" },
  ...{ network: "app", aliases: [], addresses: [] },
};
const NEVER = new AbortController().signal;
let clock: FakeClock;
let store: ClusterStore;
let asked: Operation[];
let requestIds: (string | undefined)[];
let refusal: Error | undefined;
let parts: ConnectionParts;

beforeEach(() => {
  clock = new FakeClock();
  store = new ClusterStore({ yieldToLoop: () => Promise.resolve(), nowMs: () => 0 });
  asked = [];
  requestIds = [];
  refusal = undefined;
  parts = { store, clock, submit };
});

function put(...changes: readonly Change[]): Promise<unknown> {
  return new LocalProposer(store).propose({
    ...{ requestId: "", atMs: 1, isClient: false, preconditions: [], resultJson: "" },
    changes,
  });
}

/** As control does it, roughly. */
async function submit<K extends OperationKind>(
  operation: Extract<Operation, { kind: K }>,
  _signal: AbortSignal,
  _client: string,
  requestId?: string,
): Promise<ResultOf<K>> {
  asked.push(operation);
  requestIds.push(requestId);
  if (operation.kind === "network.connect") {
    if (refusal !== undefined) throw refusal;
    await put({ kind: "putTask", task: sampleTask({ id: "t1", state: TASK_STATE.new }) });
    return { networkId: "app1" } as ResultOf<K>;
  }
  return { taskIds: ["t1"] } as unknown as ResultOf<K>;
}

const kinds = (): readonly string[] => asked.map(({ kind }) => kind);

test("is answered when the attachment has its address and its node", async () => {
  let answer: unknown;
  void connect(parts, REQUEST, "n1", NEVER).then((taskIds) => {
    answer = taskIds;
  });
  await settled();
  expect(answer).toBe(undefined);
  await put({
    kind: "putTask",
    task: sampleTask({ id: "t1", state: TASK_STATE.assigned }),
  });
  await settled();
  expect(answer).toEqual(["t1"]);
  expect(asked).toEqual([
    { kind: "network.connect", ...REQUEST, nodeId: "n1", aliases: [], addresses: [] },
  ]);
});

test.each<{ name: string; happen: () => Promise<unknown>; code: string; message: string }>([
  {
    name: "there is no address for it",
    happen: () =>
      put({
        kind: "putTask",
        task: sampleTask({ id: "t1", state: TASK_STATE.new, err: "network app: no free address" }),
      }),
    code: "ResourceExhausted",
    message: "network app: no free address",
  },
  {
    name: "its container ends meanwhile",
    happen: () => put({ kind: "delete", table: "task", id: "t1" }),
    code: "Aborted",
    message: "network app: disconnected meanwhile",
  },
  {
    name: "nobody says anything",
    happen: () => clock.advance(ADDRESS_MAX_MS),
    code: "DeadlineExceeded",
    message: "attaching to network app failed: no address within 20 s",
  },
])("when $name, it is told so and nothing is left", async ({ happen, code, message }) => {
  const answer = connect(parts, REQUEST, "n1", NEVER).catch((error: unknown) => error);
  await settled();
  await happen();
  expect(await answer).toMatchObject({ code, message });
  expect(asked.at(-1)).toEqual({
    ...{ kind: "network.disconnect", nodeId: "n1", container: "t1", network: "app" },
  });
});

test("what control refuses is passed on", async () => {
  refusal = new ApiError("NotFound", "network app not found");
  await expect(connect(parts, REQUEST, "n1", NEVER)).rejects.toBe(refusal);
});

test("a node that is gone gets nothing", async () => {
  const gone = new AbortController();
  const answer = connect(parts, REQUEST, "n1", gone.signal).catch((error: unknown) => error);
  await settled();
  gone.abort();
  expect(await answer).toMatchObject({ code: "Cancelled" });
  expect(kinds()).toEqual(["network.connect", "network.disconnect"]);
});

test.each([
  { name: "without a network", set: { network: "" } },
  { name: "with a network's name of 300 characters", set: { network: "x".repeat(300) } },
  { name: "with 65 aliases", set: { aliases: Array.from({ length: 65 }, (_, i) => `a${i}`) } },
])("a call $name is refused before anything is written", async ({ set }) => {
  await expect(connect(parts, { ...REQUEST, ...set }, "n1", NEVER)).rejects.toMatchObject({
    code: "InvalidArgument",
  });
  expect(asked).toEqual([]);
});

test("disconnecting tells which attachments end; the node's own id of the call goes with it", async () => {
  const request = { container: "abc", network: "app" };
  for (const requestId of ["", "r1"])
    expect(await disconnect(parts, { ...request, requestId }, "n1", NEVER)).toEqual(["t1"]);
  const operation = { kind: "network.disconnect", nodeId: "n1", ...request };
  expect(asked).toEqual([operation, operation]);
  expect(requestIds).toEqual([undefined, "n1.r1"]);
});

test("an id of a call that no node makes is refused", async () => {
  const request = { container: "abc", network: "app", requestId: "n2.r1" };
  await expect(disconnect(parts, request, "n1", NEVER)).rejects.toMatchObject({
    code: "InvalidArgument",
  });
  expect(asked).toEqual([]);
});
