import type { Member, RaftNode } from "raft-ts";
import type {
  ClusterSpec,
  ManagerStart,
  NodeConfig,
  NodeIdentity,
  RaftKeys,
} from "../api/index.js";
import type { Clock, Logger, Random } from "../base/index.js";
import type { ReplicatedStore, Store } from "../store/index.js";
import type { ManagerError } from "./errors.js";
import { decodeContext, encodeContext, Leadership } from "./leadership.js";
import { RaftMembership } from "./membership.js";
import { RaftProposer } from "./proposer.js";
import { checkStream, RaftTransport, type StreamClaim, type StreamDecision } from "./raft/index.js";
import { openMember, snapshotPolicy, toManagerError } from "./raft-options.js";
import type { ChannelPool } from "./rpc/index.js";

/** How long a member is looked for by a read barrier before its stream is let in or refused. */
const CATCH_UP_MS = 2000;

/** What the operator of a manager reads that was demoted, or left behind by `--force-new-cluster`, while it was away. */
const REMOVED_NOTICE =
  "a member says that this one was removed from the group: it was demoted, or the cluster was continued without it " +
  "(swarm init --force-new-cluster). This manager ends and the node asks for its role; should it get none, " +
  "run `swarm leave --force` here and join again";

export type RaftGroupParts = {
  readonly config: NodeConfig;
  readonly identity: NodeIdentity;
  readonly memberId: string;
  readonly hasState: boolean;
  readonly start: ManagerStart;
  readonly raftKeys: RaftKeys;
  readonly store: ReplicatedStore;
  readonly channels: ChannelPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Members or leader changed: open streams are to be checked anew. */
  readonly onChanged: () => void;
  /** This member was removed from the group; it takes part no more. */
  readonly onRemoved: () => void;
  readonly onFailed: (error: ManagerError) => void;
};

/** This node's place in the Raft group: the running member with its ways out and what is derived from it. */
export class RaftGroup implements AsyncDisposable {
  readonly memberId: string;
  readonly raft: RaftNode;
  readonly leadership: Leadership;
  readonly membership: RaftMembership;
  readonly proposer: RaftProposer;
  readonly #transport: RaftTransport;
  readonly #clock: Clock;
  readonly #removed = new Set<string>();
  readonly #tickListeners: Set<(latenessMs: number) => void>;
  #members: readonly Member[];

  private constructor(
    parts: RaftGroupParts,
    raft: RaftNode,
    transport: RaftTransport,
    tickListeners: Set<(latenessMs: number) => void>,
  ) {
    this.#tickListeners = tickListeners;
    this.memberId = parts.memberId;
    this.raft = raft;
    this.leadership = new Leadership(raft);
    this.membership = new RaftMembership(raft, parts.clock);
    this.proposer = new RaftProposer(raft);
    this.#transport = transport;
    this.#clock = parts.clock;
    this.#members = raft.status().members;
    transport.setPeers(this.#members);
    followSnapshotPolicy(parts.store, raft);
    raft.subscribe((event) => {
      if (event.kind === "membership") this.#onMembers(event.members);
      if (event.kind === "removed") parts.onRemoved();
      else if (event.kind === "failed") parts.onFailed(toManagerError(event.error));
      else parts.onChanged();
    });
  }

  /** Opens the member. Rejects with ManagerError. */
  static async open(parts: RaftGroupParts): Promise<RaftGroup> {
    const { identity, memberId, start, hasState, channels, clock, random, logger } = parts;
    const transport = new RaftTransport({
      selfMemberId: memberId,
      channels,
      clock,
      random,
      logger,
      addrOf: (member) => decodeContext(member.context)?.addr,
      onRemoved: () => {
        logger.warn({ memberId }, REMOVED_NOTICE);
        parts.onRemoved();
      },
    });
    const context = encodeContext({ nodeId: identity.nodeId, addr: identity.advertiseAddr });
    const isNew = start.kind === "bootstrap" && !hasState;
    const tickListeners = new Set<(latenessMs: number) => void>();
    const onTick = (latenessMs: number): void => {
      for (const listener of tickListeners) listener(latenessMs);
    };
    const raft = await openMember({ ...parts, transport, onTick }, isNew ? context : undefined);
    transport.attach(raft);
    return new RaftGroup(parts, raft, transport, tickListeners);
  }

  /** Whose messages are taken. */
  readonly check = (claim: StreamClaim): StreamDecision =>
    checkStream(claim, {
      selfMemberId: this.memberId,
      members: this.membership.members(),
      removed: this.#removed,
    });

  /** Whether this node now knows everything that was committed before the call. */
  readonly catchUp = async (): Promise<boolean> => {
    try {
      await this.raft.readBarrier(this.#clock.timeout(CATCH_UP_MS));
      return true;
    } catch {
      return false;
    }
  };

  /** Transfers leadership to the most up-to-date voter; rejects with RaftError when there is none. */
  readonly handOver = (signal: AbortSignal): Promise<void> =>
    this.raft.transferLeadership(undefined, signal);

  /** Called at each of Raft's ticks with how many ms late it came. */
  subscribeTicks(listener: (latenessMs: number) => void): () => void {
    this.#tickListeners.add(listener);
    return () => {
      this.#tickListeners.delete(listener);
    };
  }

  get hasOtherVoters(): boolean {
    return this.#members.some((member) => !member.isLearner && member.id !== this.memberId);
  }

  /** Whether the member answers: by Raft's own progress on the leader, by our stream to it elsewhere. */
  isReachable(memberId: string): boolean {
    if (memberId === this.memberId) return true;
    if (this.leadership.status().role === "leader")
      return this.membership.reachable().has(memberId);
    return this.#transport.isConnected(memberId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport.close();
    await this.raft[Symbol.asyncDispose]();
  }

  #onMembers(members: readonly Member[]): void {
    const current = new Set(members.map((member) => member.id));
    for (const { id } of this.#members) if (!current.has(id)) this.#removed.add(id);
    this.#members = members;
  }
}

/** Snapshots are taken as the cluster's spec says, on every member and as soon as it is known. */
function followSnapshotPolicy(store: Store, raft: RaftNode): void {
  let spec: ClusterSpec | undefined;
  const follow = (): void => {
    const current = store.cluster()?.spec;
    if (current === undefined || current === spec) return;
    spec = current;
    raft.setSnapshotPolicy(snapshotPolicy(current));
  };
  follow();
  store.subscribe((batch) => {
    if (batch.kind === "restored" || batch.events.some((event) => event.table === "cluster"))
      follow();
  });
}
