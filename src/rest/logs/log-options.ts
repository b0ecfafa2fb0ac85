/** Query of the log routes. */
import { doorError } from "../../base/index.js";
import type { Query } from "../query.js";

export type LogOptions = {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  /** "all" or a number, per task. */
  readonly tail: string;
  /** As the client sent it: Unix seconds with a fraction, or RFC 3339; "" = from the start. */
  readonly since: string;
};

export function parseLogOptions(query: Query): LogOptions {
  const stdout = query.flag("stdout");
  const stderr = query.flag("stderr");
  if (!stdout && !stderr) {
    // The Engine's own status for this is 500; clients know the text.
    throw doorError("Unknown", "Bad parameters: you must choose at least one stream");
  }
  const tail = query.text("tail");
  if (tail !== "" && tail !== "all" && !/^\d+$/.test(tail)) {
    throw doorError(
      "InvalidArgument",
      tail.startsWith("-")
        ? "negative tail values not supported"
        : 'tail value must be a positive integer or "all"',
    );
  }
  return {
    stdout,
    stderr,
    follow: query.flag("follow"),
    timestamps: query.flag("timestamps"),
    details: query.flag("details"),
    tail: tail === "" ? "all" : tail,
    since: query.text("since"),
  };
}
