/** pino behind the Logger port: JSON lines on stderr, one write each, so that lines of several processes do not mix. */
import { destination, pino } from "pino";
import type { Logger } from "../base/index.js";

const STDERR = 2;

export function createLogger(level: string, fields: Record<string, unknown>): Logger {
  const options = {
    level,
    base: fields,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: pino.stdSerializers.err },
  };
  return wrap(pino(options, destination({ fd: STDERR, sync: true })));
}

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
