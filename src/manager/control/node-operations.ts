/** node.update (role, availability, labels) and node.remove, with the guards that keep a quorum. */
import {
  type Change,
  type Cluster,
  type Node,
  type NodeSpec,
  type Operation,
  sameSpec,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { ApiError, doorError } from "../../base/index.js";
import type { Membership } from "../port.js";
import { choice, struct, text, textMap, uint, walkStruct } from "./field-types.js";
import { notFound } from "./rejection-errors.js";
import { type Call, type Outcome, type RunDeps, runOperation } from "./run-operation.js";

type OperationOf<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;
export type NodeDeps = RunDeps & { readonly membership: Membership };

/** A removed node's certificate is refused this much longer than any certificate lives: its clock may be wrong. */
const DENY_MARGIN_MS = 7 * 24 * 3600_000;
const NANO_PER_MS = 1e6;

const NODE_FIELDS = struct({
  Name: text(),
  Labels: textMap({ fill: {} }),
  Role: choice(["worker", "manager"], (value) => `invalid Role: "${value}"`),
  Availability: choice(["active", "pause", "drain"], (value) => `invalid Availability: "${value}"`),
  Drain: struct({ Deadline: uint({ keepsZero: true }), MaxParallel: uint({ keepsZero: true }) }),
});

export function updateNode(
  deps: NodeDeps,
  operation: OperationOf<"node.update">,
  call: Call,
): Promise<Outcome<"node.update">> {
  const { nodeId, version } = operation;
  return runOperation<"node.update">(deps, call, () => {
    const spec = validateNode(operation.spec);
    const old = deps.store.node(nodeId);
    if (!old) throw notFound("node", nodeId);
    if (old.spec.Role === "manager" && spec.Role === "worker") checkDemotion(deps, old);
    return {
      preconditions: [
        { kind: "clientVersion", table: "node", id: nodeId, index: version },
        { kind: "versionIs", table: "node", id: nodeId, index: old.versionIndex },
      ],
      changes: [
        { kind: "putNode", node: { ...old, ...drainFields(old, spec, deps.clock.wallMs()) } },
      ],
      result: {},
    };
  });
}

export async function removeNode(
  deps: NodeDeps,
  operation: OperationOf<"node.remove">,
  call: Call,
): Promise<Outcome<"node.remove">> {
  const { nodeId, force } = operation;
  const outcome = await runOperation<"node.remove">(deps, call, () => {
    const node = deps.store.node(nodeId);
    if (!node) throw notFound("node", nodeId);
    const cluster = deps.store.cluster();
    if (!cluster) throw new ApiError("FailedPrecondition", "the cluster has not been created yet");
    checkRemoval(deps, node, force);
    const nowMs = deps.clock.wallMs();
    return {
      preconditions: [
        { kind: "versionIs", table: "node", id: nodeId, index: node.versionIndex },
        { kind: "versionIs", table: "cluster", id: cluster.id, index: cluster.versionIndex },
      ],
      changes: [
        { kind: "putCluster", cluster: denying(cluster, nodeId, nowMs) },
        ...orphaned(deps.store.tasksByNode(nodeId), nowMs),
        { kind: "delete", table: "node", id: nodeId },
      ],
      result: {},
      // What it writes to the cluster must not spoil a client's "swarm update".
      isClient: false,
    };
  });
  await orphanLateComers(deps, nodeId, call);
  return outcome;
}

function validateNode(input: NodeSpec): NodeSpec {
  const context = { operation: "node update", capabilities: new Set<never>() };
  // The table is the parser here.
  const spec = walkStruct(NODE_FIELDS, input, "", context) as Partial<NodeSpec>;
  const { Role, Availability, Labels = {} } = spec;
  if (Role === undefined) throw doorError("InvalidArgument", 'invalid Role: ""');
  if (Availability === undefined) throw doorError("InvalidArgument", 'invalid Availability: ""');
  return { ...spec, Labels, Role, Availability };
}

/**
 * Docker's clients drop what they do not know, so a drained node keeps its settings until others come: those begin a drain of their own.
 * With the drain they end.
 */
export function drainFields(
  old: Node,
  spec: NodeSpec,
  nowMs: number,
): Pick<Node, "spec" | "drainSinceMs"> {
  const { Drain: given, ...rest } = spec;
  const stored = old.spec.Drain;
  if (spec.Availability !== "drain") {
    // A client that writes back all it has read means nothing by it.
    if (given !== undefined && !sameSpec(given, stored))
      throw doorError(
        "InvalidArgument",
        `invalid Drain: only for a node that is drained; Availability is "${spec.Availability}"`,
      );
    return { spec: rest, drainSinceMs: 0 };
  }
  const wanted = given ?? stored;
  const goesOn = old.spec.Availability === "drain" && sameSpec(wanted, stored);
  return {
    spec: wanted === undefined ? rest : { ...rest, Drain: wanted },
    drainSinceMs: goesOn ? old.drainSinceMs : nowMs,
  };
}

function checkDemotion(deps: NodeDeps, node: Node): void {
  const managers = deps.store.nodes().filter((other) => other.spec.Role === "manager");
  if (managers.length === 1)
    throw new ApiError("FailedPrecondition", "attempting to demote the last manager of the swarm");
  const voters = deps.membership.members().filter((member) => !member.isLearner);
  // Promoted, but not a member yet: nothing is lost.
  if (!voters.some((member) => member.nodeId === node.id)) return;
  // Members on their way out do not count: their removal follows.
  const staying = new Set(managers.map((other) => other.id));
  const remaining = voters.filter(
    (member) => member.nodeId !== node.id && staying.has(member.nodeId),
  );
  if (remaining.length === 0)
    throw new ApiError("FailedPrecondition", "attempting to demote the last manager of the swarm");
  const reachable = deps.membership.reachable();
  const answering = remaining.filter((member) => reachable.has(member.memberId)).length;
  if (answering < Math.floor(remaining.length / 2) + 1)
    throw new ApiError(
      "FailedPrecondition",
      "can't remove member from the raft: this would result in a loss of quorum " +
        `(${answering} of the ${remaining.length} remaining managers answer)`,
    );
}

function checkRemoval(deps: NodeDeps, node: Node, force: boolean): void {
  const isMember =
    node.manager !== undefined ||
    deps.membership.members().some((member) => member.nodeId === node.id);
  if (isMember)
    throw new ApiError(
      "FailedPrecondition",
      `node ${node.id} is a cluster manager and is a member of the raft cluster. It must be demoted to worker before removal`,
    );
  if (!force && node.state === "ready")
    throw new ApiError("FailedPrecondition", `node ${node.id} is not down and can't be removed`);
}

/** The cluster with the node's certificates refused, and without entries that are over. */
function denying(cluster: Cluster, nodeId: string, nowMs: number): Cluster {
  const untilMs = nowMs + cluster.spec.CAConfig.NodeCertExpiry / NANO_PER_MS + DENY_MARGIN_MS;
  const others = cluster.deniedNodes.filter(
    (denied) => denied.untilMs > nowMs && denied.nodeId !== nodeId,
  );
  return { ...cluster, deniedNodes: [...others, { nodeId, untilMs }] };
}

function orphaned(tasks: readonly Task[], atMs: number): Change[] {
  return tasks
    .filter((task) => task.state < TASK_STATE.complete)
    .map((task) => ({
      kind: "taskStatus",
      taskId: task.id,
      state: TASK_STATE.orphaned,
      atMs,
      message: "node was removed from the cluster",
      err: task.err,
      containerId: task.containerId,
      pid: task.pid,
      exitCode: task.exitCode,
      portStatus: task.portStatus,
    }));
}

/** A task may have been assigned between the reading and the writing. None comes after: the node is gone. */
async function orphanLateComers(deps: NodeDeps, nodeId: string, call: Call): Promise<void> {
  const changes = orphaned(deps.store.tasksByNode(nodeId), deps.clock.wallMs());
  if (changes.length === 0) return;
  await deps.proposer.propose(
    {
      requestId: "",
      atMs: deps.clock.wallMs(),
      isClient: false,
      preconditions: [{ kind: "absent", table: "node", id: nodeId }],
      changes,
      resultJson: "",
      ...(call.requester && { requester: call.requester }),
    },
    call.signal,
  );
}
