import { Metadata, type ServerReadableStream, status } from "@grpc/grpc-js";
import type { MemberId, RaftNode } from "raft-ts";
import type { swarm } from "../../api/index.js";
import type { Logger } from "../../base/index.js";
import { type KnownCaller, serviceError } from "../rpc/index.js";
import type { StreamClaim, StreamDecision } from "./membership-check.js";
import { REMOVED_TEXT } from "./peer-sender.js";

type Stream = ServerReadableStream<swarm.control.RaftFrame, swarm.control.IRaftStreamEnd>;
type Open = {
  readonly stream: Stream;
  readonly claim: StreamClaim;
  readonly from: string;
  readonly end: (error: unknown) => void;
};

type ReceiverParts = {
  readonly raft: Pick<RaftNode, "receive" | "peerDisconnected">;
  readonly check: (claim: StreamClaim) => StreamDecision;
  /** Resolves with true once this node knows all that was committed before the call; with false when that cannot be told now. */
  readonly catchUp: () => Promise<boolean>;
  readonly logger: Logger;
};

/** Raft's way in: takes each peer's stream after checking who is behind it. The newest stream of a peer counts. */
export class RaftReceiver {
  readonly #parts: ReceiverParts;
  readonly #streams = new Map<MemberId, Open>();

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
  }

  accept(stream: Stream, caller: KnownCaller, end: (error: unknown) => void): void {
    const { raft } = this.#parts;
    let from: MemberId | undefined;
    const onFrame = (frame: swarm.control.RaftFrame): void => {
      if (from === undefined) {
        const { fromMember, toMember } = frame;
        const claim: StreamClaim = { fromMember, toMember, nodeId: caller.peer.nodeId };
        from = fromMember;
        this.#admit({ stream, claim, from: caller.remoteIp, end });
      }
      for (const message of frame.messages) raft.receive(from, message);
    };
    const onClosed = (): void => {
      end(serviceError(status.CANCELLED, "stream closed"));
      // A stream that was replaced by a newer one of the same peer says nothing about the peer.
      if (from === undefined || this.#streams.get(from)?.stream !== stream) return;
      this.#streams.delete(from);
      raft.peerDisconnected(from);
    };
    stream.on("data", onFrame);
    stream.on("end", onClosed);
    stream.on("cancelled", onClosed);
    stream.on("error", onClosed);
  }

  /** Looks at every open stream anew: the members, or what this node knows of them, have changed. */
  recheck(): void {
    for (const open of [...this.#streams.values()]) {
      const decision = this.#parts.check(open.claim);
      if (decision.kind === "refused") this.#refuse(open, decision.reason);
      if (decision.kind === "unknown") void this.#checkAgain(open); // never rejects
    }
  }

  #admit(open: Open): void {
    const { stream, claim } = open;
    const decision = this.#parts.check(claim);
    if (decision.kind === "refused") {
      this.#refuse(open, decision.reason);
      return;
    }
    this.#streams.set(claim.fromMember, open);
    if (decision.kind === "accepted") {
      stream.sendMetadata(new Metadata());
      return;
    }
    stream.pause();
    void this.#checkAgain(open).then((isAccepted) => {
      if (!isAccepted) return;
      stream.sendMetadata(new Metadata());
      stream.resume();
    });
  }

  /** Whether the stream stays. */
  async #checkAgain(open: Open): Promise<boolean> {
    const isUpToDate = await this.#parts.catchUp();
    if (this.#streams.get(open.claim.fromMember) !== open) return false;
    const decision = this.#parts.check(open.claim);
    const isRemoved = decision.kind === "unknown" && isUpToDate;
    if (decision.kind !== "refused" && !isRemoved) return true;
    this.#refuse(open, decision.kind === "refused" ? decision.reason : "removed");
    return false;
  }

  #refuse({ stream, claim, from, end }: Open, reason: string): void {
    if (this.#streams.get(claim.fromMember)?.stream === stream)
      this.#streams.delete(claim.fromMember);
    this.#parts.logger.warn(
      { fromMember: claim.fromMember, nodeId: claim.nodeId, from },
      `raft stream refused: ${reason}`,
    );
    stream.removeAllListeners("data");
    stream.resume();
    end(serviceError(status.PERMISSION_DENIED, reason === "removed" ? REMOVED_TEXT : reason));
  }
}
