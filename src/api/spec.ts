/**
 * Specs: what the user wants, in the Engine API's own JSON shape and field names (API 1.50). They are documents: kept as
 * the user wrote them (plus the fill-ins the API requires), stored as canonical JSON, parsed once and shared frozen by
 * reference. Durations are integer nanoseconds. See docs/adr/0002.
 */

export type Labels = Readonly<Record<string, string>>;

export type NodeRole = "worker" | "manager";
export type Availability = "active" | "pause" | "drain";

export type NodeSpec = {
  readonly Name?: string;
  readonly Labels: Labels;
  readonly Role: NodeRole;
  readonly Availability: Availability;
  /** Only while Availability is drain. An extension of the API. */
  readonly Drain?: DrainConfig;
};

/** How the tasks of replicated services leave a drained node. */
export type DrainConfig = {
  /** ns from the start of the drain; what then still waits for its replacement is stopped. Absent: 10 min. 0: at once. */
  readonly Deadline?: number;
  /** Tasks per service that are replaced at the same time; 0 = all. Absent: the update parallelism of the service. */
  readonly MaxParallel?: number;
};

export type ClusterSpec = {
  readonly Name: string;
  readonly Labels: Labels;
  readonly Orchestration: {
    readonly TaskHistoryRetentionLimit: number;
    /** Specs kept per service, the present one included. An extension of the API; absent: SPEC_HISTORY_DEFAULT. */
    readonly SpecHistoryLimit?: number;
  };
  readonly Raft: {
    readonly SnapshotInterval: number;
    readonly KeepOldSnapshots: number;
    readonly LogEntriesForSlowFollowers: number;
    readonly ElectionTick: number;
    readonly HeartbeatTick: number;
  };
  readonly Dispatcher: { readonly HeartbeatPeriod: number };
  readonly CAConfig: { readonly NodeCertExpiry: number; readonly ForceRotate?: number };
  readonly TaskDefaults: {
    readonly LogDriver?: { readonly Name: string; readonly Options?: Labels };
  };
  readonly EncryptionConfig: { readonly AutoLockManagers: boolean };
  /** Ours: absent means that the journal is in the managers' files alone. */
  readonly Journal?: JournalSpec;
};

/** A Redis that holds the journal as a stream (docs/reference/journal.md). */
export type JournalSpec = {
  /** redis[s]://, redis[s]-sentinel:// or redis[s]-cluster://; may hold a password, which is never shown. */
  readonly URL: string;
  /** Entries kept in the stream; absent: 100,000. */
  readonly MaxEntries?: number;
  /** PEM of the authorities trusted for rediss…; absent: the system's. */
  readonly CACert?: string;
};

/** What happens at a tick while an earlier run goes on: it is left out, takes the run's place, or runs beside it. */
export type JobConcurrency = "forbid" | "replace" | "allow";

/** Ours, not the Engine's: when a job runs by itself. */
export type JobSchedule = {
  /** Five cron fields (minute, hour, day of month, month, day of week), or @hourly, @daily, @weekly, @monthly, @yearly. */
  readonly Expression: string;
  /** IANA name. */
  readonly TimeZone: string;
  /** A tick that nobody could start in time is made up for until this is over; afterwards it counts as missed. */
  readonly MissedWindow: number;
  readonly Concurrency: JobConcurrency;
};

export type ServiceMode =
  | { readonly Replicated: { readonly Replicas: number } }
  | { readonly Global: Readonly<Record<string, never>> }
  | {
      readonly ReplicatedJob: {
        readonly MaxConcurrent: number;
        readonly TotalCompletions: number;
        readonly Schedule?: JobSchedule;
      };
    }
  | { readonly GlobalJob: Readonly<Record<string, never>> };

/**
 * Ours, not the Engine's: whether running tasks are moved to emptier nodes. `manual`: when a command asks for it; `auto`: also by
 * itself.
 */
export type RebalanceMode = "off" | "manual" | "auto";

export type FailureAction = "pause" | "continue" | "rollback";
export type UpdateOrder = "stop-first" | "start-first";

export type UpdateConfig = {
  /** 0 = all at once. */
  readonly Parallelism: number;
  readonly Delay?: number;
  readonly FailureAction?: FailureAction;
  readonly Monitor?: number;
  readonly MaxFailureRatio?: number;
  readonly Order?: UpdateOrder;
  /** A task that does not run this long after its turn began counts as failed. An extension of the API; absent: 10 min. */
  readonly ProgressDeadline?: number;
};

export type PortProtocol = "tcp" | "udp" | "sctp";
export type PortConfig = {
  readonly Name?: string;
  readonly Protocol: PortProtocol;
  readonly TargetPort: number;
  readonly PublishedPort?: number;
  readonly PublishMode: "ingress" | "host";
};

export type EndpointSpec = {
  readonly Mode?: "vip" | "dnsrr";
  readonly Ports?: readonly PortConfig[];
  /** A planned stop waits for open connections this long at most, in ns; 0: not at all. Ours; absent: 2 s. */
  readonly DrainTime?: number;
  /** Ours: `local` is "prefer" (endpoint-options.ts) or "spread", as without it. */
  readonly Options?: Labels;
};

export type MountSpec = {
  readonly Type: "bind" | "volume" | "tmpfs" | "npipe" | "cluster" | "image";
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  };
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Labels;
    readonly Subpath?: string;
    readonly DriverConfig?: { readonly Name?: string; readonly Options?: Labels };
  };
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number;
    readonly Mode?: number;
    readonly Options?: readonly (readonly string[])[];
  };
};

export type HealthcheckSpec = {
  readonly Test?: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly Retries?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
};

export type PrivilegesSpec = {
  readonly CredentialSpec?: unknown;
  readonly SELinuxContext?: unknown;
  readonly Seccomp?: {
    readonly Mode?: "default" | "unconfined" | "custom";
    readonly Profile?: string;
  };
  readonly AppArmor?: { readonly Mode?: "default" | "disabled" };
  readonly NoNewPrivileges?: boolean;
};

export type FileTarget = {
  readonly Name: string;
  readonly UID: string;
  readonly GID: string;
  readonly Mode: number;
};

export type ContainerSpec = {
  readonly Image: string;
  readonly Labels?: Labels;
  readonly Command?: readonly string[];
  readonly Args?: readonly string[];
  readonly Hostname?: string;
  readonly Env?: readonly string[];
  readonly Dir?: string;
  readonly User?: string;
  readonly Groups?: readonly string[];
  readonly Privileges?: PrivilegesSpec;
  readonly Init?: boolean;
  readonly StopSignal?: string;
  readonly TTY?: boolean;
  readonly OpenStdin?: boolean;
  readonly ReadOnly?: boolean;
  readonly Mounts?: readonly MountSpec[];
  readonly StopGracePeriod?: number;
  readonly Healthcheck?: HealthcheckSpec;
  /** `IP name [name…]`, as docker stores them. */
  readonly Hosts?: readonly string[];
  readonly DNSConfig?: {
    readonly Nameservers?: readonly string[];
    readonly Search?: readonly string[];
    readonly Options?: readonly string[];
  };
  readonly Secrets?: readonly {
    readonly File?: FileTarget;
    readonly SecretID: string;
    readonly SecretName: string;
  }[];
  readonly Configs?: readonly {
    readonly File?: FileTarget;
    readonly Runtime?: Readonly<Record<string, never>>;
    readonly ConfigID: string;
    readonly ConfigName: string;
  }[];
  readonly Isolation?: string;
  readonly Sysctls?: Labels;
  readonly CapabilityAdd?: readonly string[];
  readonly CapabilityDrop?: readonly string[];
  readonly Ulimits?: readonly {
    readonly Name: string;
    readonly Soft: number;
    readonly Hard: number;
  }[];
  readonly OomScoreAdj?: number;
};

export type GenericResource =
  | { readonly DiscreteResourceSpec: { readonly Kind: string; readonly Value: number } }
  | { readonly NamedResourceSpec: { readonly Kind: string; readonly Value: string } };

export type ResourceLimits = {
  readonly NanoCPUs?: number;
  readonly MemoryBytes?: number;
  readonly Pids?: number;
};
export type ResourceReservations = {
  readonly NanoCPUs?: number;
  readonly MemoryBytes?: number;
  readonly GenericResources?: readonly GenericResource[];
};
export type ResourceRequirements = {
  readonly Limits?: ResourceLimits;
  readonly Reservations?: ResourceReservations;
  readonly SwapBytes?: number;
  readonly MemorySwappiness?: number;
};

export type RestartPolicy = {
  readonly Condition?: "none" | "on-failure" | "any";
  readonly Delay?: number;
  readonly MaxAttempts?: number;
  readonly Window?: number;
};

export type Placement = {
  readonly Constraints?: readonly string[];
  readonly Preferences?: readonly { readonly Spread: { readonly SpreadDescriptor: string } }[];
  readonly MaxReplicas?: number;
  readonly Platforms?: readonly { readonly Architecture?: string; readonly OS?: string }[];
};

export type NetworkTarget = {
  readonly Target: string;
  readonly Aliases?: readonly string[];
  /** Wanted ones, at most one of each family, in canonical form. Of attachments alone: no service can ask for them. */
  readonly Addresses?: readonly string[];
  readonly DriverOpts?: Labels;
};

/** What is put on the networks is another task's container. */
export type NetworkAttachmentSpec = {
  /** As the Engine shows it: 64 hex digits. */
  readonly ContainerID: string;
  /** Ours. */
  readonly TaskID: string;
};

export type TaskSpec = {
  /** Of an attachment: nothing but the image of the container that it is for. */
  readonly ContainerSpec: ContainerSpec;
  /** Present: no container is made (docs/adr/0018). */
  readonly NetworkAttachmentSpec?: NetworkAttachmentSpec;
  readonly Resources?: ResourceRequirements;
  readonly RestartPolicy?: RestartPolicy;
  readonly Placement?: Placement;
  readonly Networks?: readonly NetworkTarget[];
  readonly LogDriver?: { readonly Name?: string; readonly Options?: Labels };
  readonly ForceUpdate: number;
  readonly Runtime: "container" | "plugin" | "attachment";
};

export type ServiceSpec = {
  readonly Name: string;
  readonly Labels: Labels;
  readonly TaskTemplate: TaskSpec;
  readonly Mode: ServiceMode;
  readonly UpdateConfig?: UpdateConfig;
  readonly RollbackConfig?: UpdateConfig;
  readonly EndpointSpec?: EndpointSpec;
  /** Of replicated services; absent: off. */
  readonly Rebalance?: RebalanceMode;
};

export type NetworkSpec = {
  readonly Name: string;
  readonly Labels: Labels;
  readonly Driver: string;
  readonly Scope: "swarm" | "local";
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly EnableIPv6?: boolean;
  readonly IPAM?: {
    readonly Driver?: string;
    readonly Options?: Labels;
    readonly Config?: readonly {
      readonly Subnet?: string;
      readonly Gateway?: string;
      readonly IPRange?: string;
    }[];
  };
  readonly Options?: Labels;
};

export type SecretSpec = {
  readonly Name: string;
  readonly Labels: Labels;
  /** Base64. Never leaves the store through a read call. */
  readonly Data?: string;
  readonly Driver?: { readonly Name: string; readonly Options?: Labels };
  readonly Templating?: { readonly Name: string; readonly Options?: Labels };
};

export type ConfigSpec = {
  readonly Name: string;
  readonly Labels: Labels;
  readonly Data?: string;
  readonly Templating?: { readonly Name: string; readonly Options?: Labels };
};

/** Node facts as the agent reports them (Engine API `Node.Description`). */
export type NodeDescription = {
  readonly Hostname: string;
  readonly Platform: { readonly Architecture: string; readonly OS: string };
  readonly Resources: {
    readonly NanoCPUs: number;
    readonly MemoryBytes: number;
    readonly GenericResources?: readonly GenericResource[];
  };
  readonly Engine: {
    readonly EngineVersion: string;
    readonly Labels?: Labels;
    readonly Plugins: readonly { readonly Type: string; readonly Name: string }[];
  };
  /** "containerd" or "simulated": shown wherever a user could mistake one for the other. */
  readonly EngineKind: "containerd" | "simulated";
  /** CIDRs the node's own routes lead to: networks are chosen clear of them. Not shown to clients. */
  readonly Routes?: readonly string[];
  /** CIDR of the node's own bridge, one of those routes; absent while there is none. */
  readonly Bridge?: string;
  /** IP of its VXLAN packets, when it is not the one it is known by. */
  readonly DataPathAddr?: string;
  /** What does not work on the node's networks, each with its remedy. */
  readonly NetworkProblems?: readonly string[];
  /** Bytes that a packet between nodes may have; absent: not known. Not shown to clients. */
  readonly UnderlayMtu?: number;
  /** What it encrypts with, or could; absent: not known. Not shown to clients. */
  readonly WireGuard?: NodeTunnel["Implementation"] | "none";
  /** Of its encrypted networks; absent before the first one, or while the agent does not know. */
  readonly Tunnel?: NodeTunnel;
  /** Published ports of its tasks that take IPv4 alone: what comes over IPv6 is passed on there. Absent: none. Shown with the service. */
  readonly Proxied6?: readonly ProxiedPort6[];
};

/** Its task has a socket for IPv4 and none for IPv6; it does not see the addresses of clients on IPv6. */
export type ProxiedPort6 = {
  readonly ServiceID: string;
  readonly TaskID: string;
  readonly Protocol: "tcp" | "udp";
  readonly TargetPort: number;
};

/** A node's WireGuard interface. Keys are public ones, in base64. */
export type NodeTunnel = {
  readonly Implementation: "kernel" | "wireguard-go";
  readonly PublicKey: string;
  /** What the keys of its pairs are made with, oldest first. */
  readonly PairKeys: readonly string[];
};
