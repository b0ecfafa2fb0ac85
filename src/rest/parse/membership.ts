/** Bodies of init, join and unlock. */
import { sameSpec } from "../../api/index.js";
import { doorError } from "../../base/index.js";
import type { InitRequest, JoinRequest, UnlockRequest } from "../membership-bodies.js";
import { DEFAULT_CLUSTER_SPEC, parseInitialClusterSpec } from "./cluster-spec.js";
import { type Decoder, flag, struct, text, textList, uint32 } from "./decoder.js";
import { availability } from "./node-spec.js";

const raw: Decoder<unknown> = {
  goType: "Spec",
  zero: undefined,
  isEmpty: (value) => value === undefined,
  decode: (value) => value,
};

const init = struct("InitRequest", {
  ListenAddr: text,
  AdvertiseAddr: text,
  DataPathAddr: text,
  DataPathPort: uint32,
  ForceNewCluster: flag,
  Spec: raw,
  AutoLockManagers: flag,
  Availability: availability,
  DefaultAddrPool: textList,
  SubnetSize: uint32,
});

const join = struct("JoinRequest", {
  ListenAddr: text,
  AdvertiseAddr: text,
  DataPathAddr: text,
  RemoteAddrs: textList,
  JoinToken: text,
  Availability: availability,
});

const unlock = struct("UnlockRequest", { UnlockKey: text });

export function parseInit(body: unknown): InitRequest {
  const value = init.decode(body ?? {}, "");
  const request: InitRequest = {
    ListenAddr: value.ListenAddr ?? "",
    AdvertiseAddr: value.AdvertiseAddr ?? "",
    DataPathAddr: value.DataPathAddr ?? "",
    DataPathPort: value.DataPathPort ?? 0,
    ForceNewCluster: value.ForceNewCluster ?? false,
    Spec: parseInitialClusterSpec(value.Spec),
    AutoLockManagers: value.AutoLockManagers ?? false,
    Availability: value.Availability ?? "active",
    DefaultAddrPool: value.DefaultAddrPool ?? [],
    SubnetSize: value.SubnetSize ?? 0,
  };
  if (request.ForceNewCluster) refuseSettings(request);
  return request;
}

/** Docker's client sends it always. */
const SUBNET_SIZE_UNSET = 24;

/** What a new cluster would be given, one that goes on has already. Defaults cannot be told from what was left out. */
function refuseSettings(request: InitRequest): void {
  const { DataPathPort, DefaultAddrPool, SubnetSize, Availability, Spec } = request;
  const given = [
    ...(DataPathPort === 0 ? [] : ["DataPathPort"]),
    ...(DefaultAddrPool.length === 0 ? [] : ["DefaultAddrPool"]),
    ...(SubnetSize === 0 || SubnetSize === SUBNET_SIZE_UNSET ? [] : ["SubnetSize"]),
    ...(Availability === "active" ? [] : ["Availability"]),
    ...(sameSpec(Spec, DEFAULT_CLUSTER_SPEC) ? [] : ["Spec"]),
  ];
  if (given.length === 0) return;
  throw doorError(
    "InvalidArgument",
    `swarm init: ${given.join(", ")} cannot be set together with ForceNewCluster: the cluster goes on with the settings it has. ` +
      "Leave it out, and change afterwards what can be changed",
  );
}

export function parseJoin(body: unknown): JoinRequest {
  const value = join.decode(body ?? {}, "");
  if (value.RemoteAddrs === undefined) {
    throw doorError(
      "InvalidArgument",
      "at least one remote address (RemoteAddrs) is required to join a swarm",
    );
  }
  return {
    ListenAddr: value.ListenAddr ?? "",
    AdvertiseAddr: value.AdvertiseAddr ?? "",
    DataPathAddr: value.DataPathAddr ?? "",
    RemoteAddrs: value.RemoteAddrs,
    JoinToken: value.JoinToken ?? "",
    Availability: value.Availability ?? "active",
  };
}

export function parseUnlock(body: unknown): UnlockRequest {
  return { UnlockKey: unlock.decode(body ?? {}, "").UnlockKey ?? "" };
}
