/** The first transaction of a cluster. Pure. */
import type {
  Cluster,
  ManagerStart,
  Meta,
  Network,
  NetworkSpec,
  Node,
  NodeIdentity,
  Transaction,
} from "../api/index.js";

const UNALLOCATED = { vni: 0, subnets: [], mtu: 0 } as const;

type Bootstrap = Extract<ManagerStart, { kind: "bootstrap" }>;

/** Cluster object, own node and the predefined networks; nothing of it if there is a cluster already. */
export function bootstrapTransaction(
  start: Bootstrap,
  identity: NodeIdentity,
  memberId: string,
  atMs: number,
  newId: () => string,
): Transaction {
  const meta = (id: string): Meta => ({
    id,
    versionIndex: 0,
    clientIndex: 0,
    createdAtMs: atMs,
    updatedAtMs: atMs,
  });
  const cluster: Cluster = {
    ...meta(start.clusterId),
    spec: start.spec,
    rootCertPem: start.rootCertPem,
    rootKeyPem: start.rootKeyPem,
    joinTokens: start.joinTokens,
    defaultAddrPool: start.defaultAddrPool,
    subnetSize: start.subnetSize,
    dataPathPort: start.dataPathPort,
    deniedNodes: [],
    ...(start.unlockKey !== undefined && { unlockKey: start.unlockKey }),
  };
  const node: Node = {
    ...meta(identity.nodeId),
    spec: { Labels: {}, Role: "manager", Availability: start.availability },
    role: "manager",
    description: undefined,
    // The agent's registration makes it ready.
    state: "unknown",
    stateMessage: "",
    addr: "",
    manager: { memberId, addr: identity.advertiseAddr },
    nodeIndex: 1,
    bootId: "",
    downSinceMs: 0,
    drainSinceMs: 0,
  };
  const networks: Network[] = [
    { ...meta(newId()), spec: INGRESS_SPEC, predefined: false, ...UNALLOCATED },
    { ...meta(newId()), spec: localSpec("bridge"), predefined: true, ...UNALLOCATED },
    { ...meta(newId()), spec: localSpec("host"), predefined: true, ...UNALLOCATED },
  ];
  return {
    requestId: "",
    atMs,
    isClient: true,
    preconditions: [{ kind: "absent", table: "cluster", id: start.clusterId }],
    changes: [
      { kind: "putCluster", cluster },
      { kind: "putNode", node },
      ...networks.map((network) => ({ kind: "putNetwork", network }) as const),
    ],
    resultJson: "",
  };
}

/** Its subnets, of both families, are the allocator's choice: clear of the routes that nodes will report. */
const INGRESS_SPEC: NetworkSpec = {
  Name: "ingress",
  Labels: {},
  Driver: "overlay",
  Scope: "swarm",
  Ingress: true,
  EnableIPv6: true,
};

function localSpec(name: "bridge" | "host"): NetworkSpec {
  return {
    Name: name,
    Labels: { "com.docker.swarm.predefined": "true" },
    Driver: name,
    Scope: "local",
  };
}
