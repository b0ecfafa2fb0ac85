export {
  type AuthDecision,
  type AuthView,
  authorize,
  isDenied,
  METHOD_ACCESS,
  type Peer,
  standing,
} from "./auth.js";
export { IdentityCertificates } from "./certificates.js";
export { ChannelPool } from "./channels.js";
export { encodeOperation, parseOperation } from "./operation-shape.js";
export { type Caller, type KnownCaller, RpcServer } from "./server.js";
export { RpcError, serviceError, toRpcError, toServiceError } from "./status.js";
export { requireTls13 } from "./tls-floor.js";
