/** When a node makes itself another key for its pairs, and when the former one has served. */

/** Between the making of one key and the next. */
export const ROTATE_EVERY_MS = 12 * 60 * 60 * 1_000;
/** A new key's predecessor is kept so long at least: managers and nodes may be slow to hear of it. */
export const KEEP_FORMER_MS = 5 * 60 * 1_000;

export type HeldKey = { readonly publicKey: string; readonly madeAtMs: number };

export type RotationFacts = {
  /** Oldest first; at most two. */
  readonly held: readonly HeldKey[];
  /** As the managers have told of them. */
  readonly published: readonly string[];
  readonly peers: readonly {
    readonly isDown: boolean;
    /** Of ours, in use with it. */
    readonly ownKey: string;
    readonly isConfirmed: boolean;
  }[];
  readonly nowMs: number;
};

/** One that is down is not waited for: it is told everything before its tasks are called again. */
export function rotationStep({
  held,
  published,
  peers,
  nowMs,
}: RotationFacts): "none" | "make" | "dropOldest" {
  const newest = held.at(-1);
  if (newest === undefined) return "make";
  const ageMs = nowMs - newest.madeAtMs;
  if (held.length === 1) return ageMs >= ROTATE_EVERY_MS ? "make" : "none";
  const isUsedByAll = peers.every(
    ({ isDown, ownKey, isConfirmed }) => isDown || (ownKey === newest.publicKey && isConfirmed),
  );
  const isDone = isUsedByAll && published.includes(newest.publicKey) && ageMs >= KEEP_FORMER_MS;
  return isDone ? "dropOldest" : "none";
}

/** Of the keys held, those that others can have heard of. */
export function usableKeys(
  held: readonly HeldKey[],
  published: readonly string[],
): readonly string[] {
  const known = held.filter(({ publicKey }) => published.includes(publicKey));
  const usable = known.length > 0 ? known : held.slice(0, 1);
  return usable.map(({ publicKey }) => publicKey);
}
