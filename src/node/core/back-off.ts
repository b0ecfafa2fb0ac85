/** Doubling delays between attempts. */
export type BackOff = { readonly minMs: number; readonly maxMs: number };

/** Delay before the attempt after `failureCount` failures in a row (≥ 1). */
export function backOffMs(backOff: BackOff, failureCount: number): number {
  // 2^30 is far beyond any maximum; a larger exponent would only overflow.
  const factor = 2 ** Math.min(30, Math.max(0, failureCount - 1));
  return Math.min(backOff.maxMs, backOff.minMs * factor);
}

/** Restart of a crashed child (contracts §4). */
export const RESTART_BACK_OFF: BackOff = { minMs: 200, maxMs: 30_000 };
/** Renewal of a certificate (spec §5.3). */
export const RENEWAL_BACK_OFF: BackOff = { minMs: 5_000, maxMs: 3_600_000 };
