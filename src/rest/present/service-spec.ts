/** Specs for reading: what is stored, plus the few values that the Engine shows and we do not store. */
import {
  type ContainerSpec,
  isJob,
  type ServiceSpec,
  type TaskSpec,
  type UpdateConfig,
} from "../../api/index.js";
import type { StoreView } from "../../store/index.js";

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

/** Looks networks up to show their ids. */
type Networks = Pick<StoreView, "networkByName">;

/** Of a service: with its runtime. */
function presentTaskTemplate(spec: TaskSpec, networks: Networks | undefined) {
  return {
    ...spec,
    ...(spec.Networks === undefined ? {} : { Networks: presentTargets(spec.Networks, networks) }),
    ContainerSpec: presentContainerSpec(spec.ContainerSpec),
  };
}

/** Stored are names; clients compare with the ids that `GET /networks/{name}?scope=swarm` gives (`--network-rm host`). */
function presentTargets(
  targets: NonNullable<TaskSpec["Networks"]>,
  networks: Networks | undefined,
): TaskSpec["Networks"] {
  return targets.map((target) => {
    const found = networks?.networkByName(target.Target ?? "");
    return found === undefined ? target : { ...target, Target: found.id };
  });
}

/** Of a task: the Engine leaves the runtime out there. */
export function presentTaskSpec(spec: TaskSpec, networks: Networks | undefined) {
  const { Runtime: _runtime, ...rest } = presentTaskTemplate(spec, networks);
  if (spec.NetworkAttachmentSpec === undefined) return rest;
  // Ours: which task it is.
  const { ContainerSpec: _container, ...attachment } = rest;
  return attachment;
}

export function presentServiceSpec(spec: ServiceSpec, networks?: Networks) {
  return { ...spec, TaskTemplate: presentTaskTemplate(spec.TaskTemplate, networks) };
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
    // A job has none, and would be refused with one.
    ...(isJob(spec.Mode)
      ? {}
      : {
          UpdateConfig: config(spec.UpdateConfig),
          RollbackConfig: config(spec.RollbackConfig),
        }),
  };
}
