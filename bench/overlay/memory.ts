/** Whether the net process keeps anything of containers that came and went. */
import { PLAIN, taskOf } from "./cluster-state.js";
import type { NetProcess } from "./net-process.js";
import { timed } from "./programming.js";
import { median } from "./statistics.js";

/** Memory is read after each so many cycles. */
const SAMPLED_EACH = 25;

export type Cycles = {
  /** Between the lowest of the second quarter and the lowest of the last: what a garbage collector leaves aside is not growth. */
  readonly pssGrowthMib: number;
  readonly fdGrowth: number;
  /** Of one attach and its release. */
  readonly cycleMs: number;
};

/** Tasks come and go one after the other, `places` of them from `first` on in turn: an address is not used again at once. */
export async function attachAndRelease(
  net: NetProcess,
  { first, places, count }: { first: number; places: number; count: number },
): Promise<Cycles> {
  const times: number[] = [];
  const samples = [net.memory()];
  for (let i = 1; i <= count; i++) {
    const task = taskOf("local", first + (i % places));
    times.push(
      await timed(async () => {
        await net.attach(task, [PLAIN]);
        await net.release(task);
      }),
    );
    if (i % SAMPLED_EACH === 0) samples.push(net.memory());
  }
  const quarter = (samples.length / 4) | 0;
  const lowest = (part: typeof samples, of: "pssMib" | "fdCount"): number =>
    Math.min(...part.map((one) => one[of]));
  const second = samples.slice(quarter, quarter * 2);
  const last = samples.slice(-quarter);
  return {
    pssGrowthMib: lowest(last, "pssMib") - lowest(second, "pssMib"),
    fdGrowth: lowest(last, "fdCount") - lowest(second, "fdCount"),
    cycleMs: median(times),
  };
}
