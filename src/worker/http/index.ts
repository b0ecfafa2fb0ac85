export type { HttpContext } from "./context.js";
export type { LocalInfo } from "./local-info.js";
export { buildServer, serveLocal } from "./server.js";
