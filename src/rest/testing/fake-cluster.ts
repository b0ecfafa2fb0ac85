/** A cluster in memory for tests of the door: five nodes, a real store, the manager's own control. Not exported from the folder. */
import type { Duplex } from "node:stream";
import type { Change, Node, Operation, OperationKind, ResultOf } from "../../api/index.js";
import { ApiError, newId, SeededRandom, SystemClock, silentLogger } from "../../base/index.js";
import type { FileJournalLimits } from "../../journal/index.js";
import { createControl } from "../../manager/control/index.js";
import {
  type ClusterApi,
  ManagerJournal,
  type Membership,
  type NodeUsage,
  type OperationExecutor,
  type ReachabilityOf,
} from "../../manager/index.js";
import { ClusterStore, LocalProposer, type StoreView } from "../../store/index.js";
import { DEFAULT_CLUSTER_SPEC } from "../parse/cluster-spec.js";
import { ROOT_CERT_PEM } from "./root-cert.js";

export const START_MS = Date.parse("2026-11-21T03:26:50.520Z");

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

export class FakeCluster implements ClusterApi {
  readonly store = new ClusterStore({ nowMs: () => 0, yieldToLoop: () => Promise.resolve() });
  readonly proposer = new LocalProposer(this.store);
  readonly random = new SeededRandom(7);
  readonly nodeId: string;
  nowMs = START_MS;
  /** What `connectNode` does; replaced by tests of the logs. */
  connect: (nodeId: string) => Promise<Duplex> = (nodeId) =>
    Promise.reject(new ApiError("Unavailable", `node ${nodeId} is not available`));
  /** Set to make reads and writes fail as without a leader. */
  failure: ApiError | undefined;

  readonly #control: OperationExecutor;
  #journal: ManagerJournal | undefined;

  private constructor(nodeId: string) {
    this.nodeId = nodeId;
    const foreign = (): Promise<never> =>
      Promise.reject(new ApiError("Unimplemented", "the door never submits this"));
    this.#control = createControl({
      store: this.store,
      proposer: this.proposer,
      clock: new WallClock(() => this.nowMs),
      capabilities: new Set([
        "encryption",
        "globalMode",
        "jobs",
        "ingress",
        "overlay",
        "rollbackOnFailure",
      ]),
      membership: this.#membership(),
      newUnlockKey: () => `SWMKEY-1-${"k".repeat(43)}`,
      newToken: (role) => `SWMTKN-1-${"1".repeat(50)}-${role}`,
      handlers: { "ca.issue": foreign, "raft.join": foreign, "raft.leave": foreign },
    });
  }

  /** n1–n3 managers (n1 leads), n4 and n5 workers. */
  static async create(): Promise<FakeCluster> {
    const ids = new SeededRandom(1);
    const nodes = ["n1", "n2", "n3", "n4", "n5"].map((name, i) => node(newId(ids), name, i + 1));
    const cluster = new FakeCluster(nodes[0]?.id ?? "");
    const network = (name: string, driver: string, isIngress: boolean): Change => ({
      kind: "putNetwork",
      network: {
        ...META,
        id: newId(ids),
        predefined: !isIngress,
        vni: 0,
        subnets: [],
        mtu: 0,
        spec: {
          Name: name,
          Labels: isIngress ? {} : { "com.docker.swarm.predefined": "true" },
          Driver: driver,
          Scope: "swarm",
          // As the recorded cluster had it: the default pool would put it elsewhere.
          ...(isIngress ? { Ingress: true, IPAM: { Config: [{ Subnet: "10.0.0.0/24" }] } } : {}),
        },
      },
    });
    await cluster.write([
      {
        kind: "putCluster",
        cluster: {
          ...META,
          id: newId(ids),
          spec: DEFAULT_CLUSTER_SPEC,
          rootCertPem: ROOT_CERT_PEM,
          rootKeyPem: "",
          joinTokens: {
            worker: `SWMTKN-1-${"0".repeat(50)}-w`,
            manager: `SWMTKN-1-${"0".repeat(50)}-m`,
          },
          defaultAddrPool: ["10.0.0.0/8"],
          subnetSize: 24,
          dataPathPort: 4789,
          deniedNodes: [],
        },
      },
      network("ingress", "overlay", true),
      network("bridge", "bridge", false),
      network("host", "host", false),
      ...nodes.map((object): Change => ({ kind: "putNode", node: object })),
    ]);
    return cluster;
  }

  async write(changes: readonly Change[], isClient = false): Promise<number> {
    const { index } = await this.proposer.propose({
      requestId: "",
      atMs: this.nowMs,
      isClient,
      preconditions: [],
      changes,
      resultJson: "",
    });
    return index;
  }

  /** From here on changes are journalled. */
  async openJournal(
    rootDir: string,
    limits: Partial<FileJournalLimits> = {},
  ): Promise<ManagerJournal> {
    this.#journal = await ManagerJournal.open({
      rootDir,
      clusterId: "cluster",
      store: this.store,
      clock: new WallClock(() => this.nowMs),
      logger: silentLogger,
      peers: () => [],
      limits,
    });
    return this.#journal;
  }

  get journal(): ManagerJournal {
    if (this.#journal === undefined) throw new Error("this test has opened no journal");
    return this.#journal;
  }

  read(): Promise<StoreView> {
    return this.failure === undefined ? Promise.resolve(this.store) : Promise.reject(this.failure);
  }

  async submit<K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    signal = new AbortController().signal,
    client = "",
  ): Promise<ResultOf<K>> {
    if (this.failure !== undefined) throw this.failure;
    const requester = { nodeId: this.nodeId, door: "rest", actor: client } as const;
    const call = { requestId: "", callerNodeId: "", signal, requester };
    return (await this.#control.execute<K>(operation, call)).result;
  }

  /** Who leads, as `reachabilityOf` tells. */
  leaderId: string | undefined;

  readonly reachabilityOf: ReachabilityOf = (object) => ({
    isLeader: object.id === (this.leaderId ?? this.nodeId),
    reachability: "reachable",
  });

  connectNode(nodeId: string): Promise<Duplex> {
    return this.connect(nodeId);
  }

  leader(): { readonly nodeId: string; readonly addr: string } {
    return { nodeId: this.nodeId, addr: "10.98.0.1:2377" };
  }

  readonly raftTerm = 3;
  readonly usages = new Map<string, NodeUsage>();
  readonly nodeUsages = () => Promise.resolve(this.usages);
  readonly lateNodeCount = 2;
  readonly #tickListeners = new Set<(latenessMs: number) => void>();

  subscribeTicks(listener: (latenessMs: number) => void): () => void {
    this.#tickListeners.add(listener);
    return () => this.#tickListeners.delete(listener);
  }

  tick(latenessMs: number): void {
    for (const listener of this.#tickListeners) listener(latenessMs);
  }

  /** Every manager of the store is a voter that answers. */
  #membership(): Membership {
    const members = () =>
      this.store
        .nodes()
        .flatMap((object) =>
          object.manager === undefined
            ? []
            : [{ ...object.manager, nodeId: object.id, isLearner: false }],
        );
    return {
      members,
      reachable: () => new Set(members().map((member) => member.memberId)),
      leaderMemberId: () => "m1",
      add: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    };
  }

  nodeNamed(name: string): Node {
    const found = this.store.nodes().find((object) => object.description?.Hostname === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }
}

/** Real timers, the test's calendar. */
class WallClock extends SystemClock {
  readonly #wallMs: () => number;

  constructor(wallMs: () => number) {
    super();
    this.#wallMs = wallMs;
  }

  override wallMs(): number {
    return this.#wallMs();
  }
}

function node(id: string, name: string, number: number): Node {
  const isManager = number <= 3;
  return {
    ...META,
    id,
    spec: { Labels: {}, Role: isManager ? "manager" : "worker", Availability: "active" },
    role: isManager ? "manager" : "worker",
    description: {
      Hostname: name,
      Platform: { Architecture: "x86_64", OS: "linux" },
      Resources: { NanoCPUs: 2_000_000_000, MemoryBytes: 25_276_514_304 },
      Engine: {
        EngineVersion: "0.1.0",
        Plugins: [
          { Type: "Log", Name: "json-file" },
          { Type: "Network", Name: "overlay" },
          { Type: "Volume", Name: "local" },
        ],
      },
      EngineKind: "containerd",
    },
    state: "ready",
    stateMessage: "",
    addr: `10.98.0.${number}`,
    manager: isManager ? { memberId: `m${number}`, addr: `10.98.0.${number}:2377` } : undefined,
    nodeIndex: number,
    bootId: "boot",
    downSinceMs: 0,
    drainSinceMs: 0,
  };
}
