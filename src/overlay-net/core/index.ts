export {
  ADDRESS_REST_MS,
  firstAddress,
  freeSubnet,
  isHostAddress,
  SubnetPool,
  type SubnetPoolOptions,
  type Taken,
} from "./ipam.js";
export {
  MTU_OPTION,
  type NetworkPlan,
  nodeAddressCount,
  type Others,
  overlayMtu,
  planNetwork,
  UNDERLAY_MTU,
  ulaPrefix,
  VXLAN_OVERHEAD,
} from "./network-plan.js";
export {
  type AllocatedPorts,
  allocatePorts,
  CLUSTER_PORT,
  PUBLISHED_PORT_MAX,
  PUBLISHED_PORT_MIN,
  reservedPort,
} from "./port-allocation.js";
export { nextVni, VNI_MAX, VNI_MIN, VNI_OPTION, type WantedVni, wantedVni } from "./vni.js";
