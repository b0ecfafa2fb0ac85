/** Bodies of init and join as a front passes them on. */

export const INIT = {
  ListenAddr: "127.0.0.1:0",
  AdvertiseAddr: "",
  DataPathAddr: "",
  DataPathPort: 0,
  ForceNewCluster: false,
  Spec: { CAConfig: { NodeCertExpiry: 7.776e15 }, EncryptionConfig: { AutoLockManagers: false } },
  AutoLockManagers: false,
  Availability: "active",
  DefaultAddrPool: [],
  SubnetSize: 0,
};

export function joinRequest(joinToken: string, change: object): object {
  return {
    ListenAddr: "",
    AdvertiseAddr: "",
    DataPathAddr: "",
    RemoteAddrs: ["10.0.0.1"],
    JoinToken: joinToken,
    Availability: "active",
    ...change,
  };
}
