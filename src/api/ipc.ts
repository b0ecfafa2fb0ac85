/**
 * Messages between the supervisor and its children (child_process IPC, "advanced" serialization). The supervisor alone
 * owns certificates and membership; children keep what they are told in memory and swap it live (contracts §3, §4).
 */
import type { NodeConfig } from "./node-config.js";
import type { Availability, ClusterSpec, NodeRole } from "./spec.js";

export type ManagerAddr = { readonly nodeId: string; readonly addr: string };

/** Who this node is in its cluster. Absent before init/join. */
export type NodeIdentity = {
  readonly nodeId: string;
  readonly clusterId: string;
  readonly role: NodeRole;
  readonly rootBundlePem: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Known managers, `ip:port`. */
  readonly managers: readonly ManagerAddr[];
  /** `ip:port` that others reach this node's manager at. */
  readonly advertiseAddr: string;
  readonly listenAddr: string;
  /** IP that this node's VXLAN packets come from and go to; absent or "": the one it is known by. */
  readonly dataPathAddr?: string;
};

/** Why a child ended, by exit code. Anything else is "crash". */
export const EXIT_CODE = {
  ok: 0,
  crash: 1,
  removed: 70,
  demoted: 71,
  diskFull: 72,
  walDamaged: 73,
  locked: 74,
  certificateExpired: 75,
  addressInUse: 76,
} as const;
export type ExitReason = keyof typeof EXIT_CODE;

/** What /info says of this node when it cannot come from the store. */
export type LocalState = {
  readonly state: "inactive" | "pending" | "active" | "error" | "locked";
  readonly nodeId: string;
  /** IP only. */
  readonly nodeAddr: string;
  /** Reason and remedy when state is error or locked, or after a failed attempt. */
  readonly error: string;
  readonly isManager: boolean;
  readonly managers: readonly ManagerAddr[];
};

/** How the manager program starts. */
export type ManagerStart =
  /** First manager: makes the cluster with these values and commits them before it reports ready. */
  | {
      readonly kind: "bootstrap";
      readonly clusterId: string;
      readonly rootCertPem: string;
      readonly rootKeyPem: string;
      readonly joinTokens: { readonly worker: string; readonly manager: string };
      readonly spec: ClusterSpec;
      readonly availability: Availability;
      readonly defaultAddrPool: readonly string[];
      readonly subnetSize: number;
      readonly dataPathPort: number;
      /** With autolock. */
      readonly unlockKey?: string;
    }
  /** Asks `managers` of its identity to be added to the Raft group. */
  | { readonly kind: "join" }
  /** Continues from its own log. */
  | { readonly kind: "resume" }
  /** Continues from its own log as the only manager: the operator says that the others are lost. Safe to repeat. */
  | { readonly kind: "forceNewCluster" };

/** Raft data keys, kept beside the node key by the supervisor. */
export type RaftKeys = {
  readonly keys: readonly { readonly keyId: number; readonly keyBase64: string }[];
  readonly activeKeyId: number;
};

/** What a manager whose own certificate has expired is asked, and answers: no other manager would take a call from it. */
export type OwnRenewal = {
  readonly request: { readonly csrPem: string };
  readonly reply: { readonly certificatePem: string; readonly rootBundlePem: string };
};

export type ToChild =
  | {
      readonly kind: "start";
      readonly config: NodeConfig;
      readonly identity: NodeIdentity | undefined;
      readonly localState: LocalState;
      /** Manager program only. */
      readonly manager?: { readonly start: ManagerStart; readonly raftKeys: RaftKeys };
      /** Worker only: availability asked for at init/join, applied to its node on first registration. */
      readonly bootId: string;
    }
  | { readonly kind: "identity"; readonly identity: NodeIdentity | undefined }
  | { readonly kind: "localState"; readonly localState: LocalState }
  | { readonly kind: "ping"; readonly seq: number }
  /** Accompanied by a socket handle (front programs): acknowledge with socketAck, then emit 'connection'. */
  | { readonly kind: "socket"; readonly seq: number }
  /** Front being replaced: stop taking sockets, close idle ones, `Connection: close` on every reply, end when streams end (60 s at most). */
  | { readonly kind: "retire" }
  /** Planned stop: managers transfer leadership first. The child exits 0 when done. */
  | { readonly kind: "stop" }
  /** Answer to a request of the child. */
  | { readonly kind: "reply"; readonly seq: number; readonly result: unknown }
  | {
      readonly kind: "replyError";
      readonly seq: number;
      readonly code: string;
      readonly message: string;
      readonly http: number;
    }
  /**
   * A request to the child: worker: "leaveCluster" (stop all tasks); net: "removeNetworks" (answered when nothing of a cluster that was
   * left remains); manager: "leaveRaft", "closeManager", "renewOwnCertificate"
   * (body and result: OwnRenewal).
   */
  | { readonly kind: "request"; readonly seq: number; readonly op: string; readonly body: unknown };

export type FromChild =
  | { readonly kind: "pong"; readonly seq: number }
  /** Started: manager = member, caught up, listening on 2377; worker = its local socket listens; net = its socket listens. */
  | { readonly kind: "ready" }
  /** Worker: its session with the dispatcher is established (or lost). */
  | { readonly kind: "session"; readonly isUp: boolean }
  | { readonly kind: "socketAck"; readonly seq: number }
  /** Worker session: the cluster's view of this node changed. The only path of role changes. */
  | {
      readonly kind: "nodeUpdate";
      readonly role: NodeRole;
      readonly rootBundlePem: string;
      readonly managers: readonly ManagerAddr[];
      /** Renew the certificate now. */
      readonly forceRenew: boolean;
    }
  /** Manager: what the node's keys are to be encrypted with on disk; "": nothing. Told before `ready` and with every change. */
  | { readonly kind: "unlockKey"; readonly unlockKey: string }
  /** Session answer: this node was removed from the cluster. */
  | { readonly kind: "removed" }
  /** Why the child is about to exit, for people. */
  | { readonly kind: "failed"; readonly reason: ExitReason; readonly message: string }
  /** A front's init, join, leave, unlock (Engine API bodies); answered by reply/replyError. */
  | {
      readonly kind: "request";
      readonly seq: number;
      readonly op: "init" | "join" | "leave" | "unlock";
      readonly body: unknown;
    }
  | { readonly kind: "reply"; readonly seq: number; readonly result: unknown }
  | {
      readonly kind: "replyError";
      readonly seq: number;
      readonly code: string;
      readonly message: string;
      readonly http: number;
    };
