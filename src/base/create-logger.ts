/** pino behind the Logger port: JSON lines on stderr, one write each, so that lines of several processes do not mix. */
import { type DestinationStream, destination, pino } from "pino";
import type { Logger } from "./logger.js";

const STDERR = 2;

/** What every line of a program carries. */
export type ProgramFields = {
  /** `swarmd`, `manager`, `rest`, `worker` or `net`. */
  readonly program: string;
  /** The node's host name: logs of several nodes are read side by side. */
  readonly node: string;
};

/** The one logger of a program. Errors are given as the field `error` (or `err`) and are written with their stack. */
export function createLogger(
  level: string,
  fields: ProgramFields,
  output: DestinationStream = destination({ fd: STDERR, sync: true }),
): Logger {
  const options = {
    level,
    base: fields,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
  };
  return wrap(pino(options, output));
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (fields, message) => {
      logger.debug(fields, message);
    },
    info: (fields, message) => {
      logger.info(fields, message);
    },
    warn: (fields, message) => {
      logger.warn(fields, message);
    },
    error: (fields, message) => {
      logger.error(fields, message);
    },
    child: (fields) => wrap(logger.child(fields)),
  };
}
