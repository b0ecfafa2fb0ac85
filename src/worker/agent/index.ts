export { Agent, type AgentDeps } from "./agent.js";
export { LiveIdentity } from "./credentials.js";
export { describeNode, dockerArchitecture, memoryBytes, nanoCpus } from "./description.js";
export { type DialDispatcher, grpcDialer } from "./dispatcher-stream.js";
export { type ConnectionRequest, type ConnectionsPort, ManagerCalls } from "./manager-calls.js";
export { Tunnels } from "./tunnel.js";
export { UsageMeter } from "./usage-meter.js";
