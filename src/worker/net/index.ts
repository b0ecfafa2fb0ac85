export {
  type Attachment,
  type AttachRequest,
  type ConnectedNetwork,
  type ConnectReply,
  type ConnectRequest,
  type Drift,
  type Flows,
  type HostPort,
  NetClient,
  NetError,
  type NetPort,
  type NetStatus,
  type NetworkMode,
  type NetworksReply,
  type VerifyReport,
} from "./net-client.js";
export { NetworkRelay } from "./network-relay.js";
