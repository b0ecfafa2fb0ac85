export {
  type Attachment,
  type HostPort,
  NetClient,
  NetError,
  type NetPort,
  type NetStatus,
  type NetworkMode,
} from "./net-client.js";
