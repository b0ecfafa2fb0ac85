import { describe, expect, test } from "vitest";
import {
  type Cluster,
  NETWORK_PHASE,
  type Network,
  type NetworkPhase,
  type NetworkSpec,
  type NodeDescription,
  type PortConfig,
  type ServiceSpec,
  TASK_STATE,
  type Task,
} from "../../api/index.js";
import { ADDRESS_REST_MS } from "../../overlay-net/core/index.js";
import { CLUSTER } from "./testing/cluster.js";
import { goodAgent, type ServiceFields, World } from "./testing/world.js";

const META = { versionIndex: 0, clientIndex: 0, createdAtMs: 0, updatedAtMs: 0 };

function network(world: World, id: string, set: Partial<NetworkSpec> = {}): void {
  const spec: NetworkSpec = { Name: id, Labels: {}, Driver: "overlay", Scope: "swarm", ...set };
  const made: Network = { ...META, id, spec, predefined: false, vni: 0, subnets: [], mtu: 0 };
  world.commit([{ kind: "putNetwork", network: made }]);
}

/** One node, a cluster with the given pools, ingress and a network "web". */
function cluster(set: Partial<Cluster> = {}, web: Partial<NetworkSpec> = {}): World {
  const world = new World();
  world.commit([{ kind: "putCluster", cluster: { ...CLUSTER, ...set } }]);
  network(world, "ingress", { Ingress: true });
  network(world, "web", web);
  return world.addNodes("a").settle();
}

const on = (...networks: string[]): ServiceFields => ({
  template: { Networks: networks.map((Target) => ({ Target })) },
});
const ingress = (target: number, published = 0): PortConfig => ({
  Protocol: "tcp",
  TargetPort: target,
  PublishMode: "ingress",
  ...(published !== 0 && { PublishedPort: published }),
});
const addressesOf = (world: World, service = "web"): string[] =>
  world.tasks(service).flatMap((task) => task.networks.map(({ address }) => address));

describe("networks", () => {
  test("ingress gets the first VNI and the end of the pool, others the next and the start", () => {
    const world = cluster();
    expect(world.store.network("ingress")).toMatchObject({
      vni: 4096,
      subnets: [{ subnet: "10.255.0.0/16", gateway: "10.255.0.1" }],
    });
    expect(world.store.network("web")).toMatchObject({
      vni: 4097,
      subnets: [{ subnet: "10.0.0.0/24", gateway: "10.0.0.1", ipRange: "" }],
      mtu: 1450,
    });
  });

  test("carry no more than the smallest underlay", () => {
    const world = cluster();
    world.addNodes("b");
    const old = world.store.node("b")?.description as NodeDescription;
    world.commit([{ kind: "nodeStatus", nodeId: "b", description: { ...old, UnderlayMtu: 1450 } }]);
    network(world, "later");
    world.settle();
    expect(world.store.network("later")?.mtu).toBe(1400);
  });

  test("that are in use follow an underlay that carries less, and one that carries more when nobody is on them", () => {
    const world = cluster();
    const carries = (nodeId: string, UnderlayMtu: number) => {
      const old = world.store.node(nodeId)?.description as NodeDescription;
      const description = { ...old, UnderlayMtu };
      world.commit([{ kind: "nodeStatus", nodeId, description }]);
      world.settle();
    };
    const mtus = () => ["ingress", "web"].map((id) => world.store.network(id)?.mtu);
    world.createService(on("web"), "web").settle();
    const before = world.store.network("web");
    expect(mtus()).toEqual([1450, 1450]);
    world.addNodes("b");
    carries("b", 1400);
    expect(mtus()).toEqual([1350, 1350]);
    expect(world.store.network("web")).toMatchObject({
      vni: before?.vni,
      subnets: before?.subnets,
    });
    expect(world.placed("web")).toEqual(["1:a:running"]);
    carries("b", 1450);
    expect(mtus()).toEqual([1400, 1350]);
    world.commit([{ kind: "delete", table: "service", id: "web" }]);
    world.settle();
    expect(mtus()).toEqual([1400, 1400]);
    carries("b", 100);
    expect(mtus()).toEqual([68, 68]);
    world.commit([{ kind: "delete", table: "node", id: "b" }]);
    world.settle();
    expect(mtus()).toEqual([1450, 1450]);
  });

  test("wait for the first node's routes, and stay clear of them", () => {
    const world = new World();
    world.commit([{ kind: "putCluster", cluster: CLUSTER }]);
    network(world, "web");
    world.settle();
    expect(world.store.network("web")?.vni).toBe(0);
    world.addNodes("a");
    const old = world.store.node("a")?.description as NodeDescription;
    const description = { ...old, Routes: ["0.0.0.0/0", "10.0.0.0/16", "fe80::/64"] };
    world.commit([{ kind: "nodeStatus", nodeId: "a", description }]);
    world.settle();
    expect(world.store.network("web")?.subnets[0]?.subnet).toBe("10.1.0.0/24");
  });

  test("what has no room waits until another network is removed, and its tasks say why", () => {
    const world = cluster({ defaultAddrPool: ["192.168.0.0/23"] });
    network(world, "late");
    world.createService(on("late"), "svc").settle();
    const reason =
      "network late: no free subnet for network late in the default address pools 192.168.0.0/23; name one with --subnet";
    expect(world.tasks("svc")[0]).toMatchObject({ state: TASK_STATE.new, err: reason });
    world.commit([{ kind: "delete", table: "network", id: "web" }]);
    world.settle();
    expect(world.placed("svc")).toEqual(["1:a:running"]);
    expect(world.tasks("svc")[0]?.err).toBe("");
  });

  test("a subnet that overlaps another's is not taken, and holds up nobody else", () => {
    const world = cluster();
    network(world, "mine", { IPAM: { Config: [{ Subnet: "10.0.0.0/16" }] } });
    network(world, "next");
    world.createService(on("mine"), "svc").settle();
    expect(world.tasks("svc")[0]?.err).toBe(
      "network mine: subnet 10.0.0.0/16 overlaps 10.0.0.0/24 of network web",
    );
    expect(world.store.network("next")?.vni).toBe(4098);
  });
});

describe("services and tasks", () => {
  test("get one address per network, the service's own first, ingress last", () => {
    const world = cluster();
    world.createService({ ...on("web"), replicas: 2, ports: [ingress(80)] }).settle();
    const service = world.service();
    expect(service.vips).toEqual([
      { networkId: "web", address: "10.0.0.2", address6: "" },
      { networkId: "ingress", address: "10.255.0.2", address6: "" },
    ]);
    expect(service.ports).toEqual([{ ...ingress(80), PublishedPort: 30_000 }]);
    expect(world.placed()).toEqual(["1:a:running", "2:a:running"]);
    expect(world.tasks()[0]?.networks.map(({ networkId }) => networkId)).toEqual([
      "web",
      "ingress",
    ]);
    expect(addressesOf(world)).toEqual(["10.0.0.3", "10.255.0.3", "10.0.0.4", "10.255.0.4"]);
  });

  test("both families where the network has them", () => {
    const world = cluster({}, { EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00:9::/64" }] } });
    world.createService(on("web")).settle();
    expect(world.tasks()[0]?.networks[0]).toMatchObject({
      address: "10.0.0.3",
      address6: "fd00:9::3",
    });
    expect(world.service().vips[0]?.address6).toBe("fd00:9::2");
  });

  test("no virtual address with dnsrr", () => {
    const world = cluster();
    world.createService(on("web"));
    const service = world.service();
    const spec: ServiceSpec = { ...service.spec, EndpointSpec: { Mode: "dnsrr" } };
    world.settle();
    expect(world.service().vips).toHaveLength(1);
    world.commit([{ kind: "putService", service: { ...world.service(), spec, specVersion: 0 } }]);
    world.settle();
    expect(world.service().vips).toEqual([]);
  });

  test("VIP and open ports stay over updates; a port is another's only when it is gone", () => {
    const world = cluster();
    world.createService({ ...on("web"), ports: [ingress(80)] }).settle();
    const { vips, ports } = world.service();
    world.updateService({ ...on("web"), image: "bb:2", ports: [ingress(80)] }).settle();
    expect(world.service()).toMatchObject({ vips, ports });
    world.createService({ ports: [ingress(80)] }, "other").settle();
    expect(world.service("other").ports[0]?.PublishedPort).toBe(30_001);
  });

  test("a port added to a service without any makes its tasks anew, with an ingress address", () => {
    const world = cluster();
    world.createService(on("web")).settle();
    const [old] = world.tasks();
    world.updateService({ ...on("web"), ports: [ingress(80)] }).settle();
    world.advance(10_000);
    const [now] = world.wanted();
    expect(now?.id).not.toBe(old?.id);
    expect(now?.networks).toHaveLength(2);
  });

  test("a task that ended frees its address, which rests before it is used again", () => {
    // Gateway .1, VIP .2, tasks .3–.6.
    const world = cluster({}, { IPAM: { Config: [{ Subnet: "10.9.0.0/29" }] } });
    world.createService({ ...on("web"), replicas: 5 }).settle();
    const full =
      "network web: no free address in 10.9.0.0/29: all 6 are in use or were freed less than 60 s ago";
    expect(world.tasks().map((task) => task.err)).toEqual(["", "", "", "", full]);
    const [first] = world.tasks();
    world.updateService({ ...on("web"), replicas: 4 }).settle();
    world.updateService({ ...on("web"), replicas: 3 }).settle();
    world.createService(on("web"), "more").settle();
    expect(world.tasks("more")[0]).toMatchObject({ state: TASK_STATE.new, err: full });
    world.advance(ADDRESS_REST_MS - 1);
    expect(world.placed("more")).toEqual(["1::new"]);
    world.advance(1);
    expect(first?.networks[0]?.address).toBe("10.9.0.3");
    expect(world.service("more").vips[0]?.address).toBe("10.9.0.6");
    expect(world.tasks("more")[0]?.err).toBe(full);
  });

  test("a task on a node that is down has its address until it is orphaned", () => {
    const world = cluster({}, { IPAM: { Config: [{ Subnet: "10.9.0.0/29" }] } });
    world.createService(on("web")).settle();
    const held = addressesOf(world);
    world.putNode("a", { state: "down" });
    world.addNodes("b").advance(ADDRESS_REST_MS * 2);
    expect(addressesOf(world)).toEqual([...held, "10.9.0.4"]);
    world.removeNode("a");
    expect([...world.store.freedAddresses("web").keys()]).toEqual(held);
  });

  test("nothing is given twice, whatever the leader, and what it must not forget it finds again", () => {
    const world = cluster();
    world.createService({ ...on("web"), replicas: 20, ports: [ingress(80)] }).settle();
    world.electLeader();
    world.createService({ ...on("web"), replicas: 20, ports: [ingress(80)] }, "other").settle();
    const all = [...addressesOf(world), ...addressesOf(world, "other")];
    const vips = [world.service(), world.service("other")].flatMap(({ vips: own }) =>
      own.map(({ address }) => address),
    );
    expect(new Set([...all, ...vips]).size).toBe(84);
    expect(world.service("other").ports[0]?.PublishedPort).toBe(30_001);
    world.updateService({ ...on("web"), replicas: 0, ports: [ingress(80)] }).settle();
    world.electLeader();
    world.updateService({ ...on("web"), replicas: 20, ports: [ingress(80)] }).settle();
    const again = world.wanted().flatMap((task) => task.networks.map(({ address }) => address));
    expect(again).toHaveLength(40);
    expect(again.filter((address) => all.includes(address))).toEqual([]);
  });

  test("a plan too large for one transaction goes on in the next", () => {
    const world = cluster();
    world.createService({ ...on("web"), replicas: 250 }).settle();
    const waiting = world.tasks().filter((task) => task.state === TASK_STATE.new);
    // 254 hosts, less gateway and VIP.
    expect(waiting).toHaveLength(0);
    expect(new Set(addressesOf(world)).size).toBe(250);
  });
});

test("a start-first update goes step by step with the phases of its tasks", () => {
  const { announced, withdrawn } = NETWORK_PHASE;
  const world = cluster();
  // What the dispatcher does: a stop is told when the task is withdrawn.
  world.agent = (task) => {
    const isHeld = task.state === TASK_STATE.running && task.networkPhase === announced;
    return isHeld && task.desiredState >= TASK_STATE.shutdown ? undefined : goodAgent(task);
  };
  const write = (phase: NetworkPhase, which: (task: Task) => boolean): void => {
    const tasks = world.tasks().filter(which);
    world.commit(tasks.map(({ id }) => ({ kind: "taskNetworkPhase", taskId: id, phase })));
    world.settle();
  };
  const images = (): string[] =>
    world
      .tasks()
      .filter(({ state }) => state === TASK_STATE.running)
      .map(({ spec, desiredState }) => `${spec.ContainerSpec.Image}/${desiredState}`)
      .sort();
  const fields: ServiceFields = { ...on("web"), replicas: 2, update: { Order: "start-first" } };
  world.createService({ ...fields, image: "bb:1" }).settle();
  write(announced, () => true);
  world.updateService({ ...fields, image: "bb:2" }).advance(1000);
  // The new one runs, and not everybody knows it: the old one stays.
  expect(images()).toEqual(["bb:1/512", "bb:1/512", "bb:2/512"]);
  write(announced, ({ networkPhase }) => networkPhase < announced);
  // It is told to stop when everybody has forgotten it; the other slot waits for that.
  expect(images()).toEqual(["bb:1/512", "bb:1/640", "bb:2/512"]);
  write(withdrawn, ({ desiredState }) => desiredState === TASK_STATE.shutdown);
  expect(images()).toEqual(["bb:1/512", "bb:2/512", "bb:2/512"]);
});
