/** Bodies of init, join and unlock. */
import { doorError } from "../../base/index.js";
import type { InitRequest, JoinRequest, UnlockRequest } from "../membership-bodies.js";
import { parseInitialClusterSpec } from "./cluster-spec.js";
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
  return {
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
