/** From an opened member to a ready manager: found the group, join it, or catch up with it. */
import { newId } from "../base/index.js";
import type { Store } from "../store/index.js";
import { bootstrapTransaction } from "./bootstrap.js";
import { ManagerError } from "./errors.js";
import { joinGroup } from "./join.js";
import type { ManagerOptions } from "./manager-options.js";
import type { RaftGroup } from "./raft-group.js";
import type { ChannelPool } from "./rpc/index.js";
import { soleManagerTransaction } from "./sole-manager.js";
import type { Submitter } from "./submit.js";

/** A resumed manager that finds no quorum becomes ready anyway, to answer with errors that say so. */
export const RESUME_WAIT_MS = 5000;
/** A new group of one leads at once; slower than this something is broken. */
export const BOOTSTRAP_WAIT_MS = 15_000;
/** Between two looks at whether this member has caught up. */
const CATCH_UP_POLL_MS = 50;

type Parts = {
  readonly options: ManagerOptions;
  readonly group: RaftGroup;
  readonly store: Store;
  readonly channels: ChannelPool;
  readonly submitter: Submitter;
  /** This many managers were given up: agents still dial them. Called before the first term. */
  readonly onManagersLost: (count: number) => void;
};

/** Rejects with ManagerError, or with ApiError when a join is refused for good, or with the signal's reason. */
export async function becomeReady(parts: Parts, signal: AbortSignal): Promise<void> {
  const { options, group, channels } = parts;
  const { identity, start, clock, random, logger } = options;
  const { memberId } = group;
  switch (start.kind) {
    case "bootstrap":
      return found(parts, start, signal);
    case "join":
      await joinGroup({ channels, identity, memberId, clock, random, logger }, signal);
      return until(
        parts,
        async () => group.leadership.status().role !== "learner" && (await group.catchUp()),
        Number.POSITIVE_INFINITY,
        signal,
      );
    case "resume":
      await until(parts, () => group.catchUp(), RESUME_WAIT_MS, signal);
      announceAddr(parts);
      return;
    case "forceNewCluster":
      await goOnAlone(parts, signal);
      announceAddr(parts);
  }
}

/** Raft has made it the only member as it was opened; it leads once it has applied its whole log. */
async function goOnAlone(parts: Parts, signal: AbortSignal): Promise<void> {
  const { options, group, store } = parts;
  const { identity, clock, logger } = options;
  await until(parts, () => group.leadership.isLeader, Number.POSITIVE_INFINITY, signal);
  const lostCount = store.nodes().filter((node) => node.manager !== undefined).length - 1;
  parts.onManagersLost(Math.max(0, lostCount));
  const transaction = soleManagerTransaction(store.nodes(), identity.nodeId, clock.wallMs());
  if (transaction !== undefined) await group.proposer.propose(transaction, signal);
  logger.warn(
    { nodeId: identity.nodeId, nodes: store.nodes().length },
    "this node is the only manager of the cluster now; the nodes of the others are workers, should they come back",
  );
}

async function found(
  parts: Parts,
  start: Extract<ManagerOptions["start"], { kind: "bootstrap" }>,
  signal: AbortSignal,
): Promise<void> {
  const { options, group, store } = parts;
  const { identity, clock, random } = options;
  await until(parts, () => group.leadership.isLeader, BOOTSTRAP_WAIT_MS, signal);
  if (!group.leadership.isLeader)
    throw new ManagerError("crash", "the new cluster did not elect its only manager");
  // A crash may have come between the commit and the answer.
  if (store.cluster() !== undefined) return;
  const makeId = (): string => newId(random);
  await group.proposer.propose(
    bootstrapTransaction(start, identity, group.memberId, clock.wallMs(), makeId),
  );
}

/** A manager that came back under another address tells the leader, so that the others find it. */
function announceAddr({ options, group, submitter }: Parts): void {
  const { identity, logger } = options;
  const { memberId, membership } = group;
  const { nodeId, advertiseAddr: addr } = identity;
  const own = membership.members().find((member) => member.memberId === memberId);
  if (own === undefined || own.addr === addr) return;
  submitter.submit({ kind: "raft.join", nodeId, memberId, addr }).then(
    () => logger.info({ addr, before: own.addr }, "this manager's new address is known"),
    (error: unknown) => logger.warn({ addr, err: error }, "new address was not taken"),
  );
}

/** Polls; returns when it holds or after timeoutMs. */
async function until(
  { options }: Parts,
  holds: () => boolean | Promise<boolean>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = options;
  const endMs = clock.nowMs() + timeoutMs;
  while (!(await holds()) && clock.nowMs() < endMs) await clock.sleep(CATCH_UP_POLL_MS, signal);
}
