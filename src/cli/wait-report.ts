/** What a wait tells meanwhile and in the end: a line for people, or with `--json` one JSON object per line for programs. */
import { ExitError } from "./exit-codes.js";
import { ProgressLine } from "./progress.js";
import type { Seen, WaitEnd } from "./waiting.js";

export interface WaitReport {
  /** The change was taken. */
  accepted(serviceId: string, text: string, warnings: readonly string[]): void;
  seen(serviceId: string, seen: Seen): void;
  lost(serviceId: string, reason: string): void;
  /** Throws ExitError for every end but a good one. */
  ended(serviceId: string, end: WaitEnd): void;
}

export type Streams = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTerminal: boolean;
};

export function textReport({ out, err, isTerminal }: Streams, isQuiet: boolean): WaitReport {
  let line: ProgressLine | undefined;
  const endLine = (): void => {
    line?.end();
    line = undefined;
  };
  return {
    accepted(_serviceId, text, warnings) {
      for (const warning of warnings) err(`warning: ${warning}\n`);
      out(`${text}\n`);
    },
    seen(_serviceId, { progress, stableInSec }) {
      if (isQuiet) return;
      line ??= new ProgressLine(isTerminal, out);
      line.show(progress, stableInSec);
    },
    lost(_serviceId, reason) {
      if (isQuiet) return;
      line ??= new ProgressLine(isTerminal, out);
      line.showText(`waiting for a manager: ${reason}`);
    },
    ended(_serviceId, { exitCode, message }) {
      endLine();
      if (exitCode !== 0) throw new ExitError(exitCode, message);
      if (!isQuiet) out(`${message}\n`);
    },
  };
}

/** Events: accepted, progress (when it changed), lost, end. */
export function jsonReport({ out }: Streams, nowMs: () => number): WaitReport {
  let last = "";
  const say = (event: string, service: string, fields: object): void => {
    const key = JSON.stringify([event, service, fields]);
    if (key === last) return;
    last = key;
    const time = new Date(nowMs()).toISOString();
    out(`${JSON.stringify({ time, event, service, ...fields })}\n`);
  };
  return {
    accepted: (service, _text, warnings) => say("accepted", service, { warnings }),
    seen(service, { progress: { running, wanted, error, verb }, stableInSec }) {
      const isRollingBack = verb === "rolling back";
      const isStable = stableInSec !== undefined;
      say("progress", service, { running, wanted, isRollingBack, isStable, error });
    },
    lost: (service, reason) => say("lost", service, { error: reason }),
    ended(service, { result, exitCode, message }) {
      say("end", service, { result, exitCode, message });
      if (exitCode !== 0) throw new ExitError(exitCode, message);
    },
  };
}
