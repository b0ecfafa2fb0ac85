import { expect, test } from "vitest";
import type { NetworkDelta, NetworkState } from "../../../overlay-net/core/index.js";
import { DELTAS_MAX, type NetworkMessage, NetworkQueue, WAITING_MAX } from "./network-queue.js";

const NONE = { set: [], removed: [] };

function encoded(value: NetworkState | NetworkDelta): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function whole(index: number): NetworkMessage {
  const lists = { networks: [], endpoints: [], services: [], nodes: [] };
  const body = encoded({ index, nodeId: "n1", dataPathPort: 4789, ...lists });
  return { isComplete: true, appliesTo: 0, resultsIn: index, body };
}

/** Adds a node named after the index it leads to. */
function delta(appliesTo: number, index: number): NetworkMessage {
  const node = { nodeId: `n${index}`, index, dataPathAddr: "10.0.0.1", isDown: false };
  const nodes = { set: [node], removed: [] };
  const body = encoded({ index, networks: NONE, endpoints: NONE, services: NONE, nodes });
  return { isComplete: false, appliesTo, resultsIn: index, body };
}

function stateIn(message: NetworkMessage | undefined): NetworkState {
  return JSON.parse(Buffer.from(message?.body ?? []).toString()) as NetworkState;
}

test("passes on the whole, then each difference as it came", () => {
  const queue = new NetworkQueue();
  const messages = [whole(5), delta(5, 6), delta(6, 9)];
  for (const message of messages) expect(queue.receive(message)).toBe(true);
  // What came before net was told anything is told in one.
  expect(stateIn(queue.next())).toMatchObject({
    index: 9,
    nodes: [{ nodeId: "n6" }, { nodeId: "n9" }],
  });
  expect(queue.next()).toBeUndefined();
  const later = [delta(9, 10), delta(10, 12)];
  for (const message of later) queue.receive(message);
  expect([queue.next(), queue.next(), queue.next()]).toEqual([...later, undefined]);
  expect(queue.index).toBe(12);
});

test.each([
  { name: "a difference without a whole", messages: [delta(5, 6)] },
  { name: "one that does not follow", messages: [whole(5), delta(6, 7)] },
])("$name is a gap", ({ messages }) => {
  const queue = new NetworkQueue();
  expect(messages.map((message) => queue.receive(message)).at(-1)).toBe(false);
});

test("a net process that lost everything gets the whole as of now", () => {
  const queue = new NetworkQueue();
  queue.receive(whole(5));
  queue.next();
  queue.receive(delta(5, 6));
  queue.next();
  queue.netLost();
  expect(stateIn(queue.next())).toMatchObject({ index: 6, nodes: [{ nodeId: "n6" }] });
  expect(queue.next()).toBeUndefined();
  expect(queue.receive(delta(6, 7))).toBe(true);
  expect(queue.next()).toEqual(delta(6, 7));
});

test("what waits is bounded, and nothing of it is lost", () => {
  const queue = new NetworkQueue();
  queue.receive(whole(1));
  queue.next();
  for (let i = 1; i <= WAITING_MAX + 1; i++) queue.receive(delta(i, i + 1));
  const sent = queue.next();
  expect(sent?.isComplete).toBe(true);
  expect(stateIn(sent).nodes).toHaveLength(WAITING_MAX + 1);
  expect(queue.next()).toBeUndefined();
});

test("what is kept is bounded; net is told nothing twice for that", () => {
  const queue = new NetworkQueue();
  queue.receive(whole(1));
  queue.next();
  for (let i = 1; i <= DELTAS_MAX + 1; i++) {
    queue.receive(delta(i, i + 1));
    if (i <= DELTAS_MAX) expect(queue.next()).toEqual(delta(i, i + 1));
  }
  expect(stateIn(queue.next()).nodes).toHaveLength(DELTAS_MAX + 1);
  expect(queue.next()).toBeUndefined();
});

test("nothing is left of another cluster", () => {
  const queue = new NetworkQueue();
  queue.receive(whole(5));
  queue.clear();
  expect(queue.next()).toBeUndefined();
  expect(queue.receive(delta(5, 6))).toBe(false);
});
