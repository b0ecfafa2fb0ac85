export type { HttpContext } from "./context.js";
export type { LocalInfo } from "./local-info.js";
export type { NetworkVerification } from "./network-routes.js";
export { buildServer, serveLocal } from "./server.js";
