import {
  type Cluster,
  type Config,
  type Network,
  type Node,
  type ObjectOf,
  type Secret,
  type Service,
  sameSpec,
  type TableName,
  type Task,
} from "../api/index.js";
import {
  AddressClaims,
  gatewayClaims,
  NetworkClaims,
  serviceClaims,
  taskClaims,
} from "./claim-index.js";
import { NamedTable, ObjectTable } from "./object-table.js";
import { PortIndex } from "./port-index.js";
import { SPEC_HISTORY_DEFAULT } from "./spec-history.js";
import { sharedTask, type TaskMeta, TextPool, taskWith } from "./task-shape.js";
import { TaskTable } from "./task-table.js";

/** Services with the ports they publish. */
class ServiceTable extends NamedTable<Service> {
  readonly ports = new PortIndex();
  readonly #addresses: AddressClaims;

  constructor(addresses: AddressClaims) {
    super();
    this.#addresses = addresses;
  }

  override put(service: Service): void {
    const old = this.get(service.id);
    if (old?.vips !== service.vips)
      this.#addresses.change(
        serviceClaims(old),
        serviceClaims(service),
        service.id,
        service.updatedAtMs,
      );
    if (!old || !samePorts(old, service)) {
      if (old) this.ports.remove(old);
      this.ports.add(service);
    }
    super.put(service);
  }

  override remove(id: string): void {
    const old = this.get(id);
    if (old) this.ports.remove(old);
    super.remove(id);
  }
}

/** Networks with their numbers. */
class NetworkTable extends NamedTable<Network> {
  readonly claims = new NetworkClaims();
  readonly #addresses: AddressClaims;

  constructor(addresses: AddressClaims) {
    super();
    this.#addresses = addresses;
  }

  override put(network: Network): void {
    const old = this.get(network.id);
    if (old?.vni !== network.vni || old.subnets !== network.subnets) {
      if (old) this.claims.remove(old);
      this.claims.add(network);
      const { id, updatedAtMs } = network;
      this.#addresses.change(gatewayClaims(old), gatewayClaims(network), id, updatedAtMs);
    }
    super.put(network);
  }

  override remove(id: string): void {
    const old = this.get(id);
    if (old) this.claims.remove(old);
    this.#addresses.forget(id);
    super.remove(id);
  }
}

/** The whole replicated state but for its index and the kept results. */
export class Tables {
  readonly cluster = new ObjectTable<Cluster>();
  readonly node = new ObjectTable<Node>();
  readonly addresses = new AddressClaims();
  readonly service = new ServiceTable(this.addresses);
  readonly task = new TaskTable();
  readonly network = new NetworkTable(this.addresses);
  readonly secret = new NamedTable<Secret>();
  readonly config = new NamedTable<Config>();
  readonly #texts = new TextPool();

  /** Specs kept per service, by the cluster's setting. */
  get specHistoryLimit(): number {
    const [cluster] = this.cluster.list();
    return cluster?.spec.Orchestration.SpecHistoryLimit ?? SPEC_HISTORY_DEFAULT;
  }

  get(table: TableName, id: string): ObjectOf[TableName] | undefined {
    return this[table].get(id);
  }

  remove(table: TableName, id: string, atMs: number): void {
    const { addresses } = this;
    if (table === "task") addresses.change(taskClaims(this.task.get(id)), [], id, atMs);
    if (table === "service") addresses.change(serviceClaims(this.service.get(id)), [], id, atMs);
    this[table].remove(id);
  }

  /** Stores a task, as of `meta`, with its ids and common texts shared. Returns what was stored. */
  putTask(task: Task, meta: TaskMeta = task): Task {
    const service = this.service.get(task.serviceId);
    const shared = sharedTask(task, meta, {
      serviceId: service?.id,
      serviceName: service?.spec.Name,
      nodeId: this.node.get(task.nodeId)?.id,
      texts: this.#texts,
    });
    return this.#storeTask(shared, this.task.get(task.id));
  }

  /** Replaces fields of a task that is stored: its other texts are shared already. Returns what was stored. */
  updateTask(old: Task, set: Partial<Task>): Task {
    return this.#storeTask(taskWith(old, set, this.#texts), old);
  }

  #storeTask(task: Task, old: Task | undefined): Task {
    if ((old?.networks.length ?? 0) > 0 || task.networks.length > 0)
      this.addresses.change(taskClaims(old), taskClaims(task), task.id, task.updatedAtMs);
    this.task.put(task);
    return task;
  }
}

function samePorts(a: Service, b: Service): boolean {
  return (
    a.ports === b.ports && (a.spec === b.spec || sameSpec(a.spec.EndpointSpec, b.spec.EndpointSpec))
  );
}
