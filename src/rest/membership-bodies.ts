/** Bodies of init, join, leave and unlock as they go to the supervisor: the Engine API's fields, parsed, zero values filled in. */
import type { Availability, ClusterSpec } from "../api/index.js";

export type InitRequest = {
  readonly ListenAddr: string;
  readonly AdvertiseAddr: string;
  readonly DataPathAddr: string;
  /** 0 = the default, 4789. */
  readonly DataPathPort: number;
  readonly ForceNewCluster: boolean;
  /** Whole: what the client left out has its default value. */
  readonly Spec: ClusterSpec;
  readonly AutoLockManagers: boolean;
  readonly Availability: Availability;
  /** Empty = the default pool. */
  readonly DefaultAddrPool: readonly string[];
  /** 0 = the default, 24. */
  readonly SubnetSize: number;
};

export type JoinRequest = {
  readonly ListenAddr: string;
  readonly AdvertiseAddr: string;
  readonly DataPathAddr: string;
  readonly RemoteAddrs: readonly string[];
  readonly JoinToken: string;
  readonly Availability: Availability;
};

export type LeaveRequest = { readonly force: boolean };

/** `warnings`: what could not be done, or is not done yet, of a leave that came to its end all the same. */
export type LeaveReply = { readonly warnings: readonly string[] };

export type UnlockRequest = { readonly UnlockKey: string };
