import type { Progress } from "./convergence.js";

/** Draws one line that is overwritten on a terminal; elsewhere a line whenever something changed. */
export class ProgressLine {
  readonly #isTerminal: boolean;
  readonly #write: (text: string) => void;
  #last = "";

  constructor(isTerminal: boolean, write: (text: string) => void) {
    this.#isTerminal = isTerminal;
    this.#write = write;
  }

  show(progress: Progress, verifySecLeft: number | undefined): void {
    const { running, wanted, error, verb } = progress;
    const count = `${verb} progress: ${running} out of ${wanted} tasks`;
    const tail =
      verifySecLeft === undefined
        ? error === ""
          ? ""
          : ` (${error.slice(0, 75)})`
        : ` · stable? ${verifySecLeft} s`;
    this.showText(
      this.#isTerminal
        ? `${bar(running, wanted)} ${count}${tail}`
        : `${count}${verifySecLeft === undefined ? tail : ""}`,
    );
  }

  showText(text: string): void {
    if (text === this.#last) return;
    this.#last = text;
    this.#write(this.#isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
  }

  end(): void {
    if (this.#isTerminal && this.#last !== "") this.#write("\n");
  }
}

const BAR_WIDTH = 20;

function bar(done: number, total: number): string {
  const filled =
    total === 0 ? BAR_WIDTH : Math.min(BAR_WIDTH, Math.round((done / total) * BAR_WIDTH));
  return `[${"=".repeat(filled)}${" ".repeat(BAR_WIDTH - filled)}]`;
}
