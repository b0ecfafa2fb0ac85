/** Addresses and ports over the life of services: coming, changing, going, and a new leader in between. */
import { expect, test } from "vitest";
import type { Change, Cluster, Network, NetworkSpec, PortConfig } from "../../api/index.js";
import { ADDRESS_REST_MS } from "../../overlay-net/core/index.js";
import { SECOND_NS, type ServiceFields, World } from "./testing/world.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };
const CLUSTER: Cluster = {
  ...META,
  id: "c",
  spec: {
    Name: "default",
    Labels: {},
    Orchestration: { TaskHistoryRetentionLimit: 1 },
    Raft: {
      SnapshotInterval: 10_000,
      KeepOldSnapshots: 0,
      LogEntriesForSlowFollowers: 500,
      ElectionTick: 6,
      HeartbeatTick: 1,
    },
    Dispatcher: { HeartbeatPeriod: SECOND_NS },
    CAConfig: { NodeCertExpiry: 7776e12 },
    TaskDefaults: {},
    EncryptionConfig: { AutoLockManagers: false },
  },
  rootCertPem: "",
  rootKeyPem: "",
  joinTokens: { worker: "", manager: "" },
  defaultAddrPool: ["10.0.0.0/8"],
  subnetSize: 24,
  dataPathPort: 4789,
  deniedNodes: [],
};

function putNetwork(id: string, set: Partial<NetworkSpec> = {}): Change {
  const spec: NetworkSpec = { Name: id, Labels: {}, Driver: "overlay", Scope: "swarm", ...set };
  const network: Network = { ...META, id, spec, predefined: false, vni: 0, subnets: [], mtu: 0 };
  return { kind: "putNetwork", network };
}

/** Six addresses for services and tasks: gateway .1, hosts to .6. */
const SMALL = { IPAM: { Config: [{ Subnet: "10.9.0.0/29" }] } };

function cluster(...networks: readonly Change[]): World {
  const world = new World();
  world.commit([{ kind: "putCluster", cluster: CLUSTER }, ...networks]);
  return world.addNodes("a").settle();
}

const INGRESS = putNetwork("ingress", { Ingress: true });
const onNet: ServiceFields = { template: { Networks: [{ Target: "net" }] } };
const publishing = (PublishedPort: number): PortConfig => ({
  Protocol: "tcp",
  TargetPort: 80,
  PublishMode: "ingress",
  ...(PublishedPort > 0 && { PublishedPort }),
});

test("a service made and removed over and over on a small network always finds addresses", () => {
  const world = cluster(putNetwork("net", SMALL));
  for (let i = 0; i < 8; i++) {
    world.createService({ ...onNet, replicas: 4 }).settle();
    expect(world.wanted().map((task) => task.err)).toEqual(["", "", "", ""]);
    world.removeService().advance(ADDRESS_REST_MS + 1000);
    expect(world.tasks()).toEqual([]);
  }
});

test("a service that waits for the ingress network runs when it is made", () => {
  const world = cluster();
  world.createService({ ports: [publishing(80)] }).settle();
  expect(world.placed()).toEqual(["1::new"]);
  expect(world.wanted()[0]?.err).toContain("ingress network, and there is none");
  world.commit([INGRESS]);
  expect(world.settle().placed()).toEqual(["1:a:running"]);
  expect(world.service().vips).toHaveLength(1);
});

test("a service taken off a network has no virtual address there any more, nor its new tasks", () => {
  const world = cluster(putNetwork("net"), putNetwork("other"));
  const both = { template: { Networks: [{ Target: "net" }, { Target: "other" }] } };
  world.createService(both).settle();
  const [first] = world.service().vips;
  expect(world.service().vips).toHaveLength(2);
  world.updateService(onNet).advance(10_000);
  expect(world.service().vips).toEqual([first]);
  expect(world.wanted()[0]?.networks).toHaveLength(1);
  world.updateService(both).advance(10_000);
  expect(world.service().vips).toHaveLength(2);
});

test("published ports come and go with updates; the chosen ones that stay, stay", () => {
  const world = cluster(INGRESS);
  world.createService({ ports: [publishing(0)] }).settle();
  const [chosen] = world.service().ports;
  const extra = { ...publishing(8080), TargetPort: 81 };
  world.updateService({ ports: [publishing(0), extra] }).advance(10_000);
  expect(world.service().ports).toEqual([chosen, extra]);
  world.updateService({ ports: [publishing(0)] }).advance(10_000);
  expect(world.service().ports).toEqual([chosen]);
});

test("a new leader gives nothing anew: addresses, ports and subnets are as they were", () => {
  const world = cluster(INGRESS, putNetwork("net"));
  world.createService({ ...onNet, replicas: 3, ports: [publishing(0)] }).advance(1000);
  const held = () => ({
    index: world.store.index,
    service: world.service(),
    tasks: world.tasks(),
    networks: world.store.networks(),
  });
  const before = held();
  world.electLeader();
  world.advance(60_000);
  expect(held()).toEqual(before);
});

test("a host port that changes leaves virtual addresses and other ports alone", () => {
  const world = cluster(INGRESS, putNetwork("net"));
  const host = (PublishedPort: number): PortConfig => ({
    Protocol: "tcp",
    TargetPort: 22,
    PublishMode: "host",
    PublishedPort,
  });
  world.createService({ ...onNet, ports: [publishing(0), host(22)] }).settle();
  const { vips, ports } = world.service();
  world.updateService({ ...onNet, ports: [publishing(0), host(23)] }).advance(10_000);
  expect(world.service()).toMatchObject({ vips, ports: [ports[0], host(23)] });
  expect(world.wanted()).toMatchObject([{ hostPorts: [host(23)] }]);
});

test("a network that is removed leaves nothing: subnet, VXLAN id and addresses are as if it had never been", () => {
  const option = { "com.docker.network.driver.overlay.vxlanid_list": "5000" };
  const spec = { Options: option, IPAM: { Config: [{ Subnet: "10.9.0.0/29" }] } };
  const world = new World().addNodes("a");
  world.commit([{ kind: "putCluster", cluster: CLUSTER }, putNetwork("first", spec)]);
  const onNetwork = (Target: string): ServiceFields => ({ template: { Networks: [{ Target }] } });
  world.createService({ ...onNetwork("first"), replicas: 4 }).settle();
  const addresses = (service: string) =>
    world.tasks(service).map(({ networks }) => networks[0]?.address);
  const before = addresses("web").sort();
  world.commit([{ kind: "delete", table: "service", id: "web" }]);
  // Its tasks are still to stop: they do not hold it up, and leave nothing behind when they end.
  world.commit([{ kind: "delete", table: "network", id: "first" }]);
  world.settle().advance(1_000);
  expect(world.tasks()).toEqual([]);
  expect(world.store.freedAddresses("first").size).toBe(0);

  world.commit([putNetwork("second", spec)]);
  world.createService({ ...onNetwork("second"), replicas: 4 }, "again").settle();
  expect(world.store.network("second")).toMatchObject({ vni: 5000 });
  expect(addresses("again").sort()).toEqual(before);
});
