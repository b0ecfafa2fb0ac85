export { type LogQuery, readLog } from "./log-reader.js";
export { LogService } from "./log-service.js";
export { FallocatePuncher, type HolePuncher } from "./punch.js";
export type { LogRecord, LogStream } from "./record.js";
export type { TaskLog } from "./task-log.js";
