/** Measures what the node's containers use together, from the cgroup that all of them are below. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Clock, Logger } from "../../base/index.js";
import { type CgroupUsage, cgroupUsage, cpuRate } from "../core/node/cgroup-usage.js";

/** Also how often it is told at most. */
export const USAGE_EVERY_MS = 10_000;

export type Usage = { readonly cpuNano: number; readonly memBytes: number };

const NOTHING: CgroupUsage = { cpuTimeNano: 0, memBytes: 0 };

type MeterParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** `/sys/fs/cgroup`. */
  readonly root: string;
  readonly cgroupParent: string;
};

export class UsageMeter {
  readonly #parts: MeterParts;
  #before: { readonly cpuTimeNano: number; readonly atMs: number } | undefined;
  #latest: Usage | undefined;

  constructor(parts: MeterParts) {
    this.#parts = parts;
  }

  /** undefined until two looks were taken, and where groups cannot be read. */
  get latest(): Usage | undefined {
    return this.#latest;
  }

  /** Looks every USAGE_EVERY_MS, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.measure();
      await this.#parts.clock.sleep(USAGE_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async measure(): Promise<void> {
    const { clock, logger } = this.#parts;
    try {
      const { cpuTimeNano, memBytes } = await this.#read();
      const now = { cpuTimeNano, atMs: clock.nowMs() };
      if (this.#before) this.#latest = { cpuNano: cpuRate(this.#before, now), memBytes };
      this.#before = now;
    } catch (error) {
      logger.debug({ error }, "cannot read what containers use");
      this.#before = undefined;
      this.#latest = undefined;
    }
  }

  /** A group that is not there has no container yet. */
  async #read(): Promise<CgroupUsage> {
    const { root, cgroupParent } = this.#parts;
    const version = existsSync(`${root}/cgroup.controllers`) ? 2 : 1;
    const below = `/${cgroupParent.replace(/^\/+|\/+$/g, "")}`;
    const memoryDir = version === 2 ? `${root}${below}` : `${root}/memory${below}`;
    if (!existsSync(memoryDir)) return NOTHING;
    const read = (path: string): Promise<string> => readFile(path, "utf8");
    const isV2 = version === 2;
    // Where a v1 group does not count what is below it, its number would be too low: none at all is better.
    if (!isV2 && (await read(`${memoryDir}/memory.use_hierarchy`)).trim() !== "1")
      throw new Error(`${memoryDir} does not count the memory of the groups below it`);
    const [cpu, memory, memoryStat] = await Promise.all([
      read(isV2 ? `${memoryDir}/cpu.stat` : `${root}/cpuacct${below}/cpuacct.usage`),
      read(`${memoryDir}/${isV2 ? "memory.current" : "memory.usage_in_bytes"}`),
      read(`${memoryDir}/memory.stat`),
    ]);
    return cgroupUsage({ version, cpu, memory, memoryStat });
  }
}
