/**
 * Logs of a service or task from all its nodes in one stream. One silent node never fails the whole: what is missing is named in
 * a last frame on stream 3. Following picks up new tasks as they get containers.
 */
import { TASK_STATE, type Task } from "../../api/index.js";
import type { Clock, Logger } from "../../base/index.js";
import type { Store, StoreEvent, StoreView } from "../../store/index.js";
import { encodeFrame, STREAM } from "./frames.js";
import type { LogOptions } from "./log-options.js";
import type { OpenNodeStream } from "./node-stream.js";
import { type LogLine, readTaskLog } from "./source.js";

/** Task logs read at the same time without following; with following every task has its own stream, up to FOLLOW_MAX. */
const READ_MAX = 16;
const FOLLOW_MAX = 256;
/** A followed stream that breaks is taken up again this often without a line in between. */
const RETRY_MAX = 5;
const RETRY_DELAY_MS = 1_000;

export type LogTarget =
  | { readonly kind: "service"; readonly serviceId: string }
  | { readonly kind: "task"; readonly taskId: string };

export type FanInOptions = {
  readonly store: Store;
  readonly target: LogTarget;
  readonly log: LogOptions;
  readonly isTty: boolean;
  readonly open: OpenNodeStream;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves when the client can take more. */
  readonly write: (bytes: Buffer) => Promise<void>;
};

export class LogFanIn {
  readonly #options: FanInOptions;
  readonly #missing: string[] = [];
  readonly #started = new Set<string>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: FanInOptions) {
    this.#options = options;
  }

  /** Resolves when the stream is complete; never when following a service that lives, until the signal aborts. */
  async run(view: StoreView, signal: AbortSignal): Promise<void> {
    if (this.#options.log.follow) await this.#follow(view, signal);
    else await this.#readOnce(view, signal);
    if (this.#missing.length > 0 && !signal.aborted) await this.#complain();
  }

  async #readOnce(view: StoreView, signal: AbortSignal): Promise<void> {
    const tasks = this.#tasks(view);
    const queue = tasks.filter(hasLog);
    for (const task of tasks) {
      if (task.nodeId === "" && task.desiredState <= TASK_STATE.running) {
        this.#missing.push(`task ${task.id} has not been scheduled`);
      }
    }
    const worker = async (): Promise<void> => {
      for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
        try {
          await this.#pump(task, "", signal);
        } catch (error) {
          if (signal.aborted) return;
          this.#missing.push(reason(error));
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(READ_MAX, queue.length) }, worker));
  }

  async #follow(view: StoreView, signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    await new Promise<void>((resolve) => {
      const look = (seen: StoreView): void => {
        for (const task of this.#tasks(seen)) {
          if (!hasLog(task) || this.#started.has(task.id)) continue;
          if (this.#running.size >= FOLLOW_MAX) {
            this.#options.logger.warn({ taskId: task.id }, "too many logs followed at once");
            continue;
          }
          this.#started.add(task.id);
          const done = this.#followTask(task, signal).finally(() => {
            this.#running.delete(done);
            endIfOver();
          });
          this.#running.add(done);
        }
      };
      const unsubscribe = store.subscribe((batch) => {
        const concerns =
          batch.kind === "restored" || batch.events.some((event) => this.#concerns(event));
        if (!concerns) return;
        look(store);
        endIfOver();
      });
      const end = (): void => {
        unsubscribe();
        resolve();
      };
      const endIfOver = (): void => {
        if (this.#running.size === 0 && this.#isOver(store)) end();
      };
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
      else {
        look(view);
        endIfOver();
      }
    });
    await Promise.all(this.#running);
  }

  /** Never rejects: a broken stream is taken up again after its last line, and given up in the end. */
  async #followTask(task: Task, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    let lastTime = "";
    for (let attempt = 0; attempt < RETRY_MAX && !signal.aborted; attempt += 1) {
      try {
        await this.#pump(task, lastTime, signal, (line) => {
          if (line.time !== "") lastTime = line.time;
          attempt = 0;
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error, taskId: task.id, nodeId: task.nodeId }, "a followed log broke");
        await clock.sleep(RETRY_DELAY_MS, signal).catch(() => undefined);
      }
    }
    this.#missing.push(`node ${task.nodeId} is not available`);
  }

  async #pump(
    task: Task,
    /** Of the last line that was passed on before a break; "" at the beginning. */
    lastTime: string,
    signal: AbortSignal,
    onLine?: (line: LogLine) => void,
  ): Promise<void> {
    const { log, open, write, isTty } = this.#options;
    const isAgain = lastTime !== "";
    // Taken up again, everything after the last line is wanted, whatever the client's tail was.
    const options = isAgain ? { ...log, tail: "all" } : log;
    const since = isAgain ? unixSeconds(lastTime) : log.since;
    for await (const line of readTaskLog(open, task, options, since, signal)) {
      // The same fixed-width format on both sides: texts compare like times.
      if (isAgain && line.time !== "" && line.time <= lastTime) continue;
      onLine?.(line);
      const text = Buffer.concat([Buffer.from(this.#prefix(task, line)), line.text]);
      await write(isTty ? text : encodeFrame(line.stream, text));
    }
  }

  #prefix(task: Task, line: LogLine): string {
    const { log } = this.#options;
    const time = log.timestamps && line.time !== "" ? `${line.time} ` : "";
    const details = log.details
      ? `com.docker.swarm.node.id=${task.nodeId},com.docker.swarm.service.id=${task.serviceId},com.docker.swarm.task.id=${task.id} `
      : "";
    return time + details;
  }

  /** The last frame: what a client would otherwise take for silence. A terminal's stream has no place for it. */
  async #complain(): Promise<void> {
    if (this.#options.isTty) return;
    const reasons = [...new Set(this.#missing)].join(", ");
    await this.#options.write(
      encodeFrame(
        STREAM.error,
        Buffer.from(
          `Error grabbing logs: rpc error: code = Unknown desc = warning: incomplete log stream. some logs could not be retrieved for the following reasons: ${reasons}\n`,
        ),
      ),
    );
  }

  #tasks(view: StoreView): readonly Task[] {
    const { target } = this.#options;
    if (target.kind === "service") return view.tasksByService(target.serviceId);
    const task = view.task(target.taskId);
    return task === undefined ? [] : [task];
  }

  #concerns(event: StoreEvent): boolean {
    const { target } = this.#options;
    const object = event.kind === "removed" ? event.old : event.object;
    if (target.kind === "task") return object.id === target.taskId;
    return (
      object.id === target.serviceId ||
      (event.table === "task" && "serviceId" in object && object.serviceId === target.serviceId)
    );
  }

  /** Nothing more can come: the followed task has ended, or the service is gone. */
  #isOver(view: StoreView): boolean {
    const { target } = this.#options;
    if (target.kind === "service") return view.service(target.serviceId) === undefined;
    const task = view.task(target.taskId);
    return task === undefined || task.state > TASK_STATE.running;
  }
}

/** A task has a log from its container on. */
function hasLog(task: Task): boolean {
  return (
    task.nodeId !== "" &&
    (task.containerId !== "" ||
      (task.state >= TASK_STATE.starting && task.state <= TASK_STATE.running))
  );
}

/** RFC 3339 with a fraction → Unix seconds with the same fraction. */
function unixSeconds(time: string): string {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "0";
  return `${Math.floor(Date.parse(time) / 1000)}.${fraction}`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
