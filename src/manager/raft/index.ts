export {
  checkStream,
  type GroupView,
  type StreamClaim,
  type StreamDecision,
} from "./membership-check.js";
export { RaftReceiver } from "./receiver.js";
export { RaftTransport } from "./transport.js";
