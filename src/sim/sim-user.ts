/** A user who changes his mind: operations through control, tried again by their request id when a leader is lost under them. */
import {
  containerTaskOf,
  type NetworkSpec,
  type Operation,
  type Service,
  type ServiceSpec,
  TASK_STATE,
} from "../api/index.js";
import { ApiError, newId, type Random } from "../base/index.js";
import { CAPABILITIES, createControl } from "../manager/control/index.js";
import type { OperationExecutor } from "../manager/port.js";
import { ProposeError, type Proposer, type Store } from "../store/index.js";
import type { FakeClock } from "./fake-clock.js";
import { type SimMode, simModeOf, simSpec } from "./sim-objects.js";

const SERVICES_MAX = 4;
const NETWORKS_MAX = 2;
const ATTEMPTS = 5;
const RETRY_MS = 700;
const NANO_PER_MS = 1e6;
const MODES: readonly SimMode[] = [
  "replicated",
  "replicated",
  "replicated",
  "global",
  "job",
  "globalJob",
  "scheduled",
];

type Parts = {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly store: Store;
  readonly proposer: Proposer;
};

export class SimUser {
  readonly violations: string[] = [];
  /** Operations by kind: done, and refused. */
  readonly done = new Map<string, number>();
  readonly refused = new Map<string, number>();
  readonly #parts: Parts;
  readonly #control: OperationExecutor;
  readonly #running = new Set<Promise<void>>();
  #made = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
    const unused = (): Promise<never> => Promise.reject(new Error("not used"));
    this.#control = createControl({
      ...parts,
      membership: {
        members: () => [],
        reachable: () => new Set(),
        leaderMemberId: () => undefined,
        add: unused,
        remove: unused,
      },
      capabilities: CAPABILITIES,
      newToken: () => "token",
      newUnlockKey: () => "key",
      handlers: { "ca.issue": unused, "raft.join": unused, "raft.leave": unused },
    });
  }

  /** Begins an operation and does not wait for its end. */
  begin(operation: Operation): void {
    const done = this.#run(operation).finally(() => this.#running.delete(done));
    this.#running.add(done);
  }

  /** All that was begun has ended. */
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** One of the things that users do. */
  act(): void {
    const { random, store } = this.#parts;
    const service = pick(store.services(), random);
    switch (Math.floor(random.float() * 12)) {
      case 0:
      case 1:
        if (store.services().length < SERVICES_MAX) this.begin(this.#create());
        return;
      case 2:
        if (service && random.float() < 0.3)
          this.begin({ kind: "service.remove", serviceId: service.id });
        return;
      case 3:
        if (service) this.begin(this.#update(service, "previous"));
        return;
      case 4:
        if (service) this.#rollBackTo(service);
        return;
      case 5:
        this.#scale(service);
        return;
      case 6:
        this.#changeNetworks();
        return;
      case 7:
      case 8:
        this.#changeNode();
        return;
      default:
        if (service) this.begin(this.#update(service, "none"));
    }
  }

  /** Puts a container that runs on a network, or takes one off. */
  connect(): void {
    const { random, store } = this.#parts;
    const all = store.tasks();
    const attachment = pick(
      all.filter((task) => containerTaskOf(task) !== undefined),
      random,
    );
    if (attachment && random.float() < 0.4) {
      const [network] = attachment.spec.Networks ?? [];
      const { nodeId, id: container } = attachment;
      const reference = { nodeId, container, network: network?.Target ?? "" };
      this.begin({ kind: "network.disconnect", ...reference });
      return;
    }
    const container = pick(
      all.filter(
        (task) => task.state === TASK_STATE.running && containerTaskOf(task) === undefined,
      ),
      random,
    );
    const network = pick(
      store.networks().filter(({ spec }) => spec.Attachable === true),
      random,
    );
    if (!container || !network) return;
    this.begin({
      kind: "network.connect",
      ...{ taskId: newId(random), nodeId: container.nodeId, containerTaskId: container.id },
      ...{ containerId: container.id, containerName: container.id, network: network.id },
      ...{ aliases: [], addresses: [] },
    });
  }

  removeNode(nodeId: string): void {
    this.begin({ kind: "node.remove", nodeId, force: true });
  }

  setAvailability(nodeId: string, Availability: "active" | "pause" | "drain"): void {
    const { store, random } = this.#parts;
    const node = store.node(nodeId);
    if (!node) return;
    const { Drain: _, ...rest } = node.spec;
    const Deadline = 2_000 * Math.floor(random.float() * 10) * NANO_PER_MS;
    const MaxParallel = Math.floor(random.float() * 4);
    const drain = Availability === "drain" && { Drain: { Deadline, MaxParallel } };
    const spec = { ...rest, Availability, ...drain };
    this.begin({ kind: "node.update", nodeId, version: node.versionIndex, spec });
  }

  #create(): Operation {
    const { random } = this.#parts;
    const mode = pick(MODES, random) ?? "replicated";
    const serviceId = newId(random);
    const spec = this.#spec(`s${++this.#made}`, mode);
    return { kind: "service.create", serviceId, spec, registryAuth: "" };
  }

  #update(service: Service, rollback: "previous" | "none"): Operation {
    return {
      kind: "service.update",
      serviceId: service.id,
      version: service.versionIndex,
      spec: this.#spec(service.spec.Name, simModeOf(service)),
      rollback,
      registryAuth: undefined,
      registryAuthFrom: "spec",
    };
  }

  #rollBackTo({ id: serviceId, versionIndex: version, history }: Service): void {
    const revision = pick(history ?? [], this.#parts.random);
    if (revision)
      this.begin({ kind: "service.rollback", serviceId, version, to: revision.version });
  }

  #scale(service: Service | undefined): void {
    if (!service || !("Replicated" in service.spec.Mode)) return;
    const Replicas = Math.floor(this.#parts.random.float() * 7);
    const spec = { ...service.spec, Mode: { Replicated: { Replicas } } };
    this.begin({ ...this.#update(service, "none"), spec } as Operation);
  }

  #changeNetworks(): void {
    const { store, random } = this.#parts;
    const own = store.networks().filter(({ spec }) => spec.Ingress !== true);
    if (own.length < NETWORKS_MAX && random.float() < 0.7) {
      const spec: NetworkSpec = {
        Name: `n${++this.#made}`,
        Labels: {},
        Driver: "overlay",
        Scope: "swarm",
        Attachable: true,
      };
      this.begin({ kind: "network.create", networkId: newId(random), spec });
      return;
    }
    const network = pick(own, random);
    if (network) this.begin({ kind: "network.remove", networkId: network.id });
  }

  #changeNode(): void {
    const { store, random } = this.#parts;
    const node = pick(
      store.nodes().filter(({ state }) => state === "ready"),
      random,
    );
    if (node === undefined) return;
    const isActive = node.spec.Availability === "active";
    const away = random.float() < 0.7 ? "drain" : "pause";
    this.setAvailability(node.id, isActive ? away : "active");
  }

  #spec(name: string, mode: SimMode): ServiceSpec {
    const { random, store } = this.#parts;
    const below = (n: number): number => Math.floor(random.float() * n);
    const spec = simSpec(name, {
      mode,
      replicas: below(6),
      image: `web:${1 + below(3)}`,
      isStartFirst: random.float() < 0.4,
      parallelism: below(3),
      isPausing: random.float() < 0.3,
      delayMs: random.float() < 0.5 ? 0 : 500 * below(4),
    });
    const networks = store.networks().filter(({ spec: { Ingress } }) => Ingress !== true);
    const network = pick(networks, random);
    const isOnNetwork = network !== undefined && random.float() < 0.6;
    const isPublished = random.float() < 0.15 && (mode === "replicated" || mode === "global");
    return {
      ...spec,
      TaskTemplate: {
        ...spec.TaskTemplate,
        ...(isOnNetwork && { Networks: [{ Target: network.id }] }),
      },
      ...(isPublished && {
        EndpointSpec: {
          Mode: "vip",
          Ports: [{ Protocol: "tcp", TargetPort: 80, PublishMode: "ingress" }],
        },
      }),
    };
  }

  async #run(operation: Operation): Promise<void> {
    const { clock, random } = this.#parts;
    const requestId = newId(random);
    const { kind } = operation;
    const { signal } = new AbortController();
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#control.execute<typeof kind>(operation, {
          requestId,
          callerNodeId: "",
          signal,
        });
        this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
        return;
      } catch (error) {
        if (error instanceof ProposeError && attempt < ATTEMPTS) {
          await clock.sleep(RETRY_MS);
          continue;
        }
        if (!(error instanceof ApiError || error instanceof ProposeError))
          this.violations.push(`${kind} failed: ${String(error)}`);
        const why = `${kind}: ${String(error).slice(0, 90)}`;
        this.refused.set(why, (this.refused.get(why) ?? 0) + 1);
        return;
      }
    }
  }
}

function pick<T>(list: readonly T[], random: Random): T | undefined {
  return list[Math.floor(random.float() * list.length)];
}
