/** The log of one task, as lines with their time cut off. */
import type { Task } from "../../api/index.js";
import { readFrames, readLines, STREAM, type StreamNumber } from "./frames.js";
import type { LogOptions } from "./log-options.js";
import type { OpenNodeStream } from "./node-stream.js";

export type LogLine = {
  readonly stream: StreamNumber;
  /** RFC 3339 with nanoseconds; "" when the node sent none. */
  readonly time: string;
  /** With its newline, if it has one. */
  readonly text: Buffer;
};

const SPACE = 0x20;
/** `2026-11-21T03:26:57.156909120Z` and a zone of up to six characters. */
const TIME_BYTES_MAX = 36;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

export function taskLogPath(taskId: string, options: LogOptions, since: string): string {
  const query = new URLSearchParams({
    stdout: options.stdout ? "1" : "0",
    stderr: options.stderr ? "1" : "0",
    follow: options.follow ? "1" : "0",
    // Always asked for: a broken stream is taken up again after the last line's time.
    timestamps: "1",
    // Made here, where service, node and task are known.
    details: "0",
    tail: options.tail,
  });
  if (since !== "") query.set("since", since);
  return `/tasks/${taskId}/logs?${query}`;
}

/** Throws when the node cannot be reached or says no. */
export async function* readTaskLog(
  open: OpenNodeStream,
  task: Task,
  options: LogOptions,
  since: string,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const response = await open(task.nodeId, taskLogPath(task.id, options, since), signal);
  if (response.statusCode !== 200) {
    response.destroy();
    throw new Error(`node ${task.nodeId} answered ${response.statusCode} for task ${task.id}`);
  }
  const isRaw =
    response.headers["content-type"] === "application/vnd.docker.raw-stream" ||
    task.spec.ContainerSpec.TTY === true;
  for await (const frame of isRaw ? readLines(response) : readFrames(response)) {
    if (frame.stream === STREAM.error) throw new Error(frame.payload.toString("utf8").trim());
    yield splitTime(frame.stream, frame.payload);
  }
}

function splitTime(stream: StreamNumber, payload: Buffer): LogLine {
  const at = payload.subarray(0, TIME_BYTES_MAX).indexOf(SPACE);
  const time = at < 0 ? "" : payload.toString("latin1", 0, at);
  return TIME.test(time)
    ? { stream, time, text: payload.subarray(at + 1) }
    : { stream, time: "", text: payload };
}
