/** Managers in memory: the test sees what the agent sends and answers as it likes. */
import type { TaskSpec } from "../../api/index.js";
import type {
  AgentMessage,
  DialDispatcher,
  DispatcherMessage,
} from "../agent/dispatcher-stream.js";
import type { Assignment } from "../core/task/types.js";

export class FakeSession {
  readonly addr: string;
  readonly received: AgentMessage[] = [];
  isClosed = false;
  readonly #deliver: (message: DispatcherMessage) => void;
  readonly #end: (reason: string) => void;

  constructor(
    addr: string,
    deliver: (message: DispatcherMessage) => void,
    end: (reason: string) => void,
  ) {
    this.addr = addr;
    this.#deliver = deliver;
    this.#end = end;
  }

  send(message: DispatcherMessage): void {
    if (!this.isClosed) this.#deliver(message);
  }

  /** The connection breaks. */
  break(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#end("connection broken");
  }

  welcome(heartbeatPeriodMs = 1_000): void {
    this.send({ welcome: { sessionId: "s", heartbeatPeriodMs } });
  }

  /** All statuses received, as `taskId:state`. */
  statuses(): readonly string[] {
    return this.received.flatMap((message) =>
      (message.statuses?.statuses ?? []).map((status) => `${status.taskId}:${status.state}`),
    );
  }

  of<K extends keyof AgentMessage>(kind: K): readonly NonNullable<AgentMessage[K]>[] {
    const found: NonNullable<AgentMessage[K]>[] = [];
    for (const message of this.received) {
      const part = message[kind];
      if (part !== undefined && part !== null) found.push(part);
    }
    return found;
  }
}

export class FakeDispatcher {
  readonly sessions: FakeSession[] = [];
  /** Called for each message of an agent. */
  onMessage: (session: FakeSession, message: AgentMessage) => void = () => undefined;

  readonly dial: DialDispatcher = (addr, handlers) => {
    const session = new FakeSession(addr, handlers.onMessage, handlers.onEnd);
    this.sessions.push(session);
    return {
      send: (message) => {
        session.received.push(message);
        queueMicrotask(() => this.onMessage(session, message));
      },
      close: () => {
        session.isClosed = true;
      },
    };
  };

  get last(): FakeSession | undefined {
    return this.sessions.at(-1);
  }
}

export function wireAssignments(
  tasks: readonly Assignment[],
  resultsIn: number,
): NonNullable<DispatcherMessage["assignments"]> {
  const specs: TaskSpec[] = tasks.map((task) => task.spec);
  return {
    complete: true,
    appliesTo: 0,
    resultsIn,
    specs: specs.map((spec) => Buffer.from(JSON.stringify(spec))),
    tasks: tasks.map((task, i) => ({
      taskId: task.taskId,
      serviceId: task.serviceId,
      serviceName: task.serviceName,
      slot: task.slot,
      specRef: i + 1,
      desiredState: task.desiredState,
      notBeforeMs: task.notBeforeMs,
      hostPortsJson: Buffer.from(JSON.stringify(task.hostPorts)),
      registryAuth: task.registryAuth,
      serviceLabelsJson: Buffer.from(JSON.stringify(task.serviceLabels)),
      versionIndex: task.versionIndex,
      genericResourcesJson: Buffer.from(JSON.stringify(task.genericResources)),
      networksJson: Buffer.from(JSON.stringify(task.networks)),
      networkPhase: task.networkPhase,
    })),
    removedTaskIds: [],
  };
}
