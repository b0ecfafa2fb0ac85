/** Specs for reading: what is stored, plus the few values that the Engine shows and we do not store. */
import type { ContainerSpec, ServiceSpec, TaskSpec, UpdateConfig } from "../../api/index.js";

const SECOND_NS = 1_000_000_000;

function presentContainerSpec(spec: ContainerSpec) {
  const { Privileges: privileges } = spec;
  return {
    ...spec,
    ...(privileges === undefined
      ? {}
      : {
          Privileges: {
            ...privileges,
            CredentialSpec: privileges.CredentialSpec ?? null,
            SELinuxContext: privileges.SELinuxContext ?? null,
            NoNewPrivileges: privileges.NoNewPrivileges ?? false,
          },
        }),
    Isolation: spec.Isolation ?? "default",
  };
}

/** Of a service: with its runtime. */
export function presentTaskTemplate(spec: TaskSpec) {
  return { ...spec, ContainerSpec: presentContainerSpec(spec.ContainerSpec) };
}

/** Of a task: the Engine leaves the runtime out there. */
export function presentTaskSpec(spec: TaskSpec) {
  const { Runtime: _runtime, ...rest } = spec;
  return { ...rest, ContainerSpec: presentContainerSpec(spec.ContainerSpec) };
}

export function presentServiceSpec(spec: ServiceSpec) {
  return { ...spec, TaskTemplate: presentTaskTemplate(spec.TaskTemplate) };
}

const DEFAULT_UPDATE_CONFIG: UpdateConfig = {
  Parallelism: 1,
  FailureAction: "pause",
  Monitor: 5 * SECOND_NS,
  MaxFailureRatio: 0,
  Order: "stop-first",
};

/** `insertDefaults=true`: what applies at run time where the spec says nothing (spec §1.6). */
export function withDefaults(spec: ServiceSpec): ServiceSpec {
  const { TaskTemplate: template } = spec;
  const config = (given: UpdateConfig | undefined): UpdateConfig =>
    given === undefined ? DEFAULT_UPDATE_CONFIG : { Monitor: 5 * SECOND_NS, ...given };
  return {
    ...spec,
    TaskTemplate: {
      ...template,
      ContainerSpec: {
        StopGracePeriod: 10 * SECOND_NS,
        DNSConfig: {},
        ...template.ContainerSpec,
      },
      Resources: template.Resources ?? {},
      RestartPolicy: {
        Condition: "any",
        Delay: 5 * SECOND_NS,
        MaxAttempts: 0,
        ...template.RestartPolicy,
      },
      Placement: template.Placement ?? {},
    },
    UpdateConfig: config(spec.UpdateConfig),
    RollbackConfig: config(spec.RollbackConfig),
  };
}
