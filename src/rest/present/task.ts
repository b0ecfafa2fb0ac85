import {
  isJob,
  TASK_STATE,
  type Task,
  type TaskState,
  type TaskStateName,
} from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { presentMeta, presentVersion } from "./meta.js";
import { presentAttachments } from "./network-attachment.js";
import { presentTaskSpec } from "./service-spec.js";
import { formatTime } from "./time.js";

const STATE_NAMES: ReadonlyMap<TaskState, TaskStateName> = new Map(
  Object.entries(TASK_STATE).map(([name, state]) => [state, name as TaskStateName]),
);

export function taskStateName(state: TaskState): TaskStateName {
  return STATE_NAMES.get(state) ?? "new";
}

/** `<service>.<slot>.<id>`, for global tasks `<service>.<node>.<id>`: what the task's container is called. Outside services: its name. */
export function taskName(task: Task): string {
  if (task.serviceId === "") return task.serviceName;
  return `${task.serviceName}.${task.slot === 0 ? task.nodeId : task.slot}.${task.id}`;
}

export function presentTask(task: Task, view: StoreView) {
  const mode = view.service(task.serviceId)?.spec.Mode;
  const ports = task.portStatus.map((port) => ({
    Protocol: port.protocol,
    TargetPort: port.targetPort,
    PublishedPort: port.publishedPort,
    PublishMode: "host",
  }));
  return {
    ...presentMeta(task),
    ...(task.serviceId === "" ? { Name: task.serviceName } : {}),
    Labels: {},
    Spec: presentTaskSpec(task.spec, view),
    ...(task.serviceId === "" ? {} : { ServiceID: task.serviceId }),
    ...(task.slot === 0 ? {} : { Slot: task.slot }),
    ...(task.nodeId === "" ? {} : { NodeID: task.nodeId }),
    Status: {
      // A task that nobody has reported on yet is as old as itself: clients print "n seconds ago".
      Timestamp: formatTime(task.statusAtMs === 0 ? task.createdAtMs : task.statusAtMs),
      State: taskStateName(task.state),
      ...(task.message === "" ? {} : { Message: task.message }),
      ...(task.err === "" ? {} : { Err: task.err }),
      ...(task.containerId === ""
        ? {}
        : {
            ContainerStatus: {
              ContainerID: task.containerId,
              PID: task.pid,
              ExitCode: task.exitCode,
            },
          }),
      PortStatus: ports.length === 0 ? {} : { Ports: ports },
    },
    DesiredState: taskStateName(task.desiredState),
    ...(task.genericResources.length === 0 ? {} : { GenericResources: task.genericResources }),
    ...(task.networks.length === 0 ? {} : { NetworksAttachments: presentAttachments(task, view) }),
    ...(mode !== undefined && isJob(mode)
      ? { JobIteration: presentVersion(task.jobIteration) }
      : {}),
    Volumes: null,
  };
}
