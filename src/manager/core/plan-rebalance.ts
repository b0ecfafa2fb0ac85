/** What rebalancing a service would do: the moves one after the other, and the spread before and after. Pure; as of the view. */
import type { Service } from "../../api/index.js";
import type { BalanceView } from "../../scheduler/index.js";
import type { StoreView } from "../../store/index.js";
import { balanceOf } from "./service-balance.js";
import { slotsOf } from "./task-slot.js";

/** Moves looked ahead; a plan of more is cut short, and says so. */
const PLANNED_MOVES_MAX = 200;

export type PlannedMove = {
  readonly slot: number;
  readonly taskId: string;
  readonly nodeId: string;
  readonly toNodeId: string;
};
export type RebalancePlan = {
  /** Tasks that the fullest place has more than the emptiest; 0 and 1 are even. */
  readonly imbalanceBefore: number;
  readonly imbalanceAfter: number;
  readonly moves: readonly PlannedMove[];
  /** There are more. */
  readonly isCut: boolean;
  /** Nodes that take part. */
  readonly nodes: readonly {
    readonly nodeId: string;
    readonly before: number;
    readonly after: number;
  }[];
};

export function planRebalancing(
  view: BalanceView & Pick<StoreView, "tasksByService">,
  service: Service,
): RebalancePlan {
  const slots = slotsOf(view.tasksByService(service.id)).values();
  const balance = balanceOf(view, service, slots);
  const imbalanceBefore = balance.imbalance;
  const before = balance.counts;
  const moves: PlannedMove[] = [];
  let isCut = false;
  for (let move = balance.next(); move; move = balance.next()) {
    isCut = moves.length === PLANNED_MOVES_MAX;
    if (isCut) break;
    balance.finish(move);
    const { task, fromNodeId: nodeId, toNodeId } = move;
    moves.push({ slot: task.slot, taskId: task.id, nodeId, toNodeId });
  }
  const after = balance.counts;
  const nodes = before.map(({ node, count }, i) => ({
    nodeId: node.id,
    before: count,
    after: after[i]?.count ?? count,
  }));
  return { imbalanceBefore, imbalanceAfter: balance.imbalance, moves, isCut, nodes };
}
