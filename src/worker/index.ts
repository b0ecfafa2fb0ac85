export type { LocalInfo, NetworkVerification } from "./http/index.js";
export { Worker, type WorkerOptions } from "./worker.js";
