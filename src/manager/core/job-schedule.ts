/** Cron expressions in time zones, as pure functions of the time handed in. */
import { CronExpressionParser } from "cron-parser";
import type { JobSchedule } from "../../api/index.js";

const MACRO = /^@(hourly|daily|weekly|monthly|yearly|annually)$/;
/** Numbers, names of months and days, and `* , - / ? L #`. */
const FIELD = /^[\dA-Za-z*,/?#-]+$/;
const FIELD_COUNT = 5;
/** "H" would be another moment on every manager. */
const HASHED = /(^|,)H/i;

/**
 * The first tick after `afterMs` (Unix ms); 0 when there is none. Across a change of the clocks: a time of day that is passed over runs
 * when the gap ends, one that comes twice runs the first time; "every n minutes" goes on evenly.
 */
export function nextTickMs(
  schedule: Pick<JobSchedule, "Expression" | "TimeZone">,
  afterMs: number,
): number {
  try {
    const expression = CronExpressionParser.parse(schedule.Expression, {
      currentDate: new Date(afterMs),
      tz: schedule.TimeZone,
    });
    return expression.next().getTime();
  } catch {
    // What was stored once could be read then. One that finds no date in years is one that never comes.
    return 0;
  }
}

/** What is wrong with the expression; undefined when it can be followed. */
export function expressionError(expression: string, afterMs: number): string | undefined {
  if (!MACRO.test(expression)) {
    const fields = expression.trim().split(/\s+/);
    if (fields.length !== FIELD_COUNT)
      return `"${expression}" has ${fields.length} fields, not ${FIELD_COUNT}: minute hour day-of-month month day-of-week`;
    const bad = fields.find((field) => !FIELD.test(field) || HASHED.test(field));
    if (bad !== undefined) return `"${bad}" is no cron field`;
  }
  try {
    CronExpressionParser.parse(expression, { currentDate: new Date(afterMs), tz: "UTC" }).next();
  } catch (error) {
    return `"${expression}": ${error instanceof Error ? error.message : String(error)}`;
  }
  return undefined;
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch {
    return false;
  }
}
