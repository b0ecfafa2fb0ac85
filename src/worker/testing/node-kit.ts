/** A worker's inside on a temporary directory with fakes around it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { NETWORK_PHASE, TASK_STATE, type TaskSpec } from "../../api/index.js";
import { type Clock, SeededRandom, silentLogger } from "../../base/index.js";
import type { ConnectionsPort } from "../agent/index.js";
import type { AssignmentMessage } from "../core/task/assignment-set.js";
import type { Assignment, TaskStatus } from "../core/task/types.js";
import { Limiter } from "../limiter.js";
import { LogService } from "../logs/index.js";
import { ImageSource, RecordStore, TaskManager } from "../tasks/index.js";
import { LocalVolumes } from "../volumes/index.js";
import { FakeClock } from "./fake-clock.js";
import { FakeEngine, fakeImage } from "./fake-engine.js";
import { FakeNet } from "./fake-net.js";

export const NODE = {
  nodeId: "node1node1node1node1node1",
  hostname: "w1",
  os: "linux",
  architecture: "x86_64",
};

/** Nobody to ask for networks. */
export const NO_MANAGERS: ConnectionsPort = {
  connect: () => Promise.reject(new Error("no manager")),
  disconnect: () => Promise.reject(new Error("no manager")),
};

/** A full-length task id from a short name. */
export function taskId(name: string): string {
  return name.padEnd(25, "0");
}

export function fakeAssignment(
  name: string,
  change: Partial<Omit<Assignment, "spec">> & { readonly spec?: Partial<TaskSpec> } = {},
): Assignment {
  const { spec, ...rest } = change;
  return {
    taskId: taskId(name),
    serviceId: "service1service1service10",
    serviceName: "web",
    slot: 1,
    desiredState: TASK_STATE.running,
    notBeforeMs: 0,
    hostPorts: [],
    registryAuth: "",
    serviceLabels: {},
    versionIndex: 1,
    genericResources: [],
    networks: [],
    networkPhase: NETWORK_PHASE.none,
    ...rest,
    spec: { ContainerSpec: { Image: "bb:latest" }, ForceUpdate: 0, Runtime: "container", ...spec },
  };
}

export function completeSet(resultsIn: number, tasks: readonly Assignment[]): AssignmentMessage {
  return { isComplete: true, appliesTo: 0, resultsIn, tasks, removedTaskIds: [] };
}

export class NodeKit implements AsyncDisposable {
  readonly dir: string;
  readonly clock: Clock & { advance?(ms: number): Promise<void> };
  readonly engine: FakeEngine;
  readonly net: FakeNet;
  readonly logs: LogService;
  readonly store: RecordStore;
  readonly volumes: LocalVolumes;
  readonly tasks: TaskManager;
  readonly statuses: TaskStatus[] = [];

  static async make(earlier?: NodeKit, clock: Clock = new FakeClock()): Promise<NodeKit> {
    const dir = earlier?.dir ?? (await mkdtemp(`${tmpdir()}/worker-`));
    const kit = new NodeKit(dir, earlier?.engine, earlier?.net, clock);
    await kit.tasks.open();
    return kit;
  }

  private constructor(
    dir: string,
    engine: FakeEngine | undefined,
    net: FakeNet | undefined,
    clock: Clock,
  ) {
    this.dir = dir;
    this.clock = clock;
    this.engine = engine ?? new FakeEngine();
    if (engine === undefined) this.engine.registry.set("bb:latest", fakeImage("bb:latest"));
    this.net = net ?? new FakeNet();
    const logger = silentLogger;
    this.store = new RecordStore(`${dir}/tasks`, logger);
    const puncher = { punch: () => Promise.resolve() };
    this.logs = new LogService({ clock, logger, puncher });
    this.volumes = new LocalVolumes({
      root: `${dir}/volumes`,
      random: new SeededRandom(1),
      wallMs: () => clock.wallMs(),
    });
    this.tasks = new TaskManager({
      engine: this.engine,
      net: this.net,
      images: new ImageSource({ engine: this.engine, clock, logger }),
      volumes: this.volumes,
      logs: this.logs,
      store: this.store,
      clock,
      logger,
      workLimiter: new Limiter(4),
      probeLimiter: new Limiter(2),
      node: () => NODE,
      cgroupParent: "",
    });
    this.tasks.onStatus((status) => this.statuses.push(status));
  }

  stateOf(name: string): number {
    return this.tasks.runner(taskId(name))?.record.status.state ?? -1;
  }

  /** The agent's process ends; containers and files stay. */
  async kill(): Promise<void> {
    await this.tasks[Symbol.asyncDispose]();
    await this.logs[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }
}
