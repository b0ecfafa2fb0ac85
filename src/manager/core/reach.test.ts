import { expect, test } from "vitest";
import { NETWORK_PHASE, TASK_STATE } from "../../api/index.js";
import { sampleTask } from "../testing/samples.js";
import { REACH_BY_PHASE } from "./reach.js";

const networks = [{ networkId: "w", address: "10.0.0.2", address6: "", aliases: [] }];
const { none, announced, withdrawn } = NETWORK_PHASE;
const { starting, running, failed } = TASK_STATE;

test.each([
  { networks: [], state: running, phase: none, isReachable: true, isWithdrawn: true },
  { networks: [], state: starting, phase: none, isReachable: false, isWithdrawn: true },
  { networks, state: starting, phase: announced, isReachable: false, isWithdrawn: false },
  { networks, state: running, phase: none, isReachable: false, isWithdrawn: true },
  { networks, state: running, phase: announced, isReachable: true, isWithdrawn: false },
  { networks, state: running, phase: withdrawn, isReachable: true, isWithdrawn: true },
  { networks, state: failed, phase: announced, isReachable: false, isWithdrawn: true },
])(
  "$networks.length networks, state $state, phase $phase: reachable $isReachable, withdrawn $isWithdrawn",
  ({ networks, state, phase, isReachable, isWithdrawn }) => {
    const task = sampleTask({ id: "t1", networks, state, networkPhase: phase });
    expect(REACH_BY_PHASE.isReachable(task)).toBe(isReachable);
    expect(REACH_BY_PHASE.isWithdrawn(task)).toBe(isWithdrawn);
  },
);
