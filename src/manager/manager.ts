import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import {
  caService,
  type Node,
  type NodeIdentity,
  nodePaths,
  type Operation,
  type OperationKind,
  type OwnRenewal,
  type ResultOf,
} from "../api/index.js";
import { ClusterStore, type Store, type StoreView } from "../store/index.js";
import { createAskNode } from "./ask-node.js";
import { askUsages } from "./ask-usages.js";
import { becomeReady } from "./become-ready.js";
import { parseCertificate } from "./ca/index.js";
import { Dispatcher } from "./dispatcher/index.js";
import { ManagerError } from "./errors.js";
import { forward } from "./join.js";
import { ManagerJournal } from "./journal.js";
import { journalPeers } from "./journal-pages.js";
import { LeaderTerms } from "./leader-terms.js";
import type { ManagerOptions, ManagerRooms } from "./manager-options.js";
import { loadMember } from "./member-id.js";
import type { ClusterApi, NodeUsage, OperationExecutor, ReachabilityOf } from "./port.js";
import { RaftReceiver } from "./raft/index.js";
import { RaftGroup } from "./raft-group.js";
import { createRaftHandlers } from "./raft-handlers.js";
import { createRoleManager, managersOf } from "./role-manager.js";
import {
  type AuthDecision,
  authorize,
  ChannelPool,
  encodeOperation,
  IdentityCertificates,
  isDenied,
  type Peer,
  RpcServer,
  serviceError,
} from "./rpc/index.js";
import { registerServices } from "./services.js";
import { Submitter } from "./submit.js";
import { Tunnels } from "./tunnel/index.js";

/** Handing over leadership on a planned stop. */
export const HAND_OVER_MS = 3000;
/** Streams get this long to take their last message on a planned stop. */
export const FAREWELL_MS = 100;

/**
 * One manager of the cluster: its Raft member, its store, its server, and (while it leads) the leader's loops. Obtained from
 * `createManager`; ended by `stop` or disposal.
 */
export class Manager implements ClusterApi, AsyncDisposable {
  readonly nodeId: string;
  readonly store: Store;
  readonly journal: ManagerJournal;
  readonly #options: ManagerOptions;
  readonly #certificates: IdentityCertificates;
  readonly #channels: ChannelPool;
  readonly #group: RaftGroup;
  readonly #submitter: Submitter;
  readonly #dispatcher: Dispatcher;
  readonly #tunnels: Tunnels;
  readonly #receiver: RaftReceiver;
  readonly #executor: OperationExecutor;
  readonly #server: RpcServer;
  readonly #loops: ManagerRooms["leaderLoops"];
  readonly #stopping = new AbortController();
  #terms: LeaderTerms | undefined;
  #ending: Promise<void> | undefined;

  private constructor(options: ManagerOptions, rooms: ManagerRooms, made: Made) {
    const { identity, clock, random, logger } = options;
    const { store, group, channels } = made;
    this.nodeId = identity.nodeId;
    this.store = store;
    this.journal = made.journal;
    this.#options = options;
    this.#certificates = made.certificates;
    this.#channels = channels;
    this.#group = group;
    const { leadership, membership, proposer } = group;
    const leaderAddr = (): string | undefined => leadership.leader()?.addr;
    const readBarrier = (signal: AbortSignal) => group.raft.readBarrier(signal);
    const managers = () => managersOf(store);
    const isOver = (): boolean => this.#ending !== undefined;

    this.#executor = rooms.createExecutor({
      store,
      proposer,
      membership,
      clock,
      random,
      logger,
      raftHandlers: createRaftHandlers({
        membership,
        store,
        proposer,
        clock,
        selfMemberId: group.memberId,
        handOver: group.handOver,
        probe: (addr, timeoutMs, signal) => this.#probe(addr, timeoutMs, signal),
      }),
    });
    this.#submitter = new Submitter({
      nodeId: identity.nodeId,
      store,
      clock,
      random,
      executor: this.#executor,
      port: {
        get isLeader() {
          return leadership.isLeader;
        },
        get term() {
          return leadership.term;
        },
        get isLeaderless() {
          return leadership.isLeaderless;
        },
        get isOver() {
          return isOver();
        },
        leader: () => leadership.leader(),
        subscribe: (listener) => leadership.subscribe(listener),
        readBarrier,
        forward: (addr, operation, call) =>
          forward(channels, addr, encodeOperation(operation), {
            ...call,
            forwardedBy: identity.nodeId,
          }),
      },
    });
    this.#dispatcher = new Dispatcher({ clock, logger, managers, leaderAddr, readBarrier });
    this.#tunnels = new Tunnels({
      clock,
      random,
      ask: createAskNode({
        dispatcher: this.#dispatcher,
        channels,
        clock,
        leaderAddr,
        ownAddr: () => this.#certificates.identity.advertiseAddr,
      }),
    });
    this.#receiver = new RaftReceiver({
      raft: group.raft,
      check: group.check,
      catchUp: group.catchUp,
      logger,
    });
    this.#server = new RpcServer({
      certificates: this.#certificates,
      gate: (path, peer) => this.#admit(path, peer),
      logger,
      clock: options.clock,
    });
    registerServices({
      server: this.#server,
      store,
      executor: this.#executor,
      submitter: this.#submitter,
      dispatcher: this.#dispatcher,
      receiver: this.#receiver,
      tunnels: this.#tunnels,
      journalPage: this.journal.page,
      clock,
      random,
      isLeader: () => leadership.isLeader,
      leaderAddr,
      clusterId: () => this.#certificates.identity.clusterId,
      ownRootPem: () => this.#certificates.identity.rootBundlePem,
    });
    this.#loops = [
      { name: "dispatcher", run: this.#dispatcher.lead },
      {
        name: "roles",
        run: createRoleManager({
          membership,
          selfMemberId: group.memberId,
          handOver: group.handOver,
        }),
      },
      { name: "journal", run: this.journal.lead },
      ...rooms.leaderLoops,
    ];
  }

  /** See `createManager`. */
  static async create(options: ManagerOptions, rooms: ManagerRooms): Promise<Manager> {
    const { config, identity, clock } = options;
    const certificates = new IdentityCertificates(identity);
    const channels = new ChannelPool(certificates);
    const store = new ClusterStore({
      yieldToLoop: () => nextTurn(),
      nowMs: () => clock.nowMs(),
    });
    // The group is opened behind the journal, and tells of its changes from then on; the manager exists a moment later.
    let group: RaftGroup | undefined;
    let manager: Manager | undefined;
    const journal = await ManagerJournal.open({
      rootDir: nodePaths(config).journalDir,
      clusterId: identity.clusterId,
      store,
      clock,
      logger: options.logger,
      peers: () =>
        group === undefined
          ? []
          : journalPeers({
              members: group.membership.members(),
              ownMemberId: group.memberId,
              store,
              channels,
            }),
    });
    group = await RaftGroup.open({
      ...options,
      ...(await loadMember(nodePaths(config).raftDir)),
      store,
      channels,
      onChanged: () => {
        if (manager !== undefined) manager.#receiver.recheck();
      },
      onRemoved: () => {
        if (manager !== undefined) manager.#removed();
      },
      onFailed: (error) => {
        if (manager !== undefined) manager.#failed(error);
      },
    }).catch(async (error: unknown) => {
      await journal[Symbol.asyncDispose]();
      throw error;
    });
    manager = new Manager(options, rooms, { certificates, channels, store, group, journal });
    try {
      await manager.#start();
    } catch (error) {
      await manager.#close();
      throw error;
    }
    return manager;
  }

  readonly reachabilityOf: ReachabilityOf = (node: Node) => {
    const memberId = node.manager?.memberId;
    if (memberId === undefined) return { isLeader: false, reachability: "unknown" };
    return {
      isLeader: this.#group.leadership.status().leader === memberId,
      reachability: this.#group.isReachable(memberId) ? "reachable" : "unreachable",
    };
  };

  read(signal?: AbortSignal): Promise<StoreView> {
    return this.#submitter.read(signal);
  }

  submit<K extends OperationKind>(
    operation: Extract<Operation, { kind: K }>,
    signal?: AbortSignal,
    client?: string,
  ): Promise<ResultOf<K>> {
    return this.#submitter.submit<K>(operation, signal, client);
  }

  connectNode(nodeId: string, signal?: AbortSignal): Promise<Duplex> {
    return this.#tunnels.connect(nodeId, signal);
  }

  leader(): { readonly nodeId: string; readonly addr: string } | undefined {
    const leader = this.#group.leadership.leader();
    return leader === undefined ? undefined : { nodeId: leader.nodeId, addr: leader.addr };
  }

  get raftTerm(): number {
    return this.#group.leadership.status().term;
  }

  nodeUsages(): Promise<ReadonlyMap<string, NodeUsage>> {
    return askUsages({
      dispatcher: this.#dispatcher,
      channels: this.#channels,
      leaderAddr: () => this.leader()?.addr,
      ownAddr: () => this.#certificates.identity.advertiseAddr,
      logger: this.#options.logger,
    });
  }

  get lateNodeCount(): number {
    return this.#dispatcher.lateNodeCount;
  }

  subscribeTicks(listener: (latenessMs: number) => void): () => void {
    return this.#group.subscribeTicks(listener);
  }

  get isLeader(): boolean {
    return this.#group.leadership.isLeader;
  }

  /** Swaps certificates live: new connections use them, open ones go on, unless they were made with one that had expired. */
  setIdentity(identity: NodeIdentity): void {
    const { certificatePem } = this.#certificates.identity;
    this.#certificates.set(identity);
    if (certificatePem === identity.certificatePem) return;
    // Peers take such a connection and refuse every call on it.
    const { notAfterMs } = parseCertificate(certificatePem);
    if (this.#options.clock.wallMs() >= notAfterMs) this.#channels.reconnect();
  }

  /**
   * A certificate for this very node, signed with the CA's key as this manager's own log has it. It is for one whose certificate
   * has expired while it was off: no other manager takes its calls, and without a quorum none could answer. It opens nothing that
   * the node does not have: every manager also looks its role up. Rejects with ApiError.
   */
  async renewOwnCertificate({ csrPem }: OwnRenewal["request"]): Promise<OwnRenewal["reply"]> {
    const { result } = await this.#executor.execute<"ca.issue">(
      {
        kind: "ca.issue",
        nodeId: this.nodeId,
        newNodeId: "",
        csrPem,
        token: "",
        availability: "active",
      },
      { requestId: "", callerNodeId: this.nodeId, signal: this.#stopping.signal },
    );
    return { certificatePem: result.certificatePem, rootBundlePem: result.rootBundlePem };
  }

  /**
   * Planned stop: hands over leadership (unless told not to), ends streams with a redirect, then ends Raft. Safe to call again.
   */
  async stop(options: { readonly handOver: boolean } = { handOver: true }): Promise<void> {
    const { leadership } = this.#group;
    const { clock, logger } = this.#options;
    const isHandedOver = options.handOver && this.#ending === undefined;
    if (isHandedOver && leadership.isLeader && this.#group.hasOtherVoters) {
      try {
        await this.#group.handOver(clock.timeout(HAND_OVER_MS));
      } catch (error) {
        logger.warn({ err: error }, "leadership was not handed over before stopping");
      }
    }
    await this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    const { identity, start, clock, random, logger } = this.#options;
    const { leadership } = this.#group;
    await this.#server.listen(identity.listenAddr);
    const signal = this.#stopping.signal;
    await becomeReady(
      {
        options: this.#options,
        group: this.#group,
        store: this.store,
        channels: this.#channels,
        submitter: this.#submitter,
        onManagersLost: (count) => {
          this.#dispatcher.expectDetours(count);
        },
      },
      signal,
    );
    // Removed or failed while it started: rejects with why.
    signal.throwIfAborted();
    this.#terms = new LeaderTerms({
      leadership,
      loops: this.#loops,
      nodeId: this.nodeId,
      store: this.store,
      proposer: this.#group.proposer,
      clock,
      random,
      logger,
      onBroken: (error) => {
        this.#failed(new ManagerError("crash", error.message, { cause: error }));
      },
    });
    logger.info(
      { memberId: this.#group.memberId, start: start.kind, listenAddr: identity.listenAddr },
      "manager is ready",
    );
  }

  /** The gate of every call. A caller that this manager does not know may be new: it looks again with all that is committed. */
  async #admit(path: string, peer: Peer | undefined): Promise<AuthDecision> {
    const { clusterId } = this.#certificates.identity;
    const first = authorize(path, peer, clusterId, this.store);
    if (first.kind === "allowed" || !first.mayBeStale) return first;
    if (!(await this.#group.catchUp()))
      throw serviceError(status.UNAVAILABLE, `cannot be looked up now: ${first.reason}`);
    return authorize(path, peer, clusterId, this.store);
  }

  /** Whether a manager of this cluster answers there. */
  async #probe(addr: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    await this.#channels.unary(addr, caService.getRoot, {}, { timeoutMs, signal });
  }

  #removed(): void {
    if (this.#ending !== undefined) return;
    const isGone = this.store.node(this.nodeId) === undefined || isDenied(this.nodeId, this.store);
    const isRemoved = isGone && this.store.cluster() !== undefined;
    const { onRemoved, onDemoted } = this.#options;
    const error = isRemoved
      ? new ManagerError("removed", "this node was removed from the swarm")
      : new ManagerError("demoted", "this node is no manager any more");
    // Stops campaigning at once.
    this.#endWith(error, isRemoved ? onRemoved : onDemoted);
  }

  #failed(error: ManagerError): void {
    if (this.#ending !== undefined) return;
    const { logger, onFailed } = this.#options;
    logger.error({ err: error, reason: error.reason }, "the manager cannot go on");
    this.#endWith(error, () => onFailed(error));
  }

  /** Before it is ready, `createManager` rejects with the error; afterwards the owner is told. */
  #endWith(error: ManagerError, tell: () => void): void {
    const isReady = this.#terms !== undefined;
    const ended = (): void => {
      if (isReady) tell();
    };
    this.#close(error).then(ended, ended);
  }

  #close(why = new ManagerError("ok", "the manager is stopping")): Promise<void> {
    this.#ending ??= this.#shutDown(why);
    return this.#ending;
  }

  async #shutDown(why: ManagerError): Promise<void> {
    this.#stopping.abort(why);
    await this.#terms?.[Symbol.asyncDispose]();
    if (this.#terms !== undefined) await this.#options.clock.sleep(FAREWELL_MS);
    await this.#group[Symbol.asyncDispose]();
    await this.journal[Symbol.asyncDispose]();
    this.#server.close();
    this.#channels.close();
  }
}

type Made = {
  readonly certificates: IdentityCertificates;
  readonly channels: ChannelPool;
  readonly store: ClusterStore;
  readonly group: RaftGroup;
  readonly journal: ManagerJournal;
};
