import type { Service } from "../../api/index.js";
import type { StoreView } from "../../store/index.js";
import { presentMeta, presentVersion } from "./meta.js";
import { presentVirtualIps } from "./network-attachment.js";
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
};

export function presentService(service: Service, options: ServiceOptions = {}) {
  const { spec, previousSpec, updateStatus } = service;
  const present = (shown: typeof spec) => presentServiceSpec(shown, options.networks);
  const isJob = "ReplicatedJob" in spec.Mode || "GlobalJob" in spec.Mode;
  return {
    ...presentMeta(service),
    Spec: present(options.insertDefaults === true ? withDefaults(spec) : spec),
    ...(previousSpec === undefined ? {} : { PreviousSpec: present(previousSpec) }),
    Endpoint: {
      Spec: spec.EndpointSpec ?? {},
      ...(service.ports.length === 0 ? {} : { Ports: service.ports }),
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
    ...(isJob
      ? {
          JobStatus: {
            JobIteration: presentVersion(service.jobIteration),
            LastExecution: formatTime(service.lastExecutionMs),
          },
        }
      : {}),
    ...(options.engine === undefined ? {} : { Engine: options.engine }),
  };
}
