import type { RaftEvent, RaftNode, RaftStatus } from "raft-ts";

/** What a Raft member's context holds. */
export type MemberContext = { readonly nodeId: string; readonly addr: string };

export type LeaderInfo = { readonly memberId: string } & MemberContext;

/** How long a cluster may be without leader before calls are answered instead of waiting. */
export const LEADERLESS_MAX_MS = 1000;

/**
 * Who leads, as this member knows it. `isLeader` is true only once this node has applied its whole log, so that decisions
 * made here see every committed write.
 */
export class Leadership {
  readonly #raft: RaftNode;
  readonly #listeners = new Set<() => void>();
  #isLeader = false;
  #term = 0;

  constructor(raft: RaftNode) {
    this.#raft = raft;
    raft.subscribe((event) => {
      this.#onEvent(event);
    });
    this.#catchUp();
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /** Of the last change seen; grows with each new leader. */
  get term(): number {
    return this.#term;
  }

  status(): RaftStatus {
    return this.#raft.status();
  }

  /** The leader by Raft's own knowledge; undefined while none is known. */
  leader(): LeaderInfo | undefined {
    const { leader, members } = this.#raft.status();
    const member = members.find((m) => m.id === leader);
    const context = member === undefined ? undefined : decodeContext(member.context);
    return member === undefined || context === undefined
      ? undefined
      : { memberId: member.id, ...context };
  }

  /** Whether callers should be told "no leader" now. */
  get isLeaderless(): boolean {
    if (this.#isLeader) return false;
    const { leader, leaderlessMs } = this.#raft.status();
    return leader === undefined && leaderlessMs > LEADERLESS_MAX_MS;
  }

  /** Called synchronously when leader, term or readiness changed. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * A member that is alone leads as soon as it is opened, maybe before anybody listened. A barrier resolves once it has applied
   * what it began its term with, which is what `isLeader` means.
   */
  #catchUp(): void {
    const { role, term } = this.#raft.status();
    if (role !== "leader") return;
    this.#raft.readBarrier().then(
      () => {
        const now = this.#raft.status();
        if (now.role !== "leader" || now.term !== term || this.#isLeader) return;
        this.#isLeader = true;
        this.#term = term;
        for (const listener of this.#listeners) listener();
      },
      () => {
        // Leadership was lost meanwhile; its event has come.
      },
    );
  }

  #onEvent(event: RaftEvent): void {
    if (event.kind === "leadership") {
      this.#isLeader = event.isLeader;
      this.#term = event.term;
    } else if (event.kind === "removed" || event.kind === "failed") {
      this.#isLeader = false;
    } else return;
    for (const listener of this.#listeners) listener();
  }
}

export function encodeContext(context: MemberContext): Uint8Array {
  return Buffer.from(JSON.stringify({ nodeId: context.nodeId, addr: context.addr }));
}

/** A member's context stays the same bytes for as long as it does not change, and is asked for with every message. */
const decoded = new WeakMap<Uint8Array, MemberContext>();

/** Undefined for anything that is not ours: a foreign member is treated as unreachable, not as a crash. */
export function decodeContext(bytes: Uint8Array): MemberContext | undefined {
  const known = decoded.get(bytes);
  if (known !== undefined) return known;
  const context = parseContext(bytes);
  if (context !== undefined) decoded.set(bytes, context);
  return context;
}

function parseContext(bytes: Uint8Array): MemberContext | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { nodeId, addr } = value as Record<"nodeId" | "addr", unknown>;
    return typeof nodeId === "string" && typeof addr === "string" ? { nodeId, addr } : undefined;
  } catch {
    return undefined;
  }
}
