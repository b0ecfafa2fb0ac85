/** One simulated container: steps through its program, writes its output to the files, and keeps its place on disk. */
import { appendFileSync } from "node:fs";
import type { Clock } from "../../../base/index.js";
import type { ExitStatus } from "../port.js";
import { compile, type Instruction, type Program } from "./script.js";
import type { SavedContainer } from "./state-files.js";

const SIGKILL = 9;
/** A loop without a sleep must not hold the process. */
const LOOP_PAUSE_MS = 10;
/** Signals that do nothing unless trapped: CHLD, CONT, URG, WINCH. */
const HARMLESS = new Set([17, 18, 23, 28]);
/** setTimeout's own limit; longer sleeps go in pieces. */
const SLEEP_PIECE_MS = 2 ** 31 - 1;

export type ContainerHooks = {
  readonly clock: Clock;
  readonly save: (container: SavedContainer) => void;
  readonly onExit: (id: string, exit: ExitStatus) => void;
  readonly onOom: (id: string) => void;
};

export class SimulatedContainer {
  readonly #hooks: ContainerHooks;
  readonly #program: Program;
  #saved: SavedContainer;
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  readonly #ended: { promise: Promise<ExitStatus>; resolve: (exit: ExitStatus) => void };

  constructor(saved: SavedContainer, hooks: ContainerHooks) {
    this.#saved = saved;
    this.#hooks = hooks;
    this.#program = compile(saved.words) ?? { instructions: [], codeOnSignal: undefined };
    let resolve: (exit: ExitStatus) => void = () => undefined;
    const promise = new Promise<ExitStatus>((done) => {
      resolve = done;
    });
    this.#ended = { promise, resolve };
    if (saved.exit !== undefined) resolve(saved.exit);
  }

  get saved(): SavedContainer {
    return this.#saved;
  }

  get ended(): Promise<ExitStatus> {
    return this.#ended.promise;
  }

  /** Starts it, or takes it up again where its file says it was: time that went by without us counts. */
  run(): void {
    if (this.#saved.exit !== undefined || this.#running !== undefined) return;
    if (!this.#saved.isStarted) {
      this.#keep({ isStarted: true, cursor: 0, sinceMs: this.#hooks.clock.wallMs() });
    }
    this.#running = this.#steps();
  }

  /** False if it had ended. */
  signal(number: number, name: string): boolean {
    if (this.#saved.exit !== undefined) return false;
    if (number === SIGKILL) {
      this.#end(128 + SIGKILL, false);
      return true;
    }
    const trap = this.#saved.traps[name];
    if (trap === null || (trap === undefined && HARMLESS.has(number))) return true;
    this.#end(trap ?? this.#program.codeOnSignal ?? 128 + number, false);
    return true;
  }

  /** Leaves it as it is on disk: the process of the engine ends, the container "goes on". */
  async detach(): Promise<void> {
    this.#stopping.abort(new Error("detached"));
    await this.#running;
  }

  async #steps(): Promise<void> {
    for (;;) {
      if (this.#stopping.signal.aborted || this.#saved.exit !== undefined) return;
      const instruction = this.#program.instructions[this.#saved.cursor];
      if (instruction === undefined) {
        this.#end(0, false);
        return;
      }
      const next = await this.#step(instruction);
      if (next === undefined) return;
      this.#keep({ cursor: next, sinceMs: this.#hooks.clock.wallMs() });
    }
  }

  /** The next cursor, or undefined if it ended or was detached. */
  async #step(instruction: Instruction): Promise<number | undefined> {
    const { cursor } = this.#saved;
    switch (instruction.kind) {
      case "print": {
        const { stdoutPath, stderrPath } = this.#saved;
        const path = instruction.stream === "stdout" ? stdoutPath : stderrPath;
        if (path !== "") appendFileSync(path, instruction.text);
        return cursor + 1;
      }
      case "sleep":
        return (await this.#sleep(instruction.ms)) ? cursor + 1 : undefined;
      case "serve":
        await this.#sleep(Number.POSITIVE_INFINITY);
        return undefined;
      case "jump":
        return (await this.#sleep(LOOP_PAUSE_MS)) ? instruction.to : undefined;
      case "trap":
        this.#keep({
          traps: {
            ...this.#saved.traps,
            ...Object.fromEntries(
              instruction.signals.map((name) => [name, instruction.exitCode ?? null]),
            ),
          },
        });
        return cursor + 1;
      case "exhaust":
        if ((this.#saved.resources.Limits?.MemoryBytes ?? 0) === 0) return cursor + 1;
        this.#hooks.onOom(this.#saved.id);
        this.#end(128 + SIGKILL, true);
        return undefined;
      case "exit":
        this.#end(instruction.code, false);
        return undefined;
    }
  }

  /** False if the container ended or was detached meanwhile. */
  async #sleep(ms: number): Promise<boolean> {
    const { clock } = this.#hooks;
    const { signal } = this.#stopping;
    const endMs = this.#saved.sinceMs + ms;
    try {
      for (let left = endMs - clock.wallMs(); left > 0; left = endMs - clock.wallMs())
        await clock.sleep(Math.min(left, SLEEP_PIECE_MS), signal);
    } catch {
      // Aborted: the only way sleep rejects.
      return false;
    }
    return !signal.aborted;
  }

  #end(exitCode: number, isOomKilled: boolean): void {
    if (this.#saved.exit !== undefined) return;
    const exit = { exitCode, finishedAtMs: this.#hooks.clock.wallMs(), isOomKilled };
    this.#keep({ exit });
    this.#stopping.abort(new Error("ended"));
    this.#ended.resolve(exit);
    this.#hooks.onExit(this.#saved.id, exit);
  }

  #keep(change: Partial<SavedContainer>): void {
    this.#saved = { ...this.#saved, ...change };
    this.#hooks.save(this.#saved);
  }
}
