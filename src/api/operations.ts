/**
 * Control operations: the one way to change the cluster. The manager that takes a call makes object ids and the requestId,
 * then runs the operation on the leader (forwarded whole, never as a proposal; contracts §2).
 */
import type {
  ClusterSpec,
  NetworkSpec,
  NodeRole,
  NodeSpec,
  ServiceSpec,
  TaskSpec,
} from "./spec.js";

export type Operation =
  | {
      readonly kind: "service.create";
      readonly serviceId: string;
      readonly spec: ServiceSpec;
      readonly registryAuth: string;
    }
  | {
      readonly kind: "service.update";
      readonly serviceId: string;
      readonly version: number;
      readonly spec: ServiceSpec;
      readonly rollback: "previous" | "none";
      /** undefined: take it from `registryAuthFrom`. */
      readonly registryAuth: string | undefined;
      readonly registryAuthFrom: "spec" | "previous-spec";
    }
  /** Back to a spec of the service's history. */
  | {
      readonly kind: "service.rollback";
      readonly serviceId: string;
      readonly version: number;
      /** SpecRevision.version. */
      readonly to: number;
    }
  /** Moves tasks to emptier nodes until they are spread evenly. */
  | {
      readonly kind: "service.rebalance";
      readonly serviceId: string;
      readonly version: number;
    }
  | { readonly kind: "service.remove"; readonly serviceId: string }
  | {
      readonly kind: "network.create";
      readonly networkId: string;
      readonly spec: NetworkSpec;
    }
  | { readonly kind: "network.remove"; readonly networkId: string }
  /** A container outside services, on attachable networks. */
  | {
      readonly kind: "container.run";
      readonly taskId: string;
      readonly nodeId: string;
      /** Also its DNS name on those networks. */
      readonly name: string;
      readonly spec: TaskSpec;
    }
  | { readonly kind: "container.remove"; readonly taskId: string }
  /** A container that runs gets one more network. */
  | {
      readonly kind: "network.connect";
      /** Of the attachment, made by the node that asks: asked again with it, nothing is made twice. */
      readonly taskId: string;
      /** Where the container runs; the node that asks. */
      readonly nodeId: string;
      readonly containerTaskId: string;
      readonly containerId: string;
      readonly containerName: string;
      /** Id, name or unique beginning of an id. */
      readonly network: string;
      readonly aliases: readonly string[];
      readonly addresses: readonly string[];
    }
  | {
      readonly kind: "network.disconnect";
      readonly nodeId: string;
      /** Id of the container's task or of the attachment; id or name of the container. */
      readonly container: string;
      readonly network: string;
    }
  | {
      readonly kind: "node.update";
      readonly nodeId: string;
      readonly version: number;
      readonly spec: NodeSpec;
    }
  | { readonly kind: "node.remove"; readonly nodeId: string; readonly force: boolean }
  | {
      readonly kind: "cluster.update";
      readonly version: number;
      readonly spec: ClusterSpec;
      readonly rotateWorkerToken: boolean;
      readonly rotateManagerToken: boolean;
      readonly rotateManagerUnlockKey: boolean;
    }
  /** A node without certificate asks for one (token) or renews (caller's verified node id). */
  | {
      readonly kind: "ca.issue";
      /** "" for a first certificate; then `token` decides the role. */
      readonly nodeId: string;
      /** Id for a new node, made by the manager that took the call. */
      readonly newNodeId: string;
      readonly csrPem: string;
      readonly token: string;
      readonly availability: NodeSpec["Availability"];
    }
  /** A new manager asks to become a Raft member. The leader checks that it is reachable, adds a learner, promotes it. */
  | {
      readonly kind: "raft.join";
      readonly nodeId: string;
      readonly memberId: string;
      readonly addr: string;
    }
  | { readonly kind: "raft.leave"; readonly nodeId: string };

export type OperationResult = {
  "service.create": { readonly id: string; readonly warnings: readonly string[] };
  "service.update": { readonly warnings: readonly string[] };
  "service.rollback": { readonly warnings: readonly string[] };
  "service.rebalance": Readonly<Record<string, never>>;
  "service.remove": Readonly<Record<string, never>>;
  "network.create": { readonly id: string };
  "network.remove": Readonly<Record<string, never>>;
  "container.run": { readonly id: string };
  "container.remove": Readonly<Record<string, never>>;
  "network.connect": { readonly networkId: string };
  /** Attachments that are to end. */
  "network.disconnect": { readonly taskIds: readonly string[] };
  "node.update": Readonly<Record<string, never>>;
  "node.remove": Readonly<Record<string, never>>;
  "cluster.update": Readonly<Record<string, never>>;
  "ca.issue": {
    readonly nodeId: string;
    readonly role: NodeRole;
    readonly certificatePem: string;
    readonly rootBundlePem: string;
  };
  "raft.join": {
    readonly members: readonly {
      readonly memberId: string;
      readonly nodeId: string;
      readonly addr: string;
    }[];
  };
  "raft.leave": Readonly<Record<string, never>>;
};

export type OperationKind = Operation["kind"];
export type ResultOf<K extends OperationKind> = OperationResult[K];
