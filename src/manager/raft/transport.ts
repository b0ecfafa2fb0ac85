import type { Member, MemberId, RaftNode, Transport } from "raft-ts";
import type { Clock, Logger, Random } from "../../base/index.js";
import type { ChannelPool } from "../rpc/index.js";
import { PeerSender } from "./peer-sender.js";

export type RaftTransportParts = {
  readonly selfMemberId: MemberId;
  readonly channels: ChannelPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where a member listens, from its context. Undefined: not reachable. */
  readonly addrOf: (member: Member) => string | undefined;
  /** A peer says that this member was removed from the group. */
  readonly onRemoved: () => void;
};

/**
 * Raft's way out: one stream per peer. Bytes go on the wire as Raft encoded them. Streams coming in are `raft/receiver.ts`.
 */
export class RaftTransport implements Transport {
  readonly #parts: RaftTransportParts;
  readonly #senders = new Map<MemberId, PeerSender>();
  #node: RaftNode | undefined;
  #isClosed = false;

  constructor(parts: RaftTransportParts) {
    this.#parts = parts;
  }

  /** The node exists only after its transport: it is handed in when it has been opened. */
  attach(node: RaftNode): void {
    this.#node = node;
  }

  send(to: Member, bytes: Uint8Array): boolean {
    if (this.#isClosed) return false;
    const addr = this.#parts.addrOf(to);
    if (addr === undefined) return false;
    return this.#sender(to.id, addr).send(bytes);
  }

  setPeers(members: readonly Member[]): void {
    const current = new Set(members.map((member) => member.id));
    for (const [id, sender] of this.#senders) {
      if (current.has(id)) continue;
      sender.close();
      this.#senders.delete(id);
    }
    if (this.#isClosed) return;
    for (const member of members) {
      const addr = this.#parts.addrOf(member);
      if (addr === undefined || member.id === this.#parts.selfMemberId) continue;
      this.#sender(member.id, addr).connect();
    }
  }

  /** Whether a peer has accepted our stream and it is still there. */
  isConnected(peer: MemberId): boolean {
    return this.#senders.get(peer)?.isUp ?? false;
  }

  close(): void {
    this.#isClosed = true;
    for (const sender of this.#senders.values()) sender.close();
    this.#senders.clear();
  }

  #sender(id: MemberId, addr: string): PeerSender {
    const known = this.#senders.get(id);
    if (known?.addr === addr) return known;
    known?.close();
    const { selfMemberId, channels, clock, random, logger, onRemoved } = this.#parts;
    const sender = new PeerSender({
      channels,
      addr,
      fromMember: selfMemberId,
      toMember: id,
      clock,
      random,
      logger,
      onDisconnected: () => {
        if (!this.#isClosed) this.#node?.peerDisconnected(id);
      },
      onRemoved,
    });
    this.#senders.set(id, sender);
    return sender;
  }
}
