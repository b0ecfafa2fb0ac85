import { isJob, type ScheduleState, type Service } from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { presentMeta, presentVersion } from "./meta.js";
import { presentVirtualIps } from "./network-attachment.js";
import { type ProxiedTasks, presentPorts } from "./proxied-ports.js";
import { presentRebalanceStatus } from "./rebalance.js";
import { presentServiceSpec, withDefaults } from "./service-spec.js";
import type { ServiceStatus } from "./service-status.js";
import { formatTime } from "./time.js";

export type ServiceOptions = {
  readonly insertDefaults?: boolean;
  readonly status?: ServiceStatus;
  /** "simulated" is said wherever a user could mistake it for the real one (contracts §8). */
  readonly engine?: "simulated";
  /** Shows networks by id. */
  readonly networks?: Pick<StoreView, "network" | "networkByName">;
  readonly proxied?: ProxiedTasks;
};

export function presentService(service: Service, options: ServiceOptions = {}) {
  const { spec, previousSpec, updateStatus } = service;
  const present = (shown: typeof spec) => presentServiceSpec(shown, options.networks);
  return {
    ...presentMeta(service),
    Spec: present(options.insertDefaults === true ? withDefaults(spec) : spec),
    ...(previousSpec === undefined ? {} : { PreviousSpec: present(previousSpec) }),
    Endpoint: {
      Spec: spec.EndpointSpec ?? {},
      ...(service.ports.length === 0 ? {} : { Ports: presentPorts(service, options.proxied) }),
      ...(service.vips.length === 0 || options.networks === undefined
        ? {}
        : { VirtualIPs: presentVirtualIps(service, options.networks) }),
    },
    ...(updateStatus === undefined
      ? {}
      : {
          UpdateStatus: {
            State: updateStatus.state,
            StartedAt: formatTime(updateStatus.startedAtMs),
            ...(updateStatus.completedAtMs === 0
              ? {}
              : { CompletedAt: formatTime(updateStatus.completedAtMs) }),
            ...(updateStatus.message === "" ? {} : { Message: updateStatus.message }),
          },
        }),
    ...(options.status === undefined ? {} : { ServiceStatus: options.status }),
    ...(isJob(spec.Mode)
      ? {
          JobStatus: {
            JobIteration: presentVersion(service.jobIteration),
            LastExecution: formatTime(service.lastExecutionMs),
          },
        }
      : {}),
    ...(service.schedule === undefined
      ? {}
      : { ScheduleStatus: presentSchedule(service.schedule) }),
    ...(service.rebalance === undefined
      ? {}
      : { RebalanceStatus: presentRebalanceStatus(service.rebalance) }),
    ...(options.engine === undefined ? {} : { Engine: options.engine }),
  };
}

/** Ours, not the Engine's. A time that there is none of is left out. */
function presentSchedule(state: ScheduleState) {
  return {
    ...(state.nextTickMs === 0 ? {} : { NextTick: formatTime(state.nextTickMs) }),
    ...(state.lastTickMs === 0 ? {} : { LastTick: formatTime(state.lastTickMs) }),
    MissedTicks: state.missedCount,
    SkippedTicks: state.skippedCount,
    OtherRuns: state.runs.length,
  };
}
