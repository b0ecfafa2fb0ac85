/** Whether the net process keeps anything of containers that came and went. */
import { PLAIN, taskOf } from "./cluster-state.js";
import type { NetProcess } from "./net-process.js";
import { timed } from "./programming.js";
import { median } from "./statistics.js";

/** Not counted: what the first ones make is made once. */
const WARM_UP = 250;

export type Cycles = {
  /** Between the warm-up and the end, each time without garbage. */
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
  const cycle = async (at: number): Promise<number> => {
    const task = taskOf("local", first + (at % places));
    return await timed(async () => {
      await net.attach(task, [PLAIN]);
      await net.release(task);
    });
  };
  for (let at = 0; at < WARM_UP; at++) await cycle(at);
  const before = await net.keptMemory();
  const times: number[] = [];
  for (let at = 0; at < count; at++) times.push(await cycle(WARM_UP + at));
  const after = await net.keptMemory();
  return {
    pssGrowthMib: after.pssMib - before.pssMib,
    fdGrowth: after.fdCount - before.fdCount,
    cycleMs: median(times),
  };
}
