/**
 * Leader loop that makes observed roles follow `spec.Role`: promotion and demotion, each step from stored state, so that
 * the next leader continues where this one stopped (contracts §3 Demotion).
 */
import type { Change, Node } from "../api/index.js";
import { ApiError } from "../base/index.js";
import { ProposeError, type StoreEvent, type StoreView } from "../store/index.js";
import type { LeaderContext, LeaderLoop, Membership } from "./port.js";

/** A step that cannot be done now is tried again after this. */
export const ROLE_RETRY_MS = 5000;

export type RoleStep =
  | { readonly kind: "commit"; readonly change: Change }
  | { readonly kind: "removeMember"; readonly nodeId: string; readonly memberId: string }
  /** The node to demote leads: it hands over first, and the next leader removes it. */
  | { readonly kind: "handOver"; readonly nodeId: string }
  /** Removing the member now would leave no quorum of reachable managers. */
  | { readonly kind: "wait"; readonly nodeId: string };

type Member = ReturnType<Membership["members"]>[number];

/** What is to do next for each node whose role is not what its spec says. Pure. */
export function planRoles(
  nodes: readonly Node[],
  members: readonly Member[],
  reachable: ReadonlySet<string>,
  selfMemberId: string,
): RoleStep[] {
  return nodes.flatMap((node) => {
    const own = members.filter((member) => member.nodeId === node.id);
    if (node.spec.Role === "manager")
      return node.role === "manager" ? repair(node, own) : [promotion(node)];
    if (node.role === "worker" && own.length === 0 && node.manager === undefined) return [];
    return [demotion(node, own, members, reachable, selfMemberId)];
  });
}

function promotion(node: Node): RoleStep {
  return { kind: "commit", change: { kind: "nodeRole", nodeId: node.id, role: "manager" } };
}

/** A leader may have died between the membership change and writing it down. */
function repair(node: Node, own: readonly Member[]): RoleStep[] {
  const voter = own.find((member) => !member.isLearner);
  const stored = node.manager;
  if (voter === undefined) {
    if (stored === undefined) return [];
    return [{ kind: "commit", change: { kind: "nodeRole", nodeId: node.id, manager: null } }];
  }
  if (stored?.memberId === voter.memberId && stored.addr === voter.addr) return [];
  const manager = { memberId: voter.memberId, addr: voter.addr };
  return [{ kind: "commit", change: { kind: "nodeRole", nodeId: node.id, manager } }];
}

function demotion(
  node: Node,
  own: readonly Member[],
  members: readonly Member[],
  reachable: ReadonlySet<string>,
  selfMemberId: string,
): RoleStep {
  const member = own[0];
  if (member === undefined) {
    // Removal is committed: from here on its manager certificate is worth nothing.
    return {
      kind: "commit",
      change: { kind: "nodeRole", nodeId: node.id, role: "worker", manager: null },
    };
  }
  if (!keepsQuorum(members, reachable, member.memberId)) return { kind: "wait", nodeId: node.id };
  if (member.memberId === selfMemberId) return { kind: "handOver", nodeId: node.id };
  return { kind: "removeMember", nodeId: node.id, memberId: member.memberId };
}

/** Whether the voters left can still commit with those that answer now. */
export function keepsQuorum(
  members: readonly Member[],
  reachable: ReadonlySet<string>,
  withoutMemberId: string,
): boolean {
  const leaving = members.find((member) => member.memberId === withoutMemberId);
  if (leaving?.isLearner) return true;
  const left = members.filter((m) => !m.isLearner && m.memberId !== withoutMemberId);
  const answering = left.filter((m) => reachable.has(m.memberId)).length;
  return left.length > 0 && answering >= Math.floor(left.length / 2) + 1;
}

/** The loop. `handOver` transfers leadership and resolves when another leader is known. */
export function createRoleManager(parts: {
  readonly membership: Membership;
  readonly selfMemberId: string;
  readonly handOver: (signal: AbortSignal) => Promise<void>;
}): LeaderLoop {
  return async (context) => {
    const { store, signal } = context;
    while (!signal.aborted) {
      const plan = planRoles(
        store.nodes(),
        parts.membership.members(),
        parts.membership.reachable(),
        parts.selfMemberId,
      );
      let isStuck = false;
      for (const step of plan) {
        if (signal.aborted) return;
        isStuck = !(await tryStep(parts, context, step)) || isStuck;
      }
      await changed(context, plan.length > 0 && !isStuck ? 0 : isStuck ? ROLE_RETRY_MS : undefined);
    }
  };
}

/** Whether the step was done. */
async function tryStep(
  parts: Parameters<typeof createRoleManager>[0],
  { proposer, clock, logger, signal }: LeaderContext,
  step: RoleStep,
): Promise<boolean> {
  try {
    switch (step.kind) {
      case "commit":
        logger.info({ change: step.change }, "node role changes");
        await proposer.propose(
          {
            requestId: "",
            atMs: clock.wallMs(),
            isClient: false,
            preconditions: [],
            changes: [step.change],
            resultJson: "",
          },
          signal,
        );
        return true;
      case "removeMember":
        logger.info({ nodeId: step.nodeId, memberId: step.memberId }, "removing raft member");
        await parts.membership.remove(step.memberId);
        return true;
      case "handOver":
        logger.info({ nodeId: step.nodeId }, "handing over leadership before demotion");
        await parts.handOver(signal);
        return true;
      case "wait":
        logger.warn(
          { nodeId: step.nodeId },
          "demotion waits: without this manager too few of the others would answer",
        );
        return false;
    }
  } catch (error) {
    if (signal.aborted) return false;
    // Both are about the moment, not about the step: it is planned anew from stored state.
    if (!(error instanceof ApiError || error instanceof ProposeError || isRaftError(error)))
      throw error;
    logger.warn({ err: error, step: step.kind }, "role change failed; will be tried again");
    return false;
  }
}

function isRaftError(error: unknown): boolean {
  return error instanceof Error && error.name === "RaftError";
}

/** Resolves on a change of nodes, after `retryMs`, or on abort. */
function changed({ store, clock, signal }: LeaderContext, retryMs: number | undefined) {
  return new Promise<void>((resolve) => {
    const done = (): void => {
      unsubscribe();
      stopTimer();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const stopTimer = retryMs === undefined ? () => {} : clock.setTimer(retryMs, done);
    const unsubscribe = store.subscribe((batch) => {
      if (batch.kind === "restored" || batch.events.some((event) => isRoleEvent(event))) done();
    });
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}

function isRoleEvent(event: StoreEvent): boolean {
  if (event.table !== "node") return false;
  if (event.kind !== "updated") return true;
  return (
    event.object.spec.Role !== event.old.spec.Role ||
    event.object.role !== event.old.role ||
    event.object.manager !== event.old.manager
  );
}

/** The managers by the store: what agents are told to connect to. */
export function managersOf(
  store: StoreView,
): readonly { readonly nodeId: string; readonly addr: string }[] {
  return store
    .nodes()
    .flatMap((node) =>
      node.manager === undefined ? [] : [{ nodeId: node.id, addr: node.manager.addr }],
    );
}
