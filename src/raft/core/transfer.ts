import type { MemberId } from "../types.js";
import { voterIds } from "./membership.js";
import { type CoreState, isRecentlyActive, type Leadership, send } from "./state.js";

/**
 * Leadership transfer (dissertation §3.10): stop taking proposals, wait until the successor has the whole
 * log, tell it to campaign at once. Given up after one election timeout, then proposals are taken again.
 */
export function startTransfer(
  s: CoreState,
  l: Leadership,
  wanted: MemberId | undefined,
): MemberId | undefined {
  const to = wanted ?? mostUpToDate(s, l);
  if (to === undefined || !l.progress.has(to) || !voterIds(s.membership).includes(to))
    return undefined;
  l.transfer = { to, startedTick: s.tick, isSent: false };
  continueTransfer(s, l);
  return to;
}

export function continueTransfer(s: CoreState, l: Leadership): void {
  const transfer = l.transfer;
  if (transfer === undefined || transfer.isSent) return;
  if (l.progress.get(transfer.to)?.match !== s.log.lastIndex) return;
  transfer.isSent = true;
  send(s, transfer.to, { kind: "timeoutNow" });
}

export function tickTransfer(s: CoreState, l: Leadership): void {
  if (l.transfer === undefined) return;
  if (s.tick - l.transfer.startedTick >= s.config.electionTicks) l.transfer = undefined;
}

function mostUpToDate(s: CoreState, l: Leadership): MemberId | undefined {
  let best: MemberId | undefined;
  for (const id of voterIds(s.membership)) {
    const progress = l.progress.get(id);
    if (progress === undefined || !isRecentlyActive(s, progress)) continue;
    const bestMatch = best === undefined ? -1 : (l.progress.get(best)?.match ?? -1);
    if (progress.match > bestMatch) best = id;
  }
  return best;
}
