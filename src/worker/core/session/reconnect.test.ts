import { expect, test } from "vitest";
import { initialReconnect, type ReconnectEvent, stepReconnect } from "./reconnect.js";

const ADDRS = ["m1:2377", "m2:2377", "m3:2377"];
const LOST: ReconnectEvent = { kind: "lost" };

/** Runs events (chance 0.5) and prints each dial as `addr+delay`. */
function play(
  events: readonly ReconnectEvent[],
  managers: readonly string[] = ADDRS,
): readonly string[] {
  let state = initialReconnect(managers);
  return events.map((event) => {
    const { next, dial } = stepReconnect(state, event, 0.5);
    state = next;
    return dial === undefined ? "-" : `${dial.addr}+${dial.delayMs}`;
  });
}

const redirect = (leaderAddr: string): ReconnectEvent => ({
  kind: "redirect",
  leaderAddr,
  addrs: ADDRS,
});

test.each<{ name: string; events: readonly ReconnectEvent[]; want: readonly string[] }>([
  { name: "the first dial does not wait", events: [LOST], want: ["m1:2377+0"] },
  {
    name: "every known manager gets its turn, with growing delays up to 2 s",
    events: [LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST],
    want: [
      "m1:2377+0",
      "m2:2377+300",
      "m3:2377+600",
      "m1:2377+1200",
      "m2:2377+2000",
      "m3:2377+2000",
      "m1:2377+2000",
      "m2:2377+2000",
    ],
  },
  {
    name: "a redirect is followed at once",
    events: [LOST, redirect("m3:2377")],
    want: ["m1:2377+0", "m3:2377+0"],
  },
  {
    name: "managers that point at each other are not hammered",
    events: [
      LOST,
      redirect("m2:2377"),
      redirect("m1:2377"),
      redirect("m2:2377"),
      redirect("m1:2377"),
    ],
    want: ["m1:2377+0", "m2:2377+0", "m1:2377+0", "m2:2377+0", "m1:2377+300"],
  },
  {
    name: "no leader: the next manager after a pause",
    events: [LOST, redirect("")],
    want: ["m1:2377+0", "m2:2377+300"],
  },
  {
    name: "after a good session the first retry comes within 250 ms, at another manager",
    events: [LOST, LOST, LOST, { kind: "welcome" }, LOST],
    want: ["m1:2377+0", "m2:2377+300", "m3:2377+600", "-", "m1:2377+150"],
  },
  {
    name: "an empty list of managers is ignored",
    events: [LOST, { kind: "managers", addrs: [] }, LOST],
    want: ["m1:2377+0", "-", "m2:2377+300"],
  },
  {
    name: "a new list is used from the next dial on",
    events: [LOST, { kind: "managers", addrs: ["m9:2377"] }, LOST],
    want: ["m1:2377+0", "-", "m9:2377+300"],
  },
])("$name", ({ events, want }) => {
  expect(play(events)).toEqual(want);
});

test("the first retry after a session is spread over 50 to 250 ms", () => {
  const lost = stepReconnect(initialReconnect(ADDRS), LOST, 0).next;
  const welcomed = stepReconnect(lost, { kind: "welcome" }, 0).next;
  expect(stepReconnect(welcomed, LOST, 0).dial?.delayMs).toBe(50);
  expect(stepReconnect(welcomed, LOST, 0.999).dial?.delayMs).toBe(250);
});

test("without managers there is nobody to dial", () => {
  expect(play([LOST], [])).toEqual(["-"]);
});
