/** Finds a time in a sequence that is ordered by log index: bisection, one question a step. */

export type Sample = { readonly index: number; readonly atMs: number };

/** Indexes that are left to be read through. */
export const SEEK_SPAN = 256;

/**
 * What is at or before `olderIndex` is older than `atMs`, what is at or behind `newerIndex` is not; less than `from` and more than `to` when
 * nothing is. `sampleFrom` resolves with the first entry at or behind an index, undefined when there is none.
 */
export async function seekTime(
  atMs: number,
  range: { readonly from: number; readonly to: number },
  sampleFrom: (index: number) => Promise<Sample | undefined>,
): Promise<{ readonly olderIndex: number; readonly newerIndex: number }> {
  let olderIndex = range.from - 1;
  let newerIndex = range.to + 1;
  while (newerIndex - olderIndex > SEEK_SPAN) {
    const middle = Math.floor((olderIndex + newerIndex) / 2);
    const sample = await sampleFrom(middle);
    if (sample === undefined || sample.index >= newerIndex || sample.atMs >= atMs)
      newerIndex = middle;
    else olderIndex = sample.index;
  }
  return { olderIndex, newerIndex };
}
