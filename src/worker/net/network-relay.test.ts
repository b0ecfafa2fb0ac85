import { beforeEach, expect, test } from "vitest";
import { silentLogger } from "../../base/index.js";
import type { NetworkMessage } from "../core/network/network-queue.js";
import { FakeClock, settle } from "../testing/fake-clock.js";
import { FakeNet } from "../testing/fake-net.js";
import { IN_FLIGHT_MAX, NetworkRelay } from "./network-relay.js";

const NONE = { set: [], removed: [] };
const EMPTY = { networks: NONE, endpoints: NONE, services: NONE, nodes: NONE };
let net: FakeNet;
let clock: FakeClock;
let relay: NetworkRelay;
let applied: number[];

function message(index: number, isComplete = false): NetworkMessage {
  const lists = { networks: [], endpoints: [], services: [], nodes: [] };
  const body = isComplete
    ? { index, nodeId: "n1", dataPathPort: 4789, ...lists }
    : { index, ...EMPTY };
  const appliesTo = isComplete ? 0 : index - 1;
  return { isComplete, appliesTo, resultsIn: index, body: Buffer.from(JSON.stringify(body)) };
}

/** What net was told since the last look: `=5` the whole as of 5, `+6` what leads to 6. */
function told(): readonly string[] {
  const messages = net.told.splice(0);
  return messages.map(({ isComplete, resultsIn }) => `${isComplete ? "=" : "+"}${resultsIn}`);
}

beforeEach(() => {
  net = new FakeNet();
  clock = new FakeClock();
  relay = new NetworkRelay({ net, clock, logger: silentLogger });
  applied = [];
  relay.onApplied(() => applied.push(relay.appliedIndex));
});

test("what the managers say goes on to net, and how far it is comes back", async () => {
  relay.receive(message(5, true));
  relay.receive(message(6));
  await settle();
  expect(told()).toEqual(["=5", "+6"]);
  expect(applied).toEqual([5, 6]);
  expect(relay.receive(message(9))).toBe(false);
});

test("another tunnel in an answer is told once", async () => {
  const told: unknown[] = [];
  relay.onTunnel(({ PairKeys }) => told.push(PairKeys));
  let PairKeys: readonly string[] = ["a"];
  net.answer = ({ resultsIn }) =>
    Promise.resolve({
      appliedIndex: resultsIn,
      needsComplete: false,
      tunnel: { Implementation: "kernel", PublicKey: "p", PairKeys },
    });
  relay.receive(message(5, true));
  await settle();
  relay.receive(message(6));
  await settle();
  expect(told).toEqual([["a"]]);
  PairKeys = ["a", "b"];
  relay.receive(message(7));
  await settle();
  expect(told).toEqual([["a"], ["a", "b"]]);
});

test("net answers late: later changes do not wait, up to a bound, and the highest number counts", async () => {
  const answers: ((index: number) => void)[] = [];
  net.answer = () =>
    new Promise((resolve) => {
      answers.push((appliedIndex) => resolve({ appliedIndex, needsComplete: false }));
    });
  relay.receive(message(1, true));
  for (let index = 2; index <= IN_FLIGHT_MAX + 3; index++) relay.receive(message(index));
  await settle();
  expect(told()).toHaveLength(IN_FLIGHT_MAX);
  answers[3]?.(4);
  answers[0]?.(1);
  await settle();
  expect(applied).toEqual([4]);
  expect(told()).toEqual(["+9", "+10"]);
});

test("net is away: tried again less and less often, then told the whole", async () => {
  net.isDown = true;
  relay.receive(message(5, true));
  await clock.advance(400);
  expect(told()).toEqual([]);
  relay.receive(message(6));
  net.isDown = false;
  await clock.advance(200);
  expect(told()).toEqual(["=6"]);
  expect(applied).toEqual([6]);
});

test("net was restarted: it gets the whole at once, without the managers", async () => {
  relay.receive(message(5, true));
  relay.receive(message(6));
  await settle();
  told();
  net.restart();
  await settle();
  expect(told()).toEqual(["=6"]);
  relay.receive(message(7));
  await settle();
  expect(told()).toEqual(["+7"]);
});

test("net has something else than expected: it gets the whole once", async () => {
  relay.receive(message(5, true));
  await settle();
  told();
  net.answer = ({ isComplete, resultsIn }) =>
    Promise.resolve({ appliedIndex: isComplete ? resultsIn : 0, needsComplete: !isComplete });
  relay.receive(message(6));
  relay.receive(message(7));
  await settle();
  expect(told()).toEqual(["+6", "+7", "=7"]);
  expect(applied).toEqual([5, 7]);
});

test("the kernel does not hold it all: net is asked again, at most every five seconds", async () => {
  let held = 4;
  net.answer = () => Promise.resolve({ appliedIndex: held, needsComplete: false });
  relay.receive(message(5, true));
  await clock.advance(60_000, 250);
  expect(told().length).toBeLessThan(20);
  expect(applied).toEqual([4]);
  held = 5;
  await clock.advance(5_000);
  expect(applied).toEqual([4, 5]);
  told();
  await clock.advance(60_000, 1_000);
  expect(told()).toEqual([]);
});

test("another cluster's numbers begin anew", async () => {
  relay.receive(message(50, true));
  await settle();
  relay.forget();
  expect(relay.appliedIndex).toBe(0);
  relay.receive(message(3, true));
  await settle();
  expect(applied).toEqual([50, 3]);
});
