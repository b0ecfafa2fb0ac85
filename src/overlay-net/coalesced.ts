/** One run at a time; those that ask while it runs share the next one, which sees what is true when it starts. */
export class Coalesced<Result> {
  readonly #work: () => Promise<Result>;
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Result> | undefined;
  #active = 0;

  constructor(work: () => Promise<Result>) {
    this.#work = work;
  }

  /** Nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#active === 0;
  }

  /** Result of a run that started after this call. */
  run(): Promise<Result> {
    this.#next ??= this.#start();
    return this.#next;
  }

  async #start(): Promise<Result> {
    const before = this.#running;
    this.#active++;
    const mine = before
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#work();
      });
    this.#running = mine;
    try {
      return await mine;
    } finally {
      this.#active--;
    }
  }
}
