export type { LocalInfo } from "./http/index.js";
export { Worker, type WorkerOptions } from "./worker.js";
