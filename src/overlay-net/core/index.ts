export { endpointMac } from "./address-text.js";
export { endedConnections } from "./conntrack.js";
export { DesiredMemo, desiredState } from "./desired.js";
export { drift } from "./drift.js";
export {
  ADDRESS_REST_MS,
  firstAddress,
  freeSubnet,
  isHostAddress,
  SubnetPool,
  type SubnetPoolOptions,
  type Taken,
} from "./ipam.js";
export type { LocalAttachment, LocalFacts, Uplink } from "./local-facts.js";
export { applyDelta, isEmptyDelta, type NetworkDelta } from "./network-delta.js";
export {
  MTU_OPTION,
  type NetworkPlan,
  nextMtu,
  nodeAddressCount,
  type Others,
  overlayMtu,
  overlayOverhead,
  planNetwork,
  UNDERLAY_MTU,
  type Underlay,
  ulaPrefix,
} from "./network-plan.js";
export type {
  EndpointEntry,
  NetworkEntry,
  NetworkState,
  NodeEntry,
  ServiceEntry,
} from "./network-state.js";
export { NetworkTracker } from "./network-tracker.js";
export { dataPathAddrOf, networkStateFor, nodeEntry } from "./node-view.js";
export type { Ownership } from "./ownership.js";
export { type NetnsPair, planChanges, planNode } from "./planner.js";
export {
  type AllocatedPorts,
  allocatePorts,
  CLUSTER_PORT,
  PUBLISHED_PORT_MAX,
  PUBLISHED_PORT_MIN,
  reservedPort,
} from "./port-allocation.js";
export { nextVni, VNI_MAX, VNI_MIN, VNI_OPTION, type WantedVni, wantedVni } from "./vni.js";
export { PAIR_KEYS_MAX } from "./wireguard/pair-key.js";
export { tunnelPort } from "./wireguard/tunnel-address.js";
