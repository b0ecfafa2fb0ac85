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
import { NamedTable, ObjectTable } from "./object-table.js";
import { PortIndex } from "./port-index.js";
import { shareTexts, TextPool } from "./task-shape.js";
import { TaskTable } from "./task-table.js";

/** Services with the ports they publish. */
class ServiceTable extends NamedTable<Service> {
  readonly ports = new PortIndex();

  override put(service: Service): void {
    const old = this.get(service.id);
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

/** The whole replicated state but for its index and the kept results. */
export class Tables {
  readonly cluster = new ObjectTable<Cluster>();
  readonly node = new ObjectTable<Node>();
  readonly service = new ServiceTable();
  readonly task = new TaskTable();
  readonly network = new NamedTable<Network>();
  readonly secret = new NamedTable<Secret>();
  readonly config = new NamedTable<Config>();
  readonly #texts = new TextPool();

  get(table: TableName, id: string): ObjectOf[TableName] | undefined {
    return this[table].get(id);
  }

  /** Stores a task with its ids and common texts shared. Returns what was stored. */
  putTask(task: Task): Task {
    const service = this.service.get(task.serviceId);
    const shared = shareTexts(task, {
      serviceId: service?.id,
      serviceName: service?.spec.Name,
      nodeId: this.node.get(task.nodeId)?.id,
      texts: this.#texts,
    });
    this.task.put(shared);
    return shared;
  }
}

function samePorts(a: Service, b: Service): boolean {
  return (
    a.ports === b.ports && (a.spec === b.spec || sameSpec(a.spec.EndpointSpec, b.spec.EndpointSpec))
  );
}
