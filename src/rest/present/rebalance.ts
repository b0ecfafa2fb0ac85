/** Ours, not the Engine's: how moving tasks to emptier nodes stands, and what it would do. */
import type { RebalanceState } from "../../api/index.js";
import type { RebalancePlan } from "../../manager/core/index.js";
import type { StoreView } from "../../store/index.js";
import { formatTime } from "./time.js";

export function presentRebalanceStatus(state: RebalanceState) {
  return {
    State: state.state,
    Cause: state.isManual ? "command" : "auto",
    StartedAt: formatTime(state.startedAtMs),
    ...(state.endedAtMs === 0 ? {} : { CompletedAt: formatTime(state.endedAtMs) }),
    Moved: state.movedCount,
    Moving: state.moves.length,
    Failed: state.failedCount,
    ImbalanceBefore: state.imbalanceBefore,
    ...(state.state === "completed" ? { ImbalanceAfter: state.imbalanceAfter } : {}),
    ...(state.message === "" ? {} : { Message: state.message }),
  };
}

export function presentRebalancePlan(plan: RebalancePlan, view: Pick<StoreView, "node">) {
  const hostname = (id: string): string => {
    const node = view.node(id);
    return node?.spec.Name || node?.description?.Hostname || id;
  };
  return {
    ImbalanceBefore: plan.imbalanceBefore,
    ImbalanceAfter: plan.imbalanceAfter,
    IsCut: plan.isCut,
    Moves: plan.moves.map(({ slot, taskId, nodeId, toNodeId }) => ({
      Slot: slot,
      ID: taskId,
      NodeID: nodeId,
      Hostname: hostname(nodeId),
      ToNodeID: toNodeId,
      ToHostname: hostname(toNodeId),
    })),
    Nodes: plan.nodes.map(({ nodeId, before, after }) => ({
      ID: nodeId,
      Hostname: hostname(nodeId),
      Before: before,
      After: after,
    })),
  };
}
