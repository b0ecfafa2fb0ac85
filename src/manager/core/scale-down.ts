import { TASK_STATE, type Task } from "../../api/index.js";

/** A slot as the choice of victims sees it: the tasks that make it count. */
export type CountedSlot = { readonly number: number; readonly tasks: readonly Task[] };

/**
 * Which slots stay when only `keepCount` may: first those with the lowest place on their node, running before others, low numbers
 * before high ones. Slots in flight (no node, or not exactly one task) go first, then nodes are evened out.
 */
export function chooseKept(slots: readonly CountedSlot[], keepCount: number): Set<number> {
  const sorted = [...slots].sort(
    (a, b) => Number(isRunning(b)) - Number(isRunning(a)) || a.number - b.number,
  );
  const onNode = new Map<string, number>();
  const ranked = sorted.map((slot) => {
    const [only, ...others] = slot.tasks;
    if (!only || others.length > 0 || only.nodeId === "")
      return { slot, rank: Number.POSITIVE_INFINITY };
    const rank = (onNode.get(only.nodeId) ?? 0) + 1;
    onNode.set(only.nodeId, rank);
    return { slot, rank };
  });
  // Array.sort is stable, so equal ranks keep the order from above. Infinity − Infinity is no number: compare.
  ranked.sort((a, b) => (a.rank === b.rank ? 0 : a.rank < b.rank ? -1 : 1));
  return new Set(ranked.slice(0, keepCount).map(({ slot }) => slot.number));
}

function isRunning(slot: CountedSlot): boolean {
  return slot.tasks.some((task) => task.state === TASK_STATE.running);
}
