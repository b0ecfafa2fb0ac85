import { expect, test } from "vitest";
import { canonicalState } from "../core/canonical-state.js";
import type { NetworkDelta } from "../core/network-delta.js";
import type { NetworkState } from "../core/network-state.js";
import { inputOf } from "../core/testing/random-cluster.js";
import { type NetworksMessage, stateAfter } from "./networks-message.js";

const CLUSTER = { nodeCount: 2, downNodes: [], tasks: [] };
const STATE: NetworkState = { ...canonicalState(inputOf(CLUSTER, 0).state), index: 7 };
const NODE = STATE.nodeId;
const NOTHING = { set: [], removed: [] };
const DELTA: NetworkDelta = {
  index: 9,
  networks: NOTHING,
  endpoints: NOTHING,
  services: NOTHING,
  nodes: { set: [], removed: ["node1xxx"] },
};

function message(fields: Partial<NetworksMessage>, body: unknown): NetworksMessage {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { complete: false, appliesTo: 0, resultsIn: 0, body: Buffer.from(text), ...fields };
}

test("a complete set replaces whatever there was, also a newer one", () => {
  const complete = message({ complete: true, resultsIn: 7 }, STATE);
  expect(stateAfter(undefined, complete, NODE)).toEqual(STATE);
  expect(stateAfter({ ...STATE, index: 40 }, complete, NODE)).toEqual(STATE);
});

test.each([
  { name: "on nothing", before: undefined, appliesTo: 7, index: undefined },
  { name: "on another state", before: STATE, appliesTo: 6, index: undefined },
  { name: "on its own state", before: STATE, appliesTo: 7, index: 9 },
  { name: "a second time", before: { ...STATE, index: 9 }, appliesTo: 7, index: 9 },
])("a difference $name", ({ before, appliesTo, index }) => {
  const delta = message({ appliesTo, resultsIn: 9 }, DELTA);
  expect(stateAfter(before, delta, NODE)?.index).toBe(index);
});

test.each([
  { name: "no JSON", body: "{", text: "is not JSON" },
  { name: "another shape", body: { index: 7 }, text: "shape" },
  { name: "another index", body: { ...STATE, index: 8 }, text: "results_in is 7" },
  { name: "another node", body: { ...STATE, nodeId: "x" }, text: 'node "x"' },
])("$name is refused by name", ({ body, text }) => {
  const complete = message({ complete: true, resultsIn: 7 }, body);
  expect(() => stateAfter(undefined, complete, NODE)).toThrow(text);
});

test("addresses are brought to the form in which the kernel says them", () => {
  const [network] = STATE.networks;
  const nodes = [{ nodeId: "n", index: 3, dataPathAddr: "2001:DB8:0::1", isDown: false }];
  const odd = { ...STATE, networks: [{ ...network, subnet6: "fd00:0::5/64" }], nodes };
  const state = stateAfter(undefined, message({ complete: true, resultsIn: 7 }, odd), NODE);
  expect(state?.networks[0]?.subnet6).toBe("fd00::/64");
  expect(state?.nodes[0]?.dataPathAddr).toBe("2001:db8::1");
});
