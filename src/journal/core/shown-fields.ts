/**
 * Which values enter the journal. Every field that a spec of this version can have is decided here, so that none is hidden by being
 * forgotten; a field that this version does not know is hidden, so that none leaks by being forgotten. Environment, commands,
 * labels of services and options of drivers hold passwords often enough: only that they changed is told.
 */
import type {
  ClusterSpec,
  ConfigSpec,
  NetworkSpec,
  NodeSpec,
  SecretSpec,
  ServiceSpec,
} from "../../api/index.js";

/** A list: these members of its entries are shown. */
type Members = readonly string[];
type Decision = "shown" | "hidden" | Members;

/** The fields of a document: `A.B` for members, `A.*` for those that the user names, a list is one field. */
type Fields<T> = { [K in keyof T & string]-?: Below<K, NonNullable<T[K]>> }[keyof T & string];
type Below<K extends string, V> = V extends readonly unknown[] | string | number | boolean
  ? K
  : string extends keyof V
    ? `${K}.*`
    : keyof V extends never
      ? K
      : `${K}.${Fields<V>}`;
type Decisions<T> = Readonly<Record<Fields<T>, Decision>>;

const SERVICE: Decisions<ServiceSpec> = {
  Name: "shown",
  "Labels.*": "hidden",
  "TaskTemplate.ForceUpdate": "shown",
  "TaskTemplate.Runtime": "shown",
  "TaskTemplate.NetworkAttachmentSpec.ContainerID": "shown",
  "TaskTemplate.NetworkAttachmentSpec.TaskID": "shown",
  "TaskTemplate.ContainerSpec.Image": "shown",
  "TaskTemplate.ContainerSpec.Labels.*": "hidden",
  "TaskTemplate.ContainerSpec.Command": "hidden",
  "TaskTemplate.ContainerSpec.Args": "hidden",
  "TaskTemplate.ContainerSpec.Hostname": "shown",
  "TaskTemplate.ContainerSpec.Env": "hidden",
  "TaskTemplate.ContainerSpec.Dir": "shown",
  "TaskTemplate.ContainerSpec.User": "shown",
  "TaskTemplate.ContainerSpec.Groups": "shown",
  "TaskTemplate.ContainerSpec.Privileges.CredentialSpec": "hidden",
  "TaskTemplate.ContainerSpec.Privileges.SELinuxContext": "hidden",
  "TaskTemplate.ContainerSpec.Privileges.Seccomp.Mode": "shown",
  "TaskTemplate.ContainerSpec.Privileges.Seccomp.Profile": "hidden",
  "TaskTemplate.ContainerSpec.Privileges.AppArmor.Mode": "shown",
  "TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges": "shown",
  "TaskTemplate.ContainerSpec.Init": "shown",
  "TaskTemplate.ContainerSpec.StopSignal": "shown",
  "TaskTemplate.ContainerSpec.TTY": "shown",
  "TaskTemplate.ContainerSpec.OpenStdin": "shown",
  "TaskTemplate.ContainerSpec.ReadOnly": "shown",
  "TaskTemplate.ContainerSpec.Mounts": ["Type", "Source", "Target", "ReadOnly"],
  "TaskTemplate.ContainerSpec.StopGracePeriod": "shown",
  "TaskTemplate.ContainerSpec.Healthcheck.Test": "hidden",
  "TaskTemplate.ContainerSpec.Healthcheck.Interval": "shown",
  "TaskTemplate.ContainerSpec.Healthcheck.Timeout": "shown",
  "TaskTemplate.ContainerSpec.Healthcheck.Retries": "shown",
  "TaskTemplate.ContainerSpec.Healthcheck.StartPeriod": "shown",
  "TaskTemplate.ContainerSpec.Healthcheck.StartInterval": "shown",
  "TaskTemplate.ContainerSpec.Hosts": "shown",
  "TaskTemplate.ContainerSpec.DNSConfig.Nameservers": "shown",
  "TaskTemplate.ContainerSpec.DNSConfig.Search": "shown",
  "TaskTemplate.ContainerSpec.DNSConfig.Options": "shown",
  // Which one is used, and where; never what is in it.
  "TaskTemplate.ContainerSpec.Secrets": ["SecretID", "SecretName", "File", "Name"],
  "TaskTemplate.ContainerSpec.Configs": ["ConfigID", "ConfigName", "File", "Name"],
  "TaskTemplate.ContainerSpec.Isolation": "shown",
  "TaskTemplate.ContainerSpec.Sysctls.*": "shown",
  "TaskTemplate.ContainerSpec.CapabilityAdd": "shown",
  "TaskTemplate.ContainerSpec.CapabilityDrop": "shown",
  "TaskTemplate.ContainerSpec.Ulimits": ["Name", "Soft", "Hard"],
  "TaskTemplate.ContainerSpec.OomScoreAdj": "shown",
  "TaskTemplate.Resources.Limits.NanoCPUs": "shown",
  "TaskTemplate.Resources.Limits.MemoryBytes": "shown",
  "TaskTemplate.Resources.Limits.Pids": "shown",
  "TaskTemplate.Resources.Reservations.NanoCPUs": "shown",
  "TaskTemplate.Resources.Reservations.MemoryBytes": "shown",
  "TaskTemplate.Resources.Reservations.GenericResources": "shown",
  "TaskTemplate.Resources.SwapBytes": "shown",
  "TaskTemplate.Resources.MemorySwappiness": "shown",
  "TaskTemplate.RestartPolicy.Condition": "shown",
  "TaskTemplate.RestartPolicy.Delay": "shown",
  "TaskTemplate.RestartPolicy.MaxAttempts": "shown",
  "TaskTemplate.RestartPolicy.Window": "shown",
  "TaskTemplate.Placement.Constraints": "shown",
  "TaskTemplate.Placement.Preferences": "shown",
  "TaskTemplate.Placement.MaxReplicas": "shown",
  "TaskTemplate.Placement.Platforms": "shown",
  "TaskTemplate.Networks": ["Target", "Aliases"],
  "TaskTemplate.LogDriver.Name": "shown",
  "TaskTemplate.LogDriver.Options.*": "hidden",
  "Mode.Replicated.Replicas": "shown",
  "Mode.Global.*": "shown",
  "Mode.ReplicatedJob.MaxConcurrent": "shown",
  "Mode.ReplicatedJob.TotalCompletions": "shown",
  "Mode.ReplicatedJob.Schedule.Expression": "shown",
  "Mode.ReplicatedJob.Schedule.TimeZone": "shown",
  "Mode.ReplicatedJob.Schedule.MissedWindow": "shown",
  "Mode.ReplicatedJob.Schedule.Concurrency": "shown",
  "Mode.GlobalJob.*": "shown",
  "UpdateConfig.Parallelism": "shown",
  "UpdateConfig.Delay": "shown",
  "UpdateConfig.FailureAction": "shown",
  "UpdateConfig.Monitor": "shown",
  "UpdateConfig.MaxFailureRatio": "shown",
  "UpdateConfig.Order": "shown",
  "UpdateConfig.ProgressDeadline": "shown",
  "RollbackConfig.Parallelism": "shown",
  "RollbackConfig.Delay": "shown",
  "RollbackConfig.FailureAction": "shown",
  "RollbackConfig.Monitor": "shown",
  "RollbackConfig.MaxFailureRatio": "shown",
  "RollbackConfig.Order": "shown",
  "RollbackConfig.ProgressDeadline": "shown",
  "EndpointSpec.Mode": "shown",
  "EndpointSpec.Ports": "shown",
  "EndpointSpec.DrainTime": "shown",
  "EndpointSpec.Options.*": "shown",
  Rebalance: "shown",
};

const CLUSTER: Decisions<ClusterSpec> = {
  Name: "shown",
  "Labels.*": "hidden",
  "Orchestration.TaskHistoryRetentionLimit": "shown",
  "Orchestration.SpecHistoryLimit": "shown",
  "Raft.SnapshotInterval": "shown",
  "Raft.KeepOldSnapshots": "shown",
  "Raft.LogEntriesForSlowFollowers": "shown",
  "Raft.ElectionTick": "shown",
  "Raft.HeartbeatTick": "shown",
  "Dispatcher.HeartbeatPeriod": "shown",
  "CAConfig.NodeCertExpiry": "shown",
  "CAConfig.ForceRotate": "shown",
  "TaskDefaults.LogDriver.Name": "shown",
  "TaskDefaults.LogDriver.Options.*": "hidden",
  "EncryptionConfig.AutoLockManagers": "shown",
  "Journal.URL": "hidden",
  "Journal.MaxEntries": "shown",
  "Journal.CACert": "hidden",
};

const NETWORK: Decisions<NetworkSpec> = {
  Name: "shown",
  "Labels.*": "hidden",
  Driver: "shown",
  Scope: "shown",
  Internal: "shown",
  Attachable: "shown",
  Ingress: "shown",
  EnableIPv6: "shown",
  "IPAM.Driver": "shown",
  "IPAM.Options.*": "hidden",
  "IPAM.Config": "shown",
  "Options.*": "hidden",
};

const SECRET_OR_CONFIG: Decisions<SecretSpec & ConfigSpec> = {
  Name: "shown",
  "Labels.*": "hidden",
  Data: "hidden",
  "Driver.Name": "shown",
  "Driver.Options.*": "hidden",
  "Templating.Name": "shown",
  "Templating.Options.*": "hidden",
};

const NODE: Decisions<{ readonly Spec: NodeSpec }> = {
  "Spec.Name": "shown",
  "Spec.Labels.*": "shown",
  "Spec.Role": "shown",
  "Spec.Availability": "shown",
  "Spec.Drain.Deadline": "shown",
  "Spec.Drain.MaxParallel": "shown",
};

/** What was observed, by the names that derive.ts gives it. */
const OBSERVED = {
  ActualState: "shown",
  Addr: "shown",
  "Container.ExitCode": "shown",
  DesiredState: "shown",
  Error: "shown",
  ManagerAddr: "shown",
  Message: "shown",
  NodeID: "shown",
  "RebalanceStatus.Message": "shown",
  "RebalanceStatus.Moved": "shown",
  "RebalanceStatus.Moving": "shown",
  "RebalanceStatus.State": "shown",
  Role: "shown",
  State: "shown",
  "UpdateStatus.Message": "shown",
  "UpdateStatus.State": "shown",
} as const;

const DECISIONS: ReadonlyMap<string, Decision> = new Map<string, Decision>(
  [SERVICE, CLUSTER, NETWORK, SECRET_OR_CONFIG, NODE, OBSERVED].flatMap((of) => Object.entries(of)),
);

/** Whether the value of a field is kept; for some lists, which members of their entries. Unknown fields are not. */
export function isShown(field: string): boolean | Members {
  const decision = DECISIONS.get(field) ?? "hidden";
  return typeof decision === "string" ? decision === "shown" : decision;
}
