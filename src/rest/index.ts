export type { MembershipOp, RestDeps, RestServer } from "./deps.js";
export type {
  InitRequest,
  JoinRequest,
  LeaveReply,
  LeaveRequest,
  UnlockRequest,
} from "./membership-bodies.js";
export { createRestServer } from "./server.js";
