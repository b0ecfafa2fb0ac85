export type { MembershipOp, RestDeps, RestServer } from "./deps.js";
export type { InitRequest, JoinRequest, LeaveRequest, UnlockRequest } from "./membership-bodies.js";
export { createRestServer } from "./server.js";
