/** Where rebalancing a service stands ⇄ its protobuf message. */
import type { RebalanceState } from "../objects.js";
import type { swarm } from "../wire.js";
import { enumField, textField, timeField, uint32Field } from "./fields.js";

type RebalanceMessage = Parameters<(typeof swarm.objects)["RebalanceState"]["encode"]>[0];

const rebalanceState = enumField<RebalanceState["state"]>(
  ["moving", "completed", "stopped"],
  "rebalance state",
);

export function rebalanceMessage(o: RebalanceState): RebalanceMessage {
  return {
    state: rebalanceState(o.state),
    isManual: o.isManual,
    startedAtMs: timeField(o.startedAtMs, "started at"),
    endedAtMs: timeField(o.endedAtMs, "ended at"),
    movedCount: uint32Field(o.movedCount, "moved count"),
    failedCount: uint32Field(o.failedCount, "failed count"),
    imbalanceBefore: uint32Field(o.imbalanceBefore, "imbalance before"),
    imbalanceAfter: uint32Field(o.imbalanceAfter, "imbalance after"),
    message: textField(o.message),
    moves: o.moves.map(({ taskId, newTaskId, atMs }) => ({
      taskId,
      newTaskId,
      atMs: timeField(atMs, "move at"),
    })),
    begunAtMs: o.begunAtMs.map((atMs) => timeField(atMs, "begun at")),
  };
}

export function readRebalance(m: RebalanceMessage): RebalanceState {
  return {
    state: rebalanceState(m.state),
    isManual: m.isManual ?? false,
    startedAtMs: timeField(m.startedAtMs, "started at"),
    endedAtMs: timeField(m.endedAtMs, "ended at"),
    movedCount: m.movedCount ?? 0,
    failedCount: m.failedCount ?? 0,
    imbalanceBefore: m.imbalanceBefore ?? 0,
    imbalanceAfter: m.imbalanceAfter ?? 0,
    message: m.message ?? "",
    moves: (m.moves ?? []).map((move) => ({
      taskId: move.taskId ?? "",
      newTaskId: move.newTaskId ?? "",
      atMs: timeField(move.atMs, "move at"),
    })),
    begunAtMs: (m.begunAtMs ?? []).map((atMs) => timeField(atMs, "begun at")),
  };
}
