export {
  createDnsService,
  type DnsAttachment,
  type DnsPorts,
  type DnsService,
  type DnsServiceOptions,
  type DnsStats,
} from "./dns-service.js";
export { type HostResolv, HostResolvFile } from "./host-resolv.js";
export { localSockets } from "./local-sockets.js";
export { NetnsSocketError, type NetnsSockets } from "./netns-sockets.js";
export { ThreadedSockets } from "./threaded-sockets.js";
